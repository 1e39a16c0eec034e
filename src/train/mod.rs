//! The numeric core of training: one optimiser step, exactly as the fixtures define it.
//!
//! [`mlm_step`] and [`classifier_step`] take a model and host rows, and return the model
//! after one update. Which rows, how often and what is kept of the result is not decided
//! here; no file is read or written.

mod optimiser;
mod step;

pub use optimiser::{AdamW, rate};
pub use step::{ClassifierBatch, MlmBatch, StepContext, Stepped, classifier_step, mlm_step};
