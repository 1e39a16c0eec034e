//! How long, how fast and by what rule a stage trains.

use serde::{Deserialize, Serialize};

/// Shape of the learning rate after warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Linear to 0 at the last step.
    Linear,
    /// Stays at its peak (DeepGene's fine-tuning).
    Constant,
}

/// One optimisation: AdamW with warm-up, decay and global-norm clipping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimisation {
    /// Optimiser steps.
    pub steps: usize,
    /// Sequences per optimiser step, whatever the devices.
    pub batch_size: usize,
    /// Sequences per forward pass; changes memory and speed, not the maths.
    pub micro_batch: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps of linear warm-up from 0; the first step's rate is 0, as in the fixtures.
    pub warmup_steps: usize,
    /// Shape after warm-up.
    pub decay: Decay,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Whether biases and LayerNorm weights decay too (DeepGene: yes; models.md 6.5).
    pub decay_all: bool,
    /// First-moment decay.
    pub beta1: f64,
    /// Second-moment decay.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Largest norm of all gradients together; 0 is no clipping.
    pub clip_norm: f64,
}

/// One nucleotide in so many of each sequence of a corpus is held out, to measure
/// pre-training.
pub const HELD_OUT: usize = 20;

/// What only pre-training has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pretraining {
    /// Shortest window cut from the corpus, in nucleotides.
    pub min_length: usize,
    /// Longest window cut from the corpus, in nucleotides.
    pub max_length: usize,
    /// Whether padding is attended to (DNABERT; models.md 2.5 TRAP).
    pub attend_pads: bool,
    /// Windows held out to measure the masked-language loss.
    pub held_out: usize,
}

/// How the best checkpoint is chosen. Always on dev.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// Highest headline metric of the task.
    Metric,
    /// Lowest cross-entropy.
    Loss,
    /// The last step's weights, whatever dev says.
    Last,
}

/// What only fine-tuning has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finetuning {
    /// Whether the encoder stays as it was initialised and only the head learns.
    pub freeze: bool,
    /// How the best checkpoint is chosen.
    pub selection: Selection,
    /// Evaluations on dev, evenly over the steps; the last is at the last step.
    pub evaluations: usize,
    /// Share of dev used for selection, never below 50 rows per class; 0 stands for "the
    /// label fraction".
    pub dev_fraction: f64,
    /// Strength of the L2 penalty, for `kmer-logistic` (scikit-learn's `1/C`).
    pub l2: f64,
}
