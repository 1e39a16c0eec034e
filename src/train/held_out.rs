//! How well hidden tokens of held-out windows are predicted, beside who only knows how
//! common each token is.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::step::{Hidden, MlmBatch, hidden};
use crate::model::LanguageModel;

/// Counts of tokens in training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Unigrams {
    counts: Vec<u64>,
    total: u64,
}

impl Unigrams {
    pub(super) fn new(vocabulary: usize) -> Self {
        Self { counts: vec![0; vocabulary], total: 0 }
    }

    /// Counts the targets of a batch: what stood at the places that were hidden.
    pub(super) fn count(&mut self, batch: &MlmBatch) {
        for &(_, id) in batch.targets.iter().flatten() {
            self.counts[id as usize] += 1;
            self.total += 1;
        }
    }

    /// Surprise at a token in nats, with one count added to each (Laplace), so that a token
    /// never met in training costs something finite.
    fn surprise(&self, id: usize) -> f64 {
        let count = self.counts[id] + 1;
        ((self.total + self.counts.len() as u64) as f64 / count as f64).ln()
    }
}

/// Losses on held-out windows, in nats per hidden token.
pub(super) struct HeldOut {
    /// The model's.
    pub(super) loss: f64,
    /// The unigram model's, on the same tokens.
    pub(super) unigram: f64,
}

impl HeldOut {
    pub(super) fn measure(
        model: &LanguageModel,
        batches: &[MlmBatch],
        unigrams: &Unigrams,
    ) -> Result<Self, TrainError> {
        let (mut loss, mut unigram, mut count) = (0.0, 0.0, 0_usize);
        for batch in batches {
            let hidden = hidden(model, batch)?;
            if hidden.targets.is_empty() {
                continue;
            }
            count += hidden.targets.len();
            unigram += hidden.targets.iter().map(|id| unigrams.surprise(*id as usize)).sum::<f64>();
            loss += summed_loss(model, hidden);
        }
        let count = count.max(1) as f64;
        Ok(Self { loss: loss / count, unigram: unigram / count })
    }
}

fn summed_loss(model: &LanguageModel, hidden: Hidden) -> f64 {
    let Hidden { tokens, places, targets } = hidden;
    let logits = model.logits(&tokens, places);
    let device = logits.device();
    let rows = targets.len();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(targets, [rows, 1]), &device);
    let chosen = log_softmax(logits, 1).gather(1, ids).into_data();
    -chosen.iter::<f64>().sum::<f64>()
}
