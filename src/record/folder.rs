//! The folder of one job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::attempt::{revoke_all, staging};
use super::publish::{at, remove_litter};
use super::{Attempt, AttemptId, Checkpoints, Event, FORMAT, Failure, Record, publish};
use crate::settings::{Job, Key};

/// `results/jobs/KEY/`.
#[derive(Clone, Debug)]
pub struct JobFolder {
    path: PathBuf,
    key: Key,
}

/// What a job's folder says of it.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// No record and no failure: never started, running, or interrupted.
    Pending,
    /// A readable record.
    Done(Box<Record>),
    /// A readable failure, and no record.
    Failed(Failure),
}

/// What stands in the place of the record.
enum Reading {
    Nothing,
    Whole(Box<Record>),
    /// Why it cannot be used.
    Damaged(String),
}

impl JobFolder {
    /// The folder of `key` under a results folder. Nothing is created.
    pub fn new(results: &Path, key: &Key) -> Self {
        Self { path: results.join("jobs").join(&key.0), key: key.clone() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The weights a later stage reads.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// The tokenizer a later stage reads.
    pub fn tokenizer(&self) -> PathBuf {
        self.path.join("tokenizer.json")
    }

    /// One row per example of dev and test.
    pub fn predictions(&self) -> PathBuf {
        self.path.join("predictions.csv")
    }

    /// What a job that is under way can be taken up from.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(&self.path, &self.key)
    }

    /// Begins an attempt, which takes every earlier one the right to publish: creates the
    /// folder, says what was asked, and forgets an earlier failure and the temporary files
    /// of a killed attempt. Checkpoints stay. Only for the one who schedules the job.
    ///
    /// # Errors
    /// Any failure of the file system, with the path.
    pub fn begin(&self, job: &Job) -> io::Result<AttemptId> {
        self.create()?;
        revoke_all(&self.path)?;
        remove_litter(&self.path)?;
        self.checkpoints().create()?;
        remove_if_there(&self.failure())?;
        publish(&self.path.join("job.json"), &to_json(job)?)?;
        let id = AttemptId::unique();
        let staging = staging(&self.path, &id);
        fs::create_dir(&staging).map_err(|error| at(&staging, &error))?;
        Ok(id)
    }

    /// The worker's side of an attempt that was begun.
    pub fn attempt(&self, id: &AttemptId) -> Attempt {
        Attempt::new(self.clone(), id)
    }

    /// Ends all attempts. Checkpoints stay: the job will go on. Only for the one who
    /// schedules the job.
    ///
    /// # Errors
    /// Any failure of the file system, with the path.
    pub fn end_attempts(&self) -> io::Result<()> {
        revoke_all(&self.path)?;
        self.checkpoints().forget_empty();
        remove_litter(&self.path)
    }

    /// Removes what a job that is done no longer needs: attempts, checkpoints, an earlier
    /// failure and litter. Does nothing to a folder that is tidy.
    ///
    /// # Errors
    /// Any failure of the file system, with the path.
    pub fn tidy(&self) -> io::Result<()> {
        self.end_attempts()?;
        self.checkpoints().clear()?;
        remove_if_there(&self.failure())
    }

    /// The last event, where there is one. A torn last line is passed over.
    pub fn last_event(&self) -> Option<Event> {
        let bytes = fs::read(self.events()).ok()?;
        bytes.split(|&byte| byte == b'\n').rev().find_map(|line| serde_json::from_slice(line).ok())
    }

    /// The last step that was reported, where there is one. A torn last line is passed over.
    pub fn progress(&self) -> Option<Event> {
        let is_progress = |event: &Event| matches!(event, Event::Progress { .. });
        let bytes = fs::read(self.events()).ok()?;
        let mut events =
            bytes.split(|&byte| byte == b'\n').rev().filter_map(|line| serde_json::from_slice(line).ok());
        events.find(is_progress)
    }

    /// All events, in their order. Torn lines are passed over.
    pub fn history(&self) -> Vec<Event> {
        let bytes = fs::read(self.events()).unwrap_or_default();
        bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// Publishes why there is no record, and ends all attempts. Checkpoints stay, for who
    /// tries again. Only for the one who schedules the job.
    ///
    /// # Errors
    /// Any failure of the file system, with the path.
    pub fn fail(&self, failure: &Failure) -> io::Result<()> {
        self.create()?;
        self.end_attempts()?;
        publish(&self.failure(), &to_json(failure)?)
    }

    /// Whether the folder is there: whether an attempt was ever begun.
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// What the folder says of the job. A damaged record is set aside as
    /// `record.json.damaged`, and `warn` is told. Only for the holder of the results
    /// folder's lock: another process could set aside what a worker has just published.
    ///
    /// # Errors
    /// A file that is there and cannot be read, with its path.
    pub fn state(&self, warn: &mut dyn FnMut(String)) -> io::Result<State> {
        match self.look()? {
            Reading::Whole(record) => Ok(State::Done(record)),
            Reading::Nothing => self.without_record(),
            Reading::Damaged(why) => {
                self.set_aside(&why, warn)?;
                self.without_record()
            }
        }
    }

    /// As [`state`](Self::state), for any process at any time: nothing is touched, and a
    /// damaged record is no record.
    ///
    /// # Errors
    /// A file that is there and cannot be read, with its path.
    pub fn peek(&self) -> io::Result<State> {
        match self.look()? {
            Reading::Whole(record) => Ok(State::Done(record)),
            Reading::Nothing | Reading::Damaged(_) => self.without_record(),
        }
    }

    /// Refuses a record that could not be read back.
    pub(super) fn check_readable(&self, record: &[u8]) -> io::Result<()> {
        match self.read(record) {
            Reading::Whole(_) | Reading::Nothing => Ok(()),
            Reading::Damaged(why) => {
                let message = format!("{}: the record would be unreadable: {why}", self.record().display());
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }

    fn look(&self) -> io::Result<Reading> {
        Ok(read_if_there(&self.record())?.map_or(Reading::Nothing, |bytes| self.read(&bytes)))
    }

    fn read(&self, bytes: &[u8]) -> Reading {
        /// Readable in every format.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        match serde_json::from_slice(bytes) {
            Ok(Head { format }) if format != FORMAT => {
                return Reading::Damaged(format!("it has format {format}, this program reads {FORMAT}"));
            }
            // The whole record's error says more than the head's.
            Ok(_) | Err(_) => {}
        }
        match serde_json::from_slice::<Record>(bytes) {
            Ok(record) if record.key == self.key => Reading::Whole(Box::new(record)),
            Ok(record) => Reading::Damaged(format!("it belongs to the job {}", record.key)),
            Err(error) => Reading::Damaged(error.to_string()),
        }
    }

    fn without_record(&self) -> io::Result<State> {
        let failure = read_if_there(&self.failure())?;
        Ok(match failure.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            Some(failure) => State::Failed(failure),
            None => State::Pending,
        })
    }

    fn set_aside(&self, why: &str, warn: &mut dyn FnMut(String)) -> io::Result<()> {
        let path = self.record();
        fs::rename(&path, self.path.join("record.json.damaged")).map_err(|error| at(&path, &error))?;
        warn(format!("{}: set aside as record.json.damaged, the job will run again: {why}", path.display()));
        Ok(())
    }

    fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.path).map_err(|error| at(&self.path, &error))
    }

    pub(super) fn record(&self) -> PathBuf {
        self.path.join("record.json")
    }

    fn failure(&self) -> PathBuf {
        self.path.join("failure.json")
    }

    pub(super) fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }
}

pub(super) fn to_json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, &error)),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path, &error)),
    }
}
