//! How long a plan will take, from finished jobs of the same shape.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Plan;
use crate::settings::{Architecture, Job, Key, Tokenization, Work};

/// Jobs that take as long as each other, step by step: a digest of what decides the speed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(String);

impl Shape {
    /// The shape of a job, and its number of steps.
    pub fn of(job: &Job) -> (Self, usize) {
        let what = match &job.work {
            Work::Vocabulary(work) => json!([work.size, work.max_pieces, work.piece_length]),
            Work::Pretrain(work) => json!([
                work.encoder,
                work.tokenization,
                work.optimisation.batch_size,
                work.pretraining.max_length
            ]),
            Work::Finetune(work) => json!([
                work.architecture,
                work.tokenization,
                work.optimisation.batch_size,
                work.fingerprint,
                work.finetuning.evaluations
            ]),
        };
        (Self(format!("{} {what}", job.work.stage().name())), steps(job))
    }
}

/// How many steps a job has; of work without steps one.
pub fn steps(job: &Job) -> usize {
    let steps = match &job.work {
        Work::Vocabulary(_) => 1,
        Work::Pretrain(work) => work.optimisation.steps,
        Work::Finetune(work) => match *work.architecture {
            Architecture::Encoder(_) => work.optimisation.steps,
            Architecture::KmerLogistic(_) => 1,
        },
    };
    steps.max(1)
}

/// Shapes of jobs that share settings, each made once and numbered as it is met.
#[derive(Debug, Default)]
pub struct Shapes<'a> {
    known: HashMap<Recipe, usize>,
    made: Vec<Shape>,
    numbers: HashMap<Shape, usize>,
    jobs: PhantomData<&'a Job>,
}

/// What decides a shape, shared values by their address.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Recipe {
    Vocabulary([usize; 3]),
    Pretrain { encoder: usize, tokenization: Tokenization, counts: [usize; 2] },
    Finetune { shared: [usize; 2], tokenization: Tokenization, counts: [usize; 2] },
}

impl<'a> Shapes<'a> {
    /// The number of a job's shape.
    pub fn number(&mut self, job: &'a Job) -> usize {
        let Self { known, made, numbers, .. } = self;
        *known.entry(Recipe::of(job)).or_insert_with(|| {
            let shape = Shape::of(job).0;
            *numbers.entry(shape.clone()).or_insert_with(|| {
                made.push(shape);
                made.len() - 1
            })
        })
    }

    /// The shapes by their number.
    pub fn into_shapes(self) -> Vec<Shape> {
        self.made
    }
}

impl Recipe {
    fn of(job: &Job) -> Self {
        match &job.work {
            Work::Vocabulary(work) => Self::Vocabulary([work.size, work.max_pieces, work.piece_length]),
            Work::Pretrain(work) => Self::Pretrain {
                encoder: work.encoder.address(),
                tokenization: work.tokenization,
                counts: [work.optimisation.batch_size, work.pretraining.max_length],
            },
            Work::Finetune(work) => Self::Finetune {
                shared: [work.architecture.address(), work.fingerprint.address()],
                tokenization: work.tokenization,
                counts: [work.optimisation.batch_size, work.finetuning.evaluations],
            },
        }
    }
}

/// Seconds and steps of finished jobs, by shape.
#[derive(Clone, Debug, Default)]
pub struct History(BTreeMap<Shape, (f64, usize)>);

impl History {
    /// Adds a finished job.
    pub fn add(&mut self, shape: &Shape, steps: usize, wall_seconds: f64) {
        let sum = self.0.entry(shape.clone()).or_default();
        sum.0 += wall_seconds;
        sum.1 += steps;
    }

    /// What a step of this shape takes, where one has been done.
    pub fn seconds_per_step(&self, shape: &Shape) -> Option<f64> {
        self.0.get(shape).map(|(seconds, steps)| seconds / *steps as f64)
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
    let mut shapes = Shapes::default();
    // By shape: seconds of a step, and bytes of a job.
    let mut known: Vec<(Option<f64>, u64)> = Vec::new();
    for job in plan.jobs.iter().filter(|job| is_open(&job.key)) {
        let number = shapes.number(job);
        if number == known.len() {
            let seconds = history.seconds_per_step(&shapes.made[number]);
            known.push((seconds, disk_bytes(job, parameters(job))));
        }
        let (seconds, bytes) = known[number];
        match seconds {
            Some(seconds) => estimate.slot_seconds += seconds * steps(job) as f64,
            None => estimate.unknown += 1,
        }
        estimate.disk_bytes += bytes;
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
