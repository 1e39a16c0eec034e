//! What only this module reads, for the fuzz tests: everything here is reached by commands
//! as well, which print, and end the process.

use std::path::Path;

use super::errors::{CliError, render};
use super::library;
use super::stored::StoredPlan;
use crate::spec::Diagnostics;

/// Reads `RESULTS/SWEEP/plan.json` and says how many jobs and cells it has.
///
/// # Errors
/// What a person would read.
pub fn stored_plan(results: &Path, sweep: &str) -> Result<String, String> {
    let plan = StoredPlan::read(results, sweep).map_err(|error| render(&error))?;
    Ok(format!("{} jobs, {} cells, {} tables", plan.jobs.len(), plan.cells.len(), plan.tables().len()))
}

/// The text of a TOML file.
///
/// # Errors
/// What it is instead.
pub fn toml_text(path: &Path) -> Result<String, String> {
    library::read(path).map_err(|unreadable| unreadable.what)
}

/// What a person reads of mistakes in files.
pub fn explained(mistakes: Diagnostics) -> String {
    render(&CliError::Mistakes(mistakes))
}
