//! What can end a job without a record.

use std::io;
use std::path::PathBuf;

use crate::data::DataError;
use crate::model::ModelError;
use crate::token::TokenError;

/// Why a job left no record.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The data cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The tokenizer cannot be had.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A learned tokenizer is none.
    #[error("{path}: {source}")]
    Tokenizer {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: TokenError,
    },
    /// No vocabulary can be learned.
    #[error("corpus `{corpus}`: {source}")]
    Vocabulary {
        /// The corpus.
        corpus: String,
        /// Why.
        source: TokenError,
    },
    /// The model cannot be built, loaded or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Loss or gradient was not finite.
    #[error("{what} was not finite at step {step} of {steps}; try a lower `learning_rate`")]
    Diverged {
        /// `the loss` or `the gradient`.
        what: &'static str,
        /// The step, from 1.
        step: usize,
        /// Steps in all.
        steps: usize,
    },
    /// The job was told to stop, wrote a checkpoint, and did.
    #[error("stopped after {step} steps, with a checkpoint")]
    Interrupted {
        /// Optimiser steps done.
        step: usize,
    },
    /// The job's folder cannot be written to, which is the fault of no job: no space, a disk
    /// that fails, another attempt that has begun. The path is in the text.
    #[error("{0}")]
    Storage(io::Error),
    /// A file that the job builds on cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A parent that the job needs is not named.
    #[error("the job needs a {0} job to build on, and names none")]
    NoParent(&'static str),
    /// The data are not those that the job was planned with.
    #[error(
        "the data of {of} changed since the sweep was planned: their hash was {planned} and is {found}; run the \
         sweep again"
    )]
    DataChanged {
        /// Whose: a task or a corpus, with its name.
        of: String,
        /// The fingerprint in the job.
        planned: String,
        /// The fingerprint now.
        found: String,
    },
    /// The device does not exist or does not compute.
    #[error("{0}")]
    Device(String),
}

impl TrainError {
    /// For a file that the job reads.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
