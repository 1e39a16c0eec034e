//! The integration tests, in one binary.
#![expect(clippy::print_stderr, reason = "a test that is skipped, or that measures, says so")]
#![expect(clippy::format_collect, clippy::format_push_string, reason = "test data need not be made fast")]

mod cli_errors;
mod data;
mod fixtures;
mod fuzz;
mod mask;
mod metrics;
mod model;
mod plan;
mod queue;
mod report;
mod resume;
mod spec;
mod strangers;
mod sweep;
mod tidy;
mod token;
mod train_step;
mod upkeep;

/// Counts what each thread allocates, for who asks.
#[global_allocator]
static ALLOCATOR: fuzz::memory::Counting = fuzz::memory::Counting;
