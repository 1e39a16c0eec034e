//! The checkpoints of a job that is under way: `checkpoint/STEP`, the last two of them.
//!
//! A line with a format number and the BLAKE3 hash of the job's key and all that follows,
//! then the payload, of which this module knows nothing. What does not match its hash is
//! damaged, and never read further.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::publish::{at, publish_by_way_of};
use crate::settings::Key;

/// Bumped when a checkpoint written before can no longer be gone on from.
const FORMAT: u32 = 1;

/// How many are kept: the last, and the one before in case the last is damaged.
const KEPT: usize = 2;

/// `results/jobs/KEY/checkpoint/`.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    key: Key,
}

/// Why a checkpoint cannot be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is not what was written: it will never be.
    #[error("the checkpoint {path} is left aside: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system does not give it out, which says nothing of the file itself. The path is in
    /// the text.
    #[error("{0}")]
    Unreadable(io::Error),
}

impl Checkpoints {
    pub(super) fn new(job: &Path, key: &Key) -> Self {
        Self { folder: job.join("checkpoint"), key: key.clone() }
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The steps that there are checkpoints of, the last one first.
    ///
    /// # Errors
    /// A folder that is there and cannot be read, with its path.
    pub fn steps(&self) -> io::Result<Vec<usize>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&self.folder, &error)),
        };
        let mut steps = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| at(&self.folder, &error))?.file_name();
            steps.extend(name.to_str().and_then(|name| name.parse::<usize>().ok()));
        }
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    /// What they hold on disk; 0 where that cannot be known.
    pub fn bytes(&self) -> u64 {
        let size = |step| fs::metadata(self.file(step)).map_or(0, |file| file.len());
        self.steps().unwrap_or_default().into_iter().map(size).sum()
    }

    /// The payload of the checkpoint after `step` steps.
    ///
    /// # Errors
    /// A file that cannot be read, is torn, of another format, or of another job.
    pub fn read(&self, step: usize) -> Result<Vec<u8>, CheckpointError> {
        let path = self.file(step);
        let bytes = fs::read(&path).map_err(|error| CheckpointError::Unreadable(at(&path, &error)))?;
        self.payload(bytes).map_err(|why| CheckpointError::Damaged { path, why })
    }

    /// Makes the folder.
    pub(super) fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder).map_err(|error| at(&self.folder, &error))
    }

    /// Removes the checkpoint after `step` steps by way of `staging`, so that only the holder
    /// of that folder can.
    pub(super) fn remove(&self, step: usize, staging: &Path) -> io::Result<()> {
        let path = self.file(step);
        let aside = staging.join(format!("{step:09}"));
        fs::rename(&path, &aside).and_then(|()| fs::remove_file(&aside)).map_err(|error| at(&path, &error))
    }

    /// Writes one by way of `staging`, and forgets all but the last ones before it.
    pub(super) fn write(&self, step: usize, payload: &[u8], staging: &Path) -> io::Result<()> {
        let mut bytes = format!("{}{}\n", head(), self.hash(payload)).into_bytes();
        bytes.extend_from_slice(payload);
        publish_by_way_of(staging, &self.file(step), &bytes)?;
        // Those after it belong to an attempt that found them damaged and began before.
        let others = self.steps()?.into_iter().filter(|&other| other != step);
        let (later, earlier): (Vec<usize>, Vec<usize>) = others.partition(|&other| other > step);
        later
            .into_iter()
            .chain(earlier.into_iter().skip(KEPT - 1))
            .try_for_each(|step| self.remove(step, staging))
    }

    /// Removes all.
    pub(super) fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&self.folder, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes the folder if nothing is in it.
    pub(super) fn forget_empty(&self) {
        // It fails where there is something, or no folder.
        let _ = fs::remove_dir(&self.folder);
    }

    fn file(&self, step: usize) -> PathBuf {
        self.folder.join(format!("{step:09}"))
    }

    fn payload(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("its first line is not whole")?;
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let hash = line.strip_prefix(&head()).ok_or_else(|| {
            let start: String = line.chars().take(40).collect();
            format!("it begins with `{}`, not with `{}`", start.escape_debug(), head().trim_end())
        })?;
        bytes.drain(..=end);
        if self.hash(&bytes) == hash {
            Ok(bytes)
        } else {
            Err("its contents do not match its hash".to_owned())
        }
    }

    fn hash(&self, payload: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.key.0.as_bytes()).update(b"\n").update(payload);
        hasher.finalize().to_hex().to_string()
    }
}

fn head() -> String {
    format!("bench checkpoint {FORMAT} ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoints(folder: &Path) -> Checkpoints {
        Checkpoints::new(folder, &Key("abc".to_owned()))
    }

    fn write(checkpoints: &Checkpoints, step: usize, payload: &[u8]) {
        checkpoints.create().unwrap();
        checkpoints.write(step, payload, checkpoints.path().parent().unwrap()).unwrap();
    }

    #[test]
    fn the_last_two_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = checkpoints(folder.path());
        assert_eq!(checkpoints.steps().unwrap(), [0; 0]);
        for step in [5, 10, 15, 100] {
            write(&checkpoints, step, &[step as u8; 10]);
        }
        assert_eq!(checkpoints.steps().unwrap(), [100, 15]);
        assert_eq!(checkpoints.read(15).unwrap(), [15; 10]);
        // An attempt that went back to 15 passes 20 before it comes to 100 again.
        write(&checkpoints, 20, b"again");
        assert_eq!(checkpoints.steps().unwrap(), [20, 15]);
        checkpoints.clear().unwrap();
        checkpoints.clear().unwrap();
        assert!(!checkpoints.path().exists());
    }

    #[test]
    fn one_that_is_cut_or_changed_at_any_byte_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = checkpoints(folder.path());
        write(&checkpoints, 7, b"some payload\nof two lines");
        let path = checkpoints.file(7);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            checkpoints.read(7).unwrap_err();
            let mut changed = whole.clone();
            changed[length] ^= 1;
            fs::write(&path, &changed).unwrap();
            checkpoints.read(7).unwrap_err();
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(checkpoints.read(7).unwrap(), b"some payload\nof two lines");
        let other = Checkpoints::new(folder.path(), &Key("abd".to_owned()));
        let said = other.read(7).unwrap_err().to_string();
        assert!(said.contains("000000007") && said.contains("do not match"), "{said}");
    }
}
