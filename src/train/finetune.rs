//! The stage `finetune`: a classifier learns a task and is scored.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::Module;

use super::context::{LateLoss, Reporter, finite};
use super::order::Order;
use super::predict::{self, Predictions, Written, headline};
use super::rows::{Rows, spec};
use super::step::{ClassifierBatch, StepContext, classifier_step};
use super::{AdamW, Context, TrainError, Trained, check_fingerprint, cost, logistic, rate};
use crate::data::{Example, TaskData, load_task};
use crate::metrics::Scores;
use crate::model::{Classifier, load, load_tensors};
use crate::record::{Event, JobFolder, JobResult, Mark};
use crate::settings::{Architecture, Encoder, FinetuneWork, Init, Job, Selection, Split};

/// The examples of a job. Test is in here, and read by [`finish`] alone.
pub(super) struct Examples {
    pub(super) train: Vec<Example>,
    pub(super) dev: Vec<Example>,
    pub(super) test: Vec<Example>,
}

/// Trains and scores a classifier and leaves `predictions.csv`.
pub(super) fn run(job: &Job, work: &FinetuneWork, context: &mut Context<'_>) -> Result<Trained, TrainError> {
    let data = load_task(&work.task, context.data_root)?;
    check_fingerprint(&work.fingerprint, data.fingerprint())?;
    let examples = examples(&data, work)?;
    match &*work.architecture {
        Architecture::KmerLogistic(settings) => {
            logistic::run(work, *settings, &examples, &context.folder(&job.key))
        }
        Architecture::Encoder(encoder) => run_encoder(job, work, encoder, &examples, context),
    }
}

fn examples(data: &TaskData, work: &FinetuneWork) -> Result<Examples, TrainError> {
    Ok(Examples {
        train: data.train(work.label_fraction, work.repetition)?,
        dev: data.dev_subset(work.label_fraction, work.finetuning.dev_fraction)?,
        test: data.test().to_vec(),
    })
}

fn run_encoder(
    job: &Job,
    work: &FinetuneWork,
    encoder: &Encoder,
    examples: &Examples,
    context: &mut Context<'_>,
) -> Result<Trained, TrainError> {
    let tokenizer = context.tokenizer(work.tokenization, &job.parents)?;
    let spec = spec(encoder, &tokenizer)?;
    let encoded = [&examples.train, &examples.dev, &examples.test].map(|examples| -> Vec<Vec<u32>> {
        examples.iter().map(|example| tokenizer.encode(&example.sequence)).collect()
    });
    let longest = encoded.iter().flatten().map(Vec::len).max().unwrap_or(0);
    let rows = |sequences: &[Vec<u32>]| Rows::of(sequences, longest, &tokenizer, &spec);
    let (train, dev, test) = (rows(&encoded[0])?, rows(&encoded[1])?, rows(&encoded[2])?);
    let device = context.device.clone().autodiff();
    let untrained = Classifier::new(&spec, work.task.classes.len(), longest, work.repetition, &device)?;
    let start = start(untrained, job, work, context)?;

    let folder = context.folder(&job.key);
    let mut training =
        Training { work, examples, train: &train, dev: &dev, folder: &folder, seen: 0, late: None };
    let started = Instant::now();
    let best = training.train(start, context)?;
    let training_seconds = started.elapsed().as_secs_f64();

    let predictions = Predictions::of(&best.model, &test)?;
    let parameters = best.model.num_params();
    let outcome = Outcome { dev: best.dev, test: predictions };
    let batch = work.optimisation.batch_size * work.optimisation.steps;
    let result = JobResult {
        steps: work.optimisation.steps,
        selected_step: best.step,
        train_loss: training.late,
        truncated: train.truncated + dev.truncated + test.truncated,
        parameters,
        tokens_seen: training.seen,
        flops: cost::flops(&spec, training.seen, batch),
        ..JobResult::default()
    };
    finish(work, examples, &outcome, &folder, result, training_seconds)
}

/// The model that training starts from.
fn start(
    untrained: Classifier,
    job: &Job,
    work: &FinetuneWork,
    context: &Context<'_>,
) -> Result<Classifier, TrainError> {
    let model = match work.init {
        Init::Random => untrained,
        Init::Pretrained => load_tensors(&untrained, &load(&context.encoder(&job.parents)?)?)?.0,
    };
    Ok(if work.finetuning.freeze { model.with_frozen_encoder() } else { model })
}

/// The best checkpoint so far.
struct Best {
    step: usize,
    /// Without autodiff.
    model: Classifier,
    dev: Predictions,
    /// What selection compares: larger is better.
    value: (f64, f64),
}

struct Training<'a> {
    work: &'a FinetuneWork,
    examples: &'a Examples,
    train: &'a Rows,
    dev: &'a Rows,
    folder: &'a JobFolder,
    /// Tokens that passed through training.
    seen: u64,
    /// Mean loss over the last tenth of the steps.
    late: Option<f64>,
}

