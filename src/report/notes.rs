//! What a reader of a table must know.

use super::query::{MARKS, UNDEFINED};
use super::select::filter_text;
use super::text::{finished, symbol};
use super::{Cell, MetricPlace, MetricStyle, Table, TableSpec};
use crate::record::Mark;

/// The notes of a table, the caption first. How the best is shown is the renderer's to say.
pub(super) fn notes(table: &Table, spec: &TableSpec, added: &[String]) -> Vec<String> {
    let mut notes = vec![caption(table, spec)];
    notes.extend(seeds(table));
    notes.extend(added.iter().map(|axis| {
        let side = if table.row_axes.contains(axis) { "rows" } else { "columns" };
        format!("{axis} has several values inside the cells asked for and was added to the {side}.")
    }));
    notes.extend(baseline(table, spec));
    notes.extend(statuses(table));
    notes.extend(marks(table));
    notes
}

fn cells(table: &Table) -> impl Iterator<Item = &Cell> {
    table.cells.iter().flatten()
}

fn caption(table: &Table, spec: &TableSpec) -> String {
    let metric = match table.metric_place {
        MetricPlace::Caption => cells(table)
            .find_map(|cell| cell.metric.as_deref())
            .map_or_else(|| "No score yet".to_owned(), |metric| MetricStyle::of(metric).label),
        MetricPlace::Row => "The metric of each row".to_owned(),
        MetricPlace::Column => "The metric of each column".to_owned(),
    };
    let lines = |what: &str, axes: &[String]| match axes {
        [] => String::new(),
        axes => format!("; {what}: {}", axes.join(", ")),
    };
    let filter = filter_text(spec).map(|filter| format!("; only {filter}")).unwrap_or_default();
    format!(
        "{metric} on {}{}{}{filter}.",
        table.split,
        lines("rows", &table.row_axes),
        lines("columns", &table.column_axes)
    )
}

/// How many seeds, and what stands behind `±`.
fn seeds(table: &Table) -> Option<String> {
    let n = match table.shared_n {
        Some(1) => "n = 1 seed".to_owned(),
        Some(n) => format!("n = {n} seeds"),
        None if cells(table).any(Cell::is_complete) => "n is the number of seeds".to_owned(),
        None => String::new(),
    };
    let spread = cells(table).any(|cell| cell.sd.is_some());
    let spread = if spread { "± is the sample standard deviation over seeds" } else { "" };
    let parts: Vec<&str> = [n.as_str(), spread].into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}

fn baseline(table: &Table, spec: &TableSpec) -> Option<String> {
    if spec.baseline.is_empty() {
        return None;
    }
    let pairs: Vec<String> = spec.baseline.iter().map(|(axis, value)| format!("{axis} = {value}")).collect();
    let pairs = pairs.join(", ");
    Some(if cells(table).any(|cell| cell.difference.is_some()) {
        format!(
            "Signed numbers after a score are its differences to {pairs}, paired by seed: mean ± standard deviation."
        )
    } else {
        format!("No cell shares a finished seed with {pairs}.")
    })
}

fn statuses(table: &Table) -> Vec<String> {
    let mut notes = Vec::new();
    if cells(table).any(|cell| cell.is_wanted() && !cell.is_complete() && cell.pending() < cell.wanted) {
        notes.push("k/n: k of n seeds have a score, and the mean is over these.".to_owned());
    }
    if cells(table).any(|cell| cell.outcomes.contains_key(UNDEFINED)) {
        notes.push("undefined: finished, but the metric has no value there.".to_owned());
    }
    if cells(table).any(|cell| !cell.is_wanted()) {
        notes.push("–: not part of the sweep.".to_owned());
    }
    notes
}

fn marks(table: &Table) -> Vec<String> {
    let shown =
        MARKS.into_iter().filter(|mark| cells(table).any(|cell| cell.marks.contains_key(mark.name())));
    let mut notes: Vec<String> =
        shown.map(|mark| format!("{}: {}, {}.", symbol(mark), mark.name(), meaning(mark))).collect();
    let is_partial = |cell: &Cell| cell.marks.values().any(|&count| count < finished(cell));
    if cells(table).any(is_partial) {
        notes.push("A number before a mark: in so many seeds only.".to_owned());
    }
    notes
}

fn meaning(mark: Mark) -> &'static str {
    match mark {
        Mark::Collapsed => "one class predicted for every test row",
        Mark::Untrained => "pre-training did not get below a unigram model",
    }
}
