//! Forms of common arithmetic whose gradient costs few passes over memory.
//!
//! Each has the value of the plain formula. burn's backward of a reduction writes three
//! full tensors; as a product with a constant vector it writes one. On other devices than
//! the CPU matrix products may round to TF32, so there the plain form is used.

use burn::tensor::activation;
use burn::tensor::{Device, Tensor, TensorData};

use super::kernels;

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
        return softmax(scores).matmul(values);
    }
    // The division by the sum of a row comes after the product, where there is less to
    // divide, and the gradient has no term of the size of the scores for it.
    let weights = exponentials(scores);
    let sums = sum_last(weights.clone());
    drop(weights).matmul(values) / sums
}

/// Softmax over the last axis, without a gradient.
pub fn softmax<const D: usize>(scores: Tensor<D>) -> Tensor<D> {
    let scores = scores.without_autodiff();
    if is_host(&scores.device()) {
        let width = scores.dims()[D - 1];
        in_place(scores, |values| kernels::softmax(values, width))
    } else {
        activation::softmax(scores, D - 1)
    }
}

/// `exp(x - max)` over the last axis; the maximum is a constant to autodiff.
fn exponentials(scores: Tensor<4>) -> Tensor<4> {
    let fixed = scores.clone().detach();
    if !is_host(&scores.device()) {
        return (scores - fixed.max_dim(3)).exp();
    }
    let [.., keys] = scores.dims();
    let weights = in_place(fixed.clone().inner(), |values| kernels::exponentials(values, keys));
    // The first term is 0, and has the gradient; the derivative of exp is exp. Autodiff's
    // own exp computes it a second time.
    (scores - fixed) * weights.clone() + weights
}

/// Sum over the last axis, which stays with length 1.
fn sum_last(input: Tensor<4>) -> Tensor<4> {
    let device = input.device().without_autodiff();
    let [.., keys] = input.dims();
    if is_host(&device) { input.matmul(Tensor::ones([1, 1, keys, 1], &device)) } else { input.sum_dim(3) }
}

/// GELU in its exact form, by the error function (models.md 1.2).
pub(super) fn gelu(input: Tensor<2>) -> Tensor<2> {
    if !is_host(&input.device()) {
        return activation::gelu(input);
    }
    if !input.is_autodiff() {
        return in_place(input, kernels::gelu);
    }
    // The tangent has the value and the gradient of the curve.
    let shape = input.dims();
    let mut intercepts = Vec::new();
    let slopes = in_place(input.clone().inner(), |values| intercepts = kernels::gelu_tangents(values));
    let intercepts = Tensor::from_data(TensorData::new(intercepts, shape), &slopes.device());
    input * slopes + intercepts
}

/// Changes a tensor on the CPU, without a copy where nothing else holds it.
fn in_place<const D: usize>(input: Tensor<D>, change: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let device = input.device();
    let mut data = input.into_data();
    change(data.as_mut_slice().expect("parameters are created as f32"));
    Tensor::from_data(data, &device)
}
