//! The results folder as the scheduler needs it: there, writable, and nobody else's.
//!
//! Reading results needs none of this.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
    _lock: File,
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
    #[error("{path} is in use by {holder}; wait for it, stop it, or name another folder with --results DIR")]
    InUse {
        /// Where.
        path: PathBuf,
        /// `process 12 on host-a`.
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

/// What a lock file says of its holder.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
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
        match fs::write(&probe, "probe").and_then(|()| fs::remove_file(&probe)) {
            Ok(()) => Ok(Self { path }),
            Err(cause) => Err(ResultsError::Write { path, cause }),
        }
    }

    /// Takes the lock `.lock`, which the system releases when its holder ends.
    ///
    /// # Errors
    /// Another scheduler that has it, or a file system that cannot lock.
    pub fn lock(self) -> Result<LockedResults, ResultsError> {
        let path = self.path;
        let file = path.join(".lock");
        let opened = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(file);
        let mut file = match opened {
            Ok(file) => file,
            Err(cause) => return Err(ResultsError::Write { path, cause }),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ResultsError::InUse { path, holder: holder(&mut file) });
            }
            Err(TryLockError::Error(cause)) => return Err(ResultsError::Lock { path, cause }),
        }
        match sign(&mut file) {
            Ok(()) => Ok(LockedResults { path, _lock: file }),
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

fn sign(file: &mut File) -> io::Result<()> {
    let holder = serde_json::to_vec(&Holder { pid: std::process::id(), host: host_name() })?;
    file.set_len(0)?;
    file.write_all(&holder)
}

/// Who has the lock. The holder may not have signed yet.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).map(|_| serde_json::from_str::<Holder>(&text));
    match read {
        Ok(Ok(Holder { pid, host })) if host.is_empty() => format!("process {pid}"),
        Ok(Ok(Holder { pid, host })) => format!("process {pid} on {host}"),
        Ok(Err(_)) | Err(_) => "another process".to_owned(),
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

    #[test]
    fn one_holder_at_a_time_and_the_second_is_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let open = || ResultsFolder::open(folder.path()).unwrap();
        let first = open().lock().unwrap();
        let error = open().lock().unwrap_err();
        let holder = format!("is in use by process {}", std::process::id());
        assert!(error.to_string().contains(&holder), "{error}");
        drop(first);
        let again = open().lock().unwrap();
        assert_eq!(again.path(), folder.path());
    }

    #[test]
    fn what_an_earlier_holder_left_does_not_lock() {
        let folder = tempfile::tempdir().unwrap();
        let longer_than_ours = format!("{{\"pid\":1,\"host\":\"{}\"}}", "h".repeat(500));
        fs::write(folder.path().join(".lock"), longer_than_ours).unwrap();
        let _lock = ResultsFolder::open(folder.path()).unwrap().lock().unwrap();
        let text = fs::read_to_string(folder.path().join(".lock")).unwrap();
        assert_eq!(serde_json::from_str::<Holder>(&text).unwrap().pid, std::process::id());
    }
}
