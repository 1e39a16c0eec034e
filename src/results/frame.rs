//! Cells to one long frame.

use std::str::FromStr;

use polars::prelude::DataFrame;

use super::columns::{axis_columns, cost_columns, identity_columns, measurement_columns, score_columns};
use super::{ResultCell, ResultsError};
use crate::record::{JobResult, Measurement};
use crate::settings::{Metric, Split, Stage};

/// The split of scores on a corpus's held-out windows.
const HELD_OUT: &str = "held-out";

/// The frame of cells: one row per cell, split and metric, in the order of the cells, then
/// of splits (train, dev, test), then of metric names. A cell without scores has one row.
///
/// # Errors
/// A `seed` or `label_fraction` that is no number, or an axis named as another column.
///
/// # Panics
/// Never: every column is made from the same rows, and names are checked.
pub fn frame(cells: &[ResultCell]) -> Result<DataFrame, ResultsError> {
    let rows: Vec<Row> = cells.iter().map(rows_of).collect::<Result<Vec<_>, _>>()?.concat();
    let mut columns = identity_columns(&rows);
    columns.extend(axis_columns(cells, &rows)?);
    columns.extend(score_columns(&rows));
    columns.extend(cost_columns(&rows));
    columns.extend(measurement_columns(&rows));
    Ok(DataFrame::new(rows.len(), columns).expect("columns have one entry per row and distinct names"))
}

/// One row, before it is cut into columns.
#[derive(Clone)]
pub(super) struct Row<'a> {
    pub(super) cell: &'a ResultCell,
    pub(super) seed: Option<u64>,
    pub(super) label_fraction: Option<f64>,
    pub(super) score: Option<Score<'a>>,
}

/// One score of a cell.
#[derive(Clone, Copy)]
pub(super) struct Score<'a> {
    pub(super) split: &'static str,
    pub(super) metric: &'a str,
    pub(super) value: Option<f64>,
    pub(super) headline: bool,
    pub(super) n: Option<usize>,
}

impl<'a> Row<'a> {
    pub(super) fn result(&self) -> Option<&'a JobResult> {
        self.cell.outcome.record().map(|record| &record.result)
    }

    pub(super) fn measurement(&self) -> Option<&'a Measurement> {
        self.cell.outcome.record().map(|record| &record.measurement)
    }
}

fn rows_of(cell: &ResultCell) -> Result<Vec<Row<'_>>, ResultsError> {
    let seed = number(cell, "seed", "a whole number, 0 or more")?;
    let label_fraction = number(cell, "label_fraction", "a number")?;
    let row = |score| Row { cell, seed, label_fraction, score };
    let scores = cell.outcome.record().map(|record| scores_of(cell, &record.result)).unwrap_or_default();
    Ok(if scores.is_empty() { vec![row(None)] } else { scores.into_iter().map(|s| row(Some(s))).collect() })
}

fn number<T: FromStr>(
    cell: &ResultCell,
    axis: &'static str,
    accepted: &'static str,
) -> Result<Option<T>, ResultsError> {
    let Some(text) = cell.cell.get(axis) else { return Ok(None) };
    let error = || ResultsError::Number { cell: cell.label(), axis, value: text.clone(), accepted };
    text.parse().map(Some).map_err(|_| error())
}

fn scores_of<'a>(cell: &ResultCell, result: &'a JobResult) -> Vec<Score<'a>> {
    let headline = cell.headline.map(Metric::name);
    let mut scores = Vec::new();
    if let Some(loss) = result.train_loss {
        let n = result.rows.get(&Split::Train).copied();
        scores.push(Score { split: "train", metric: "train_loss", value: finite(loss), headline: false, n });
    }
    for (split, named) in &result.scores {
        let n = result.rows.get(split).copied();
        scores.extend(named.iter().map(|(metric, &value)| Score {
            split: split.name(),
            metric,
            value: value.and_then(finite),
            headline: headline == Some(metric.as_str()),
            n,
        }));
    }
    let held_out = [("held_out_loss", result.held_out_loss), ("unigram_loss", result.unigram_loss)];
    scores.extend(held_out.into_iter().filter_map(|(metric, value)| {
        let headline = cell.stage == Stage::Pretrain && metric == "held_out_loss";
        Some(Score { split: HELD_OUT, metric, value: finite(value?), headline, n: None })
    }));
    scores
}

/// Undefined is null in files, never NaN.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
