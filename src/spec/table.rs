//! A `[[table]]` block: what to show of the results.

use super::diagnostic::{Diagnostics, Place};
use super::grid::{Condition, is_axis, read_conditions};
use super::library::Library;
use super::node::{Node, Table};
use super::system::optional_text;

/// One `[[table]]` block.
#[derive(Clone, Debug)]
pub struct TableRequest {
    /// The block.
    pub place: Place,
    /// Its name, for `bench table SWEEP NAME` and the file it is written to.
    pub name: String,
    /// Axes that make rows.
    pub rows: Vec<String>,
    /// Axes that make columns.
    pub columns: Vec<String>,
    /// Which cells are meant.
    pub filter: Vec<Condition>,
    /// The columns that differences are taken to.
    pub baseline: Vec<Condition>,
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

/// Reads one table.
pub(super) fn read_table(node: &Node, library: &Library, out: &mut Diagnostics) -> Option<TableRequest> {
    let table = node.table("a table", out)?;
    table.only(&KEYS, out);
    let name = read_name(table, node, out);
    let rows = read_axes(table, "rows", node, out);
    let columns = read_axes(table, "columns", node, out);
    let mut conditions = |key| match table.get(key) {
        Some(node) => read_conditions(node, library, out),
        None => Some(Vec::new()),
    };
    let (filter, baseline) = (conditions("where"), conditions("baseline"));
    let metric = match optional_text(table, "metric", out) {
        name if name.is_empty() => MetricChoice::Headline,
        name => MetricChoice::Named(name.replace('-', "_")),
    };
    Some(TableRequest {
        place: node.place.clone(),
        name: name?,
        rows: rows?,
        columns: columns?,
        filter: filter?,
        baseline: baseline?,
        metric,
    })
}

fn read_name(table: &Table, node: &Node, out: &mut Diagnostics) -> Option<String> {
    let name_node = table.require("name", &node.place, out)?;
    let name = name_node.text("a name", out)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        name_node.refuse("a name of letters, digits, `-`, `_` and `.`: it names a file", out);
        return None;
    }
    Some(name.to_owned())
}

fn read_axes(table: &Table, key: &str, node: &Node, out: &mut Diagnostics) -> Option<Vec<String>> {
    let mut axes = Vec::new();
    for item in table.require(key, &node.place, out)?.one_or_more() {
        let axis = item.text("the name of an axis", out)?;
        if is_axis(axis, &item.place, out) {
            axes.push(axis.to_owned());
        }
    }
    Some(axes)
}
