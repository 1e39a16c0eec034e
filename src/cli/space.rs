//! Whether the disk has room for a sweep, asked before it begins.

use std::collections::BTreeSet;
use std::path::Path;

use super::errors::CliError;
use super::experiment::Experiment;
use super::systems::{parameters_of_job, trained_parameters};
use crate::plan::{History, estimate};
use crate::queue::{Queued, free_bytes};
use crate::record::JobFolder;
use crate::settings::Key;

/// Copies of the weights in a checkpoint: the model, two moments, the best model so far.
const COPIES: u64 = 4;

/// Checkpoints at a time: the two that are kept, and the one being written.
const CHECKPOINTS: u64 = 3;

/// Refuses a sweep whose open jobs will need more than is free, as far as can be known.
pub(super) fn check_space(
    experiment: &Experiment,
    jobs: &[Queued],
    open: &BTreeSet<Key>,
    slots: usize,
    results: &Path,
) -> Result<(), CliError> {
    let Some(free) = free_bytes(results) else { return Ok(()) };
    let needed = needed_bytes(experiment, jobs, open, slots, results);
    if needed <= free {
        return Ok(());
    }
    Err(CliError::message(format!(
        "{} has {} free, and the open jobs need about {}\nhelp: free some space, name another folder with --results DIR, or run fewer jobs at once with --slots N",
        results.display(),
        bytes(free),
        bytes(needed)
    )))
}

/// What the open jobs leave, and the checkpoints of as many as run at a time, the largest
/// ones. What interrupted jobs have written already is there.
fn needed_bytes(
    experiment: &Experiment,
    jobs: &[Queued],
    open: &BTreeSet<Key>,
    slots: usize,
    results: &Path,
) -> u64 {
    let left = estimate(&experiment.plan, &History::default(), &parameters_of_job, &|key| open.contains(key));
    let open = || jobs.iter().map(|queued| &queued.job).filter(|job| open.contains(&job.key));
    let there: u64 = open().map(|job| JobFolder::new(results, &job.key).checkpoints().bytes()).sum();
    let mut trained: Vec<u64> = open().map(|job| trained_parameters(job) as u64).collect();
    trained.sort_unstable_by(|a, b| b.cmp(a));
    let running: u64 =
        trained.iter().take(slots).map(|parameters| CHECKPOINTS * COPIES * 4 * parameters).sum();
    (left.disk_bytes + running).saturating_sub(there)
}

/// Bytes as a person says them.
pub(super) fn bytes(count: u64) -> String {
    match count as f64 {
        count if count < 1e6 => format!("{:.0} kB", count / 1e3),
        count if count < 1e9 => format!("{:.1} MB", count / 1e6),
        count => format!("{:.1} GB", count / 1e9),
    }
}
