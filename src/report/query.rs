//! The questions a table asks of its repetitions.

use std::collections::BTreeMap;

use polars::prelude::{
    DataFrame, DataType, Expr, IntoLazy, JoinArgs, JoinType, LazyFrame, SortMultipleOptions, col, len, lit,
};

use super::select::{distinct, known_value};
use super::{Cell, Difference, TableError, TableSpec};
use crate::record::Mark;

/// All marks, in the order in which a cell shows them.
pub(super) const MARKS: [Mark; 2] = [Mark::Collapsed, Mark::Untrained];

/// What a finished repetition is called that does not have the wanted score.
pub(super) const UNDEFINED: &str = "undefined";

/// One place of a table, by its values on the table's axes.
pub(super) struct Group {
    /// Values of the axes, in their order.
    pub(super) values: Vec<String>,
    /// What stands there.
    pub(super) cell: Cell,
}

/// The first axis of `candidates` that has several values inside one place of a table with
/// these axes.
pub(super) fn first_varying(
    repetitions: &DataFrame,
    axes: &[String],
    candidates: &[String],
) -> Result<Option<String>, TableError> {
    let counts: Vec<Expr> = candidates.iter().map(|name| col(name.as_str()).n_unique()).collect();
    let inside = grouped(repetitions.clone().lazy(), axes, &counts).collect()?;
    for name in candidates {
        if read_counts(&inside, name)?.into_iter().any(|values| values > 1) {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

/// How many combinations of values these axes have; one where there is no axis.
pub(super) fn count(repetitions: &DataFrame, axes: &[String]) -> Result<usize, TableError> {
    if axes.is_empty() {
        return Ok(1);
    }
    Ok(grouped(repetitions.clone().lazy(), axes, &[len()]).collect()?.height())
}

/// The places of a table with these axes, in order of appearance.
pub(super) fn groups(
    repetitions: &DataFrame,
    spec: &TableSpec,
    axes: &[String],
) -> Result<Vec<Group>, TableError> {
    let unscored: Vec<String> = distinct(repetitions, "outcome")?
        .into_iter()
        .filter(|outcome| outcome != "done" && outcome != "pending")
        .collect();
    let mut asked = vec![
        col("metric").min().alias("first metric"),
        col("metric").max().alias("last metric"),
        col("value").mean().alias("mean"),
        col("value").std(1).alias("sd"),
        col("value").count().alias("scores"),
        len().alias("wanted"),
        is_outcome("done").and(col("value").is_null()).sum().alias(outcome_column(UNDEFINED)),
    ];
    for outcome in &unscored {
        asked.push(is_outcome(outcome).sum().alias(outcome_column(outcome)));
    }
    for mark in MARKS {
        asked.push(has_mark(repetitions, mark)?.sum().alias(mark_column(mark)));
    }
    let found = grouped(repetitions.clone().lazy(), axes, &asked).collect()?;
    read_groups(&found, spec, axes, &unscored)
}

/// Differences to the baseline, by the values of the table's axes, over the seeds that both
/// have. A place without such a seed has none.
pub(super) fn differences(
    repetitions: &DataFrame,
    spec: &TableSpec,
    axes: &[String],
) -> Result<BTreeMap<Vec<String>, Difference>, TableError> {
    let mut baseline = repetitions.clone().lazy();
    for (axis, value) in &spec.baseline {
        let value = known_value(repetitions, spec, axis, value)?;
        baseline = baseline.filter(col(axis.as_str()).eq(lit(value)));
    }
    let shared = axes.iter().filter(|axis| !spec.baseline.contains_key(*axis) && *axis != "seed");
    // The metric too: a difference between two metrics means nothing.
    let keys: Vec<Expr> = shared.map(String::as_str).chain(["seed", "metric"]).map(col).collect();
    let mut of_baseline = keys.clone();
    of_baseline.push(col("value").alias("baseline value"));
    let paired = repetitions.clone().lazy().join(
        baseline.select(of_baseline),
        keys.clone(),
        keys,
        JoinArgs::new(JoinType::Inner),
    );
    let difference = (col("value") - col("baseline value")).alias("difference");
    let asked = [
        col("difference").mean().alias("mean"),
        col("difference").std(1).alias("sd"),
        col("difference").count().alias("scores"),
    ];
    // Sorted, so that sums do not depend on the order in which a join finds its pairs.
    let paired = paired.with_column(difference).sort(["seed"], SortMultipleOptions::default());
    let found = grouped(paired, axes, &asked).collect()?;
    read_differences(&found, axes)
}

fn grouped(frame: LazyFrame, axes: &[String], asked: &[Expr]) -> LazyFrame {
    let keys: Vec<Expr> = axes.iter().map(|name| col(name.as_str())).collect();
    // Stable groups are summed in one order, whatever the number of threads.
    frame.group_by_stable(keys).agg(asked)
}

fn is_outcome(outcome: &str) -> Expr {
    col("outcome").eq(lit(outcome))
}

fn outcome_column(outcome: &str) -> String {
    format!("outcome {outcome}")
}

fn mark_column(mark: Mark) -> String {
    format!("mark {}", mark.name())
}

/// Whether a repetition has a mark: its `marks` are one of the comma-joined lists with it.
fn has_mark(repetitions: &DataFrame, mark: Mark) -> Result<Expr, TableError> {
    let lists = distinct(repetitions, "marks")?;
    let with_mark = lists.iter().filter(|list| list.split(',').any(|name| name == mark.name()));
    let any = with_mark.fold(lit(false), |any, list| any.or(col("marks").eq(lit(list.as_str()))));
    Ok(any.fill_null(lit(false)))
}

fn read_groups(
    found: &DataFrame,
    spec: &TableSpec,
    axes: &[String],
    unscored: &[String],
) -> Result<Vec<Group>, TableError> {
    let values = read_values(found, axes)?;
    let (means, sds) = (read_numbers(found, "mean")?, read_numbers(found, "sd")?);
    let (scores, wanted) = (read_counts(found, "scores")?, read_counts(found, "wanted")?);
    let (first, last) = (read_texts(found, "first metric")?, read_texts(found, "last metric")?);
    let mut groups = Vec::new();
    for (i, values) in values.into_iter().enumerate() {
        if first[i] != last[i] {
            let metrics = [&first[i], &last[i]].into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
            let (table, place) = (spec.name.clone(), place(axes, &values));
            return Err(TableError::MixedMetrics { table, place, metrics });
        }
        let metric = first[i].clone();
        let cell =
            Cell { metric, mean: means[i], sd: sds[i], n: scores[i], wanted: wanted[i], ..Cell::default() };
        groups.push(Group { values, cell });
    }
    read_tallies(found, unscored, &mut groups)?;
    Ok(groups)
}

/// Outcomes and marks of each place, without those that are 0.
fn read_tallies(found: &DataFrame, unscored: &[String], groups: &mut [Group]) -> Result<(), TableError> {
    for outcome in unscored.iter().map(String::as_str).chain([UNDEFINED]) {
        let counts = read_counts(found, &outcome_column(outcome))?;
        for (group, count) in groups.iter_mut().zip(counts).filter(|(_, count)| *count > 0) {
            group.cell.outcomes.insert(outcome.to_owned(), count);
        }
    }
    for mark in MARKS {
        let counts = read_counts(found, &mark_column(mark))?;
        for (group, count) in groups.iter_mut().zip(counts).filter(|(_, count)| *count > 0) {
            group.cell.marks.insert(mark.name().to_owned(), count);
        }
    }
    Ok(())
}

fn read_differences(
    found: &DataFrame,
    axes: &[String],
) -> Result<BTreeMap<Vec<String>, Difference>, TableError> {
    let (means, sds) = (read_numbers(found, "mean")?, read_numbers(found, "sd")?);
    let pairs = read_counts(found, "scores")?;
    let values = read_values(found, axes)?;
    let differences = values.into_iter().enumerate();
    Ok(differences
        .filter_map(|(i, values)| Some((values, Difference { mean: means[i]?, sd: sds[i], n: pairs[i] })))
        .collect())
}

/// A place of a table, for messages.
pub(super) fn place(axes: &[String], values: &[String]) -> String {
    let pairs: Vec<String> =
        axes.iter().zip(values).map(|(axis, value)| format!("{axis} = {value}")).collect();
    pairs.join(", ")
}

/// The values of the axes, for each row.
fn read_values(found: &DataFrame, axes: &[String]) -> Result<Vec<Vec<String>>, TableError> {
    let mut values = vec![Vec::with_capacity(axes.len()); found.height()];
    for axis in axes {
        for (row, text) in values.iter_mut().zip(read_texts(found, axis)?) {
            row.push(text.unwrap_or_default());
        }
    }
    Ok(values)
}

fn read_texts(found: &DataFrame, name: &str) -> Result<Vec<Option<String>>, TableError> {
    Ok(found.column(name)?.str()?.iter().map(|text| text.map(ToOwned::to_owned)).collect())
}

fn read_numbers(found: &DataFrame, name: &str) -> Result<Vec<Option<f64>>, TableError> {
    Ok(found.column(name)?.f64()?.iter().collect())
}

fn read_counts(found: &DataFrame, name: &str) -> Result<Vec<usize>, TableError> {
    let counts = found.column(name)?.cast(&DataType::UInt64)?;
    Ok(counts.u64()?.iter().map(|count| count.unwrap_or_default() as usize).collect())
}
