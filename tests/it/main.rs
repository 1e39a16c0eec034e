//! The integration tests, in one binary.

mod cli_errors;
mod data;
mod fixtures;
mod mask;
mod metrics;
mod model;
mod plan;
mod queue;
mod report;
mod token;
mod train_step;
