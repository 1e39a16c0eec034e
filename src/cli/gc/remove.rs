//! Removing what was found, so that a removal that is cut short leaves nothing half.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::super::errors::CliError;
use super::{Item, Kind};

/// Removes all items, in their order. Links are unlinked and never followed.
pub(super) fn remove(items: &[Item]) -> Result<(), CliError> {
    for Item { kind, path, .. } in items {
        let removed = match kind {
            Kind::Checkpoint => fs::remove_dir_all(path),
            Kind::Litter => fs::remove_file(path),
            Kind::Sweep => fs::remove_file(path).and_then(|()| forget_empty(path)),
            Kind::Job => remove_job(path),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(CliError::message(format!("{}: {error}", path.display())));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// The record goes first: a job without its weights must never look done.
fn remove_job(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join("record.json")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::remove_dir_all(folder)
}

/// Removes the folder of a dropped sweep, and that of its tables, once nothing is in them.
fn forget_empty(file: &Path) -> io::Result<()> {
    // At most the tables' folder, and the sweep's around it.
    for folder in file.ancestors().skip(1).take(if is_table(file) { 2 } else { 1 }) {
        match fs::remove_dir(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_table(file: &Path) -> bool {
    file.parent().and_then(Path::file_name).is_some_and(|name| name == "tables")
}
