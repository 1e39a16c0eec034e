//! One Transformer block: attention and feed-forward network, each with residual and norm.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::arithmetic::gelu;
use super::attention::Attention;
use super::context::Context;
use super::layers::{LayerNorm, Linear, dropout};
use super::{EncoderSpec, HostTensors, Readout};
use crate::settings::Norm;

/// One block.
#[derive(Module, Debug)]
pub(super) struct Block {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
    #[module(skip)]
    norm: Norm,
    dropout: f64,
}

impl Block {
    /// Takes the parameters under `path`.
    pub(super) fn take(values: &mut HostTensors, path: &str, spec: &EncoderSpec, device: &Device) -> Self {
        let epsilon = spec.settings().norm_epsilon;
        Self {
            attention: Attention::take(values, &format!("{path}.attention"), spec, device),
            attention_norm: LayerNorm::take(values, &format!("{path}.attention_norm"), epsilon, device),
            feed_forward: FeedForward::take(values, &format!("{path}.feed_forward"), spec, device),
            feed_forward_norm: LayerNorm::take(values, &format!("{path}.feed_forward_norm"), epsilon, device),
            norm: spec.settings().norm,
            dropout: spec.settings().dropout,
        }
    }

    /// `[rows * tokens, d_model]` to the places of `readout`, `[places, d_model]`.
    pub(super) fn forward(&self, hidden: Tensor<2>, context: &Context, readout: &Readout) -> Tensor<2> {
        match self.norm {
            Norm::Post => {
                let attended = self.attention.forward(hidden.clone(), context, readout);
                let sum = context.pick(hidden, readout) + dropout(attended, self.dropout);
                let hidden = self.attention_norm.forward(sum);
                let inner = self.feed_forward.forward(hidden.clone());
                self.feed_forward_norm.forward(hidden + inner)
            }
            Norm::Pre => {
                let normed = self.attention_norm.forward(hidden.clone());
                let attended = self.attention.forward(normed, context, readout);
                let hidden = context.pick(hidden, readout) + dropout(attended, self.dropout);
                let normed = self.feed_forward_norm.forward(hidden.clone());
                hidden + self.feed_forward.forward(normed)
            }
        }
    }
}

/// `W2 gelu(W1 x)`, or with a gate `Wo (gelu(Wg x) * (Wu x))` (models.md 3.1).
#[derive(Module, Debug)]
struct FeedForward {
    gate: Option<Linear>,
    inner: Linear,
    outer: Linear,
    dropout: f64,
}

impl FeedForward {
    fn take(values: &mut HostTensors, path: &str, spec: &EncoderSpec, device: &Device) -> Self {
        let gate = format!("{path}.gate");
        let gated = values.contains_key(&format!("{gate}.weight"));
        Self {
            gate: gated.then(|| Linear::take(values, &gate, device)),
            inner: Linear::take(values, &format!("{path}.inner"), device),
            outer: Linear::take(values, &format!("{path}.outer"), device),
            dropout: spec.settings().dropout,
        }
    }

    /// `[rows, d_model]` to the same shape.
    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        match &self.gate {
            None => {
                let inner = gelu(self.inner.forward(input));
                dropout(self.outer.forward(inner), self.dropout)
            }
            Some(gate) => {
                let activated = gelu(gate.forward(input.clone())) * self.inner.forward(input);
                self.outer.forward(dropout(activated, self.dropout))
            }
        }
    }
}
