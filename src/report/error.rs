//! What can be wrong with a table that was asked for.

use polars::prelude::PolarsError;

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A name that is no axis.
    #[error("table `{table}`: `{axis}` is no axis of these results; there are {known}")]
    UnknownAxis {
        /// The table.
        table: String,
        /// What was asked for.
        axis: String,
        /// The axes there are.
        known: String,
    },
    /// An axis that is named twice.
    #[error("table `{table}`: `{axis}` is named twice among rows and columns")]
    RepeatedAxis {
        /// The table.
        table: String,
        /// The axis.
        axis: String,
    },
    /// Neither rows nor columns.
    #[error("table `{table}`: a table needs an axis for its rows or its columns")]
    NoAxis {
        /// The table.
        table: String,
    },
    /// A value that no cell has, in a filter or a baseline.
    #[error("table `{table}`: no cell has `{axis}` = `{value}`; there are {known}")]
    UnknownValue {
        /// The table.
        table: String,
        /// The axis.
        axis: String,
        /// What was asked for.
        value: String,
        /// The values there are.
        known: String,
    },
    /// A baseline on an axis that the table averages over.
    #[error(
        "table `{table}`: the baseline's axis `{axis}` must be one of the rows or columns, and not `seed`"
    )]
    BaselineAxis {
        /// The table.
        table: String,
        /// The axis.
        axis: String,
    },
    /// A filter that leaves nothing.
    #[error("table `{table}`: no cell of stage {stage} is left{filter}")]
    NothingLeft {
        /// The table.
        table: String,
        /// The stage whose cells were looked at.
        stage: String,
        /// The filter, for people; empty without one.
        filter: String,
    },
    /// A metric or split that no finished cell has.
    #[error("table `{table}`: no finished cell has {wanted}; there are {known}")]
    UnknownMetric {
        /// The table.
        table: String,
        /// What was asked for.
        wanted: String,
        /// The metrics and splits there are.
        known: String,
    },
    /// One place of the table with two metrics.
    #[error("table `{table}`: {place} has several metrics ({metrics}); name one with `metric`")]
    MixedMetrics {
        /// The table.
        table: String,
        /// The place, by its axes.
        place: String,
        /// The metrics.
        metrics: String,
    },
    /// The same repetition of the same cell more than once.
    #[error("table `{table}`: the results hold {cell} more than once")]
    RepeatedCell {
        /// The table.
        table: String,
        /// The cell, by its axes.
        cell: String,
    },
    /// The frame is not one of results (docs/results.md).
    #[error("the results cannot be tabulated: {0}")]
    Frame(#[from] PolarsError),
}
