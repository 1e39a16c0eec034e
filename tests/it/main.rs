//! The integration tests, in one binary.

mod cli_errors;
mod data;
mod fixtures;
mod mask;
mod metrics;
mod model;
mod queue;
mod report;
mod sweep;
mod tidy;
mod token;
mod train_step;
