//! How long a plan will take, from finished jobs of the same shape.

use std::collections::BTreeMap;

use serde_json::json;

use super::Plan;
use crate::settings::{Architecture, Job, Key, Work};

/// Jobs that take as long as each other, step by step: a digest of what decides the speed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape(String);

impl Shape {
    /// The shape of a job, and its number of steps.
    pub fn of(job: &Job) -> (Self, usize) {
        let (what, steps) = match &job.work {
            Work::Vocabulary(work) => (json!([work.size, work.max_pieces, work.piece_length]), 1),
            Work::Pretrain(work) => (
                json!([
                    work.encoder,
                    work.tokenization,
                    work.optimisation.batch_size,
                    work.pretraining.max_length
                ]),
                work.optimisation.steps,
            ),
            Work::Finetune(work) => {
                let steps = match work.architecture {
                    Architecture::Encoder(_) => work.optimisation.steps,
                    Architecture::KmerLogistic(_) => 1,
                };
                let what = json!([
                    work.architecture,
                    work.tokenization,
                    work.optimisation.batch_size,
                    work.fingerprint,
                    work.finetuning.evaluations
                ]);
                (what, steps)
            }
        };
        (Self(format!("{} {what}", job.work.stage().name())), steps.max(1))
    }
}

/// Seconds and steps of finished jobs, by shape.
#[derive(Clone, Debug, Default)]
pub struct History(BTreeMap<Shape, (f64, usize)>);

impl History {
    /// Adds a finished job.
    pub fn add(&mut self, job: &Job, wall_seconds: f64) {
        let (shape, steps) = Shape::of(job);
        let sum = self.0.entry(shape).or_default();
        sum.0 += wall_seconds;
        sum.1 += steps;
    }

    fn seconds(&self, job: &Job) -> Option<f64> {
        let (shape, steps) = Shape::of(job);
        self.0.get(&shape).map(|(seconds, known)| seconds / *known as f64 * steps as f64)
    }
}

/// How long the open jobs of a plan will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Slot-seconds of the open jobs whose shape has been seen.
    pub slot_seconds: f64,
    /// Open jobs of a shape never seen.
    pub unknown: usize,
    /// Bytes that the open jobs will leave on disk.
    pub disk_bytes: u64,
}

/// Estimates the jobs that `is_open`.
pub fn estimate(
    plan: &Plan,
    history: &History,
    parameters: &dyn Fn(&Job) -> usize,
    is_open: &dyn Fn(&Key) -> bool,
) -> Estimate {
    let mut estimate = Estimate { slot_seconds: 0.0, unknown: 0, disk_bytes: 0 };
    for job in plan.jobs.iter().filter(|job| is_open(&job.key)) {
        match history.seconds(job) {
            Some(seconds) => estimate.slot_seconds += seconds,
            None => estimate.unknown += 1,
        }
        estimate.disk_bytes += disk_bytes(job, parameters(job));
    }
    estimate
}

/// Weights are kept where a later stage reads them, four bytes each; the rest is text:
/// about 60 bytes a prediction, and some kilobytes of job, events and record.
fn disk_bytes(job: &Job, parameters: usize) -> u64 {
    const TEXT: u64 = 8 * 1024;
    const PREDICTIONS: u64 = 128 * 1024;
    match &job.work {
        Work::Vocabulary(work) => TEXT + 40 * work.size as u64,
        Work::Pretrain(_) => TEXT + 4 * parameters as u64,
        Work::Finetune(_) => TEXT + PREDICTIONS,
    }
}
