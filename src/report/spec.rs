//! What a table is to show.

use std::collections::BTreeMap;

use polars::prelude::DataFrame;

use super::TableError;

/// What a table is to show: a `[[table]]` block.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSpec {
    /// Its name, shown as its title.
    pub name: String,
    /// Axes of the rows, outermost first.
    pub rows: Vec<String>,
    /// Axes of the columns, outermost first.
    pub columns: Vec<String>,
    /// `where`: for an axis, the values that are let through.
    pub filter: BTreeMap<String, Vec<String>>,
    /// Values of some row or column axes: each cell is compared with the one that has these.
    pub baseline: BTreeMap<String, String>,
    /// One metric for all; each task's headline metric without it.
    pub metric: Option<String>,
    /// `test`, `dev`, `train`, or `held-out` for pre-training.
    pub split: String,
}

impl TableSpec {
    /// A table of headline metrics on test, of everything there is.
    pub fn new(name: &str, rows: &[&str], columns: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            name: name.to_owned(),
            rows: owned(rows),
            columns: owned(columns),
            filter: BTreeMap::new(),
            baseline: BTreeMap::new(),
            metric: None,
            split: "test".to_owned(),
        }
    }
}

/// The table of a sweep that asks for none: task and label fraction by model and start.
/// Axes with one value are left out, but for task and model.
///
/// # Errors
/// A frame that is not one of results.
pub fn default_table(frame: &DataFrame) -> Result<TableSpec, TableError> {
    let varies =
        |axis: &str| -> Result<bool, TableError> { Ok(frame.column(axis)?.drop_nulls().n_unique()? > 1) };
    let mut rows = vec!["task"];
    if varies("label_fraction")? {
        rows.push("label_fraction");
    }
    let mut columns = vec!["model"];
    if varies("init")? {
        columns.push("init");
    }
    Ok(TableSpec::new("results", &rows, &columns))
}
