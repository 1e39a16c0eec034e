//! Forms of common arithmetic whose gradient costs few passes over memory.
//!
//! Each has the value of the plain formula. burn's backward of a reduction writes three
//! full tensors; as a product with a constant vector it writes one. On other devices than
//! the CPU matrix products may round to TF32, so there the plain form is used.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

/// Whether `device` is the CPU.
fn is_host(device: &Device) -> bool {
    *device == Device::flex()
}

/// Mean of each row: `[rows, width]` to `[rows, 1]`.
pub(super) fn row_means(input: Tensor<2>) -> Tensor<2> {
    let device = input.device().without_autodiff();
    let [_, width] = input.dims();
    if input.is_autodiff() && is_host(&device) {
        input.matmul(Tensor::full([width, 1], 1.0 / width as f64, &device))
    } else {
        input.mean_dim(1)
    }
}

/// `softmax(scores) values`, with `drop` applied to the weights: `[.., queries, keys]` and
/// `[.., keys, d_head]` to `[.., queries, d_head]`.
pub(super) fn attend(
    scores: Tensor<4>,
    values: Tensor<4>,
    drop: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> Tensor<4> {
    if !scores.is_autodiff() {
        return softmax(scores, 3).matmul(values);
    }
    // The division by the sum of a row comes after the product, where there is less to
    // divide, and the gradient has no term of the size of the scores for it.
    let largest = scores.clone().detach().max_dim(3);
    let weights = (scores - largest).exp();
    let sums = sum_last(weights.clone());
    drop(weights).matmul(values) / sums
}

/// Sum over the last axis, which stays with length 1.
fn sum_last(input: Tensor<4>) -> Tensor<4> {
    let device = input.device().without_autodiff();
    let [.., keys] = input.dims();
    if is_host(&device) { input.matmul(Tensor::ones([1, 1, keys, 1], &device)) } else { input.sum_dim(3) }
}

/// GELU in its exact form, by the error function (models.md 1.2).
pub(super) fn gelu(input: Tensor<2>) -> Tensor<2> {
    burn::tensor::activation::gelu(input)
}
