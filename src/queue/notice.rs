//! What the driver tells while it works: plain data, for whoever shows it.

use std::time::Duration;

use super::message::Headline;
use super::slots::SlotId;
use crate::record::Failure;
use crate::settings::Key;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A worker is up.
    WorkerStarted {
        /// Where.
        slot: SlotId,
        /// Its process id.
        pid: u32,
        /// Its device, by the name it has inside the worker.
        device: String,
    },
    /// A worker was lost, and another takes its slot.
    WorkerReplaced {
        /// Where.
        slot: SlotId,
        /// What became of the old one.
        reason: String,
    },
    /// The slot is given up: its workers cannot start.
    SlotRetired {
        /// Where.
        slot: SlotId,
        /// What became of the last one.
        reason: String,
    },
    /// A job was handed to a worker.
    JobStarted {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
    },
    /// A job goes on.
    Progress {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
        /// Optimiser steps done.
        step: usize,
        /// Steps in all.
        steps: usize,
        /// Mean training loss of late; NaN where it is not finite.
        loss: f64,
    },
    /// A job's record is there.
    JobFinished {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
        /// What to show of it, where it has a score.
        headline: Option<Headline>,
        /// What it took.
        seconds: f64,
    },
    /// A job ended without a record.
    JobFailed {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
        /// Why.
        failure: Failure,
    },
    /// A job stopped as it was told, and can be gone on with.
    JobPaused {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
        /// Optimiser steps done.
        step: usize,
    },
    /// Memory ran out, and the job is tried again in smaller forward passes.
    JobRetried {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
        /// Sequences of one forward pass from now on, for all jobs of its shape.
        micro_batch: usize,
        /// What happened.
        failure: Failure,
    },
    /// A job takes longer than its warning limit.
    JobSlow {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
        /// The limit.
        limit: Duration,
    },
    /// A job cannot run.
    JobSkipped {
        /// Which job.
        key: Key,
        /// The failed job it builds on, directly or through others.
        because: Key,
    },
    /// Asked to stop: no job starts any more.
    Stopping {
        /// Jobs still running, which write a checkpoint and stop, or end.
        running: usize,
    },
    /// The results folder cannot be written to: the queue stops by itself.
    StorageFailed {
        /// What the system said, with the path.
        message: String,
    },
    /// Asked twice to stop: all workers are killed.
    Killing,
    /// Something a person should know; one line.
    Warning(String),
}
