//! A `[[table]]` block: what to show of the results.

use std::collections::BTreeSet;

use super::axis::is_axis;
use super::condition::{Condition, read_conditions};
use super::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use super::library::Library;
use super::node::{Node, Table, nowhere};

/// One `[[table]]` block.
#[derive(Clone, Debug)]
pub struct TableRequest {
    /// Where its name was typed.
    pub place: Place,
    /// Its name, for `bench table SWEEP NAME` and the file it is written to.
    pub name: String,
    /// Axes that make rows.
    pub rows: Vec<String>,
    /// Axes that make columns.
    pub columns: Vec<String>,
    /// Which cells are meant.
    pub filter: Vec<Condition>,
    /// The rows or columns that differences are taken to: one value for each axis.
    pub baseline: Vec<Condition>,
    /// Where they were typed.
    pub baseline_place: Option<Place>,
    /// What is shown.
    pub metric: MetricChoice,
}

/// What a table shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricChoice {
    /// Each task's own metric.
    Headline,
    /// One metric for all, by its name in the frame.
    Named(String),
}

const KEYS: [&str; 6] = ["name", "rows", "columns", "where", "baseline", "metric"];

/// Scores of a whole split; all of them have a column in the results.
const METRICS: [&str; 16] = [
    "accuracy",
    "balanced_accuracy",
    "mcc",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
    "log_loss",
    "brier",
    "ece",
    "auroc",
    "average_precision",
    "auroc_ovr",
    "auroc_ovo",
];

/// Scores of one class, `recall/0`.
const CLASS_METRICS: [&str; 4] = ["precision", "recall", "f1", "predicted_share"];

/// Reads one table. `varied` are the axes that the results will have.
pub(super) fn read_table(
    node: &Node,
    library: &Library,
    varied: &BTreeSet<String>,
    out: &mut Diagnostics,
) -> Option<TableRequest> {
    let table = node.table("a table `[[table]]` with `name`, `rows` and `columns`", out)?;
    table.only(&KEYS, nowhere, out);
    let name = read_name(table, node, out);
    let rows = read_axes(table, "rows", node, varied, out);
    let columns = read_axes(table, "columns", node, varied, out);
    let mut conditions = |key: &str| match table.get(key) {
        Some(node) => {
            read_conditions(node, library, out).filter(|conditions| all_varied(conditions, varied, out))
        }
        None => Some(Vec::new()),
    };
    let (filter, baseline) = (conditions("where"), conditions("baseline"));
    let metric = read_metric(table, out);
    let (rows, columns) = (rows?, columns?);
    check_shape(node, &rows, &columns, out);
    let baseline = baseline.filter(|baseline| is_baseline(baseline, &rows, &columns, out));
    let (name, place) = name?;
    let names = |axes: Vec<Item>| axes.into_iter().map(|(name, _)| name).collect();
    Some(TableRequest {
        place,
        name,
        rows: names(rows),
        columns: names(columns),
        filter: filter?,
        baseline: baseline?,
        baseline_place: table.get("baseline").map(|node| node.place.clone()),
        metric: metric?,
    })
}

/// A name and where it was typed.
type Item = (String, Place);

fn read_name(table: &Table, node: &Node, out: &mut Diagnostics) -> Option<Item> {
    let name_node = table.require("name", &node.place, "`name = \"..\"`, which names its file too", out)?;
    let name = name_node.text("a name", out)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        let message = format!("{} cannot name a table, since it names a file", name_node.describe());
        let expected = "expected letters, digits, `-`, `_` and `.`, and no `.` in front";
        out.push(Diagnostic::new(&name_node.place, message, expected));
        return None;
    }
    Some((name.to_owned(), name_node.place.clone()))
}

fn read_axes(
    table: &Table,
    key: &str,
    node: &Node,
    varied: &BTreeSet<String>,
    out: &mut Diagnostics,
) -> Option<Vec<Item>> {
    let accepted = format!("`{key} = \"AXIS\"` or a list of axes");
    let mut axes = Some(Vec::new());
    for item in table.require(key, &node.place, &accepted, out)?.one_or_more() {
        let axis = item
            .text("the name of an axis", out)
            .filter(|axis| is_axis(axis, &item.place, out) && is_varied(axis, &item.place, varied, out));
        match (axis, &mut axes) {
            (Some(axis), Some(axes)) => axes.push((axis.to_owned(), item.place.clone())),
            _ => axes = None,
        }
    }
    axes
}

