//! From the text of an experiment file to a validated [`Sweep`], every error with its place.
//!
//! Files are handed in as text: this module opens nothing, and knows neither data, clocks
//! nor jobs. What needs the data to be checked is left to `resolve`, which reports its
//! errors with the same carets.
//!
//! [`Library`] holds what a sweep may name: systems, scales, tasks and corpora, each read
//! from a TOML file of its own.

mod axis;
mod condition;
mod diagnostic;
mod explain;
mod grid;
mod hint;
mod library;
mod node;
mod run;
mod schema;
mod sweep;
mod syntax;
mod system;
mod table;
mod task;

pub use axis::{Axis, AxisValue};
pub use condition::Condition;
pub use diagnostic::{Diagnostic, Diagnostics, Place, Source, quoted};
pub use grid::{Exclude, Grid};
pub use library::{Library, LibraryFile, LibraryKind};
pub use node::grouped;
pub use schema::{Field, Kind, SECTIONS, Settings, Value, alternative, defaults, field, fields, value_text};
pub use sweep::{Named, Sweep, read_sweep};
pub use system::{ArchitectureKind, Override, Scale, System};
pub use table::{MetricChoice, TableRequest};
pub use task::{CorpusEntry, TaskEntry};

/// The axes that every sweep has, in the order in which tables show them.
pub const AXES: [&str; 7] = ["model", "tokenization", "masking", "init", "task", "label_fraction", "seed"];
