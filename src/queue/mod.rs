//! Drives the graph of jobs: which are ready, which slot takes them, worker processes, and
//! what a failure takes down with it.
//!
//! A pure [state machine](machine) decides, the [driver](run) does. A job runs in a worker
//! process and never in this one, so that a panic, want of memory or a poisoned device
//! costs one job; [`serve`] is the worker's side. A readable record is the only meaning of
//! done, so a queue that was killed goes on where it was; a job that was under way goes on
//! from its last checkpoint. Each attempt at a job takes the ones before it the right to
//! publish, so a worker that sleeps and wakes too late does no harm.
//!
//! It must never know what a job computes: no tensors, datasets or dataframes.

mod ceiling;
mod clock;
mod disk;
mod driver;
mod exit;
mod holder;
pub mod machine;
mod memory;
pub mod message;
mod notice;
mod process;
mod results_folder;
mod slots;
#[cfg(test)]
mod tests;
mod worker;

pub use clock::Limits;
pub use disk::free_bytes;
pub use driver::{EarlierFailures, Patience, Queued, RunError, Summary, Workload, run};
pub use notice::Notice;
pub use process::WorkerCommand;
pub use results_folder::{LockedResults, ResultsError, ResultsFolder, host_name};
pub use slots::{Device, Host, Slot, SlotId, SlotsError, slots};
pub use worker::{Assignment, Done, Progress, Unfinished, Word, serve};
