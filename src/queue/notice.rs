//! What the driver tells while it works: plain data, for whoever shows it.

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
    /// A job cannot run.
    JobSkipped {
        /// Which job.
        key: Key,
        /// The failed job it builds on, directly or through others.
        because: Key,
    },
    /// Asked to stop: no job starts any more.
    Stopping {
        /// Jobs still running, which may end.
        running: usize,
    },
    /// Asked twice to stop: all workers are killed.
    Killing,
    /// Something a person should know; one line.
    Warning(String),
}
