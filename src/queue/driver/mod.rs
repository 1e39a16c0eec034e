//! Carries out what the machine decides: starts worker processes, hands them jobs, hears
//! what becomes of them, and writes down the failures they cannot write themselves.
//!
//! All that happens comes through one channel into one loop, on the caller's thread. The
//! terminal is the caller's: it hears of everything through one callback.

mod commands;
mod events;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::ceiling::Ceilings;
use super::clock::Limits;
use super::machine::{Event, GraphError, Initial, Machine, Node};
use super::memory::OomWatch;
use super::notice::Notice;
use super::process::{Output, Process, WorkerCommand};
use super::results_folder::LockedResults;
use super::slots::{Slot, SlotId};
use crate::record::{JobFolder, State};
use crate::settings::{Job, Key};

/// How often the stop counter and the processes are looked at where no worker speaks.
const TICK: Duration = Duration::from_millis(50);

/// A job and its urgency.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// The job. Its parents are in the list too.
    pub job: Job,
    /// Among ready jobs the largest goes first; equal ones in the order of the list.
    pub priority: u64,
}

/// What is done with jobs that failed in an earlier sweep. Interrupted and skipped jobs
/// run in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlierFailures {
    /// They stay failed.
    Keep,
    /// They run again.
    Retry,
}

/// How long a worker may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To say hello after its start, which on a GPU includes setting up the device.
    pub hello: Duration,
    /// To leave when told to.
    pub leave: Duration,
    /// To say anything at all, once it said hello: its lease on the slot.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { hello: Duration::from_mins(2), leave: Duration::from_secs(2), silence: Duration::from_mins(1) }
    }
}

/// All that is to be done, and where.
pub struct Workload<'a> {
    /// Where jobs leave their records.
    pub results: &'a LockedResults,
    /// What to do.
    pub jobs: Vec<Queued>,
    /// Whether to try again what failed before.
    pub earlier_failures: EarlierFailures,
    /// Where to do it.
    pub slots: Vec<Slot>,
    /// The worker of a slot.
    pub worker: &'a dyn Fn(&Slot) -> WorkerCommand,
    /// How often the person asked to stop: at 1 running jobs write a checkpoint and stop, at
    /// 2 they are killed. It may change at any time.
    pub stop: &'a AtomicUsize,
    /// How long to wait for workers.
    pub patience: Patience,
    /// How long a job may take.
    pub limits: Limits,
}

/// How the jobs of the workload stand at the end, those of earlier sweeps included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// With a record.
    pub done: usize,
    /// Without one, by a failure of their own.
    pub failed: usize,
    /// Without one, by a parent's failure.
    pub skipped: usize,
    /// Yet to run.
    pub remaining: usize,
    /// Whether it was asked to stop, or stopped by itself.
    pub stopped: bool,
}

/// The queue cannot go on. Jobs that were done stay done, all others are still to do.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The jobs do not form a graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A job's folder cannot be read or written; the path is in the cause.
    #[error("a job's folder cannot be used: {0}")]
    Folder(io::Error),
    /// The system does not say what became of a process.
    #[error("a worker cannot be watched: {0}")]
    Watch(io::Error),
    /// Every slot was given up.
    #[error("no worker can be started: {reason}")]
    NoWorker {
        /// What became of the last one.
        reason: String,
    },
}

/// Runs all jobs that can run, and returns when none can any more. No worker outlives it,
/// however it ends.
///
/// # Errors
/// Jobs that form no graph, a results folder that fails, and slots none of which can start
/// a worker. A job that fails is no error.
pub fn run(workload: Workload<'_>, notify: &mut dyn FnMut(Notice)) -> Result<Summary, RunError> {
    let nodes = nodes(&workload, notify).map_err(RunError::Folder)?;
    let slots: Vec<SlotId> = workload.slots.iter().map(|slot| slot.id).collect();
    let machine = Machine::new(&nodes, &slots)?;
    let mut driver = Driver::new(workload, machine, notify);
    driver.drive()?;
    driver.summary()
}

/// The jobs as the machine sees them, with what their folders say.
fn nodes(workload: &Workload<'_>, notify: &mut dyn FnMut(Notice)) -> io::Result<Vec<Node>> {
    let node = |Queued { job, priority }: &Queued| {
        let folder = JobFolder::new(workload.results.path(), &job.key);
        if folder.exists() {
            // Before it is looked at: a worker of a scheduler that is gone might still publish,
            // and then the job would be done twice.
            folder.end_attempts()?;
        }
        let state = match folder.state(&mut |warning| notify(Notice::Warning(warning)))? {
            State::Done(_) => {
                // What a worker that was killed just after its record had yet to remove.
                folder.tidy()?;
                Initial::Done
            }
            State::Failed(failure) => match workload.earlier_failures {
                EarlierFailures::Keep => Initial::Failed(failure.outcome),
                EarlierFailures::Retry => Initial::Pending,
            },
            State::Pending => Initial::Pending,
        };
        let parents = job.parents.keys().cloned().collect();
        Ok(Node { key: job.key.clone(), parents, priority: *priority, state })
    };
    workload.jobs.iter().map(node).collect()
}

