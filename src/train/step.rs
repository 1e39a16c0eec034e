//! One optimiser step of masked-language pre-training or of classification.
//!
//! A batch comes in micro-batches: each is one forward and backward pass, its loss divided
//! by the number of targets of the *whole* batch, so that the cut changes memory and speed
//! and nothing else.

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

use super::AdamW;
use super::optimiser::squared_norm;
use crate::model::{Classifier, LanguageModel, ModelError, Objective, Parameterised, TokenBatch};
use crate::seed::{self, Purpose};

/// Rows of one micro-batch of masked-language training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MlmBatch {
    /// Ids of each row, special ones included, with what is hidden already replaced.
    pub ids: Vec<Vec<u32>>,
    /// For each row the positions to predict, and the ids that belong there.
    pub targets: Vec<Vec<(usize, u32)>>,
    /// Whether padding is attended to (models.md 2.5).
    pub attend_pads: bool,
}

/// Rows of one micro-batch of classification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassifierBatch {
    /// Ids of each row, special ones included.
    pub ids: Vec<Vec<u32>>,
    /// The class of each row.
    pub labels: Vec<usize>,
}

/// Where in training a step stands: names the dropout stream of each micro-batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepContext {
    /// The value of the `seed` axis.
    pub repetition: u64,
    /// The optimiser step, from 0.
    pub step: usize,
    /// Its learning rate.
    pub rate: f64,
}

/// A model after a step.
#[derive(Debug)]
pub struct Stepped<M> {
    /// The updated model; as it was, where loss or norm are not finite.
    pub model: M,
    /// Mean cross-entropy over the targets of the batch, in nats, before the update.
    pub loss: f64,
    /// Norm of all gradients together, before clipping.
    pub gradient_norm: f64,
}

/// One step on masked tokens; see [`Stepped`].
///
/// # Errors
/// Rows that do not fit the model, or no target in the whole batch.
pub fn mlm_step(
    model: LanguageModel,
    optimiser: &mut AdamW,
    micro_batches: &[MlmBatch],
    context: StepContext,
) -> Result<Stepped<LanguageModel>, ModelError> {
    let total = micro_batches.iter().flat_map(|batch| &batch.targets).map(Vec::len).sum();
    let forward = |model: &LanguageModel, batch: &MlmBatch| mlm_objective(model, batch, total);
    step(model, optimiser, micro_batches, context, forward)
}

/// One step on labelled rows; see [`Stepped`].
///
/// # Errors
/// Rows that do not fit the model, a label that is no class, or no row at all.
pub fn classifier_step(
    model: Classifier,
    optimiser: &mut AdamW,
    micro_batches: &[ClassifierBatch],
    context: StepContext,
) -> Result<Stepped<Classifier>, ModelError> {
    let total = micro_batches.iter().map(|batch| batch.labels.len()).sum();
    let forward = |model: &Classifier, batch: &ClassifierBatch| classifier_objective(model, batch, total);
    step(model, optimiser, micro_batches, context, forward)
}

/// Forward, backward and update, whatever the objective. `forward` gives nothing for a
/// micro-batch without targets.
fn step<M: Parameterised, B>(
    model: M,
    optimiser: &mut AdamW,
    micro_batches: &[B],
    context: StepContext,
    forward: impl Fn(&M, &B) -> Result<Option<Objective>, ModelError>,
) -> Result<Stepped<M>, ModelError> {
    let device = model.device();
    let mut accumulator = GradientsAccumulator::new();
    let mut losses = Vec::with_capacity(micro_batches.len());
    for (index, batch) in micro_batches.iter().enumerate() {
        let subject = [context.step.to_string(), index.to_string()];
        device.seed(seed::seed_u64(context.repetition, Purpose::Dropout, &[&subject[0], &subject[1]]));
        let Some(objective) = forward(&model, batch)? else { continue };
        let gradients = GradientsParams::from_grads(objective.backward(), &model);
        accumulator.accumulate(&model, gradients);
        losses.push(objective.loss);
    }
    let gradients = accumulator.grads();
    let norm = squared_norm(&model, &gradients).ok_or(ModelError::NoTargets)?;
    // The one read from the device in a step.
    let read = Tensor::cat(vec![Tensor::cat(losses, 0).sum(), norm], 0).into_data();
    let mut values = read.iter::<f64>();
    let loss = values.next().unwrap_or(f64::NAN);
    let gradient_norm = values.next().unwrap_or(f64::NAN).sqrt();
    let model = if loss.is_finite() && gradient_norm.is_finite() {
        optimiser.update(model, gradients, gradient_norm, context.rate)
    } else {
        model
    };
    Ok(Stepped { model, loss, gradient_norm })
}

/// What a model reads of a batch, where it predicts, and what belongs there.
pub(super) struct Hidden {
    pub(super) tokens: TokenBatch,
    /// Rows of the hidden states `[rows * tokens, d_model]`.
    pub(super) places: Vec<usize>,
    /// An id for each place.
    pub(super) targets: Vec<i32>,
}

/// Checks a batch and lays it out for `model`.
pub(super) fn hidden(model: &LanguageModel, batch: &MlmBatch) -> Result<Hidden, ModelError> {
    let tokens = TokenBatch::new(&batch.ids, model.encoder().spec())?;
    let tokens = if batch.attend_pads { tokens.attending_pads() } else { tokens };
    if batch.targets.len() != batch.ids.len() {
        let (found, expected) = (batch.targets.len(), batch.ids.len());
        return Err(ModelError::Count { what: "rows of targets", found, expected });
    }
    let mut places = Vec::new();
    let mut targets = Vec::new();
    for (row, (ids, row_targets)) in batch.ids.iter().zip(&batch.targets).enumerate() {
        for &(position, id) in row_targets {
            if position >= ids.len() {
                return Err(ModelError::TargetOutside { row, position, tokens: ids.len() });
            }
            let vocabulary = model.encoder().spec().vocabulary();
            if id as usize >= vocabulary {
                return Err(ModelError::UnknownId { row, id, vocabulary });
            }
            places.push(row * tokens.tokens() + position);
            targets.push(id as i32);
        }
    }
    Ok(Hidden { tokens, places, targets })
}

fn mlm_objective(
    model: &LanguageModel,
    batch: &MlmBatch,
    total: usize,
) -> Result<Option<Objective>, ModelError> {
    let Hidden { tokens, places, targets } = hidden(model, batch)?;
    if targets.is_empty() {
        return Ok(None);
    }
    Ok(Some(model.objective(&tokens, places, targets, total)))
}

fn classifier_objective(
    model: &Classifier,
    batch: &ClassifierBatch,
    total: usize,
) -> Result<Option<Objective>, ModelError> {
    let tokens = model.batch(&batch.ids)?;
    if batch.labels.len() != batch.ids.len() {
        let (found, expected) = (batch.labels.len(), batch.ids.len());
        return Err(ModelError::Count { what: "labels", found, expected });
    }
    let classes = model.classes();
    if let Some((row, &label)) = batch.labels.iter().enumerate().find(|(_, label)| **label >= classes) {
        return Err(ModelError::Label { row, label, classes });
    }
    let targets = batch.labels.iter().map(|label| *label as i32).collect();
    Ok(Some(model.objective(&tokens, targets, total)))
}