impl Training<'_> {
    /// All steps; returns the checkpoint that dev chose.
    fn train(&mut self, mut model: Classifier, context: &mut Context<'_>) -> Result<Best, TrainError> {
        let (work, steps) = (self.work, self.work.optimisation.steps);
        let mut optimiser = AdamW::new(&work.optimisation);
        let mut order = Order::new(self.train.ids.len(), work.repetition, &work.fingerprint);
        let (mut reporter, mut late) = (Reporter::new(steps), LateLoss::new(steps));
        let looks = looks(steps, &work.finetuning);
        let mut best: Option<Best> = None;
        for step in 0..steps {
            let batch = self.batch(&order.take(work.optimisation.batch_size));
            let place =
                StepContext { repetition: work.repetition, step, rate: rate(step, &work.optimisation) };
            let stepped = classifier_step(model, &mut optimiser, &batch, place)?;
            finite(stepped.loss, stepped.gradient_norm, step, steps)?;
            model = stepped.model;
            late.add(step, stepped.loss);
            reporter.after(step + 1, stepped.loss, self.folder, context.advance)?;
            if looks.contains(&(step + 1)) {
                let seen = self.look(&model, step + 1)?;
                if best.as_ref().is_none_or(|best| seen.value > best.value) {
                    best = Some(seen);
                }
            }
        }
        self.late = late.mean();
        best.map_or_else(|| self.look(&model, steps), Ok)
    }

    /// The rows of one step, in micro-batches.
    fn batch(&mut self, rows: &[usize]) -> Vec<ClassifierBatch> {
        self.seen += rows.iter().map(|row| self.train.ids[*row].len() as u64).sum::<u64>();
        rows.chunks(self.work.optimisation.micro_batch)
            .map(|rows| ClassifierBatch {
                ids: rows.iter().map(|row| self.train.ids[*row].clone()).collect(),
                labels: rows.iter().map(|row| self.examples.train[*row].label).collect(),
            })
            .collect()
    }

    /// A look at dev.
    fn look(&self, model: &Classifier, step: usize) -> Result<Best, TrainError> {
        let model = model.valid();
        let dev = Predictions::of(&model, self.dev)?;
        let scores = dev.scores(self.work.task.classes.len(), &self.examples.dev);
        let metric = headline(&scores, self.work.task.metric);
        let loss = scores.probability.and_then(|scores| scores.log_loss).unwrap_or(f64::INFINITY);
        let (value, name, shown) = match self.work.finetuning.selection {
            // Small dev splits tie often; the loss then decides.
            Selection::Metric => ((metric, -loss), self.work.task.metric.name(), metric),
            Selection::Loss => ((-loss, metric), "log_loss", loss),
            Selection::Last => ((step as f64, 0.0), self.work.task.metric.name(), metric),
        };
        let event = Event::Evaluated { step, metric: name.to_owned(), value: shown };
        self.folder.append(&event).map_err(TrainError::file(self.folder.path()))?;
        Ok(Best { step, model, dev, value })
    }
}

/// The steps after which dev is looked at, evenly spaced; the last is the last step.
fn looks(steps: usize, settings: &crate::settings::Finetuning) -> Vec<usize> {
    let count = match settings.selection {
        Selection::Metric | Selection::Loss => settings.evaluations.clamp(1, steps.max(1)),
        Selection::Last => 1,
    };
    (1..=count).map(|look| (steps * look).div_ceil(count)).collect()
}

/// Predictions of the chosen model.
pub(super) struct Outcome {
    pub(super) dev: Predictions,
    pub(super) test: Predictions,
}

/// Scores dev and test, writes the predictions, and completes the result.
pub(super) fn finish(
    work: &FinetuneWork,
    examples: &Examples,
    outcome: &Outcome,
    folder: &JobFolder,
    mut result: JobResult,
    training_seconds: f64,
) -> Result<Trained, TrainError> {
    let classes = work.task.classes.len();
    let splits = [
        Written { split: Split::Dev, examples: &examples.dev, predictions: &outcome.dev },
        Written { split: Split::Test, examples: &examples.test, predictions: &outcome.test },
    ];
    let scores: BTreeMap<Split, Scores> = splits
        .iter()
        .map(|written| (written.split, written.predictions.scores(classes, written.examples)))
        .collect();
    predict::write(&folder.predictions(), classes, &splits)?;
    if outcome.test.is_collapsed() {
        result.marks.push(Mark::Collapsed);
    }
    result.rows = [
        (Split::Train, examples.train.len()),
        (Split::Dev, examples.dev.len()),
        (Split::Test, examples.test.len()),
    ]
    .into();
    let metric = work.task.metric;
    result.scores = scores.iter().map(|(split, scores)| (*split, scores.named())).collect();
    let value = result.scores[&Split::Test].get(metric.name()).copied().flatten();
    let headline = value.map(|value| (metric.name().to_owned(), value));
    Ok(Trained { result, training_seconds, headline })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Finetuning;

    fn settings(selection: Selection, evaluations: usize) -> Finetuning {
        Finetuning { freeze: false, selection, evaluations, dev_fraction: 0.0, l2: 1.0 }
    }

    #[test]
    fn looks_are_even_and_end_at_the_last_step() {
        assert_eq!(looks(10, &settings(Selection::Metric, 4)), [3, 5, 8, 10]);
        assert_eq!(looks(2, &settings(Selection::Loss, 5)), [1, 2]);
        assert_eq!(looks(10, &settings(Selection::Last, 4)), [10]);
    }
}
