//! From the results frame to tables, and from a table to text.
//!
//! [`tabulate`] turns a frame and a [`TableSpec`] into a [`Table`]: means over seeds with
//! their spread, what is missing said in every cell that misses something, metrics named,
//! nothing averaged over an axis that nobody asked to average over. Four renderers show it:
//! [`terminal()`], [`markdown()`], [`latex()`], [`csv()`]. This module must never run, train
//! or score anything, and never read or write a file.

mod best;
mod csv;
mod error;
mod latex;
mod markdown;
mod metric;
mod notes;
mod query;
mod select;
mod spec;
mod table;
mod tabulate;
mod terminal;
mod text;

pub use csv::csv;
pub use error::TableError;
pub use latex::latex;
pub use markdown::markdown;
pub use metric::{Better, MetricStyle};
pub use spec::{TableSpec, default_table};
pub use table::{BestOf, Cell, Difference, MetricPlace, Table};
pub use tabulate::tabulate;
pub use terminal::{Styling, terminal};
