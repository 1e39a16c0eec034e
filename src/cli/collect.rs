//! From a plan and the jobs' folders to the results frame.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::errors::CliError;
use super::stored::{StoredCell, StoredPlan};
use crate::record::{JobFolder, Mark, State};
use crate::results::{CellOutcome, ResultCell, frame};
use crate::settings::{Coordinates, Key, Stage};

/// What became of each job that was begun; the others have no folder yet.
pub(super) fn states<'a>(
    results: &Path,
    jobs: impl Iterator<Item = &'a Key>,
) -> Result<BTreeMap<Key, State>, CliError> {
    let begun = begun(results)?;
    // Most of a large sweep may not have begun, and each look at a missing file takes time.
    let keys: Vec<&Key> = jobs.filter(|key| begun.contains(&OsString::from(&key.0))).collect();
    let look = |key: &&Key| Ok(((*key).clone(), JobFolder::new(results, key).peek()?));
    keys.par_iter().map(look).collect()
}

/// The names of all folders of jobs.
fn begun(results: &Path) -> Result<HashSet<OsString>, CliError> {
    let jobs = results.join("jobs");
    let named = |error: std::io::Error| CliError::message(format!("{}: {error}", jobs.display()));
    match fs::read_dir(&jobs) {
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(named)?.file_name())).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(HashSet::new())
        }
        Err(error) => Err(named(error)),
    }
}

/// The frame of a sweep, as far as it has come.
pub(super) fn collect(results: &Path, plan: &StoredPlan) -> Result<DataFrame, CliError> {
    let states = states(results, plan.jobs.iter().map(|job| &job.key))?;
    let mut rows: Vec<ResultCell> = plan.cells.iter().map(|cell| finetuned(cell, plan, &states)).collect();
    let mut seen = BTreeSet::new();
    for cell in &plan.cells {
        // Of a chain the last: what comes before it has the coordinates of another system.
        if let Some(job) = cell.pretrain.last().filter(|job| seen.insert(**job)) {
            rows.push(pretrained(cell, &plan.jobs[*job].key, plan, &states));
        }
    }
    Ok(frame(&rows)?)
}

fn finetuned(cell: &StoredCell, plan: &StoredPlan, states: &BTreeMap<Key, State>) -> ResultCell {
    let marks = |job: &usize| match states.get(&plan.jobs[*job].key) {
        Some(State::Done(record)) => record.result.marks.clone(),
        Some(State::Failed(_) | State::Pending) | None => Vec::new(),
    };
    let parent_marks: BTreeSet<Mark> = cell.pretrain.iter().flat_map(marks).collect();
    let coordinates = plan.coordinates(cell);
    let finetune = cell.finetune.map(|job| &plan.jobs[job].key);
    ResultCell {
        sweep: plan.sweep.clone(),
        system: system(&coordinates),
        cell: coordinates,
        scale: plan.scale.clone(),
        stage: Stage::Finetune,
        key: finetune.cloned(),
        headline: Some(cell.metric),
        parent_marks: parent_marks.into_iter().collect(),
        outcome: outcome(finetune, states),
    }
}

fn pretrained(cell: &StoredCell, key: &Key, plan: &StoredPlan, states: &BTreeMap<Key, State>) -> ResultCell {
    let touches = |axis: &str| {
        ["model", "tokenization", "masking", "seed"].contains(&axis)
            || ["model.", "vocabulary.", "pretrain."].iter().any(|section| axis.starts_with(section))
    };
    let mut coordinates = plan.coordinates(cell);
    coordinates.retain(|axis, _| touches(axis));
    ResultCell {
        sweep: plan.sweep.clone(),
        system: system(&coordinates),
        cell: coordinates,
        scale: plan.scale.clone(),
        stage: Stage::Pretrain,
        key: Some(key.clone()),
        headline: None,
        parent_marks: Vec::new(),
        outcome: outcome(Some(key), states),
    }
}

/// Its name is the cell's value on the axis `model`.
fn system(coordinates: &Coordinates) -> String {
    coordinates.get("model").cloned().unwrap_or_default()
}

fn outcome(key: Option<&Key>, states: &BTreeMap<Key, State>) -> CellOutcome {
    match key.and_then(|key| states.get(key)) {
        Some(State::Done(record)) => CellOutcome::Done(record.clone()),
        Some(State::Failed(failure)) => CellOutcome::Failed(failure.clone()),
        Some(State::Pending) | None => CellOutcome::Pending,
    }
}
