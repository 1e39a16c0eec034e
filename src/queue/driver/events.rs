//! What workers say and what becomes of them, as events for the machine.

use std::process::ExitStatus;
use std::time::Instant;

use super::{Driver, RunError};
use crate::queue::clock::{Due, Limits};
use crate::queue::machine::{BARREN_LIMIT, Event, Left};
use crate::queue::message::{Headline, Reply};
use crate::queue::notice::Notice;
use crate::queue::process::{Output, Process, Stream, crashed};
use crate::queue::slots::SlotId;
use crate::record::{Failure, JobFolder, Outcome, State};
use crate::settings::Key;

impl Driver<'_> {
    /// Takes a line of a worker. What comes from one that was let go is passed over.
    pub(super) fn on_output(&mut self, output: Output) -> Result<(), RunError> {
        let Output { worker, stream, line } = output;
        if let Some(process) = self.leaving.iter_mut().find(|process| process.id() == worker) {
            if line.is_none() {
                process.stream_ended(stream, self.patience.leave);
            }
            return Ok(());
        }
        let Some((&slot, process)) = self.workers.iter_mut().find(|(_, process)| process.id() == worker)
        else {
            return Ok(());
        };
        let Some(line) = line else {
            process.stream_ended(stream, self.patience.leave);
            return Ok(());
        };
        process.was_heard();
        match stream {
            Stream::Stdout => match Reply::parse(&line) {
                Some(reply) if !process.is_given_up() => return self.on_reply(slot, reply),
                Some(_) => {}
                // A library that prints; it may say why a failure came.
                None => process.keep(&line),
            },
            Stream::Stderr => process.keep(&line),
        }
        Ok(())
    }

    fn on_reply(&mut self, slot: SlotId, reply: Reply) -> Result<(), RunError> {
        match reply {
            Reply::Hello { pid, device } => {
                if let Some(process) = self.workers.get_mut(&slot) {
                    process.said_hello();
                }
                self.tell(Notice::WorkerStarted { slot, pid, device });
                self.events.push_back(Event::SlotReady(slot));
            }
            Reply::Progress { key, step, steps, loss } => {
                if self.machine.running_on(slot) == Some(&key) {
                    self.tell(Notice::Progress { slot, key, step, steps, loss });
                }
            }
            Reply::Alive => {}
            Reply::Warning { key, message } => {
                let label = self.jobs.get(&key).map_or_else(|| key.to_string(), |job| job.label.clone());
                self.tell(Notice::Warning(format!("{label}: {message}")));
            }
            Reply::Paused { key, step } => return self.on_paused(slot, key, step),
            Reply::Storage { key, message } => {
                if self.machine.running_on(slot) == Some(&key) {
                    self.put_aside(slot, key);
                }
                self.stop_for_storage(message);
            }
            Reply::Finished { key, headline, seconds } => {
                return self.on_finished(slot, key, headline, seconds);
            }
            Reply::Failed { key, failure } => {
                if self.machine.running_on(slot) == Some(&key) {
                    self.give_up(slot, failure);
                } else {
                    self.give_up(slot, foreign(&key));
                }
            }
        }
        Ok(())
    }

    /// A job that was told to stop did so; one that has timed out has failed.
    fn on_paused(&mut self, slot: SlotId, key: Key, step: usize) -> Result<(), RunError> {
        if self.machine.running_on(slot) != Some(&key) {
            self.give_up(slot, foreign(&key));
            return Ok(());
        }
        // Where a person stopped it, its time is no failure.
        let overdue = self.workers.get_mut(&slot).and_then(Process::take_overdue);
        if let Some(failure) = overdue.filter(|_| self.stops == 0) {
            let message =
                format!("{}; it stopped at step {step}, from where --retry-failed goes on", failure.message);
            self.give_up(slot, Failure { message, ..failure });
            return Ok(());
        }
        JobFolder::new(self.results, &key).end_attempts().map_err(RunError::Folder)?;
        self.tell(Notice::JobPaused { slot, key: key.clone(), step });
        self.put_aside(slot, key);
        Ok(())
    }

    /// The job is to go on some time.
    fn put_aside(&mut self, slot: SlotId, key: Key) {
        if let Some(process) = self.workers.get_mut(&slot) {
            process.ended_job();
        }
        self.events.push_back(Event::Paused { slot, key });
    }

    /// Believes a worker once the record is there.
    fn on_finished(
        &mut self,
        slot: SlotId,
        key: Key,
        headline: Option<Headline>,
        seconds: f64,
    ) -> Result<(), RunError> {
        if self.machine.running_on(slot) != Some(&key) {
            self.give_up(slot, foreign(&key));
            return Ok(());
        }
        match self.state(&key)? {
            State::Done(_) => {
                if let Some(process) = self.workers.get_mut(&slot) {
                    process.ended_job();
                }
                self.tidy(&key)?;
                self.tell(Notice::JobFinished { slot, key: key.clone(), headline, seconds });
                self.events.push_back(Event::Finished { slot, key });
            }
            State::Pending | State::Failed(_) => {
                self.give_up(slot, crashed("the worker said finished, and there is no readable record"));
            }
        }
        Ok(())
    }

    /// The machine hears of it when the process has ended: only then are its last words
    /// read, and its device free for the next one.
    fn give_up(&mut self, slot: SlotId, failure: Failure) {
        if let Some(process) = self.workers.get_mut(&slot) {
            process.give_up(failure, self.patience.leave);
        }
    }

    /// Finds workers that are gone.
    pub(super) fn watch_workers(&mut self) -> Result<(), RunError> {
        let now = Instant::now();
        let slots: Vec<SlotId> = self.workers.keys().copied().collect();
        for slot in slots {
            self.enforce_limits(slot, now)?;
            let Some(process) = self.workers.get_mut(&slot) else { continue };
            if let Some(status) = process.poll(now, self.patience.silence).map_err(RunError::Watch)?
                && let Some(process) = self.workers.remove(&slot)
            {
                self.on_loss(slot, process, status)?;
            }
        }
        self.watch_leaving()
    }

    fn enforce_limits(&mut self, slot: SlotId, now: Instant) -> Result<(), RunError> {
        let Some(process) = self.workers.get_mut(&slot) else { return Ok(()) };
        let (due, limits, leave) = (process.due(now), self.limits, self.patience.leave);
        match due {
            Due::Nothing => {}
            Due::Warn => {
                if let Some(key) = self.machine.running_on(slot).cloned() {
                    let limit = limits.warn.unwrap_or_default();
                    self.tell(Notice::JobSlow { slot, key, limit });
                }
            }
            Due::Stop => process.time_out(timed_out(limits), leave),
            Due::Kill => process.kill(timed_out(limits)).map_err(RunError::Watch)?,
        }
        Ok(())
    }

    fn on_loss(&mut self, slot: SlotId, process: Process, status: ExitStatus) -> Result<(), RunError> {
        let is_untaken = process.is_untaken();
        let failure = process.into_failure(status, || self.oom.take());
        self.losses.insert(slot, failure.message.clone());
        let left = match self.machine.running_on(slot).cloned() {
            Some(key) if is_untaken && self.may_try_again(&key) => Left::Another,
            Some(key) => self.on_lost_job(slot, key, failure)?,
            None => Left::Nothing,
        };
        self.events.push_back(Event::WorkerLost { slot, left });
        Ok(())
    }

    /// A job is not to blame for a worker that was gone before it, a few times.
    fn may_try_again(&mut self, key: &Key) -> bool {
        let times = self.untaken.entry(key.clone()).or_default();
        *times += 1;
        *times < BARREN_LIMIT
    }

    /// A record counts, whatever became of the worker after it.
    fn on_lost_job(&mut self, slot: SlotId, key: Key, failure: Failure) -> Result<Left, RunError> {
        match self.state(&key)? {
            State::Done(record) => {
                let seconds = record.measurement.wall_seconds;
                self.tidy(&key)?;
                self.tell(Notice::JobFinished { slot, key, headline: None, seconds });
                Ok(Left::Record)
            }
            State::Pending | State::Failed(_) => {
                if let Some(micro_batch) = self.smaller(slot, &failure) {
                    self.tell(Notice::JobRetried { slot, key, micro_batch, failure });
                    return Ok(Left::Another);
                }
                JobFolder::new(self.results, &key).fail(&failure).map_err(RunError::Folder)?;
                self.tell(Notice::JobFailed { slot, key, failure });
                Ok(Left::Nothing)
            }
        }
    }

    /// The micro-batch to try next with a job that ran out of memory.
    fn smaller(&mut self, slot: SlotId, failure: &Failure) -> Option<usize> {
        match failure.outcome {
            Outcome::OutOfMemory => {
                let device = &self.slots.get(&slot)?.device;
                self.ceilings.lower(self.running.get(&slot)?, device)
            }
            Outcome::Diverged | Outcome::Crashed | Outcome::TimedOut | Outcome::Skipped => None,
        }
    }

    /// A worker tidies up after itself, unless it is killed at that.
    fn tidy(&self, key: &Key) -> Result<(), RunError> {
        JobFolder::new(self.results, key).tidy().map_err(RunError::Folder)
    }

    fn state(&mut self, key: &Key) -> Result<State, RunError> {
        let folder = JobFolder::new(self.results, key);
        folder.state(&mut |warning| (self.notify)(Notice::Warning(warning))).map_err(RunError::Folder)
    }
}

fn timed_out(limits: Limits) -> Failure {
    let seconds = limits.stop.unwrap_or_default().as_secs_f64();
    let message = format!("it ran past its limit of {seconds} s");
    Failure { outcome: Outcome::TimedOut, message, stderr_tail: Vec::new() }
}

fn foreign(key: &Key) -> Failure {
    crashed(format!("the worker answered for the job {key}, which it was not given"))
}
