//! From an experiment file to its plan.

use std::path::{Path, PathBuf};

use super::Places;
use super::catalogue::catalogue;
use super::errors::{CliError, check};
use super::library;
use crate::data::data_root;
use crate::plan::{Plan, plan};
use crate::queue::ResultsError;
use crate::resolve::resolve;
use crate::spec::{Diagnostics, Library, Source, Sweep, read_sweep};

/// An experiment, planned.
pub(super) struct Experiment {
    pub(super) sweep: Sweep,
    pub(super) plan: Plan,
    pub(super) data_root: PathBuf,
}

/// Reads, checks and plans an experiment file; nothing is written.
pub(super) fn load(file: &Path, places: &Places) -> Result<Experiment, CliError> {
    let text = library::read(file).map_err(|library::Unreadable { before, what }| {
        let line =
            if before.is_empty() { String::new() } else { format!(":{}", 1 + before.matches('\n').count()) };
        CliError::message(format!("{}{line}: {what}", file.display()))
    })?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let name = sweep_name(file)?;
    check_results(&places.results)?;
    let data_root = data_root(places.data_root.as_deref(), environment_root().as_deref(), folder)?;
    let mut mistakes = Diagnostics::default();
    let library = Library::read(&library::files(Some(folder))?, &mut mistakes);
    let source = Source::new(file.display().to_string(), text);
    let sweep = read_sweep(&name, &source, &library, &mut mistakes);
    if !mistakes.is_readable(&source) {
        // What the parser guessed is no base for more than the names that were typed.
        return Err(CliError::Mistakes(mistakes));
    }
    // What needs the data is checked in the same go, as far as the file can be understood.
    let catalogue = catalogue(&sweep, &library, &data_root, &mut mistakes);
    let cells = resolve(&sweep, &library, &catalogue, &mut mistakes);
    check(mistakes)?;
    if cells.cells.is_empty() {
        return Err(CliError::message(format!("{}: no cell is left to run", file.display())));
    }
    let plan = plan(&cells);
    Ok(Experiment { sweep, plan, data_root })
}

/// Nothing is made or tried before a job runs, but what can never be a folder of results is
/// refused before the first plan.
fn check_results(path: &Path) -> Result<(), CliError> {
    match path.ancestors().find(|folder| folder.exists()) {
        Some(there) if !there.is_dir() => Err(ResultsError::NotAFolder { path: there.to_owned() }.into()),
        Some(_) | None => Ok(()),
    }
}

/// The data root that the environment names.
pub(super) fn environment_root() -> Option<PathBuf> {
    std::env::var_os("BENCH_DATA").map(PathBuf::from)
}

/// The name of a sweep is its file's, without the ending.
pub(super) fn sweep_name(file: &Path) -> Result<String, CliError> {
    let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let reserved = name == "jobs" || name.starts_with('.') || name.is_empty();
    if reserved || name.chars().any(char::is_control) {
        return Err(CliError::message(format!(
            "`{}` cannot name a sweep: its results would lie in `results/{name}`; rename the file",
            file.display()
        )));
    }
    Ok(name.to_owned())
}
