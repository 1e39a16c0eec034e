//! The stage `pretrain`: an encoder learns hidden tokens of a corpus.

use std::time::Instant;

use burn::module::Module;

use super::context::{LateLoss, Reporter, finite};
use super::held_out::{HeldOut, Unigrams};
use super::rows::{row, spec};
use super::step::{MlmBatch, StepContext, mlm_step};
use super::{AdamW, Context, TrainError, Trained, check_fingerprint, cost, rate};
use crate::data::{CorpusWindow, CorpusWindows, load_corpus};
use crate::mask::{mask_row, mask_stream};
use crate::model::{EncoderSpec, LanguageModel, load, load_tensors, save, to_tensors};
use crate::record::{JobResult, Mark};
use crate::settings::{Init, Job, PretrainWork};
use crate::token::Tokenizer;

/// Pre-trains an encoder and leaves `model.safetensors`.
pub(super) fn run(job: &Job, work: &PretrainWork, context: &mut Context<'_>) -> Result<Trained, TrainError> {
    let tokenizer = context.tokenizer(work.tokenization, &job.parents)?;
    let genomes = load_corpus(&work.corpus, context.data_root)?;
    let windows = CorpusWindows::new(&work.corpus, genomes, &work.pretraining)?;
    check_fingerprint(&work.fingerprint, windows.fingerprint())?;
    let spec = spec(&work.encoder, &tokenizer)?;
    let source = Source { work, tokenizer: &tokenizer, windows: &windows };

    let folder = context.folder(&job.key);
    let mut model = start(&spec, job, work, context)?;
    let mut optimiser = AdamW::new(&work.optimisation);
    let mut unigrams = Unigrams::new(tokenizer.vocabulary_size());
    let (steps, mut seen) = (work.optimisation.steps, 0);
    let (mut reporter, mut late) = (Reporter::new(steps), LateLoss::new(steps));
    let started = Instant::now();
    for step in 0..steps {
        let batch = source.batch(step, &mut unigrams)?;
        seen += batch.iter().flat_map(|micro| &micro.ids).map(|row| row.len() as u64).sum::<u64>();
        let place = StepContext { repetition: work.repetition, step, rate: rate(step, &work.optimisation) };
        let stepped = mlm_step(model, &mut optimiser, &batch, place)?;
        finite(stepped.loss, stepped.gradient_norm, step, steps)?;
        model = stepped.model;
        late.add(step, stepped.loss);
        reporter.after(step + 1, stepped.loss, &folder, context.advance)?;
    }
    let training_seconds = started.elapsed().as_secs_f64();

    let held_out = HeldOut::measure(&model.valid(), &source.held_out()?, &unigrams)?;
    save(&to_tensors(&model), &folder.model())?;
    let parameters = model.num_params();
    let result = JobResult {
        steps,
        selected_step: steps,
        train_loss: late.mean(),
        held_out_loss: Some(held_out.loss),
        unigram_loss: Some(held_out.unigram),
        marks: if held_out.loss < held_out.unigram { Vec::new() } else { vec![Mark::Untrained] },
        parameters,
        tokens_seen: seen,
        flops: cost::flops(&spec, seen, steps * work.optimisation.batch_size),
        ..JobResult::default()
    };
    Ok(Trained { result, training_seconds, headline: None })
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
