//! From records to one long frame, and from the frame to Parquet and CSV.
//!
//! One row per cell, split and metric; a cell without a record has one row without a value,
//! so that nothing is dropped. `docs/results.md` is the schema. This module must never
//! train, average, or decide what a table shows.

mod cell;
mod columns;
mod files;
mod frame;

pub use cell::{CellOutcome, ResultCell};
pub use columns::{COST_COLUMNS, IDENTITY_COLUMNS, MEASUREMENT_COLUMNS, SCORE_COLUMNS, axes};
pub use files::{read_parquet, write_csv, write_parquet};
pub use frame::frame;

use std::io;
use std::path::PathBuf;

use polars::prelude::PolarsError;

/// What can go wrong between records and files.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// An axis that is a number has a value that is none.
    #[error("cell `{cell}`: `{axis}` is `{value}`; accepted is {accepted}")]
    Number {
        /// The cell, as `axis=value` pairs.
        cell: String,
        /// `seed` or `label_fraction`.
        axis: &'static str,
        /// What stands there.
        value: String,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// An axis has the name of a column that is something else.
    #[error("axis `{axis}` has the name of another column of the results; rename it")]
    AxisName {
        /// The axis.
        axis: String,
    },
    /// A file cannot be written; the path is in the text.
    #[error("{0}")]
    Unwritable(io::Error),
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be, or could not be made.
    #[error("{path}: {source}")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PolarsError,
    },
}
