//! How far a training is: all that changes from step to step, beside the model itself.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::step::{StepContext, Stepped};
use super::{AdamW, Advance, Context, Said, TrainError, rate};
use crate::record::Event;
use crate::settings::Optimisation;

/// About how many reports a job gives.
const REPORTS: usize = 100;

/// The course of a training.
pub(super) struct Course<'a> {
    settings: &'a Optimisation,
    repetition: u64,
    pub(super) optimiser: AdamW,
    pub(super) tally: Tally,
    /// When this attempt began to train, and what the ones before it took.
    began: Instant,
    before: Duration,
}

/// What a course has counted, as a checkpoint holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Optimiser steps done: also the place in the order of the data, and in the schedule.
    pub(super) step: usize,
    /// Tokens that passed through training.
    pub(super) seen: u64,
    /// Over the last tenth of the steps.
    late: Losses,
    /// Since the last report.
    recent: Losses,
    /// The step that this attempt went on from.
    #[serde(skip)]
    pub(super) resumed_from: usize,
}

/// A sum of losses, and how many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Losses {
    sum: f64,
    count: usize,
}

impl Losses {
    fn add(&mut self, loss: f64) {
        self.sum += loss;
        self.count += 1;
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl<'a> Course<'a> {
    /// The course of a training that has not begun.
    pub(super) fn new(settings: &'a Optimisation, repetition: u64) -> Self {
        Self {
            settings,
            repetition,
            optimiser: AdamW::new(settings),
            tally: Tally::default(),
            began: Instant::now(),
            before: Duration::ZERO,
        }
    }

    /// Goes on where `tally` was taken, after `before` of training.
    pub(super) fn resume(&mut self, tally: Tally, before: Duration) {
        self.tally = Tally { resumed_from: tally.step, ..tally };
        self.before = before;
    }

    /// Whether all steps are done.
    pub(super) fn is_over(&self) -> bool {
        self.tally.step >= self.settings.steps
    }

    /// Where the next step stands.
    pub(super) fn place(&self) -> StepContext {
        let step = self.tally.step;
        StepContext { repetition: self.repetition, step, rate: rate(step, self.settings) }
    }

    /// Takes a step that was done and gives its model. Reports now and then.
    pub(super) fn take<M>(
        &mut self,
        stepped: Stepped<M>,
        context: &mut Context<'_>,
    ) -> Result<M, TrainError> {
        let steps = self.settings.steps;
        finite(stepped.loss, stepped.gradient_norm, self.tally.step, steps)?;
        if self.tally.step >= steps - steps.div_ceil(10) {
            self.tally.late.add(stepped.loss);
        }
        self.tally.recent.add(stepped.loss);
        self.tally.step += 1;
        let step = self.tally.step;
        if step.is_multiple_of((steps / REPORTS).max(1)) || step == steps {
            let loss = std::mem::take(&mut self.tally.recent).mean().unwrap_or(f64::NAN);
            context.attempt.append(&Event::Progress { step, steps, loss }).map_err(TrainError::Storage)?;
            (context.tell)(Said::Advance(Advance { step, steps, loss }));
        }
        Ok(stepped.model)
    }

    /// Mean loss over the last tenth of the steps.
    pub(super) fn late_loss(&self) -> Option<f64> {
        self.tally.late.mean()
    }

    /// What training took so far, earlier attempts included.
    pub(super) fn elapsed(&self) -> Duration {
        self.before + self.began.elapsed()
    }
}

/// Refuses a step whose loss or gradient is not finite.
fn finite(loss: f64, gradient_norm: f64, step: usize, steps: usize) -> Result<(), TrainError> {
    let what = match (loss.is_finite(), gradient_norm.is_finite()) {
        (true, true) => return Ok(()),
        (false, _) => "the loss",
        (true, false) => "the gradient",
    };
    Err(TrainError::Diverged { what, step: step + 1, steps })
}
