//! The library: what the binary carries, and over it the folders beside an experiment file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::errors::CliError;
use crate::spec::{LibraryFile, LibraryKind, Source};

static SYSTEMS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments/systems");
static SCALES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments/scales");
static TASKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments/tasks");
static CORPORA: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments/corpora");

/// Longest file that is read as TOML, in bytes.
const LONGEST: u64 = 1_000_000;

/// The files of the library that an experiment in `folder` sees.
pub(super) fn files(folder: Option<&Path>) -> Result<Vec<LibraryFile>, CliError> {
    let mut files = Vec::new();
    for kind in LibraryKind::ALL {
        embedded(kind, carried(kind), &mut files);
        if let Some(folder) = folder {
            let root = folder.join(kind.folder());
            if root.is_dir() {
                beside(kind, &root, &root, &mut files)?;
            }
        }
    }
    Ok(files)
}

fn carried(kind: LibraryKind) -> &'static Dir<'static> {
    match kind {
        LibraryKind::System => &SYSTEMS,
        LibraryKind::Scale => &SCALES,
        LibraryKind::Task => &TASKS,
        LibraryKind::Corpus => &CORPORA,
    }
}

fn embedded(kind: LibraryKind, folder: &Dir<'_>, files: &mut Vec<LibraryFile>) {
    for file in folder.files() {
        let (Some(id), Some(text)) = (id(file.path()), file.contents_utf8()) else { continue };
        let shown = format!("built in: {}/{}", kind.folder(), file.path().display());
        files.push(LibraryFile { kind, id, source: Source::new(shown, text), problem: None });
    }
    for inner in folder.dirs() {
        embedded(kind, inner, files);
    }
}

fn beside(
    kind: LibraryKind,
    root: &Path,
    folder: &Path,
    files: &mut Vec<LibraryFile>,
) -> Result<(), CliError> {
    let named = |error: std::io::Error| CliError::message(format!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(named)? {
        paths.push(entry.map_err(named)?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            // A link may lead back to where it is.
            let inner = fs::canonicalize(&path).map_err(named)?;
            if !fs::canonicalize(folder).map_err(named)?.starts_with(&inner) {
                beside(kind, root, &path, files)?;
            }
        } else if let Some(id) = path.strip_prefix(root).ok().and_then(id) {
            let (text, problem) = match read(&path) {
                Ok(text) => (text, None),
                Err(Unreadable { before, what }) => (before, Some(what)),
            };
            let source = Source::new(path.display().to_string(), text);
            files.push(LibraryFile { kind, id, source, problem });
        }
    }
    Ok(())
}

/// The id of `gue/mouse/2.toml` is `gue/mouse/2`.
fn id(path: &Path) -> Option<String> {
    if path.extension()? != "toml" {
        return None;
    }
    let stem = path.with_extension("");
    Some(stem.to_str()?.replace(std::path::MAIN_SEPARATOR, "/"))
}

/// Why a file is no text.
pub(super) struct Unreadable {
    /// What could be read before it could no more; empty where nothing could.
    pub(super) before: String,
    /// In a few words what it is instead.
    pub(super) what: String,
}

/// The text of a TOML file.
pub(super) fn read(path: &Path) -> Result<String, Unreadable> {
    let nothing = |what: String| Err(Unreadable { before: String::new(), what });
    let refuse = |what: String| nothing(format!("{what}; expected a TOML file"));
    let length = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            return nothing("a link to a file that is not there; mend or remove it".to_owned());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return refuse("there is no such file".to_owned());
        }
        Err(error) => return refuse(error.to_string()),
        Ok(metadata) if metadata.is_dir() => return refuse("this is a folder".to_owned()),
        // A pipe may never end, and a device never does.
        Ok(metadata) if !metadata.is_file() => return refuse("this is a pipe or a device".to_owned()),
        Ok(metadata) => metadata.len(),
    };
    if length > LONGEST {
        let (megabytes, most) = (length as f64 / 1e6, LONGEST as f64 / 1e6);
        return nothing(format!("{megabytes:.1} MB; expected a TOML file of at most {most:.1} MB"));
    }
    match fs::read(path).map(String::from_utf8) {
        Err(error) => refuse(error.to_string()),
        Ok(Err(error)) => {
            let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
            let what = format!("byte 0x{:02x} is not UTF-8; save the file as UTF-8", bad[0]);
            Err(Unreadable { before: String::from_utf8_lossy(good).into_owned(), what })
        }
        // Editors hide a byte order mark, and carets would be one off.
        Ok(Ok(text)) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
    }
}
