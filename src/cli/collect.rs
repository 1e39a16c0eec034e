//! From a plan and the jobs' folders to the results frame.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::DataFrame;

use super::errors::CliError;
use super::stored::{StoredCell, StoredPlan};
use crate::record::{JobFolder, Mark, State};
use crate::results::{CellOutcome, ResultCell, frame};
use crate::settings::{Coordinates, Job, Key, Stage};

/// What became of each job.
pub(super) fn states(results: &Path, jobs: &[Job]) -> Result<BTreeMap<Key, State>, CliError> {
    let mut states = BTreeMap::new();
    for job in jobs {
        states.insert(job.key.clone(), JobFolder::new(results, &job.key).peek()?);
    }
    Ok(states)
}

/// The frame of a sweep, as far as it has come.
pub(super) fn collect(results: &Path, plan: &StoredPlan) -> Result<DataFrame, CliError> {
    let states = states(results, &plan.jobs)?;
    let mut rows: Vec<ResultCell> = plan.cells.iter().map(|cell| finetuned(cell, plan, &states)).collect();
    let mut seen = BTreeSet::new();
    for cell in &plan.cells {
        // Of a chain the last: what comes before it has the coordinates of another system.
        if let Some(key) = cell.pretrain.last().filter(|key| seen.insert((*key).clone())) {
            rows.push(pretrained(cell, key, plan, &states));
        }
    }
    Ok(frame(&rows)?)
}

fn finetuned(cell: &StoredCell, plan: &StoredPlan, states: &BTreeMap<Key, State>) -> ResultCell {
    let marks = |key: &Key| match states.get(key) {
        Some(State::Done(record)) => record.result.marks.clone(),
        Some(State::Failed(_) | State::Pending) | None => Vec::new(),
    };
    let parent_marks: BTreeSet<Mark> = cell.pretrain.iter().flat_map(marks).collect();
    ResultCell {
        sweep: plan.sweep.clone(),
        cell: cell.coordinates.clone(),
        system: cell.coordinates["model"].clone(),
        scale: plan.scale.clone(),
        stage: Stage::Finetune,
        key: cell.finetune.clone(),
        headline: Some(cell.metric),
        parent_marks: parent_marks.into_iter().collect(),
        outcome: outcome(cell.finetune.as_ref(), states),
    }
}

fn pretrained(cell: &StoredCell, key: &Key, plan: &StoredPlan, states: &BTreeMap<Key, State>) -> ResultCell {
    let touches = |axis: &str| {
        ["model", "tokenization", "masking", "seed"].contains(&axis)
            || ["model.", "vocabulary.", "pretrain."].iter().any(|section| axis.starts_with(section))
    };
    let coordinates: Coordinates = cell
        .coordinates
        .iter()
        .filter(|(axis, _)| touches(axis))
        .map(|(a, v)| (a.clone(), v.clone()))
        .collect();
    ResultCell {
        sweep: plan.sweep.clone(),
        cell: coordinates,
        system: cell.coordinates["model"].clone(),
        scale: plan.scale.clone(),
        stage: Stage::Pretrain,
        key: Some(key.clone()),
        headline: None,
        parent_marks: Vec::new(),
        outcome: outcome(Some(key), states),
    }
}

fn outcome(key: Option<&Key>, states: &BTreeMap<Key, State>) -> CellOutcome {
    match key.and_then(|key| states.get(key)) {
        Some(State::Done(record)) => CellOutcome::Done(record.clone()),
        Some(State::Failed(failure)) => CellOutcome::Failed(failure.clone()),
        Some(State::Pending) | None => CellOutcome::Pending,
    }
}
