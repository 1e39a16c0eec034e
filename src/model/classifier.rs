//! An encoder with a classification head: what fine-tuning trains.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::heads::ClassifierHead;
use super::initial::initial_values;
use super::inventory::{Slot, classifier_slots};
use super::parameters::Parameterised;
use super::{Encoder, EncoderSpec, HostTensors, ModelError, Objective, Readout, TokenBatch};
use crate::settings::Head;

/// An encoder with the classification head of its settings.
#[derive(Module, Debug)]
pub struct Classifier {
    encoder: Encoder,
    head: ClassifierHead,
    classes: usize,
}

impl Classifier {
    /// An untrained classifier for sequences of up to `longest` tokens, special ones not
    /// counted; for training, on a device with autodiff.
    ///
    /// # Errors
    /// No class.
    pub fn new(
        spec: &EncoderSpec,
        classes: usize,
        longest: usize,
        repetition: u64,
        device: &Device,
    ) -> Result<Self, ModelError> {
        if classes == 0 {
            return Err(ModelError::Zero("classes"));
        }
        let spec = spec.clone().for_length(longest);
        let values = initial_values(&classifier_slots(&spec, classes), repetition);
        Ok(Self::from_values(values, &spec, classes, device))
    }

    /// The encoder; the head of its spec is the one built.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The same classifier with an encoder that stays as it is in training.
    #[must_use]
    pub fn with_frozen_encoder(mut self) -> Self {
        self.encoder = self.encoder.no_grad();
        self
    }

    /// The batch for `rows` of ids. A two-half head takes rows of up to twice the encoder's
    /// `max_tokens`: `[CLS] x [SEP] [CLS] y [SEP]`, cut where the encoder ends (models.md
    /// 2.3); where the second half is missing it is all padding, as in DNABERT.
    ///
    /// # Errors
    /// As [`TokenBatch::new`].
    pub fn batch<R: AsRef<[u32]>>(&self, rows: &[R]) -> Result<TokenBatch, ModelError> {
        let spec = self.encoder.spec();
        match spec.settings().head {
            Head::Pooler | Head::Dense => TokenBatch::new(rows, spec),
            Head::TwoHalf => {
                let limit = spec.settings().max_tokens;
                let mut halves = Vec::with_capacity(2 * rows.len());
                for (row, ids) in rows.iter().map(AsRef::as_ref).enumerate() {
                    if ids.is_empty() {
                        return Err(ModelError::EmptyRow { row });
                    }
                    if ids.len() > 2 * limit {
                        return Err(ModelError::TooLong { row, tokens: ids.len(), limit: 2 * limit });
                    }
                    let (first, second) = ids.split_at(ids.len().min(limit));
                    halves.extend([first, second]);
                }
                TokenBatch::with_empty_rows(&halves, spec)
            }
        }
    }

    /// Logits of a batch made by [`Self::batch`], `[rows, classes]`.
    pub fn logits(&self, batch: &TokenBatch) -> Tensor<2> {
        self.head.forward(self.encoder.states(batch, &Readout::First))
    }

    /// The loss of a batch made by [`Self::batch`], a share of one of `total` rows.
    pub(crate) fn objective(&self, batch: &TokenBatch, labels: Vec<i32>, total: usize) -> Objective {
        Objective::of_logits(self.logits(batch), labels, total)
    }

    fn from_values(mut values: HostTensors, spec: &EncoderSpec, classes: usize, device: &Device) -> Self {
        Self {
            encoder: Encoder::take(&mut values, spec, device),
            head: ClassifierHead::take(&mut values, spec, device),
            classes,
        }
    }
}

impl Parameterised for Classifier {
    fn slots(&self) -> Vec<Slot> {
        classifier_slots(self.encoder.spec(), self.classes)
    }

    fn device(&self) -> Device {
        self.encoder.device()
    }

    fn with_values(&self, values: HostTensors) -> Self {
        Self::from_values(values, self.encoder.spec(), self.classes, &self.device())
    }
}
