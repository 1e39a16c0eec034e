//! The folder of one job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::event::{self, Event};
use super::publish::{at, remove_litter};
use super::{FORMAT, Failure, Record, publish};
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

    /// Creates the folder, says what was asked, and forgets an earlier failure and the
    /// temporary files of a killed attempt. Only for the one who is about to run the job.
    ///
    /// # Errors
    /// Any failure of the file system, with the path.
    pub fn open(&self, job: &Job) -> io::Result<()> {
        self.create()?;
        remove_litter(&self.path)?;
        remove_if_there(&self.failure())?;
        publish(&self.path.join("job.json"), &to_json(job)?)
    }

    /// Appends one event.
    ///
    /// # Errors
    /// Any failure of the file system, with the path.
    pub fn append(&self, event: &Event) -> io::Result<()> {
        event::append(&self.events(), event).map_err(|error| at(&self.events(), &error))
    }

    /// The last event, where there is one. A torn last line is passed over.
    pub fn last_event(&self) -> Option<Event> {
        let bytes = fs::read(self.events()).ok()?;
        bytes.split(|&byte| byte == b'\n').rev().find_map(|line| serde_json::from_slice(line).ok())
    }

    /// Publishes the record: from here on the job is done.
    ///
    /// # Errors
    /// A record that could not be read back, or any failure of the file system, with the
    /// path. Nothing is published then.
    pub fn finish(&self, record: &Record) -> io::Result<()> {
        let bytes = to_json(record)?;
        match self.read(&bytes) {
            Reading::Whole(_) | Reading::Nothing => publish(&self.record(), &bytes),
            Reading::Damaged(why) => {
                let message = format!("{}: the record would be unreadable: {why}", self.record().display());
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }

    /// Publishes why there is no record.
    ///
    /// # Errors
    /// Any failure of the file system, with the path.
    pub fn fail(&self, failure: &Failure) -> io::Result<()> {
        self.create()?;
        publish(&self.failure(), &to_json(failure)?)
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

    fn record(&self) -> PathBuf {
        self.path.join("record.json")
    }

    fn failure(&self) -> PathBuf {
        self.path.join("failure.json")
    }

    fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }
}

fn to_json(value: &impl Serialize) -> io::Result<Vec<u8>> {
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
