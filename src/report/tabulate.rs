//! A frame and a specification to a table.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::DataFrame;

use super::best::mark_best;
use super::notes::notes;
use super::query::{Group, count, differences, first_varying, groups, place};
use super::select::{dimensions, distinct, list, repetitions};
use super::{Cell, MetricPlace, Table, TableError, TableSpec};

/// The table that a specification asks for.
///
/// Repetitions (the `seed` axis) are averaged, and nothing else: an axis that is neither
/// row nor column and has several values inside one place of the table is added to the
/// rows, or to the columns where that leaves fewer places empty, and the notes say so.
/// Rows and columns stand in the order in which the frame names their values.
///
/// # Errors
/// A specification that does not fit the frame, or a frame that is not one of results.
pub fn tabulate(frame: &DataFrame, spec: &TableSpec) -> Result<Table, TableError> {
    let dimensions = dimensions(frame);
    check_axes(spec, &dimensions)?;
    let repetitions = repetitions(frame, spec, &dimensions)?;
    let axes = Axes::of(&repetitions, spec, &dimensions)?;
    let mut groups = groups(&repetitions, spec, &axes.all())?;
    if !spec.baseline.is_empty() {
        add_differences(&mut groups, &repetitions, spec, &axes)?;
    }
    let mut table = assemble(groups, &repetitions, spec, &axes)?;
    table.metric_place = metric_place(&table)?;
    mark_best(&mut table);
    table.notes = notes(&table, spec, &axes.added);
    Ok(table)
}

/// The axes of a table.
struct Axes {
    rows: Vec<String>,
    columns: Vec<String>,
    /// Those that nobody asked for.
    added: Vec<String>,
}

impl Axes {
    fn of(repetitions: &DataFrame, spec: &TableSpec, dimensions: &[String]) -> Result<Self, TableError> {
        let mut axes = Self { rows: spec.rows.clone(), columns: spec.columns.clone(), added: Vec::new() };
        loop {
            let used = axes.all();
            let unused = |name: &&String| *name != "seed" && !used.contains(name);
            let candidates: Vec<String> = dimensions.iter().filter(unused).cloned().collect();
            match first_varying(repetitions, &used, &candidates)? {
                Some(axis) => axes.add(repetitions, axis)?,
                None => return Ok(axes),
            }
        }
    }

    /// Adds an axis to the rows, unless the table is smaller with it among the columns: a
    /// masking that follows from the model would otherwise give each model rows of its own.
    fn add(&mut self, repetitions: &DataFrame, axis: String) -> Result<(), TableError> {
        let with = |axes: &[String]| [axes, std::slice::from_ref(&axis)].concat();
        let (rows, columns) = (with(&self.rows), with(&self.columns));
        let size_by_rows = count(repetitions, &rows)? * count(repetitions, &self.columns)?;
        let size_by_columns = count(repetitions, &self.rows)? * count(repetitions, &columns)?;
        if size_by_rows <= size_by_columns {
            self.rows = rows;
        } else {
            self.columns = columns;
        }
        self.added.push(axis);
        Ok(())
    }

    /// Rows, then columns.
    fn all(&self) -> Vec<String> {
        self.rows.iter().chain(&self.columns).cloned().collect()
    }
}

fn check_axes(spec: &TableSpec, dimensions: &[String]) -> Result<(), TableError> {
    let table = spec.name.clone();
    let asked: Vec<&String> = spec.rows.iter().chain(&spec.columns).collect();
    let all = asked.iter().copied().chain(spec.filter.keys()).chain(spec.baseline.keys());
    if let Some(axis) = all.into_iter().find(|axis| !dimensions.contains(axis)) {
        return Err(TableError::UnknownAxis { table, axis: axis.clone(), known: list(dimensions) });
    }
    if asked.is_empty() {
        return Err(TableError::NoAxis { table });
    }
    if let Some((_, axis)) = asked.iter().enumerate().find(|(i, axis)| asked[..*i].contains(axis)) {
        return Err(TableError::RepeatedAxis { table, axis: (*axis).clone() });
    }
    if let Some(axis) = spec.baseline.keys().find(|axis| *axis == "seed" || !asked.contains(axis)) {
        return Err(TableError::BaselineAxis { table, axis: axis.clone() });
    }
    Ok(())
}

