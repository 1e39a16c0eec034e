//! An encoder with the masked-language head: what pre-training trains.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::heads::MaskedLanguageHead;
use super::initial::initial_values;
use super::inventory::{Slot, masked_language_slots};
use super::parameters::Parameterised;
use super::{Encoder, EncoderSpec, HostTensors, Objective, Readout, TokenBatch};

/// An encoder with the masked-language head, whose decoder shares the word embeddings.
#[derive(Module, Debug)]
pub struct LanguageModel {
    encoder: Encoder,
    head: MaskedLanguageHead,
}

impl LanguageModel {
    /// An untrained model; for training, on a device with autodiff.
    pub fn new(spec: &EncoderSpec, repetition: u64, device: &Device) -> Self {
        let slots = masked_language_slots(spec);
        Self::from_values(initial_values(&slots, repetition), spec, device)
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Logits at `places` of `[rows * tokens]`, `[places, vocabulary]`. Nothing is computed
    /// for other places where it is not needed.
    pub fn logits(&self, batch: &TokenBatch, places: Vec<usize>) -> Tensor<2> {
        self.head_logits(self.encoder.states(batch, &Readout::Picked(places)))
    }

    /// Last hidden states `[places, d_model]` to logits `[places, vocabulary]`.
    pub fn head_logits(&self, states: Tensor<2>) -> Tensor<2> {
        self.head.forward(states, self.encoder.word_table())
    }

    /// The loss of predicting `targets` at `places`, a share of a batch of `total` targets.
    pub(crate) fn objective(
        &self,
        batch: &TokenBatch,
        places: Vec<usize>,
        targets: Vec<i32>,
        total: usize,
    ) -> Objective {
        let states = self.encoder.states(batch, &Readout::Picked(places));
        self.head.objective(states, self.encoder.word_table(), targets, total)
    }

    fn from_values(mut values: HostTensors, spec: &EncoderSpec, device: &Device) -> Self {
        Self {
            encoder: Encoder::take(&mut values, spec, device),
            head: MaskedLanguageHead::take(&mut values, spec, device),
        }
    }
}

impl Parameterised for LanguageModel {
    fn slots(&self) -> Vec<Slot> {
        masked_language_slots(self.encoder.spec())
    }

    fn device(&self) -> Device {
        self.encoder.device()
    }

    fn with_values(&self, values: HostTensors) -> Self {
        Self::from_values(values, self.encoder.spec(), &self.device())
    }
}
