//! What the frame is made from.

use crate::record::{Failure, Mark, Record};
use crate::settings::{Coordinates, Key, Metric, Stage};

/// One cell of a sweep, or one pre-training that its cells build on, with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultCell {
    /// The sweep's name.
    pub sweep: String,
    /// Its value on every axis: a cell has `model`, `tokenization`, `masking`, `init`,
    /// `task`, `label_fraction` and `seed`; a pre-training lacks those that do not touch it.
    /// Dotted settings axes stand beside them.
    pub cell: Coordinates,
    /// The published recipe.
    pub system: String,
    /// The size it is built at.
    pub scale: String,
    /// The stage of the job that the row speaks of.
    pub stage: Stage,
    /// That job's key; none while its data are missing.
    pub key: Option<Key>,
    /// The task's headline metric; none for other stages than fine-tuning.
    pub headline: Option<Metric>,
    /// Marks of the jobs it builds on: scores on top of an untrained encoder say so.
    pub parent_marks: Vec<Mark>,
    /// What became of it.
    pub outcome: CellOutcome,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum CellOutcome {
    /// It has a record.
    Done(Box<Record>),
    /// It ended without one.
    Failed(Failure),
    /// It has not ended.
    Pending,
}

impl CellOutcome {
    /// The name in files and frames.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Failed(failure) => failure.outcome.name(),
            Self::Pending => "pending",
        }
    }

    /// The record, where there is one.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Done(record) => Some(record),
            Self::Failed(_) | Self::Pending => None,
        }
    }
}

impl ResultCell {
    /// `axis=value` pairs, for messages.
    pub(super) fn label(&self) -> String {
        let pairs: Vec<String> = self.cell.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
        pairs.join(" ")
    }

    /// Its own marks and those of its parents, each once; none unless it is done.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let Some(record) = self.outcome.record() else { return Vec::new() };
        let mut marks: Vec<Mark> = record.result.marks.iter().chain(&self.parent_marks).copied().collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    }
}