/// Whether the results will have an axis: a setting is one only where a grid varies it.
fn is_varied(axis: &str, place: &Place, varied: &BTreeSet<String>, out: &mut Diagnostics) -> bool {
    if varied.contains(axis) {
        return true;
    }
    let message = format!("no grid varies `{axis}`");
    let quoted_path = format!("to vary it, add `\"{axis}\" = [..]` to a grid");
    out.push(
        Diagnostic::new(place, message, "the results have no such axis")
            .help(format!("accepted: {}", quoted(varied)))
            .help(quoted_path),
    );
    false
}

fn all_varied(conditions: &[Condition], varied: &BTreeSet<String>, out: &mut Diagnostics) -> bool {
    // All are asked, so that all mistakes are told.
    let wrong =
        conditions.iter().filter(|condition| !is_varied(&condition.axis, &condition.place, varied, out));
    wrong.count() == 0
}

fn check_shape(node: &Node, rows: &[Item], columns: &[Item], out: &mut Diagnostics) {
    let all: Vec<&Item> = rows.iter().chain(columns).collect();
    if all.is_empty() {
        let help = "expected an axis in `rows` or in `columns`";
        out.push(Diagnostic::new(&node.place, "a table without rows and columns", help));
    }
    for (at, (axis, place)) in all.iter().enumerate() {
        if all.iter().take(at).any(|(other, _)| other == axis) {
            let message = format!("`{axis}` stands twice among rows and columns");
            out.push(Diagnostic::new(place, message, "the second").help("accepted: each axis once"));
        }
    }
}

/// A baseline is one row or column of the table itself.
fn is_baseline(baseline: &[Condition], rows: &[Item], columns: &[Item], out: &mut Diagnostics) -> bool {
    let shown: Vec<&str> = rows.iter().chain(columns).map(|(axis, _)| axis.as_str()).collect();
    let mut is_one = true;
    for condition in baseline {
        let Condition { axis, values, place } = condition;
        if axis == "seed" || !shown.contains(&axis.as_str()) {
            let message = format!("`{axis}` is neither a row nor a column of this table");
            let accepted: BTreeSet<&str> = shown.iter().copied().filter(|axis| *axis != "seed").collect();
            out.push(
                Diagnostic::new(place, message, "no baseline to compare with")
                    .help("a baseline is one of the rows or columns, which the others are compared with")
                    .help(format!("accepted: {}", quoted(accepted))),
            );
            is_one = false;
        }
        if let Some((value, place)) = values.get(1) {
            let message = format!("a baseline has one `{axis}`, and `{value}` is a second");
            out.push(Diagnostic::new(place, message, "expected one value"));
            is_one = false;
        }
    }
    is_one
}

/// `macro-f1` and `macro_f1` mean the same.
fn read_metric(table: &Table, out: &mut Diagnostics) -> Option<MetricChoice> {
    let Some(node) = table.get("metric") else { return Some(MetricChoice::Headline) };
    let text = node.text("the name of a metric", out)?;
    let name = text.replace('-', "_");
    if METRICS.contains(&name.as_str()) || is_class_metric(&name) {
        return Some(MetricChoice::Named(name));
    }
    out.push(
        Diagnostic::new(&node.place, format!("unknown metric `{text}`"), "unknown metric")
            .accepted(&name, METRICS)
            .help("of class 0: `precision/0`, `recall/0`, `f1/0`, `predicted_share/0`")
            .help("without `metric`, each task's own metric is shown"),
    );
    None
}

fn is_class_metric(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(score, class)| CLASS_METRICS.contains(&score) && class.parse::<usize>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_of_the_results_can_be_shown() {
        for classes in [2, 3] {
            let truth: Vec<i64> = (0..classes).collect();
            let predicted: Vec<usize> = (0..classes as usize).collect();
            let probabilities: Vec<Vec<f64>> = predicted
                .iter()
                .map(|class| predicted.iter().map(|other| f64::from(u8::from(class == other))).collect())
                .collect();
            let scores = crate::metrics::score(classes as usize, &truth, &predicted, Some(&probabilities));
            for name in scores.named().keys() {
                assert!(METRICS.contains(&name.as_str()) || is_class_metric(name), "{name}");
            }
        }
        let names = |classes: i64| {
            let truth: Vec<i64> = (0..classes).collect();
            let predicted: Vec<usize> = truth.iter().map(|class| *class as usize).collect();
            let flat = vec![vec![1.0 / classes as f64; classes as usize]; classes as usize];
            crate::metrics::score(classes as usize, &truth, &predicted, Some(&flat)).named()
        };
        let (two, three) = (names(2), names(3));
        for name in METRICS {
            assert!(two.contains_key(name) || three.contains_key(name), "{name}");
        }
    }
}
