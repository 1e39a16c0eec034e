//! Progress on stderr: bars on a terminal, one line per finished job elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::plan::duration;
use super::tell;
use crate::escape::line;
use crate::plan::steps;
use crate::queue::{Notice, Slot, SlotId};
use crate::settings::{Job, Key};

/// What is known of the jobs, and where it is shown.
pub(super) struct Progress {
    labels: BTreeMap<Key, String>,
    steps: BTreeMap<Key, u64>,
    jobs: usize,
    ended: usize,
    started: Instant,
    shown: Shown,
}

enum Shown {
    /// One bar per slot, and one for the sweep.
    Bars { all: MultiProgress, sweep: ProgressBar, slots: BTreeMap<SlotId, ProgressBar> },
    /// One line per finished job.
    Lines,
}

impl Progress {
    /// For the jobs that are still to run.
    pub(super) fn new<'a>(jobs: impl Iterator<Item = &'a Job>, slots: &[Slot]) -> Self {
        let mut progress = Self {
            labels: BTreeMap::new(),
            steps: BTreeMap::new(),
            jobs: 0,
            ended: 0,
            started: Instant::now(),
            shown: Shown::Lines,
        };
        for job in jobs {
            progress.jobs += 1;
            progress.labels.insert(job.key.clone(), line(&job.label));
            progress.steps.insert(job.key.clone(), steps(job) as u64);
        }
        if std::io::stderr().is_terminal() {
            progress.shown = bars(progress.steps.values().sum(), progress.jobs, slots);
        }
        progress
    }

    pub(super) fn show(&mut self, notice: &Notice) {
        match notice {
            Notice::WorkerStarted { .. } => {}
            Notice::WorkerReplaced { slot, reason } => self.line(&format!("{slot}: new worker: {reason}")),
            Notice::SlotRetired { slot, reason } => self.line(&format!("{slot}: given up: {reason}")),
            Notice::JobStarted { slot, key } => self.start(*slot, key),
            Notice::Progress { slot, step, steps, loss, .. } => self.advance(*slot, *step, *steps, *loss),
            Notice::JobFinished { slot, key, headline, seconds } => {
                let score = headline
                    .as_ref()
                    .map_or_else(String::new, |(metric, value)| format!("{metric} {value:.3}, "));
                self.end(Some(*slot), key, &format!("{score}{}", duration(*seconds)));
            }
            Notice::JobFailed { slot, key, failure } => {
                self.end(Some(*slot), key, &format!("{}: {}", failure.outcome.name(), failure.message));
                for line in &failure.stderr_tail {
                    self.line(&format!("    {line}"));
                }
            }
            Notice::JobPaused { slot, key, step } => {
                let label = self.label(key);
                self.line(&format!("paused after step {step}: {label}"));
                self.clear(*slot);
            }
            Notice::JobRetried { slot, key, micro_batch, failure } => {
                let label = self.label(key);
                self.line(&format!(
                    "{label}: {}; trying again with {micro_batch} sequences at a time: {}",
                    failure.outcome.name(),
                    failure.message
                ));
                self.clear(*slot);
            }
            Notice::JobSlow { key, limit, .. } => {
                let label = self.label(key);
                self.line(&format!("warning: {label} takes longer than {} s", limit.as_secs_f64()));
            }
            Notice::JobSkipped { key, because } => {
                let parent = self.label(because);
                self.end(None, key, &format!("skipped: `{parent}` has no result"));
            }
            Notice::Stopping { running } => {
                self.line(&format!(
                    "stopping: no new job; {running} running write a checkpoint and stop. Ctrl-C again stops them now"
                ));
            }
            Notice::StorageFailed { message } => {
                self.line(&format!("stopping: the results cannot be written: {message}"));
            }
            Notice::Killing => self.line("stopping now"),
            Notice::Warning(text) => self.line(&format!("warning: {text}")),
        }
    }

    /// Removes the bars.
    pub(super) fn close(self) {
        if let Shown::Bars { all, .. } = self.shown {
            // A terminal that is gone needs no cleaning.
            drop(all.clear());
        }
    }

    fn start(&mut self, slot: SlotId, key: &Key) {
        let label = self.label(key);
        if let Shown::Bars { slots, .. } = &self.shown
            && let Some(bar) = slots.get(&slot)
        {
            bar.set_length(self.steps.get(key).copied().unwrap_or(1));
            bar.set_position(0);
            bar.set_message(label);
        }
    }

    fn advance(&mut self, slot: SlotId, step: usize, steps: usize, loss: f64) {
        if let Shown::Bars { slots, sweep, .. } = &self.shown
            && let Some(bar) = slots.get(&slot)
        {
            let before = bar.position();
            bar.set_length(steps as u64);
            bar.set_position(step as u64);
            bar.set_prefix(format!("loss {loss:.3}"));
            sweep.inc((step as u64).saturating_sub(before));
        }
    }

    fn label(&self, key: &Key) -> String {
        self.labels.get(key).cloned().unwrap_or_else(|| key.to_string())
    }

    /// The slot runs nothing.
    fn clear(&self, slot: SlotId) {
        if let Shown::Bars { slots, .. } = &self.shown
            && let Some(bar) = slots.get(&slot)
        {
            bar.set_position(0);
            bar.set_message("");
        }
    }

    fn end(&mut self, slot: Option<SlotId>, key: &Key, how: &str) {
        self.ended += 1;
        let label = self.label(key);
        let width = self.jobs.to_string().len();
        self.line(&format!("[{:>width$}/{}] {label}: {how}", self.ended, self.jobs));
        if let Shown::Bars { slots, sweep, .. } = &self.shown {
            let steps = self.steps.get(key).copied().unwrap_or(0);
            let done = slot.and_then(|slot| slots.get(&slot)).map_or(0, ProgressBar::position);
            sweep.inc(steps.saturating_sub(done));
            sweep.set_message(format!("{}/{} jobs", self.ended, self.jobs));
        }
        if let Some(slot) = slot {
            self.clear(slot);
        }
    }

    /// One line; labels, messages and last words in it come from files and workers.
    fn line(&self, text: &str) {
        let text = line(text);
        match &self.shown {
            // A terminal that is gone takes no line.
            Shown::Bars { all, .. } => drop(all.println(&text)),
            Shown::Lines => tell(&text),
        }
    }

    /// Time since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

fn bars(steps: u64, jobs: usize, slots: &[Slot]) -> Shown {
    let style = |template: &str| ProgressStyle::with_template(template).expect("the templates are valid");
    let all = MultiProgress::new();
    let slots = slots
        .iter()
        .map(|slot| {
            let bar = all.add(ProgressBar::new(1));
            bar.set_style(style("  {bar:20} {pos:>5}/{len:5} {prefix:12} {wide_msg}"));
            (slot.id, bar)
        })
        .collect();
    let sweep = all.add(ProgressBar::new(steps));
    sweep.set_style(style("  {bar:20} {percent:>3} % {msg}, {elapsed} gone, about {eta} to go"));
    sweep.set_message(format!("0/{jobs} jobs"));
    sweep.enable_steady_tick(Duration::from_secs(1));
    Shown::Bars { all, sweep, slots }
}
