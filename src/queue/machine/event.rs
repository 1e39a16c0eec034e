//! What goes into the machine, and what comes out. How a job failed is not among it: the
//! driver writes that down, and the machine decides the same for every outcome.

use crate::queue::SlotId;
use crate::settings::Key;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The slot's worker said hello.
    SlotReady(SlotId),
    /// The slot's worker finished its job; the record is there.
    Finished {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
    },
    /// The slot's worker stopped its job, as it was told; the job is to go on some time.
    Paused {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
    },
    /// The slot's worker is no more, or could not be started. A worker that failed a job
    /// is ended before this is said: it is not to be trusted with another.
    WorkerLost {
        /// Where.
        slot: SlotId,
        /// What it left of the job it ran; without meaning where it ran none.
        left: Left,
    },
    /// No new job is to start; running ones end or pause.
    Stop,
    /// Nothing is to go on. Running jobs count as never started.
    StopNow,
}

/// What a lost worker left of its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The record: the worker went after publishing it.
    Record,
    /// No record: the job has failed.
    Nothing,
    /// No record, and the job is to be tried again.
    Another,
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start the slot's first worker.
    StartWorker {
        /// Where.
        slot: SlotId,
    },
    /// Hand the job to the slot's worker, which is idle.
    Run {
        /// Where.
        slot: SlotId,
        /// Which job.
        key: Key,
    },
    /// Start another worker where one was lost.
    ReplaceWorker {
        /// Where.
        slot: SlotId,
    },
    /// Tell the slot's worker, which runs nothing, to leave.
    Shutdown {
        /// Where.
        slot: SlotId,
    },
    /// End the slot's worker at once, whatever it does.
    Kill {
        /// Where.
        slot: SlotId,
    },
    /// The slot gets no worker any more ([`BARREN_LIMIT`](super::BARREN_LIMIT)).
    Retired {
        /// Where.
        slot: SlotId,
    },
    /// The job cannot run.
    Skipped {
        /// Which job.
        key: Key,
        /// The failed job it builds on, directly or through others.
        because: Key,
    },
    /// All is over. Nothing follows.
    Complete,
}

/// Jobs by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// With a record, from now or from before.
    pub done: usize,
    /// Without one, by a failure of their own.
    pub failed: usize,
    /// Without one, by another's failure.
    pub skipped: usize,
    /// Yet to run, or running.
    pub remaining: usize,
}
