//! Atomic publication: a file is there whole, or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keeps two threads of this process from sharing a temporary file.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Writes `bytes` to `path` so that a reader, or a crash, sees the old file or the new one:
/// a temporary file in the same folder, fsync, rename, fsync of the folder.
///
/// # Errors
/// Any failure of the file system, with the path; the temporary file is then removed.
pub fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    publish_by_way_of(folder_of(path), path, bytes)
}

/// As [`publish`], with the temporary file in `staging`, a folder of the same file system:
/// whoever removes that folder takes the right to publish away.
pub(super) fn publish_by_way_of(staging: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    publish_into(staging, path, bytes).map_err(|error| at(path, &error))
}

fn publish_into(staging: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // The process id keeps two processes apart.
    let temporary = staging.join(format!(".{}.{}-{number}.tmp", name.to_string_lossy(), std::process::id()));
    let written = write_and_sync(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; litter is the lesser harm.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        // A bare file name has the empty path as its parent.
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes what publications that were killed left in `folder`. Only for a folder to which
/// nobody else is writing.
///
/// # Errors
/// Any failure of the file system, with the path.
pub fn remove_litter(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| at(folder, &error))? {
        let entry = entry.map_err(|error| at(folder, &error))?;
        if is_temporary(&entry.file_name().to_string_lossy()) {
            match fs::remove_file(entry.path()) {
                // Its writer may be removing it too.
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(at(&entry.path(), &error));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && Path::new(name).extension().is_some_and(|extension| extension == "tmp")
}

/// The same error, with the path it is about.
pub(super) fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn publishes_and_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        for text in ["first, and longer", "second"] {
            publish(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_failure_leaves_no_temporary_file_and_names_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        // A folder cannot be replaced by a file: the rename fails after the write.
        fs::create_dir(&path).unwrap();
        let error = publish(&path, b"text").unwrap_err();
        assert!(error.to_string().contains("a.json"), "{error}");
        assert_eq!(names(folder.path()), ["a.json"]);
        assert!(publish(&folder.path().join("missing/a.json"), b"").is_err());
        assert!(publish(Path::new("/"), b"").is_err());
    }

    #[test]
    fn a_reader_sees_one_value_or_the_other_and_never_half() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let values = ["a".repeat(100_000), "b".repeat(200_000)];
        publish(&path, values[0].as_bytes()).unwrap();
        std::thread::scope(|scope| {
            // Two writers at once, in one process.
            for value in &values {
                scope.spawn(|| (0..30).for_each(|_| publish(&path, value.as_bytes()).unwrap()));
            }
            for _ in 0..200 {
                assert!(values.contains(&fs::read_to_string(&path).unwrap()));
            }
        });
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn litter_is_removed_and_other_hidden_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".record.json.7-0.tmp", ".lock", "notes.tmp", "record.json"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_litter(folder.path()).unwrap();
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [".lock", "notes.tmp", "record.json"]);
    }
}
