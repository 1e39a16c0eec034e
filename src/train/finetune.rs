//! The stage `finetune`: a classifier learns a task and is scored.

use std::collections::BTreeMap;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::checkpoint::{self, Keeper, Part, Saved};
use super::course::Course;
use super::order::Order;
use super::predict::{self, Predictions, Written, headline};
use super::rows::{Rows, spec};
use super::step::{ClassifierBatch, classifier_step};
use super::{Context, TrainError, Trained, check_fingerprint, cost, logistic};
use crate::data::{Example, TaskData, load_task};
use crate::metrics::Scores;
use crate::model::{Classifier, ModelError, load, load_tensors, to_tensors};
use crate::record::{Attempt, Event, JobResult, Mark};
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
    check_fingerprint(&format!("task `{}`", work.task.id), &work.fingerprint, data.fingerprint())?;
    let examples = examples(&data, work)?;
    match &*work.architecture {
        Architecture::KmerLogistic(settings) => logistic::run(work, *settings, &examples, context.attempt),
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

    let training = Training { work, examples, train: &train, dev: &dev };
    let mut course = Course::new(&work.optimisation, work.repetition);
    let best = training.train(start, &mut course, context)?;
    let training_seconds = course.elapsed().as_secs_f64();

    let predictions = Predictions::of(&best.model, &test)?;
    let parameters = best.model.num_params();
    let outcome = Outcome { dev: best.dev, test: predictions };
    let batch = work.optimisation.batch_size * work.optimisation.steps;
    let result = JobResult {
        steps: work.optimisation.steps,
        selected_step: best.step,
        train_loss: course.late_loss(),
        truncated: train.truncated + dev.truncated + test.truncated,
        parameters,
        tokens_seen: course.tally.seen,
        flops: cost::flops(&spec, course.tally.seen, batch),
        ..JobResult::default()
    };
    let trained = finish(work, examples, &outcome, context.attempt, result, training_seconds)?;
    Ok(Trained { resumed_from: course.tally.resumed_from, ..trained })
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
    Ok(frozen_if_asked(model, work))
}

fn frozen_if_asked(model: Classifier, work: &FinetuneWork) -> Classifier {
    if work.finetuning.freeze { model.with_frozen_encoder() } else { model }
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

/// The best checkpoint so far, beside its weights, as a checkpoint of the training holds it.
#[derive(Serialize, Deserialize)]
struct BestNote {
    step: usize,
    /// Bits, as all here that may not be finite: JSON has no infinity.
    dev: Vec<Vec<u64>>,
    value: (u64, u64),
}

impl Best {
    fn note(&self) -> BestNote {
        let (first, second) = self.value;
        BestNote {
            step: self.step,
            dev: bits(&self.dev.probabilities),
            value: (first.to_bits(), second.to_bits()),
        }
    }

    fn of(note: BestNote, model: Classifier) -> Self {
        let value = (f64::from_bits(note.value.0), f64::from_bits(note.value.1));
        let row = |row: Vec<u64>| row.into_iter().map(f64::from_bits).collect();
        let probabilities = note.dev.into_iter().map(row).collect();
        Self { step: note.step, model, dev: Predictions { probabilities }, value }
    }
}

fn bits(rows: &[Vec<f64>]) -> Vec<Vec<u64>> {
    rows.iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
}

struct Training<'a> {
    work: &'a FinetuneWork,
    examples: &'a Examples,
    train: &'a Rows,
    dev: &'a Rows,
}

impl Training<'_> {
    /// All steps; returns the checkpoint that dev chose.
    fn train(
        &self,
        mut model: Classifier,
        course: &mut Course<'_>,
        context: &mut Context<'_>,
    ) -> Result<Best, TrainError> {
        let (work, settings) = (self.work, &self.work.optimisation);
        let mut best = None;
        if let Some(saved) = checkpoint::resume(course, context, |saved| self.restore(&model, saved))? {
            (model, best) = saved;
        }
        let mut order = Order::new(self.train.ids.len(), work.repetition, &work.fingerprint);
        order.skip(course.tally.step * settings.batch_size);
        let looks = looks(settings.steps, &work.finetuning);
        let mut keeper = Keeper::new();
        while !course.is_over() {
            let batch = self.batch(&order.take(settings.batch_size));
            course.tally.seen +=
                batch.iter().flat_map(|micro| &micro.ids).map(|row| row.len() as u64).sum::<u64>();
            let place = course.place();
            let stepped = classifier_step(model, &mut course.optimiser, &batch, place)?;
            model = course.take(stepped, context)?;
            if looks.contains(&course.tally.step) {
                let seen = self.look(&model, course.tally.step, context)?;
                if best.as_ref().is_none_or(|best: &Best| seen.value > best.value) {
                    best = Some(seen);
                }
            }
            let holdings = || (best.as_ref().map(Best::note), parts(&model, best.as_ref()));
            keeper.after_step(course, context, holdings)?;
        }
        best.map_or_else(|| self.look(&model, settings.steps, context), Ok)
    }

    /// The model in training, and the best one so far, as `untrained` with other weights.
    fn restore(
        &self,
        untrained: &Classifier,
        saved: Saved<Option<BestNote>>,
    ) -> Result<(Classifier, Option<Best>), ModelError> {
        let model = load_tensors(untrained, &saved.part("model"))?.0;
        let weights = saved.part("best");
        let best = saved.stage.map(|note| {
            let model = load_tensors(&untrained.valid(), &weights)?.0;
            Ok::<_, ModelError>(Best::of(note, model))
        });
        Ok((frozen_if_asked(model, self.work), best.transpose()?))
    }

    /// The rows of one step, in micro-batches.
    fn batch(&self, rows: &[usize]) -> Vec<ClassifierBatch> {
        rows.chunks(self.work.optimisation.micro_batch)
            .map(|rows| ClassifierBatch {
                ids: rows.iter().map(|row| self.train.ids[*row].clone()).collect(),
                labels: rows.iter().map(|row| self.examples.train[*row].label).collect(),
            })
            .collect()
    }

    /// A look at dev.
    fn look(&self, model: &Classifier, step: usize, context: &Context<'_>) -> Result<Best, TrainError> {
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
        context.attempt.append(&event).map_err(TrainError::Storage)?;
        Ok(Best { step, model, dev, value })
    }
}

/// The weights that a checkpoint holds.
fn parts(model: &Classifier, best: Option<&Best>) -> Vec<Part> {
    let best = best.map(|best| ("best", to_tensors(&best.model)));
    [("model", to_tensors(model))].into_iter().chain(best).collect()
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
    attempt: &Attempt,
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
    let text = predict::to_csv(classes, &splits);
    attempt.publish(&attempt.job().predictions(), text.as_bytes()).map_err(TrainError::Storage)?;
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
    Ok(Trained { result, training_seconds, resumed_from: 0, headline })
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
