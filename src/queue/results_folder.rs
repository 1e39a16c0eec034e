//! The results folder as the scheduler needs it: there, writable, and nobody else's.
//!
//! Reading results needs none of this.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::holder::{Holder, Signature, Standing};
use crate::record::remove_litter;

/// A folder that results can be written to.
#[derive(Clone, Debug)]
pub struct ResultsFolder {
    path: PathBuf,
}

/// A results folder that this process alone schedules for, until this is dropped or the
/// process ends, however it ends.
#[derive(Debug)]
pub struct LockedResults {
    path: PathBuf,
    lock: File,
}

/// The results folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// Something else stands there.
    #[error("{path} is not a folder; results need one: name another with --results DIR")]
    NotAFolder {
        /// Where.
        path: PathBuf,
    },
    /// It is not there and cannot be made.
    #[error("the results folder {path} cannot be created: {cause}; name another with --results DIR")]
    Create {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is there and takes no file.
    #[error("the results folder {path} cannot be written to: {cause}; name another with --results DIR")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another scheduler has it.
    #[error(
        "{path} is in use by {holder}; wait for it with --wait, stop it, or name another folder with --results DIR"
    )]
    InUse {
        /// Where.
        path: PathBuf,
        /// `process 12 on host-a since 2026-11-25 10:00:00 UTC`.
        holder: String,
    },
    /// A scheduler on another host has it, or ended there without saying so: which of the
    /// two cannot be known here.
    #[error(
        "{path} is marked as in use by {holder}, a host whose processes cannot be seen from here; if nothing runs there any more, remove {path}/.lock and try again"
    )]
    Elsewhere {
        /// Where.
        path: PathBuf,
        /// `process 12 on host-a since 2026-11-25 10:00:00 UTC`.
        holder: String,
    },
    /// Its file system cannot lock.
    #[error(
        "the results folder {path} cannot be locked: {cause}; name one on a local disk with --results DIR"
    )]
    Lock {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl ResultsFolder {
    /// Makes the folder where it is missing, and tries it by writing a file.
    ///
    /// # Errors
    /// A path that is no folder, cannot become one, or cannot be written to.
    pub fn open(path: &Path) -> Result<Self, ResultsError> {
        let path = path.to_path_buf();
        if path.exists() && !path.is_dir() {
            return Err(ResultsError::NotAFolder { path });
        }
        if let Err(cause) = fs::create_dir_all(&path) {
            return Err(ResultsError::Create { path, cause });
        }
        let probe = path.join(format!(".probe.{}.tmp", std::process::id()));
        let removed = || match fs::remove_file(&probe) {
            // Whoever has the lock removes what lies about.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
        match fs::write(&probe, "probe").and_then(|()| removed()) {
            Ok(()) => Ok(Self { path }),
            Err(cause) => Err(ResultsError::Write { path, cause }),
        }
    }

    /// Takes the lock `.lock`, which the system releases when its holder ends, and removes
    /// what killed writers left beside it. What is worth telling goes to `warn`.
    ///
    /// # Errors
    /// Another scheduler that has it, here or on another host, or a file system that cannot
    /// lock.
    pub fn lock(self, warn: &mut dyn FnMut(String)) -> Result<LockedResults, ResultsError> {
        let path = self.path;
        let file = path.join(".lock");
        let opened = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(file);
        let mut file = match opened {
            Ok(file) => file,
            Err(cause) => return Err(ResultsError::Write { path, cause }),
        };
        let locked = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(cause)) => return Err(ResultsError::Lock { path, cause }),
        };
        match Signature::read(&mut file).standing(locked) {
            Standing::Free => {}
            Standing::Stale(note) => warn(format!("{}: {note}", path.display())),
            Standing::Held(holder) => return Err(ResultsError::InUse { path, holder }),
            Standing::Elsewhere(holder) => return Err(ResultsError::Elsewhere { path, holder }),
        }
        let signed = Holder::this_process().sign(&mut file).and_then(|()| remove_litter(&path));
        match signed {
            Ok(()) => Ok(LockedResults { path, lock: file }),
            Err(cause) => Err(ResultsError::Write { path, cause }),
        }
    }
}

impl LockedResults {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The name of this machine; empty where it has none.
pub fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

impl Drop for LockedResults {
    fn drop(&mut self) {
        // An empty file is the sign of an orderly end. The system releases the lock itself.
        let _ = self.lock.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_made_and_nothing_is_left_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        ResultsFolder::open(&path).unwrap();
        ResultsFolder::open(&path).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_folder_or_cannot_be_one_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        let error = ResultsFolder::open(&file).unwrap_err();
        assert!(matches!(error, ResultsError::NotAFolder { .. }), "{error}");
        let error = ResultsFolder::open(&file.join("below")).unwrap_err();
        assert!(matches!(error, ResultsError::Create { .. }), "{error}");
        assert!(error.to_string().contains("file/below"), "{error}");
        // A folder in which nobody, root included, can make a file.
        if Path::new("/proc/self/task").is_dir() {
            let error = ResultsFolder::open(Path::new("/proc/self/task")).unwrap_err();
            assert!(matches!(error, ResultsError::Write { .. }), "{error}");
        }
    }

    fn lock(folder: &Path) -> (Result<LockedResults, ResultsError>, Vec<String>) {
        let mut warnings = Vec::new();
        let locked = ResultsFolder::open(folder).unwrap().lock(&mut |warning| warnings.push(warning));
        (locked, warnings)
    }

    #[test]
    fn one_holder_at_a_time_and_the_second_is_told_who_and_since_when() {
        let folder = tempfile::tempdir().unwrap();
        let (first, warnings) = lock(folder.path());
        assert_eq!(warnings, [""; 0]);
        let error = lock(folder.path()).0.unwrap_err();
        let said = error.to_string();
        let holder = format!("is in use by process {} on {}", std::process::id(), host_name());
        assert!(said.contains(&holder) && said.contains(" since 20") && said.contains("--wait"), "{said}");
        drop(first);
        let (again, warnings) = lock(folder.path());
        assert_eq!(again.unwrap().path(), folder.path());
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn what_killed_writers_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".probe.7.tmp", "notes.tmp", "notes"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let _lock = lock(folder.path()).0.unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".lock", "notes", "notes.tmp"]);
    }
}
