//! The names, the order and the making of the frame's columns (docs/results.md).

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame, NamedFrom, Series};

use super::frame::{Row, finite};
use super::{ResultCell, ResultsError};
use crate::record::Mark;

/// What a row belongs to, before its axes.
pub const IDENTITY_COLUMNS: [&str; 3] = ["sweep", "system", "scale"];

/// The axes every frame has, in this order; dotted settings axes follow them by name.
const COMMON_AXES: [&str; 7] = ["model", "tokenization", "masking", "init", "task", "label_fraction", "seed"];

/// What a row says, after its axes.
pub const SCORE_COLUMNS: [&str; 9] =
    ["stage", "key", "outcome", "marks", "split", "metric", "value", "headline", "n"];

/// What a result cost, in units that do not depend on the machine.
pub const COST_COLUMNS: [&str; 6] =
    ["parameters", "tokens_seen", "flops", "steps", "selected_step", "truncated"];

/// What a job took: these differ each time, and stand last.
pub const MEASUREMENT_COLUMNS: [&str; 7] =
    ["wall_seconds", "cpu_seconds", "tokens_per_second", "peak_memory_bytes", "device", "host", "version"];

/// The axes of a frame: every column that is none of the above, in the frame's order.
pub fn axes(frame: &DataFrame) -> Vec<String> {
    let names = frame.get_column_names().into_iter().map(ToString::to_string);
    names.filter(|name| !is_fixed(name)).collect()
}

fn is_fixed(name: &str) -> bool {
    let mut fixed =
        IDENTITY_COLUMNS.iter().chain(&SCORE_COLUMNS).chain(&COST_COLUMNS).chain(&MEASUREMENT_COLUMNS);
    fixed.any(|&column| column == name)
}

pub(super) fn identity_columns(rows: &[Row]) -> Vec<Column> {
    vec![
        text("sweep", rows, |row| Some(&row.cell.sweep)),
        text("system", rows, |row| Some(&row.cell.system)),
        text("scale", rows, |row| Some(&row.cell.scale)),
    ]
}

pub(super) fn axis_columns(cells: &[ResultCell], rows: &[Row]) -> Result<Vec<Column>, ResultsError> {
    let named: BTreeSet<&str> = cells.iter().flat_map(|cell| cell.cell.keys().map(String::as_str)).collect();
    if let Some(axis) = named.iter().find(|axis| is_fixed(axis)) {
        return Err(ResultsError::AxisName { axis: (*axis).to_owned() });
    }
    let others = named.into_iter().filter(|axis| !COMMON_AXES.contains(axis));
    Ok(COMMON_AXES.into_iter().chain(others).map(|axis| axis_column(axis, rows)).collect())
}

fn axis_column(axis: &str, rows: &[Row]) -> Column {
    match axis {
        "seed" => numbers(axis, rows, |row| row.seed),
        "label_fraction" => numbers(axis, rows, |row| row.label_fraction),
        _ => text(axis, rows, |row| row.cell.cell.get(axis).map(String::as_str)),
    }
}

pub(super) fn score_columns(rows: &[Row]) -> Vec<Column> {
    let marks: Vec<Option<String>> = rows.iter().map(|row| marks_of(row.cell)).collect();
    let headline: Vec<bool> = rows.iter().map(|row| row.score.is_some_and(|s| s.headline)).collect();
    vec![
        text("stage", rows, |row| Some(row.cell.stage.name())),
        text("key", rows, |row| row.cell.key.as_ref().map(|key| key.0.as_str())),
        text("outcome", rows, |row| Some(row.cell.outcome.name())),
        Column::new("marks".into(), marks),
        text("split", rows, |row| row.score.map(|score| score.split)),
        text("metric", rows, |row| row.score.map(|score| score.metric)),
        numbers("value", rows, |row| row.score.and_then(|score| score.value)),
        Column::new("headline".into(), headline),
        counts("n", rows, |row| row.score.and_then(|score| score.n)),
    ]
}

fn marks_of(cell: &ResultCell) -> Option<String> {
    let names: Vec<&str> = cell.marks().into_iter().map(Mark::name).collect();
    (!names.is_empty()).then(|| names.join(","))
}

pub(super) fn cost_columns(rows: &[Row]) -> Vec<Column> {
    vec![
        counts("parameters", rows, |row| Some(row.result()?.parameters)),
        numbers("tokens_seen", rows, |row| Some(row.result()?.tokens_seen)),
        numbers("flops", rows, |row| finite(row.result()?.flops)),
        counts("steps", rows, |row| Some(row.result()?.steps)),
        counts("selected_step", rows, |row| Some(row.result()?.selected_step)),
        counts("truncated", rows, |row| Some(row.result()?.truncated)),
    ]
}

pub(super) fn measurement_columns(rows: &[Row]) -> Vec<Column> {
    vec![
        numbers("wall_seconds", rows, |row| finite(row.measurement()?.wall_seconds)),
        numbers("cpu_seconds", rows, |row| finite(row.measurement()?.cpu_seconds)),
        numbers("tokens_per_second", rows, |row| finite(row.measurement()?.tokens_per_second)),
        numbers("peak_memory_bytes", rows, |row| Some(row.measurement()?.peak_memory_bytes)),
        text("device", rows, |row| Some(&row.measurement()?.device)),
        text("host", rows, |row| Some(&row.measurement()?.host)),
        text("version", rows, |row| Some(&row.measurement()?.version)),
    ]
}

fn text<'a>(name: &str, rows: &'a [Row<'a>], value: impl Fn(&'a Row<'a>) -> Option<&'a str>) -> Column {
    Column::new(name.into(), rows.iter().map(value).collect::<Vec<Option<&str>>>())
}

fn counts(name: &str, rows: &[Row], value: impl Fn(&Row) -> Option<usize>) -> Column {
    numbers(name, rows, |row| value(row).map(|count| count as u64))
}

fn numbers<T>(name: &str, rows: &[Row], value: impl Fn(&Row) -> Option<T>) -> Column
where
    Series: NamedFrom<Vec<Option<T>>, [Option<T>]>,
{
    Column::new(name.into(), rows.iter().map(value).collect::<Vec<Option<T>>>())
}
