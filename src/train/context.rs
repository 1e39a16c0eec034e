//! Where a job runs and whom it tells.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use burn::tensor::Device;

use super::TrainError;
use crate::record::{Attempt, JobFolder};
use crate::settings::{Parents, Tokenization};
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

/// What a job says while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It goes on.
    Advance(Advance),
    /// Something a person should know; one line.
    Warning(String),
}

/// Where a job runs, whom it tells, and who can stop it.
pub struct Context<'a> {
    /// The results folder, which holds the folders of parents.
    pub results: &'a Path,
    /// The root that data paths are relative to.
    pub data_root: &'a Path,
    /// What computes, without autodiff.
    pub device: &'a Device,
    /// Where the job publishes.
    pub attempt: &'a Attempt,
    /// The longest time of training without a checkpoint.
    pub checkpoint_every: Duration,
    /// Set when the job is to write a checkpoint and stop.
    pub stop: &'a AtomicBool,
    /// Told now and then.
    pub tell: &'a mut dyn FnMut(Said),
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
        let text = fs::read_to_string(&path).map_err(TrainError::file(&path))?;
        Tokenizer::new(tokenization, Some(&text)).map_err(|source| TrainError::Tokenizer { path, source })
    }

    /// The weights of the encoder that a job starts from.
    pub(super) fn encoder(&self, parents: &Parents) -> Result<PathBuf, TrainError> {
        let key = parents.encoder.as_ref().ok_or(TrainError::NoParent("pretrain"))?;
        Ok(JobFolder::new(self.results, key).model())
    }

    /// Whether the job is to stop.
    pub(super) fn is_told_to_stop(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}