fn add_differences(
    groups: &mut [Group],
    repetitions: &DataFrame,
    spec: &TableSpec,
    axes: &Axes,
) -> Result<(), TableError> {
    let axes = axes.all();
    let mut differences = differences(repetitions, spec, &axes)?;
    for group in groups {
        let value = |axis: &String| axes.iter().position(|name| name == axis).map(|i| &group.values[i]);
        // The baseline is not compared with itself.
        if spec.baseline.iter().any(|(axis, baseline)| value(axis) != Some(baseline)) {
            group.cell.difference = differences.remove(&group.values);
        }
    }
    Ok(())
}

fn assemble(
    groups: Vec<Group>,
    repetitions: &DataFrame,
    spec: &TableSpec,
    axes: &Axes,
) -> Result<Table, TableError> {
    let (row_order, column_order) =
        (Order::of(repetitions, &axes.rows)?, Order::of(repetitions, &axes.columns)?);
    let split = axes.rows.len();
    let row_headers = row_order.sorted(groups.iter().map(|group| &group.values[..split]));
    let columns = column_order.sorted(groups.iter().map(|group| &group.values[split..]));
    let mut cells = vec![vec![Cell::default(); columns.len()]; row_headers.len()];
    let complete: Vec<usize> =
        groups.iter().map(|g| &g.cell).filter(|c| c.is_complete()).map(|c| c.n).collect();
    let shared_n = complete.first().copied().filter(|n| complete.iter().all(|other| other == n));
    let (rows_by_header, columns_by_header) = (places(&row_headers), places(&columns));
    for group in groups {
        let (row, column) = group.values.split_at(split);
        cells[rows_by_header[row]][columns_by_header[column]] = group.cell;
    }
    Ok(Table {
        title: spec.name.clone(),
        split: spec.split.clone(),
        row_axes: axes.rows.clone(),
        row_headers,
        column_axes: axes.columns.clone(),
        columns,
        cells,
        metric_place: MetricPlace::Caption,
        shared_n,
        best_of: None,
        notes: Vec::new(),
    })
}

/// Where each header stands.
fn places(headers: &[Vec<String>]) -> BTreeMap<&[String], usize> {
    headers.iter().enumerate().map(|(i, header)| (header.as_slice(), i)).collect()
}

/// The order of values: as the frame names them first, axis by axis.
struct Order {
    ranks: Vec<BTreeMap<String, usize>>,
}

impl Order {
    fn of(repetitions: &DataFrame, axes: &[String]) -> Result<Self, TableError> {
        let rank = |axis: &String| -> Result<BTreeMap<String, usize>, TableError> {
            let values = distinct(repetitions, axis)?;
            Ok(values.into_iter().enumerate().map(|(rank, value)| (value, rank)).collect())
        };
        Ok(Self { ranks: axes.iter().map(rank).collect::<Result<_, _>>()? })
    }

    /// The distinct headers, in order.
    fn sorted<'a>(&self, headers: impl Iterator<Item = &'a [String]>) -> Vec<Vec<String>> {
        let ranked: BTreeMap<Vec<usize>, Vec<String>> = headers
            .map(|header| {
                let ranks = self.ranks.iter().zip(header).map(|(ranks, value)| ranks[value]).collect();
                (ranks, header.to_vec())
            })
            .collect();
        ranked.into_values().collect()
    }
}

/// Where metrics must be named so that each cell has one.
fn metric_place(table: &Table) -> Result<MetricPlace, TableError> {
    if metrics(table.cells.iter().flatten()).len() < 2 {
        return Ok(MetricPlace::Caption);
    }
    if table.cells.iter().all(|row| metrics(row).len() < 2) {
        return Ok(MetricPlace::Row);
    }
    let of_column = |j: usize| metrics(table.cells.iter().map(move |row| &row[j]));
    match (0..table.columns.len()).find(|&j| of_column(j).len() > 1) {
        None => Ok(MetricPlace::Column),
        Some(j) => Err(TableError::MixedMetrics {
            table: table.title.clone(),
            place: place(&table.column_axes, &table.columns[j]),
            metrics: of_column(j).into_iter().collect::<Vec<_>>().join(", "),
        }),
    }
}

fn metrics<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> BTreeSet<&'a str> {
    cells.into_iter().filter_map(|cell| cell.metric.as_deref()).collect()
}
