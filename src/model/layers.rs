//! The small parts that all blocks and heads share: linear maps, LayerNorm, dropout.
//!
//! Activations are 2-D, `[rows, width]`: burn's backward of a linear map on 3-D input
//! builds one weight gradient per row of the batch (burn.md 5.1).

use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor, TensorData, module::layer_norm};

use super::HostTensors;
use super::arithmetic::row_means;

/// Takes the parameter at `path` out of `values` and puts it on `device`.
///
/// # Panics
/// Where the inventory and the modules disagree.
pub(super) fn parameter<const D: usize>(
    values: &mut HostTensors,
    path: &str,
    device: &Device,
) -> Param<Tensor<D>> {
    let value = values.remove(path).expect("the inventory lists every parameter of every module");
    Param::from_data(TensorData::new(value.data, value.shape), device)
}

/// `x W + b`.
#[derive(Module, Debug)]
pub(super) struct Linear {
    /// `[in, out]`.
    weight: Param<Tensor<2>>,
    /// `[out]`.
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// Takes `PATH.weight`, and `PATH.bias` where there is one.
    pub(super) fn take(values: &mut HostTensors, path: &str, device: &Device) -> Self {
        let bias = format!("{path}.bias");
        Self {
            weight: parameter(values, &format!("{path}.weight"), device),
            bias: values.contains_key(&bias).then(|| parameter(values, &bias, device)),
        }
    }

    /// `[rows, in]` to `[rows, out]`.
    pub(super) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let output = input.matmul(self.weight.val());
        match &self.bias {
            Some(bias) => output + bias.val().unsqueeze(),
            None => output,
        }
    }
}

/// Normalises each row to mean 0 and (biased) variance 1, then scales and shifts
/// (models.md 1.1).
#[derive(Module, Debug)]
pub(super) struct LayerNorm {
    /// `[width]`.
    weight: Param<Tensor<1>>,
    /// `[width]`.
    bias: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm {
    /// Takes `PATH.weight` and `PATH.bias`.
    pub(super) fn take(values: &mut HostTensors, path: &str, epsilon: f64, device: &Device) -> Self {
        Self {
            weight: parameter(values, &format!("{path}.weight"), device),
            bias: parameter(values, &format!("{path}.bias"), device),
            epsilon,
        }
    }

    /// `[rows, width]` to the same shape.
    pub(super) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        if !input.is_autodiff() {
            return layer_norm(input, weight, Some(bias), self.epsilon);
        }
        // burn's own form differentiates a division and a square, at twice the passes.
        let centred = input.clone() - row_means(input);
        let fixed = centred.clone().detach();
        let half = row_means(centred.clone() * fixed);
        // `half` has the value of the variance and half its gradient.
        let variance = half.clone() * 2.0 - half.detach();
        let scale = (variance + self.epsilon).sqrt().recip();
        centred * scale * weight.unsqueeze() + bias.unsqueeze()
    }
}

/// Sets each value to 0 with probability `rate` and scales the others by `1 / (1 - rate)`,
/// in training only: on tensors that autodiff follows.
pub(super) fn dropout<const D: usize>(input: Tensor<D>, rate: f64) -> Tensor<D> {
    if rate == 0.0 || !input.is_autodiff() {
        return input;
    }
    let keep = 1.0 - rate;
    let shape = input.shape();
    // A plain tensor: a constant to autodiff, already scaled, so that backward is one pass.
    let mask = Tensor::<D>::random(shape, Distribution::Bernoulli(keep), &input.device().without_autodiff());
    input * mask.mul_scalar(1.0 / keep)
}
