//! The stage `pretrain`: an encoder learns hidden tokens of a corpus.

use burn::module::Module;

use super::checkpoint::{self, Keeper, Saved};
use super::course::Course;
use super::held_out::{HeldOut, Unigrams};
use super::rows::{row, spec};
use super::step::{MlmBatch, mlm_step};
use super::{Context, TrainError, Trained, check_fingerprint, cost};
use crate::data::{CorpusWindow, CorpusWindows, load_corpus};
use crate::mask::{mask_row, mask_stream};
use crate::model::{EncoderSpec, LanguageModel, encode, load, load_tensors, to_tensors};
use crate::record::{JobResult, Mark};
use crate::settings::{Init, Job, PretrainWork};
use crate::token::Tokenizer;

/// Pre-trains an encoder and leaves `model.safetensors`.
pub(super) fn run(job: &Job, work: &PretrainWork, context: &mut Context<'_>) -> Result<Trained, TrainError> {
    let tokenizer = context.tokenizer(work.tokenization, &job.parents)?;
    let genomes = load_corpus(&work.corpus, context.data_root)?;
    let windows = CorpusWindows::new(&work.corpus, genomes, &work.pretraining)?;
    check_fingerprint(&format!("corpus `{}`", work.corpus.id), &work.fingerprint, windows.fingerprint())?;
    let spec = spec(&work.encoder, &tokenizer)?;
    let source = Source { work, tokenizer: &tokenizer, windows: &windows };

    let mut model = start(&spec, job, work, context)?;
    let mut unigrams = Unigrams::new(tokenizer.vocabulary_size());
    let mut course = Course::new(&work.optimisation, work.repetition);
    let saved = checkpoint::resume(&mut course, context, |saved: Saved<Unigrams>| {
        Ok((load_tensors(&model, &saved.part("model"))?.0, saved.stage))
    })?;
    if let Some(saved) = saved {
        (model, unigrams) = saved;
    }
    let mut keeper = Keeper::new();
    while !course.is_over() {
        let batch = source.batch(course.tally.step, &mut unigrams)?;
        course.tally.seen +=
            batch.iter().flat_map(|micro| &micro.ids).map(|row| row.len() as u64).sum::<u64>();
        let place = course.place();
        let stepped = mlm_step(model, &mut course.optimiser, &batch, place)?;
        model = course.take(stepped, context)?;
        keeper.after_step(&course, context, || (&unigrams, vec![("model", to_tensors(&model))]))?;
    }
    let training_seconds = course.elapsed().as_secs_f64();

    let held_out = HeldOut::measure(&model.valid(), &source.held_out()?, &unigrams)?;
    let weights = encode(&to_tensors(&model), "")?;
    context.attempt.publish(&context.attempt.job().model(), &weights).map_err(TrainError::Storage)?;
    let parameters = model.num_params();
    let (steps, seen) = (work.optimisation.steps, course.tally.seen);
    let result = JobResult {
        steps,
        selected_step: steps,
        train_loss: course.late_loss(),
        held_out_loss: Some(held_out.loss),
        unigram_loss: Some(held_out.unigram),
        marks: if held_out.loss < held_out.unigram { Vec::new() } else { vec![Mark::Untrained] },
        parameters,
        tokens_seen: seen,
        flops: cost::flops(&spec, seen, steps * work.optimisation.batch_size),
        ..JobResult::default()
    };
    Ok(Trained { result, training_seconds, resumed_from: course.tally.resumed_from, headline: None })
}

/// The model that training starts from.
fn start(
    spec: &EncoderSpec,
    job: &Job,
    work: &PretrainWork,
    context: &Context<'_>,
) -> Result<LanguageModel, TrainError> {
    let untrained = LanguageModel::new(spec, work.repetition, &context.device.clone().autodiff());
    Ok(match work.start {
        Init::Random => untrained,
        Init::Pretrained => load_tensors(&untrained, &load(&context.encoder(&job.parents)?)?)?.0,
    })
}

/// Batches of a corpus, every row named by its place in the stream of windows.
struct Source<'a> {
    work: &'a PretrainWork,
    tokenizer: &'a Tokenizer,
    windows: &'a CorpusWindows,
}

impl Source<'_> {
    /// The batch of one step, in micro-batches. Windows and masks depend on (repetition,
    /// place in the stream) alone, so they are the same whatever the micro-batch.
    fn batch(&self, step: usize, unigrams: &mut Unigrams) -> Result<Vec<MlmBatch>, TrainError> {
        let settings = &self.work.optimisation;
        let first = (step * settings.batch_size) as u64;
        let indices: Vec<u64> = (first..first + settings.batch_size as u64).collect();
        let mut batches = Vec::new();
        for micro in indices.chunks(settings.micro_batch) {
            let mut batch = self.empty();
            for &index in micro {
                let window = self.windows.window(self.work.repetition, index)?;
                self.add(&window, self.work.repetition, index, &mut batch);
            }
            unigrams.count(&batch);
            batches.push(batch);
        }
        Ok(batches)
    }

    /// The held-out windows with masks that every repetition shares, 64 rows a batch.
    fn held_out(&self) -> Result<Vec<MlmBatch>, TrainError> {
        const ROWS: usize = 64;
        let windows = self.windows.held_out()?;
        let numbered: Vec<(u64, &CorpusWindow)> = (0..).zip(&windows).collect();
        let batches = numbered.chunks(ROWS).map(|rows| {
            let mut batch = self.empty();
            for (index, window) in rows {
                self.add(window, 0, *index, &mut batch);
            }
            batch
        });
        Ok(batches.collect())
    }

    fn empty(&self) -> MlmBatch {
        MlmBatch { ids: Vec::new(), targets: Vec::new(), attend_pads: self.work.pretraining.attend_pads }
    }

    fn add(&self, window: &CorpusWindow, repetition: u64, epoch: u64, batch: &mut MlmBatch) {
        let row = row(&self.tokenizer.encode(&window.sequence), self.tokenizer, &self.work.encoder);
        let masking = &self.work.masking;
        let mut stream = mask_stream(repetition, &window.subject, epoch, masking.refresh);
        let masked = mask_row(&row.ids, row.maskable, masking, self.tokenizer.vocabulary(), &mut stream);
        batch.ids.push(masked.ids);
        batch.targets.push(masked.targets);
    }
}
