//! Cross-entropy, and its gradient handed to autodiff ready-made.
//!
//! The gradient by the logits is `(softmax - one-hot) / total`. Letting autodiff find that
//! out costs ten passes over logits that are as wide as the vocabulary.

use burn::tensor::{Gradients, IndexingUpdateOp, Int, Tensor, TensorData};

use super::arithmetic::softmax;

/// A share of a batch's loss.
#[derive(Debug)]
pub struct Objective {
    /// The sum of this share's cross-entropies divided by the number of targets in the
    /// whole batch, in nats; `[1]`, on the device, without autodiff.
    pub loss: Tensor<1>,
    /// Its gradient is that of the loss; its value means nothing.
    root: Tensor<1>,
}

impl Objective {
    /// The gradients of the loss. Uses up the graph behind it.
    pub fn backward(&self) -> Gradients {
        self.root.backward()
    }

    /// From logits `[rows, classes]`.
    pub(super) fn of_logits(logits: Tensor<2>, targets: Vec<i32>, total: usize) -> Self {
        let (loss, slope) = loss_and_slope(logits.clone().inner(), targets, total);
        Self { loss, root: (logits * Tensor::from_inner(slope)).sum() }
    }

    /// From states `[rows, d_model]` through a decoder of weight `[vocabulary, d_model]` and
    /// bias `[vocabulary]`, whose logits are then no part of the graph.
    pub(super) fn of_decoder(
        states: Tensor<2>,
        weight: Tensor<2>,
        bias: Tensor<1>,
        targets: Vec<i32>,
        total: usize,
    ) -> Self {
        let (fixed_states, fixed_weight) = (states.clone().inner(), weight.clone().inner());
        let logits = fixed_states.clone().matmul(fixed_weight.clone().transpose());
        let (loss, slope) = loss_and_slope(logits + bias.clone().inner().unsqueeze(), targets, total);
        let by_states = slope.clone().matmul(fixed_weight);
        let by_weight = slope.clone().transpose().matmul(fixed_states);
        let by_bias = slope.sum_dim(0).squeeze_dim(0);
        let root = (states * Tensor::from_inner(by_states)).sum()
            + (weight * Tensor::from_inner(by_weight)).sum()
            + (bias * Tensor::from_inner(by_bias)).sum();
        Self { loss, root }
    }
}

/// The sum of the cross-entropies of logits `[rows, classes]` divided by `total`, `[1]`, and
/// its gradient by the logits.
fn loss_and_slope(logits: Tensor<2>, targets: Vec<i32>, total: usize) -> (Tensor<1>, Tensor<2>) {
    let device = logits.device();
    let [rows, _] = logits.dims();
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [rows, 1]), &device);
    let of_targets = logits.clone().gather(1, targets.clone());
    let largest = logits.clone().max_dim(1);
    let probabilities = softmax(logits);
    // ln(sum exp z) = max z - ln(max p), without a second pass of exponentials.
    let normaliser = largest - probabilities.clone().max_dim(1).log();
    let loss = (normaliser - of_targets).sum() / total as f64;
    let hit = Tensor::full([rows, 1], -1.0, &device);
    let slope = probabilities.scatter(1, targets, hit, IndexingUpdateOp::Add) / total as f64;
    (loss, slope)
}
