//! What a job leaves behind, and its format version.
//!
//! A job's folder `results/jobs/KEY/` holds `job.json`, `events.jsonl`, `checkpoint/` while
//! it is under way, `predictions.csv`, `model.safetensors` or `tokenizer.json` where a later
//! stage needs it, and `record.json`, written last. A readable `record.json` is the only
//! meaning of *done*. Only the latest [`Attempt`] at a job can publish there. This module
//! knows neither polars nor burn.

mod attempt;
mod checkpoint;
mod event;
mod folder;
mod number;
mod publish;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use attempt::{Attempt, AttemptId};
pub use checkpoint::{CheckpointError, Checkpoints};
pub use event::Event;
pub use folder::{JobFolder, State};
pub(crate) use number::or_nan;
pub use publish::{publish, remove_litter};

use crate::settings::{Key, Split, Stage};

/// Bumped when a record written before can no longer be read.
pub const FORMAT: u32 = 1;

/// What a finished job leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The job's key.
    pub key: Key,
    /// The job's stage.
    pub stage: Stage,
    /// What the job found: equal bits on one machine, whatever the slots.
    pub result: JobResult,
    /// What it took: differs each time.
    pub measurement: Measurement,
}

/// What a job found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobResult {
    /// Optimiser steps done.
    pub steps: usize,
    /// The step whose weights were kept.
    pub selected_step: usize,
    /// Mean training loss over the last tenth of the steps.
    pub train_loss: Option<f64>,
    /// Scores by split; `dev` of the selected step, `test` read once.
    pub scores: BTreeMap<Split, Scores>,
    /// Held-out masked-language loss in nats per token, of pre-training.
    pub held_out_loss: Option<f64>,
    /// Loss on the same tokens of who only knows how common each was among the training
    /// targets, in nats per token.
    pub unigram_loss: Option<f64>,
    /// What a reader must know before trusting the scores.
    pub marks: Vec<Mark>,
    /// Rows of each split, after the label fraction.
    pub rows: BTreeMap<Split, usize>,
    /// Sequences cut because they were longer than the model takes.
    pub truncated: usize,
    /// Parameters of the model, head included.
    pub parameters: usize,
    /// Tokens that passed through training, pads excluded.
    pub tokens_seen: u64,
    /// Estimate of floating-point operations: 6 per parameter outside the embeddings and
    /// token (Kaplan et al. 2020, appendix B), plus attention scores.
    #[serde(deserialize_with = "or_nan")]
    pub flops: f64,
}

/// Named scores of one split. The names are those of `metrics::Scores`.
pub type Scores = BTreeMap<String, Option<f64>>;

/// A mark on a finished job. Its scores count in every mean and test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// One class was predicted for all test rows.
    Collapsed,
    /// The held-out masked-language loss is not below that of a unigram model.
    Untrained,
}

impl Mark {
    /// The name in files and frames.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collapsed => "collapsed",
            Self::Untrained => "untrained",
        }
    }
}

/// What a job took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Seconds from start to record.
    #[serde(deserialize_with = "or_nan")]
    pub wall_seconds: f64,
    /// Processor seconds of the worker in that time.
    #[serde(deserialize_with = "or_nan")]
    pub cpu_seconds: f64,
    /// Tokens that passed through training per second of training, pads excluded.
    #[serde(deserialize_with = "or_nan")]
    pub tokens_per_second: f64,
    /// Largest resident size of the worker so far, in bytes.
    pub peak_memory_bytes: u64,
    /// `cpu` or `cuda:0`.
    pub device: String,
    /// Host name.
    pub host: String,
    /// Version and revision of the program: `0.1.0+2869bf0a1c`.
    pub version: String,
    /// Unix time at the start, in seconds.
    pub started_at: u64,
    /// Optimiser steps that earlier attempts had done, from whose checkpoint this one went
    /// on; times and memory are those of the last attempt.
    #[serde(default)]
    pub resumed_from: usize,
    /// Sequences of one forward pass, where training has them: fewer than were asked for
    /// where memory was short.
    #[serde(default)]
    pub micro_batch: Option<usize>,
}

/// Why a job has no record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened.
    pub outcome: Outcome,
    /// One line for people.
    pub message: String,
    /// The last lines of the worker's stderr.
    pub stderr_tail: Vec<String>,
}

/// How a job ended without a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Loss or gradient was not finite.
    Diverged,
    /// Killed for memory, or an allocation failed.
    OutOfMemory,
    /// Signal, panic, or an error of the system.
    Crashed,
    /// Ran past its limit.
    TimedOut,
    /// A parent failed.
    Skipped,
}

impl Outcome {
    /// The name in files and frames.
    pub fn name(self) -> &'static str {
        match self {
            Self::Diverged => "diverged",
            Self::OutOfMemory => "out-of-memory",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed-out",
            Self::Skipped => "skipped",
        }
    }
}
