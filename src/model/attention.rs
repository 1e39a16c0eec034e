//! Multi-head self-attention with an additive bias.
//!
//! Written out, because burn's own attention is decomposed badly under autodiff (burn.md
//! 1.6). 4-D only between the projections.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::arithmetic::attend;
use super::context::Context;
use super::layers::{Linear, dropout};
use super::{EncoderSpec, HostTensors, Readout};

/// Query, key and value maps, attention, and the output map.
#[derive(Module, Debug)]
pub(super) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    n_heads: usize,
    dropout: f64,
}

impl Attention {
    /// Takes the parameters under `path`.
    pub(super) fn take(values: &mut HostTensors, path: &str, spec: &EncoderSpec, device: &Device) -> Self {
        let mut linear = |name: &str| Linear::take(values, &format!("{path}.{name}"), device);
        Self {
            query: linear("query"),
            key: linear("key"),
            value: linear("value"),
            output: linear("output"),
            n_heads: spec.settings().n_heads,
            dropout: spec.settings().attention_dropout,
        }
    }

    /// `[rows * tokens, d_model]` to the places of `readout`, `[places, d_model]`.
    pub(super) fn forward(&self, hidden: Tensor<2>, context: &Context, readout: &Readout) -> Tensor<2> {
        let asking = match readout {
            Readout::First => context.pick(hidden.clone(), readout),
            // Any query may be wanted: what is not is left out after attention.
            Readout::Every | Readout::Picked(_) => hidden.clone(),
        };
        let [places, d_model] = asking.dims();
        // On the queries, which are smaller than the scores.
        let scale = 1.0 / ((d_model / self.n_heads) as f64).sqrt();
        let queries = context.rotated(self.split(self.query.forward(asking) * scale, context));
        let keys = context.rotated(self.split(self.key.forward(hidden.clone()), context));
        let values = self.split(self.value.forward(hidden), context).swap_dims(1, 2);
        let scores = queries.swap_dims(1, 2).matmul(keys.permute([0, 2, 3, 1]));
        let scores = match context.bias_for(readout) {
            Some(bias) => scores + bias,
            None => scores,
        };
        let drop = |weights| dropout(weights, self.dropout);
        let mixed = attend(scores, values, drop).swap_dims(1, 2).reshape([places, d_model]);
        let mixed = match readout {
            Readout::Picked(_) => context.pick(mixed, readout),
            Readout::Every | Readout::First => mixed,
        };
        self.output.forward(mixed)
    }

    /// `[rows * tokens, d_model]` to `[rows, tokens, heads, d_head]`.
    fn split(&self, input: Tensor<2>, context: &Context) -> Tensor<4> {
        let [places, d_model] = input.dims();
        input.reshape([context.rows, places / context.rows, self.n_heads, d_model / self.n_heads])
    }
}
