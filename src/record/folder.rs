//! The folder of one job.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{FORMAT, Failure, Record, publish};
use crate::settings::{Job, Key};

/// `results/jobs/KEY/`.
#[derive(Clone, Debug)]
pub struct JobFolder {
    path: PathBuf,
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

/// One line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A worker took the job.
    Started {
        /// Its process id.
        pid: u32,
        /// Its device.
        device: String,
        /// Unix time, in seconds.
        at: u64,
    },
    /// Training went on.
    Progress {
        /// Optimiser steps done.
        step: usize,
        /// Steps in all.
        steps: usize,
        /// Mean training loss since the last such line.
        loss: f64,
    },
    /// A look at dev, or at the held-out windows.
    Evaluated {
        /// Optimiser steps done.
        step: usize,
        /// What selection looks at.
        metric: String,
        /// Its value.
        value: f64,
    },
}

impl JobFolder {
    /// The folder of `key` under a results folder. Nothing is created.
    pub fn new(results: &Path, key: &Key) -> Self {
        Self { path: results.join("jobs").join(&key.0) }
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

    /// Creates the folder, says what was asked, and forgets an earlier failure.
    ///
    /// # Errors
    /// Any failure of the file system.
    pub fn open(&self, job: &Job) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        remove_if_there(&self.failure())?;
        publish(&self.path.join("job.json"), &to_json(job)?)
    }

    /// Appends one event.
    ///
    /// # Errors
    /// Any failure of the file system.
    pub fn append(&self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        OpenOptions::new().create(true).append(true).open(self.path.join("events.jsonl"))?.write_all(&line)
    }

    /// The last event, where there is one. A torn last line is passed over.
    pub fn last_event(&self) -> Option<Event> {
        let text = fs::read_to_string(self.path.join("events.jsonl")).ok()?;
        text.lines().rev().find_map(|line| serde_json::from_str(line).ok())
    }

    /// Publishes the record: from here on the job is done.
    ///
    /// # Errors
    /// Any failure of the file system.
    pub fn finish(&self, record: &Record) -> io::Result<()> {
        publish(&self.record(), &to_json(record)?)
    }

    /// Publishes why there is no record.
    ///
    /// # Errors
    /// Any failure of the file system.
    pub fn fail(&self, failure: &Failure) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        publish(&self.failure(), &to_json(failure)?)
    }

    /// What the folder says of the job. A damaged record is set aside as
    /// `record.json.damaged`, and `warn` is told.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn state(&self, warn: &mut dyn FnMut(String)) -> io::Result<State> {
        if let Some(bytes) = read_if_there(&self.record())? {
            match serde_json::from_slice::<Record>(&bytes) {
                Ok(record) if record.format == FORMAT => return Ok(State::Done(Box::new(record))),
                _ => self.set_aside(warn)?,
            }
        }
        let failure = read_if_there(&self.failure())?;
        Ok(match failure.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            Some(failure) => State::Failed(failure),
            None => State::Pending,
        })
    }

    fn set_aside(&self, warn: &mut dyn FnMut(String)) -> io::Result<()> {
        let aside = self.path.join("record.json.damaged");
        fs::rename(self.record(), &aside)?;
        warn(format!("a damaged record was set aside as {}; the job will run again", aside.display()));
        Ok(())
    }

    fn record(&self) -> PathBuf {
        self.path.join("record.json")
    }

    fn failure(&self) -> PathBuf {
        self.path.join("failure.json")
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
        Err(error) => Err(error),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
