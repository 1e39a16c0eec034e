//! The repetitions that a table is about: one row per cell and seed, with its one score.

use polars::prelude::{AnyValue, Column, DataFrame, Expr, IntoLazy, col, lit};

use super::{TableError, TableSpec};
use crate::results;

/// What an axis says of a cell of a grid that does not have it.
const DEFAULT: &str = "(default)";

/// What is true of a cell beside its axes; varies only where frames were joined.
const BESIDE_AXES: [&str; 3] = ["scale", "system", "sweep"];

/// The axes a table can have, in the order in which they are added to rows where they vary:
/// what a model is given first, then what it is, so that what follows from the model
/// (its tokenization) is not named beside it.
pub(super) fn dimensions(frame: &DataFrame) -> Vec<String> {
    let mut dimensions: Vec<String> =
        ["task", "label_fraction", "model", "init"].into_iter().map(ToOwned::to_owned).collect();
    let others = results::axes(frame).into_iter().chain(BESIDE_AXES.map(ToOwned::to_owned));
    for name in others {
        if !dimensions.contains(&name) {
            dimensions.push(name);
        }
    }
    dimensions
}

/// One row per cell and seed that the filter lets through: every dimension as text, and
/// `outcome`, `marks`, `metric` (of the task, also where this repetition is not finished)
/// and `value`.
pub(super) fn repetitions(
    frame: &DataFrame,
    spec: &TableSpec,
    dimensions: &[String],
) -> Result<DataFrame, TableError> {
    let stage = stage_of(&spec.split);
    let wanted = wanted_rows(spec).fill_null(lit(false));
    let keys: Vec<Expr> = dimensions.iter().map(|name| col(name.as_str())).collect();
    let of_stage = frame.clone().lazy().filter(col("stage").eq(lit(stage)));
    let mut repetitions = of_stage
        .group_by_stable(keys)
        .agg([
            col("outcome").first(),
            col("marks").first(),
            col("metric").filter(wanted.clone()).first(),
            col("value").filter(wanted.clone()).first(),
            wanted.or(col("metric").is_null()).sum().alias("rows"),
        ])
        .collect()?;
    for name in dimensions {
        let text = as_text(repetitions.column(name)?);
        repetitions.with_column(text)?;
    }
    let repetitions = filtered(&repetitions, spec, stage)?;
    check_repeated(&repetitions, spec, dimensions)?;
    check_metric(frame, &repetitions, spec)?;
    with_metric_of_task(repetitions, spec)
}

/// Which jobs have scores of a split.
fn stage_of(split: &str) -> &'static str {
    if split == "held-out" { "pretrain" } else { "finetune" }
}

fn wanted_rows(spec: &TableSpec) -> Expr {
    let metric = match &spec.metric {
        Some(metric) => col("metric").eq(lit(metric.as_str())),
        None => col("headline"),
    };
    metric.and(col("split").eq(lit(spec.split.as_str())))
}

fn as_text(column: &Column) -> Column {
    let text = column.as_materialized_series().iter().map(|value| match value {
        AnyValue::Null => DEFAULT.to_owned(),
        AnyValue::Float64(number) => number.to_string(),
        other => other.str_value().into_owned(),
    });
    Column::new(column.name().clone(), text.collect::<Vec<String>>())
}

/// A value of a filter as [`as_text`] would write it.
fn canonical(axis: &str, value: &str) -> String {
    let number = match axis {
        "label_fraction" => value.parse().ok().map(|number: f64| number.to_string()),
        "seed" => value.parse().ok().map(|number: u64| number.to_string()),
        _ => None,
    };
    number.unwrap_or_else(|| value.to_owned())
}

