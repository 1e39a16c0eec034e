//! The state machine of the queue: events in, commands out.
//!
//! It decides which job runs next and on which slot, what a failure takes down with it, and
//! when all is over. It is pure: no clock, process, file or thread, so that every order of
//! events can be tried in a test. The driver turns what happens into events and carries
//! out the commands, in their order.

mod event;
mod graph;
#[cfg(test)]
mod sanity;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use event::{Command, Counts, Event, Left};
pub use graph::{GraphError, Initial, Node};

use crate::queue::SlotId;
use crate::record::Outcome;
use crate::settings::Key;
use graph::Graph;

/// A slot whose workers are lost this often in a row without having been given a job is
/// given up: its device is missing, or its program cannot start.
pub const BARREN_LIMIT: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobState {
    /// Some parent is not done yet.
    Waiting,
    Ready,
    Running,
    Done,
    Failed,
    Skipped {
        because: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotState {
    /// There was no worker yet.
    Unused,
    Starting,
    Idle,
    Running(usize),
    /// The worker is no more.
    Gone,
    Retired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SlotRecord {
    state: SlotState,
    /// Workers lost in a row, none of which was given a job.
    barren: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    Stopping,
    Complete,
}

/// The state machine; see the module's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    graph: Graph,
    jobs: Vec<JobState>,
    ready: BTreeSet<(Reverse<u64>, usize)>,
    slots: BTreeMap<SlotId, SlotRecord>,
    mode: Mode,
}

impl Machine {
    /// A machine at rest; [`start`](Self::start) comes next.
    ///
    /// # Errors
    /// Jobs that do not form a graph.
    pub fn new(nodes: &[Node], slots: &[SlotId]) -> Result<Self, GraphError> {
        let graph = Graph::new(nodes)?;
        let jobs = nodes.iter().map(|node| match node.state {
            Initial::Done => JobState::Done,
            Initial::Pending | Initial::Failed(Outcome::Skipped) => JobState::Waiting,
            Initial::Failed(
                Outcome::Diverged | Outcome::OutOfMemory | Outcome::Crashed | Outcome::TimedOut,
            ) => JobState::Failed,
        });
        let jobs = jobs.collect();
        let unused = SlotRecord { state: SlotState::Unused, barren: 0 };
        let slots = slots.iter().map(|&slot| (slot, unused)).collect();
        Ok(Self { graph, jobs, ready: BTreeSet::new(), slots, mode: Mode::Open })
    }

    /// Skips what earlier failures block, and starts workers for what can run.
    pub fn start(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        for job in self.graph.jobs() {
            if self.jobs[job] == JobState::Failed {
                self.skip_dependents(job, &mut commands);
            }
        }
        for job in self.graph.jobs() {
            self.make_ready_if_free(job);
        }
        self.settle(&mut commands);
        commands
    }

    /// Takes one event. One that does not fit the slot's state, such as a late word of a
    /// worker that was given up, changes nothing.
    pub fn handle(&mut self, event: Event) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.mode == Mode::Complete {
            return commands;
        }
        match event {
            Event::SlotReady(slot) => self.on_ready(slot),
            Event::Finished { slot, key } => self.on_finished(slot, &key),
            Event::Paused { slot, key } => self.on_paused(slot, &key),
            Event::WorkerLost { slot, left } => self.on_lost(slot, left, &mut commands),
            Event::Stop => self.mode = Mode::Stopping,
            Event::StopNow => self.on_stop_now(&mut commands),
        }
        self.settle(&mut commands);
        commands
    }

    /// The job that the slot's worker runs.
    pub fn running_on(&self, slot: SlotId) -> Option<&Key> {
        match self.slots.get(&slot)?.state {
            SlotState::Running(job) => Some(self.graph.key(job)),
            SlotState::Unused
            | SlotState::Starting
            | SlotState::Idle
            | SlotState::Gone
            | SlotState::Retired => None,
        }
    }

    /// How many jobs stand how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for job in &self.jobs {
            match job {
                JobState::Waiting | JobState::Ready | JobState::Running => counts.remaining += 1,
                JobState::Done => counts.done += 1,
                JobState::Failed => counts.failed += 1,
                JobState::Skipped { .. } => counts.skipped += 1,
            }
        }
        counts
    }

    fn on_ready(&mut self, slot: SlotId) {
        if let Some(record) = self.slots.get_mut(&slot)
            && record.state == SlotState::Starting
        {
            record.state = SlotState::Idle;
        }
    }

    fn on_finished(&mut self, slot: SlotId, key: &Key) {
        if let Some(job) = self.take_from(slot, key) {
            self.finish(job);
        }
    }

    fn on_paused(&mut self, slot: SlotId, key: &Key) {
        if let Some(job) = self.take_from(slot, key) {
            self.put_back(job);
        }
    }

    /// The job that the slot's worker ran, if it is this one. The worker is idle then.
    fn take_from(&mut self, slot: SlotId, key: &Key) -> Option<usize> {
        let job = self.graph.find(key)?;
        let record = self.slots.get_mut(&slot).filter(|record| record.state == SlotState::Running(job))?;
        record.state = SlotState::Idle;
        Some(job)
    }

    /// A job that was running is ready again.
    fn put_back(&mut self, job: usize) {
        self.jobs[job] = JobState::Ready;
        self.ready.insert(self.graph.turn(job));
    }

    fn on_lost(&mut self, slot: SlotId, left: Left, commands: &mut Vec<Command>) {
        let Some(record) = self.slots.get_mut(&slot) else { return };
        match record.state {
            SlotState::Running(job) => {
                record.state = SlotState::Gone;
                match left {
                    Left::Record => self.finish(job),
                    Left::Nothing => self.fail(job, commands),
                    Left::Another => self.put_back(job),
                }
            }
            SlotState::Starting | SlotState::Idle => {
                record.barren += 1;
                record.state = SlotState::Gone;
                if record.barren == BARREN_LIMIT {
                    record.state = SlotState::Retired;
                    commands.push(Command::Retired { slot });
                }
            }
            SlotState::Unused | SlotState::Gone | SlotState::Retired => {}
        }
    }

    fn on_stop_now(&mut self, commands: &mut Vec<Command>) {
        self.mode = Mode::Stopping;
        let mut interrupted = Vec::new();
        for (&slot, record) in &mut self.slots {
            match record.state {
                SlotState::Running(job) => interrupted.push(job),
                SlotState::Starting | SlotState::Idle => {}
                SlotState::Unused | SlotState::Gone | SlotState::Retired => continue,
            }
            record.state = SlotState::Gone;
            commands.push(Command::Kill { slot });
        }
        for job in interrupted {
            self.put_back(job);
        }
    }

    fn finish(&mut self, job: usize) {
        self.jobs[job] = JobState::Done;
        // A copy, since becoming ready changes the machine; a job has few children.
        for child in self.graph.children(job).to_vec() {
            self.make_ready_if_free(child);
        }
    }

    fn make_ready_if_free(&mut self, job: usize) {
        let free = self.graph.parents(job).iter().all(|&parent| self.jobs[parent] == JobState::Done);
        if free && self.jobs[job] == JobState::Waiting {
            self.jobs[job] = JobState::Ready;
            self.ready.insert(self.graph.turn(job));
        }
    }

    fn fail(&mut self, job: usize, commands: &mut Vec<Command>) {
        self.jobs[job] = JobState::Failed;
        self.skip_dependents(job, commands);
    }

    /// Skips all that waits for `failed`, nearest first.
    fn skip_dependents(&mut self, failed: usize, commands: &mut Vec<Command>) {
        let mut blocked = VecDeque::from([failed]);
        while let Some(job) = blocked.pop_front() {
            for &child in self.graph.children(job) {
                if self.jobs[child] == JobState::Waiting {
                    self.jobs[child] = JobState::Skipped { because: failed };
                    let (key, because) = (self.graph.key(child).clone(), self.graph.key(failed).clone());
                    commands.push(Command::Skipped { key, because });
                    blocked.push_back(child);
                }
            }
        }
    }

    /// Brings slots and jobs together. Where nothing is left to do, it does nothing.
    fn settle(&mut self, commands: &mut Vec<Command>) {
        if self.mode == Mode::Open {
            self.give_jobs(commands);
            self.start_workers(commands);
        }
        if self.is_over() {
            self.complete(commands);
        }
    }

    fn give_jobs(&mut self, commands: &mut Vec<Command>) {
        for (&slot, record) in &mut self.slots {
            if record.state != SlotState::Idle {
                continue;
            }
            let Some((_, job)) = self.ready.pop_first() else { return };
            *record = SlotRecord { state: SlotState::Running(job), barren: 0 };
            self.jobs[job] = JobState::Running;
            commands.push(Command::Run { slot, key: self.graph.key(job).clone() });
        }
    }

    /// As many workers as there are jobs for; so a small sweep starts few on a large machine.
    fn start_workers(&mut self, commands: &mut Vec<Command>) {
        let starting = self.slots.values().filter(|record| record.state == SlotState::Starting).count();
        let mut wanted = self.ready.len().saturating_sub(starting);
        for (&slot, record) in &mut self.slots {
            if wanted == 0 {
                return;
            }
            commands.push(match record.state {
                SlotState::Unused => Command::StartWorker { slot },
                SlotState::Gone => Command::ReplaceWorker { slot },
                SlotState::Starting | SlotState::Idle | SlotState::Running(_) | SlotState::Retired => {
                    continue;
                }
            });
            record.state = SlotState::Starting;
            wanted -= 1;
        }
    }

    /// Whether nothing runs, and nothing will.
    fn is_over(&self) -> bool {
        if self.slots.values().any(|record| matches!(record.state, SlotState::Running(_))) {
            return false;
        }
        let no_slot = self.slots.values().all(|record| record.state == SlotState::Retired);
        // With nothing running, a waiting job has a ready ancestor.
        self.mode == Mode::Stopping || self.ready.is_empty() || no_slot
    }

    fn complete(&mut self, commands: &mut Vec<Command>) {
        self.mode = Mode::Complete;
        for (&slot, record) in &mut self.slots {
            match record.state {
                SlotState::Starting | SlotState::Idle => {
                    record.state = SlotState::Gone;
                    commands.push(Command::Shutdown { slot });
                }
                SlotState::Unused | SlotState::Running(_) | SlotState::Gone | SlotState::Retired => {}
            }
        }
        commands.push(Command::Complete);
    }
}