struct Driver<'a> {
    results: &'a Path,
    jobs: BTreeMap<Key, Job>,
    slots: BTreeMap<SlotId, Slot>,
    worker: &'a dyn Fn(&Slot) -> WorkerCommand,
    stop: &'a AtomicUsize,
    patience: Patience,
    limits: Limits,
    notify: &'a mut dyn FnMut(Notice),
    machine: Machine,
    /// What the machine has yet to hear.
    events: VecDeque<Event>,
    workers: BTreeMap<SlotId, Process>,
    /// Told to leave; their slots are free.
    leaving: Vec<Process>,
    /// What became of the last worker that was lost, by slot.
    losses: BTreeMap<SlotId, String>,
    sender: Sender<Output>,
    outputs: Receiver<Output>,
    workers_started: u64,
    oom: OomWatch,
    ceilings: Ceilings,
    /// The jobs of workers as they were handed over.
    running: BTreeMap<SlotId, Job>,
    /// How often a job met a worker that was gone before it could take it.
    untaken: BTreeMap<Key, u32>,
    /// How much of the stop counter was acted on.
    stops: usize,
    complete: bool,
}

impl<'a> Driver<'a> {
    fn new(workload: Workload<'a>, machine: Machine, notify: &'a mut dyn FnMut(Notice)) -> Self {
        let (sender, outputs) = channel();
        Self {
            results: workload.results.path(),
            jobs: workload.jobs.into_iter().map(|queued| (queued.job.key.clone(), queued.job)).collect(),
            slots: workload.slots.into_iter().map(|slot| (slot.id, slot)).collect(),
            worker: workload.worker,
            stop: workload.stop,
            patience: workload.patience,
            limits: workload.limits,
            notify,
            machine,
            events: VecDeque::new(),
            workers: BTreeMap::new(),
            leaving: Vec::new(),
            losses: BTreeMap::new(),
            sender,
            outputs,
            workers_started: 0,
            oom: OomWatch::new(),
            ceilings: Ceilings::default(),
            running: BTreeMap::new(),
            untaken: BTreeMap::new(),
            stops: 0,
            complete: false,
        }
    }

    fn drive(&mut self) -> Result<(), RunError> {
        let commands = self.machine.start();
        self.obey(commands)?;
        while !self.complete {
            self.tell_machine()?;
            if self.complete {
                break;
            }
            match self.outputs.recv_timeout(TICK) {
                Ok(output) => self.on_output(output)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            // What a worker said comes before its end.
            self.tell_machine()?;
            self.watch_workers()?;
        }
        self.see_off()
    }

    /// Feeds the machine until it has heard all, a stop before anything else: a callback
    /// that asks for one at a failure gets it before the next job starts.
    fn tell_machine(&mut self) -> Result<(), RunError> {
        self.look_at_stop();
        while let Some(event) = self.events.pop_front() {
            let commands = self.machine.handle(event);
            self.obey(commands)?;
        }
        Ok(())
    }

    fn look_at_stop(&mut self) {
        let asked = self.stop.load(Ordering::SeqCst).min(2);
        if asked <= self.stops {
            return;
        }
        if self.stops == 0 {
            let running = self.pause_all();
            if asked == 1 {
                self.tell(Notice::Stopping { running });
            }
            self.events.push_front(Event::Stop);
        }
        if asked == 2 {
            self.tell(Notice::Killing);
            // After what is already known: a job that just ended has ended.
            self.events.push_back(Event::StopNow);
        }
        self.stops = asked;
    }

    /// Stops without having been asked, as if once: no job could publish anything.
    fn stop_for_storage(&mut self, message: String) {
        self.tell(Notice::StorageFailed { message });
        if self.stops == 0 {
            self.stops = 1;
            self.pause_all();
            self.events.push_front(Event::Stop);
        }
    }

    /// Tells all running jobs to stop; how many there are.
    fn pause_all(&mut self) -> usize {
        let mut running = 0;
        for (&slot, process) in &mut self.workers {
            if self.machine.running_on(slot).is_some() {
                process.pause(self.patience.leave);
                running += 1;
            }
        }
        running
    }

    fn tell(&mut self, notice: Notice) {
        (self.notify)(notice);
    }

    /// Waits for the workers that were told to leave.
    fn see_off(&mut self) -> Result<(), RunError> {
        while !self.leaving.is_empty() {
            self.watch_leaving()?;
            if let Ok(output) = self.outputs.recv_timeout(Duration::from_millis(5)) {
                self.on_output(output)?;
            }
        }
        Ok(())
    }

    fn watch_leaving(&mut self) -> Result<(), RunError> {
        let now = Instant::now();
        let mut still_there = Vec::new();
        for mut process in self.leaving.drain(..) {
            if process.poll(now, self.patience.silence).map_err(RunError::Watch)?.is_none() {
                still_there.push(process);
            }
        }
        self.leaving = still_there;
        Ok(())
    }

    fn summary(&self) -> Result<Summary, RunError> {
        let counts = self.machine.counts();
        let stopped = self.stops > 0;
        if counts.remaining > 0 && !stopped {
            let reason = self.losses.values().next_back().cloned();
            return Err(RunError::NoWorker {
                reason: reason.unwrap_or_else(|| "there is no slot".to_owned()),
            });
        }
        Ok(Summary {
            done: counts.done,
            failed: counts.failed,
            skipped: counts.skipped,
            remaining: counts.remaining,
            stopped,
        })
    }
}