fn filtered(repetitions: &DataFrame, spec: &TableSpec, stage: &str) -> Result<DataFrame, TableError> {
    let mut kept = repetitions.clone().lazy();
    for (axis, values) in &spec.filter {
        let mut passes = lit(false);
        for value in values {
            let value = known_value(repetitions, spec, axis, value)?;
            passes = passes.or(col(axis.as_str()).eq(lit(value)));
        }
        kept = kept.filter(passes);
    }
    let kept = kept.collect()?;
    if kept.height() == 0 {
        let filter = filter_text(spec).map(|filter| format!(" with {filter}")).unwrap_or_default();
        return Err(TableError::NothingLeft { table: spec.name.clone(), stage: stage.to_owned(), filter });
    }
    Ok(kept)
}

/// The filter as a person would say it; none without one.
pub(super) fn filter_text(spec: &TableSpec) -> Option<String> {
    let terms: Vec<String> =
        spec.filter.iter().map(|(axis, values)| format!("{axis} = {}", values.join(" or "))).collect();
    (!terms.is_empty()).then(|| terms.join(", "))
}

/// The text of a value of an axis, once it is known that some repetition has it.
pub(super) fn known_value(
    repetitions: &DataFrame,
    spec: &TableSpec,
    axis: &str,
    value: &str,
) -> Result<String, TableError> {
    let wanted = canonical(axis, value);
    let known = distinct(repetitions, axis)?;
    if known.contains(&wanted) {
        return Ok(wanted);
    }
    Err(TableError::UnknownValue {
        table: spec.name.clone(),
        axis: axis.to_owned(),
        value: value.to_owned(),
        known: list(&known),
    })
}

/// The distinct texts of a column, in order of appearance; nulls are passed over.
pub(super) fn distinct(frame: &DataFrame, name: &str) -> Result<Vec<String>, TableError> {
    let unique = frame.column(name)?.drop_nulls().unique_stable()?;
    let texts = unique.str()?.iter().flatten().map(ToOwned::to_owned).collect();
    Ok(texts)
}

/// Names in a message.
pub(super) fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn check_repeated(
    repetitions: &DataFrame,
    spec: &TableSpec,
    dimensions: &[String],
) -> Result<(), TableError> {
    let repeated = repetitions.clone().lazy().filter(col("rows").gt(lit(1))).collect()?;
    if repeated.height() == 0 {
        return Ok(());
    }
    let mut pairs = Vec::new();
    for name in dimensions {
        pairs.push(format!("{name} = {}", repeated.column(name)?.get(0)?.str_value()));
    }
    Err(TableError::RepeatedCell { table: spec.name.clone(), cell: pairs.join(", ") })
}

/// Some finished cell must have the metric, or nobody would learn of a misspelt one.
fn check_metric(frame: &DataFrame, repetitions: &DataFrame, spec: &TableSpec) -> Result<(), TableError> {
    let is_done = repetitions.clone().lazy().filter(col("outcome").eq(lit("done"))).collect()?;
    if is_done.height() == 0 || is_done.column("metric")?.null_count() < is_done.height() {
        return Ok(());
    }
    let metric = spec.metric.as_ref().map_or("a headline metric".to_owned(), |metric| format!("`{metric}`"));
    let of_split = frame.clone().lazy().filter(col("split").eq(lit(spec.split.as_str()))).collect()?;
    let known = match of_split.height() {
        0 => format!("the splits {}", list(&distinct(frame, "split")?)),
        _ => list(&distinct(&of_split, "metric")?),
    };
    let wanted = format!("{metric} on `{}`", spec.split);
    Err(TableError::UnknownMetric { table: spec.name.clone(), wanted, known })
}

/// Fills in the metric where a repetition has none: it is that of its task, or the one that
/// was asked for.
fn with_metric_of_task(repetitions: DataFrame, spec: &TableSpec) -> Result<DataFrame, TableError> {
    let metric = match &spec.metric {
        Some(metric) => lit(metric.as_str()),
        None => {
            let of_task = col("metric").drop_nulls().first().over([col("task")])?;
            col("metric").fill_null(of_task)
        }
    };
    Ok(repetitions.lazy().with_column(metric.alias("metric")).collect()?)
}
