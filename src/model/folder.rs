//! Which files belong to a checkpoint's folder. A checkpoint comes from a stranger, and so
//! do the links in it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ModelError;

/// The file `name` of a checkpoint's folder, where it is there.
///
/// A link is followed within the folder, and from a snapshot of Hugging Face's cache, which
/// is nothing but links, into the `blobs` beside it (`snapshots/REVISION/NAME` to
/// `blobs/HASH`). The folder itself may be a link: who named it meant what it shows.
///
/// # Errors
/// A link to anywhere else, something that is no regular file, or any failure of the file
/// system but that there is nothing.
pub(super) fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>, ModelError> {
    let path = folder.join(name);
    let failed = |source| ModelError::File { path: path.clone(), source };
    let target = match fs::canonicalize(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        target => target.map_err(failed)?,
    };
    let folder = fs::canonicalize(folder).map_err(failed)?;
    let is_inside =
        target.starts_with(&folder) || blobs(&folder).is_some_and(|blobs| target.starts_with(blobs));
    if !is_inside {
        return Err(ModelError::Outside { path, target });
    }
    // A pipe or a device would never end.
    if !fs::metadata(&target).map_err(failed)?.is_file() {
        return Err(ModelError::NoFile { path });
    }
    Ok(Some(target))
}

/// Where a snapshot of Hugging Face's cache keeps its files.
fn blobs(folder: &Path) -> Option<PathBuf> {
    let snapshots =
        folder.parent().filter(|parent| parent.file_name().is_some_and(|name| name == "snapshots"))?;
    Some(snapshots.parent()?.join("blobs"))
}
