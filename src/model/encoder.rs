//! The Transformer encoder of the whole family: embeddings and blocks.

use burn::module::{Module, Param};
use burn::tensor::module::embedding;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use super::block::Block;
use super::context::Context;
use super::layers::{LayerNorm, dropout, parameter};
use super::{EncoderSpec, HostTensors, Readout, TokenBatch};
use crate::settings::{Norm, Position};

/// An encoder: ids to hidden states.
#[derive(Module, Debug)]
pub struct Encoder {
    /// `[vocabulary, d_model]`.
    word_embeddings: Param<Tensor<2>>,
    /// `[max_tokens, d_model]`.
    position_embeddings: Option<Param<Tensor<2>>>,
    /// `[token_types, d_model]`, of which row 0 is used.
    token_type_embeddings: Param<Tensor<2>>,
    norm: LayerNorm,
    blocks: Vec<Block>,
    final_norm: Option<LayerNorm>,
    #[module(skip)]
    spec: EncoderSpec,
}

impl Encoder {
    /// Takes the parameters under `encoder`.
    pub(super) fn take(values: &mut HostTensors, spec: &EncoderSpec, device: &Device) -> Self {
        let settings = spec.settings();
        let norm = |values: &mut HostTensors, name: &str| {
            LayerNorm::take(values, &format!("encoder.{name}"), settings.norm_epsilon, device)
        };
        Self {
            word_embeddings: parameter(values, "encoder.word_embeddings", device),
            position_embeddings: match settings.position {
                Position::Learned => Some(parameter(values, "encoder.position_embeddings", device)),
                Position::Alibi | Position::Rope => None,
            },
            token_type_embeddings: parameter(values, "encoder.token_type_embeddings", device),
            norm: norm(values, "norm"),
            blocks: (0..settings.n_layers)
                .map(|index| Block::take(values, &format!("encoder.blocks.{index}"), spec, device))
                .collect(),
            final_norm: match settings.norm {
                Norm::Post => None,
                Norm::Pre => Some(norm(values, "final_norm")),
            },
            spec: spec.clone(),
        }
    }

    /// What it was built from.
    pub fn spec(&self) -> &EncoderSpec {
        &self.spec
    }

    /// The last hidden states at the places of `readout`, `[places, d_model]`; all of them
    /// are `[rows * tokens, d_model]`.
    pub fn states(&self, batch: &TokenBatch, readout: &Readout) -> Tensor<2> {
        let context = Context::new(batch, &self.spec, &self.device().without_autodiff());
        let mut hidden = dropout(self.norm.forward(self.embed(batch)), self.spec.settings().dropout);
        let last = self.blocks.len().checked_sub(1);
        for (index, block) in self.blocks.iter().enumerate() {
            let wanted = if Some(index) == last { readout } else { &Readout::Every };
            hidden = block.forward(hidden, &context, wanted);
        }
        if last.is_none() {
            hidden = context.pick(hidden, readout);
        }
        match &self.final_norm {
            Some(norm) => norm.forward(hidden),
            None => hidden,
        }
    }

    /// The table that the masked-language decoder shares, `[vocabulary, d_model]`.
    pub(super) fn word_table(&self) -> Tensor<2> {
        self.word_embeddings.val()
    }

    /// The device it is on, with autodiff where it can be trained.
    pub(super) fn device(&self) -> Device {
        self.token_type_embeddings.val().device()
    }

    /// The sum of the embeddings, `[rows * tokens, d_model]`.
    fn embed(&self, batch: &TokenBatch) -> Tensor<2> {
        let (rows, tokens, d_model) = (batch.rows(), batch.tokens(), self.spec.settings().d_model);
        let device = self.device().without_autodiff();
        let ids = TensorData::new(batch.ids.clone(), [rows, tokens]);
        let ids = Tensor::<2, Int>::from_data(ids, &device);
        let words = embedding(self.word_embeddings.val(), ids);
        let words = match self.spec.pad() {
            Some(_) if batch.padding_matters() => without_padding_gradient(words, batch, &device),
            Some(_) | None => words,
        };
        let types = self.token_type_embeddings.val().slice(burn::tensor::s![0..1, ..]);
        // Small first, so that the large sum is one.
        let places = match &self.position_embeddings {
            Some(table) => table.val().slice(burn::tensor::s![0..tokens, ..]) + types,
            None => types,
        };
        (words + places.unsqueeze()).reshape([rows * tokens, d_model])
    }
}

/// The same values; what stands at padding has no gradient (models.md 1.6). Needed only
/// where padding can reach a result: elsewhere its gradient is exactly 0. A padding id that a
/// random replacement put among real tokens is a token like any other, and has one.
fn without_padding_gradient(words: Tensor<3>, batch: &TokenBatch, device: &Device) -> Tensor<3> {
    let [rows, tokens, d_model] = words.dims();
    let padding = TensorData::new(batch.padding(), [rows, tokens, 1]);
    let padding = Tensor::<3, Bool>::from_data(padding, device).expand([rows, tokens, d_model]);
    let fixed = words.clone().detach();
    words.mask_where(padding, fixed)
}
