//! One attempt at a job: the right to publish in its folder.
//!
//! The right is a folder, `.attempt-ID`. All that the attempt publishes is written there
//! first and renamed into place. Whoever begins another attempt removes the folder, and with
//! it the right: a worker that slept past its time has nowhere to write and nothing to
//! rename, whenever it wakes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::event::{self, Event};
use super::folder::to_json;
use super::publish::{at, publish_by_way_of};
use super::{JobFolder, Record};

/// How the folders of attempts begin.
const PREFIX: &str = ".attempt-";

/// Tells an attempt from all others, on all hosts: 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(String);

impl AttemptId {
    /// Another id each time.
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let host = fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&host).update(&std::process::id().to_le_bytes()).update(&now.to_le_bytes());
        hasher.update(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        Self(hasher.finalize().to_hex().chars().take(16).collect())
    }
}

/// A worker's side of an attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    job: JobFolder,
    staging: PathBuf,
}

impl Attempt {
    pub(super) fn new(job: JobFolder, id: &AttemptId) -> Self {
        let staging = staging(job.path(), id);
        Self { job, staging }
    }

    /// The job's folder.
    pub fn job(&self) -> &JobFolder {
        &self.job
    }

    /// Publishes one file of the job's folder, whole or not at all.
    ///
    /// # Errors
    /// The right to publish is gone, or any failure of the file system, with the path.
    pub fn publish(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        publish_by_way_of(&self.staging, path, bytes).map_err(|error| self.explained(error))
    }

    /// Appends one event.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn append(&self, event: &Event) -> io::Result<()> {
        // A worker that wakes too late keeps silent. It could still be overtaken between the
        // look and the line; a line too many is all that can come of it.
        if !self.staging.is_dir() {
            return Err(revoked());
        }
        let path = self.job.events();
        event::append(&path, event).map_err(|error| at(&path, &error))
    }

    /// Publishes a checkpoint after `step` steps and forgets all but the last two.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn checkpoint(&self, step: usize, payload: &[u8]) -> io::Result<()> {
        let written = self.job.checkpoints().write(step, payload, &self.staging);
        written.map_err(|error| self.explained(error))?;
        self.append(&Event::Checkpointed { step })
    }

    /// Removes the checkpoint after `step` steps.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn remove_checkpoint(&self, step: usize) -> io::Result<()> {
        self.job.checkpoints().remove(step, &self.staging).map_err(|error| self.explained(error))
    }

    /// Publishes the record: from here on the job is done, and what it needed on the way is
    /// removed.
    ///
    /// # Errors
    /// A record that could not be read back, or as [`publish`](Self::publish). Nothing is
    /// published then.
    pub fn finish(&self, record: &Record) -> io::Result<()> {
        let bytes = to_json(record)?;
        self.job.check_readable(&bytes)?;
        self.publish(&self.job.record(), &bytes)?;
        // The job is done, whatever becomes of these; the next sweep tidies up too.
        let _ = self.append(&Event::Finished);
        let _ = self.job.tidy();
        Ok(())
    }

    fn explained(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::NotFound && !self.staging.is_dir() { revoked() } else { error }
    }
}

/// The folder of an attempt.
pub(super) fn staging(job: &Path, id: &AttemptId) -> PathBuf {
    job.join(format!("{PREFIX}{}", id.0))
}

/// Takes all attempts at the job in `folder` the right to publish.
pub(super) fn revoke_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| at(folder, &error))? {
        let path = entry.map_err(|error| at(folder, &error))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX)) {
            revoke(&path).map_err(|error| at(&path, &error))?;
        }
    }
    Ok(())
}

/// The rename takes the right at once; the removal may take its time, and be repeated.
fn revoke(staging: &Path) -> io::Result<()> {
    let mut revoked = staging.as_os_str().to_owned();
    revoked.push("-revoked");
    // One that was revoked before, and not removed, stays under its name.
    let revoked = if staging.to_string_lossy().ends_with("-revoked") {
        staging.to_owned()
    } else {
        unless_gone(fs::rename(staging, &revoked))?;
        PathBuf::from(revoked)
    };
    unless_gone(fs::remove_dir_all(revoked))
}

/// A worker that ends may be tidying up at the same time.
fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn revoked() -> io::Error {
    io::Error::other("another attempt at this job has begun; this one may publish nothing any more")
}
