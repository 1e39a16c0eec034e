//! The floor: logistic regression on k-mer counts, trained as any classifier is scored.

use std::time::Instant;

use super::finetune::{Examples, Outcome, finish};
use super::predict::Predictions;
use super::{TrainError, Trained};
use crate::data::Example;
use crate::model::{KmerLogistic, SparseRow, kmer_features};
use crate::record::{Attempt, JobResult};
use crate::settings::{self, FinetuneWork};

/// Fits to convergence and scores. Nothing is random but which labels there are.
pub(super) fn run(
    work: &FinetuneWork,
    settings: settings::KmerLogistic,
    examples: &Examples,
    attempt: &Attempt,
) -> Result<Trained, TrainError> {
    let features = |examples: &[Example]| -> Vec<SparseRow> {
        examples.iter().map(|example| kmer_features(example.sequence.as_bytes(), settings.k)).collect()
    };
    let labels: Vec<usize> = examples.train.iter().map(|example| example.label).collect();
    let train = features(&examples.train);
    let width = 4_usize.pow(u32::from(settings.k));
    let started = Instant::now();
    let model = KmerLogistic::fit(&train, &labels, width, work.task.classes.len(), work.finetuning.l2)?;
    let training_seconds = started.elapsed().as_secs_f64();
    let predict = |examples: &[Example]| Predictions {
        probabilities: features(examples).iter().map(|row| model.scores(row)).collect(),
    };
    let outcome = Outcome { dev: predict(&examples.dev), test: predict(&examples.test) };
    let result = JobResult { parameters: model.parameter_count(), ..JobResult::default() };
    finish(work, examples, &outcome, attempt, result, training_seconds)
}
