//! Where a job runs and whom it tells.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::TrainError;
use crate::record::{Event, JobFolder};
use crate::settings::{Key, Parents, Tokenization};
use crate::token::Tokenizer;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advance {
    /// Optimiser steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Mean training loss since the last report.
    pub loss: f64,
}

/// Where a job runs and whom it tells.
pub struct Context<'a> {
    /// The results folder, which holds the jobs' folders.
    pub results: &'a Path,
    /// The root that data paths are relative to.
    pub data_root: &'a Path,
    /// What computes, without autodiff.
    pub device: &'a Device,
    /// Told now and then.
    pub advance: &'a mut dyn FnMut(Advance),
}

impl Context<'_> {
    /// The tokenizer of a job.
    pub(super) fn tokenizer(
        &self,
        tokenization: Tokenization,
        parents: &Parents,
    ) -> Result<Tokenizer, TrainError> {
        if !tokenization.is_learned() {
            return Ok(Tokenizer::new(tokenization, None)?);
        }
        let key = parents.vocabulary.as_ref().ok_or(TrainError::NoParent("vocabulary"))?;
        let path = JobFolder::new(self.results, key).tokenizer();
        let text = fs::read_to_string(&path).map_err(TrainError::file(path))?;
        Ok(Tokenizer::new(tokenization, Some(&text))?)
    }

    /// The weights of the encoder that a job starts from.
    pub(super) fn encoder(&self, parents: &Parents) -> Result<PathBuf, TrainError> {
        let key = parents.encoder.as_ref().ok_or(TrainError::NoParent("pretrain"))?;
        Ok(JobFolder::new(self.results, key).model())
    }

    /// The folder of a job.
    pub(super) fn folder(&self, key: &Key) -> JobFolder {
        JobFolder::new(self.results, key)
    }
}

/// Reports about a hundred times a job, with the mean loss in between.
pub(super) struct Reporter {
    steps: usize,
    sum: f64,
    count: usize,
}

impl Reporter {
    pub(super) fn new(steps: usize) -> Self {
        Self { steps, sum: 0.0, count: 0 }
    }

    /// Takes the loss of one step, `step` of them done.
    pub(super) fn after(
        &mut self,
        step: usize,
        loss: f64,
        folder: &JobFolder,
        advance: &mut dyn FnMut(Advance),
    ) -> Result<(), TrainError> {
        const REPORTS: usize = 100;
        self.sum += loss;
        self.count += 1;
        let every = (self.steps / REPORTS).max(1);
        if step.is_multiple_of(every) || step == self.steps {
            let loss = self.sum / self.count as f64;
            (self.sum, self.count) = (0.0, 0);
            let event = Event::Progress { step, steps: self.steps, loss };
            folder.append(&event).map_err(TrainError::file(folder.path()))?;
            advance(Advance { step, steps: self.steps, loss });
        }
        Ok(())
    }
}

/// The mean loss over the last tenth of the steps.
pub(super) struct LateLoss {
    from: usize,
    sum: f64,
    count: usize,
}

impl LateLoss {
    pub(super) fn new(steps: usize) -> Self {
        Self { from: steps - steps.div_ceil(10), sum: 0.0, count: 0 }
    }

    pub(super) fn add(&mut self, step: usize, loss: f64) {
        if step >= self.from {
            self.sum += loss;
            self.count += 1;
        }
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// Refuses a step whose loss or gradient is not finite.
pub(super) fn finite(loss: f64, gradient_norm: f64, step: usize, steps: usize) -> Result<(), TrainError> {
    let what = match (loss.is_finite(), gradient_norm.is_finite()) {
        (true, true) => return Ok(()),
        (false, _) => "the loss",
        (true, false) => "the gradient",
    };
    Err(TrainError::Diverged { what, step: step + 1, steps })
}
