//! Where the data lie. It reads no environment: its caller does.

use std::path::{Path, PathBuf};

use super::DataError;

/// The data root: what `--data-root` names, else what `BENCH_DATA` names, else `data/`
/// beside the sweep file, in `sweep_folder`.
///
/// An empty `BENCH_DATA` counts as not set. The folder beside the sweep need not be there:
/// a synthetic task needs none, and of others the catalogue says what is missing.
///
/// # Errors
/// A folder that was named is none.
pub fn data_root(
    flag: Option<&Path>,
    environment: Option<&Path>,
    sweep_folder: &Path,
) -> Result<PathBuf, DataError> {
    let environment = environment.filter(|path| !path.as_os_str().is_empty());
    let (path, origin) = match (flag, environment) {
        (Some(path), _) => (path, "--data-root"),
        (None, Some(path)) => (path, "BENCH_DATA"),
        (None, None) => return Ok(sweep_folder.join("data")),
    };
    if path.is_dir() { Ok(path.to_owned()) } else { Err(DataError::Root { path: path.to_owned(), origin }) }
}
