//! What the machine says, done.

use super::{Driver, RunError};
use crate::queue::machine::{Command, Event, Left};
use crate::queue::message::Request;
use crate::queue::notice::Notice;
use crate::queue::process::{Process, WorkerId};
use crate::queue::slots::SlotId;
use crate::record::{Failure, JobFolder, Outcome};
use crate::settings::{Job, Key};

impl Driver<'_> {
    pub(super) fn obey(&mut self, commands: Vec<Command>) -> Result<(), RunError> {
        commands.into_iter().try_for_each(|command| self.obey_one(command))
    }

    fn obey_one(&mut self, command: Command) -> Result<(), RunError> {
        match command {
            Command::StartWorker { slot } => self.start_worker(slot),
            Command::ReplaceWorker { slot } => {
                self.tell(Notice::WorkerReplaced { slot, reason: self.last_loss(slot) });
                self.start_worker(slot);
            }
            Command::Run { slot, key } => return self.run_job(slot, key),
            Command::Shutdown { slot } => {
                if let Some(mut process) = self.workers.remove(&slot) {
                    process.dismiss(self.patience.leave);
                    self.leaving.push(process);
                }
            }
            // Dropping the process kills it.
            Command::Kill { slot } => drop(self.workers.remove(&slot)),
            Command::Retired { slot } => {
                self.tell(Notice::SlotRetired { slot, reason: self.last_loss(slot) });
            }
            Command::Skipped { key, because } => return self.skip_job(key, because),
            Command::Complete => self.complete = true,
        }
        Ok(())
    }

    fn start_worker(&mut self, slot: SlotId) {
        let whole = self.slots.get(&slot).expect("the machine knows the given slots only");
        let command = (self.worker)(whole);
        let id = WorkerId(self.workers_started);
        self.workers_started += 1;
        match Process::start(&command, &whole.device, id, &self.sender, self.patience.hello) {
            Ok(process) => {
                self.workers.insert(slot, process);
            }
            Err(error) => {
                self.losses.insert(slot, format!("{}: {error}", command.program.display()));
                self.events.push_back(Event::WorkerLost { slot, left: Left::Nothing });
            }
        }
    }

    fn run_job(&mut self, slot: SlotId, key: Key) -> Result<(), RunError> {
        let device = &self.slots.get(&slot).expect("the machine knows the given slots only").device;
        let job = self.ceilings.fitted(self.job(&key), device);
        let attempt = JobFolder::new(self.results, &key).begin(&job).map_err(RunError::Folder)?;
        self.tell(Notice::JobStarted { slot, key });
        self.running.insert(slot, job.clone());
        if let Some(process) = self.workers.get_mut(&slot) {
            let request = Request::Run { job: Box::new(job), attempt };
            process.run(&request, self.limits, self.patience.leave);
        }
        Ok(())
    }

    fn skip_job(&mut self, key: Key, because: Key) -> Result<(), RunError> {
        let message =
            format!("it builds on {} ({}), which failed", self.job(&because).label, because.short());
        let failure = Failure { outcome: Outcome::Skipped, message, stderr_tail: Vec::new() };
        JobFolder::new(self.results, &key).fail(&failure).map_err(RunError::Folder)?;
        self.tell(Notice::JobSkipped { key, because });
        Ok(())
    }

    pub(super) fn job(&self, key: &Key) -> &Job {
        self.jobs.get(key).expect("the machine knows the given jobs only")
    }

    fn last_loss(&self, slot: SlotId) -> String {
        self.losses.get(&slot).cloned().unwrap_or_default()
    }
}
