//! The stages: what a job does, from its settings to its result.
//!
//! [`run`] trains and scores one job and returns what it found; the files that later stages
//! read are in the job's folder then. The loops read as the method section of a paper:
//! batches, one optimiser step after another ([`mlm_step`], [`classifier_step`]), a look at
//! dev now and then, one reading of test. A training that is stopped leaves a checkpoint,
//! and goes on from it to the same bits.
//!
//! Nothing here knows dataframes, the graph of jobs, or the terminal.

mod checkpoint;
mod context;
mod cost;
mod course;
mod device;
mod error;
mod finetune;
mod held_out;
mod logistic;
mod optimiser;
mod order;
mod predict;
mod pretrain;
mod rows;
mod step;
mod vocabulary;

pub use context::{Advance, Context, Said};
pub use device::{device, device_is_there};
pub use error::TrainError;
pub use optimiser::{AdamW, rate};
pub use step::{ClassifierBatch, MlmBatch, StepContext, Stepped, classifier_step, mlm_step};

use crate::record::JobResult;
use crate::settings::{Job, Work};

/// What a job found.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// For its record.
    pub result: JobResult,
    /// Seconds of the steps and of the looks at dev between them, for tokens per second;
    /// those of earlier attempts, whose steps were kept, included.
    pub training_seconds: f64,
    /// Steps of earlier attempts that this one went on from.
    pub resumed_from: usize,
    /// The task's metric and its value on test, where it has one.
    pub headline: Option<(String, f64)>,
}

/// Does one job. Its attempt must have begun; its parents must be done.
///
/// # Errors
/// See [`TrainError`]; no record may then be written.
pub fn run(job: &Job, context: &mut Context<'_>) -> Result<Trained, TrainError> {
    match &job.work {
        Work::Vocabulary(work) => vocabulary::run(work, context),
        Work::Pretrain(work) => pretrain::run(job, work, context),
        Work::Finetune(work) => finetune::run(job, work, context),
    }
}

/// Refuses data that are not those that the key was made of.
fn check_fingerprint(of: &str, planned: &str, found: &str) -> Result<(), TrainError> {
    if planned == found {
        return Ok(());
    }
    let [of, planned, found] = [of, planned, found].map(str::to_owned);
    Err(TrainError::DataChanged { of, planned, found })
}
