//! What turns hidden states into logits.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::arithmetic::gelu;
use super::layers::{LayerNorm, Linear, dropout, parameter};
use super::{EncoderSpec, HostTensors, Objective};
use crate::settings::Head;

/// Dense, GELU, LayerNorm, and a decoder that shares the word embeddings (models.md 1.5).
#[derive(Module, Debug)]
pub(super) struct MaskedLanguageHead {
    dense: Linear,
    norm: LayerNorm,
    /// `[vocabulary]`.
    bias: Param<Tensor<1>>,
}

impl MaskedLanguageHead {
    /// Takes the parameters under `head`.
    pub(super) fn take(values: &mut HostTensors, spec: &EncoderSpec, device: &Device) -> Self {
        Self {
            dense: Linear::take(values, "head.dense", device),
            norm: LayerNorm::take(values, "head.norm", spec.settings().norm_epsilon, device),
            bias: parameter(values, "head.bias", device),
        }
    }

    /// States `[places, d_model]` and the table `[vocabulary, d_model]` to logits
    /// `[places, vocabulary]`.
    pub(super) fn forward(&self, states: Tensor<2>, word_table: Tensor<2>) -> Tensor<2> {
        self.transform(states).matmul(word_table.transpose()) + self.bias.val().unsqueeze()
    }

    /// The loss of predicting `targets`, a share of a batch of `total` targets.
    pub(super) fn objective(
        &self,
        states: Tensor<2>,
        word_table: Tensor<2>,
        targets: Vec<i32>,
        total: usize,
    ) -> Objective {
        Objective::of_decoder(self.transform(states), word_table, self.bias.val(), targets, total)
    }

    fn transform(&self, states: Tensor<2>) -> Tensor<2> {
        self.norm.forward(gelu(self.dense.forward(states)))
    }
}

/// States at the first position of each row to class logits.
#[derive(Module, Debug)]
pub(super) enum ClassifierHead {
    Pooler(PoolerHead),
    Dense(DenseHead),
    TwoHalf(TwoHalfHead),
}

impl ClassifierHead {
    /// Takes the parameters under `head`.
    pub(super) fn take(values: &mut HostTensors, spec: &EncoderSpec, device: &Device) -> Self {
        let mut linear =
            |variant: &str, name: &str| Linear::take(values, &format!("head.{variant}.{name}"), device);
        let rate = spec.settings().dropout;
        match spec.settings().head {
            Head::Pooler => Self::Pooler(PoolerHead {
                pooler: linear("Pooler", "pooler"),
                output: linear("Pooler", "output"),
                dropout: rate,
            }),
            Head::Dense => Self::Dense(DenseHead {
                dense: linear("Dense", "dense"),
                output: linear("Dense", "output"),
                dropout: rate,
            }),
            Head::TwoHalf => Self::TwoHalf(TwoHalfHead {
                pooler: linear("TwoHalf", "pooler"),
                inner: linear("TwoHalf", "inner"),
                output: linear("TwoHalf", "output"),
                dropout: rate,
            }),
        }
    }

    /// First states `[rows, d_model]` to logits `[rows, classes]`; of two halves
    /// `[2 * rows, d_model]`, the halves of one input next to each other.
    pub(super) fn forward(&self, first: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Pooler(head) => head.forward(first),
            Self::Dense(head) => head.forward(first),
            Self::TwoHalf(head) => head.forward(first),
        }
    }
}

/// BERT's: tanh pooler, dropout, linear (models.md 1.4).
#[derive(Module, Debug)]
pub(super) struct PoolerHead {
    pooler: Linear,
    output: Linear,
    dropout: f64,
}

impl PoolerHead {
    fn forward(&self, first: Tensor<2>) -> Tensor<2> {
        let pooled = self.pooler.forward(first).tanh();
        self.output.forward(dropout(pooled, self.dropout))
    }
}

/// DeepGene's: dropout, dense, GELU, dropout, linear (models.md 6.1).
#[derive(Module, Debug)]
pub(super) struct DenseHead {
    dense: Linear,
    output: Linear,
    dropout: f64,
}

impl DenseHead {
    fn forward(&self, first: Tensor<2>) -> Tensor<2> {
        let inner = gelu(self.dense.forward(dropout(first, self.dropout)));
        self.output.forward(dropout(inner, self.dropout))
    }
}

/// DNABERT's for long inputs: the pooled vectors of both halves side by side, dropout,
/// linear, ReLU, dropout, linear (models.md 7.3).
#[derive(Module, Debug)]
pub(super) struct TwoHalfHead {
    pooler: Linear,
    inner: Linear,
    output: Linear,
    dropout: f64,
}

impl TwoHalfHead {
    fn forward(&self, first: Tensor<2>) -> Tensor<2> {
        let [halves, d_model] = first.dims();
        let pooled = self.pooler.forward(first).tanh().reshape([halves / 2, 2 * d_model]);
        let inner = relu(self.inner.forward(dropout(pooled, self.dropout)));
        self.output.forward(dropout(inner, self.dropout))
    }
}
