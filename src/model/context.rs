//! What attention needs to know of a batch, built once and shared by all blocks: one
//! additive bias on scores, and the rotations of rotary encoders. Constants to autodiff.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{EncoderSpec, Readout, TokenBatch};
use crate::settings::Position;

/// Added to the scores of masked keys (models.md 1.3).
const MASKED: f32 = -10_000.0;

/// Base of the rotary frequencies (models.md 1.8).
const ROTARY_BASE: f64 = 10_000.0;

/// What all blocks share.
pub(super) struct Context {
    /// Rows of the batch.
    pub(super) rows: usize,
    /// Tokens per row.
    tokens: usize,
    /// Added to scores, `[rows or 1, heads or 1, tokens or 1, tokens]`.
    bias: Option<Tensor<4>>,
    /// Of rotary encoders.
    rotation: Option<Rotation>,
}

impl Context {
    /// The context of `batch` on `device`, which has no autodiff.
    pub(super) fn new(batch: &TokenBatch, spec: &EncoderSpec, device: &Device) -> Self {
        let mask = (batch.is_padded() && !batch.attend_pads).then(|| padding_bias(batch, device));
        let (alibi, rotation) = match spec.settings().position {
            Position::Learned => (None, None),
            Position::Alibi => (Some(alibi_bias(spec.settings().n_heads, batch.tokens(), device)), None),
            Position::Rope => (None, Some(Rotation::new(batch, spec.d_head(), device))),
        };
        let bias = match (mask, alibi) {
            (Some(mask), Some(alibi)) => Some(mask + alibi),
            (mask, alibi) => mask.or(alibi),
        };
        Self { rows: batch.rows(), tokens: batch.tokens(), bias, rotation }
    }

    /// The bias on the scores of the queries that `readout` needs.
    pub(super) fn bias_for(&self, readout: &Readout) -> Option<Tensor<4>> {
        let bias = self.bias.clone()?;
        match readout {
            Readout::First if bias.dims()[2] > 1 => Some(bias.narrow(2, 0, 1)),
            Readout::First | Readout::Every | Readout::Picked(_) => Some(bias),
        }
    }

    /// The places of `readout` out of `[rows * tokens, d_model]`.
    pub(super) fn pick(&self, hidden: Tensor<2>, readout: &Readout) -> Tensor<2> {
        let places: Vec<i32> = match readout {
            Readout::Every => return hidden,
            Readout::First => (0..self.rows).map(|row| (row * self.tokens) as i32).collect(),
            Readout::Picked(places) => places.iter().map(|place| *place as i32).collect(),
        };
        let count = places.len();
        let device = hidden.device().without_autodiff();
        hidden.select(0, Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &device))
    }

    /// Rotates queries or keys `[rows, tokens or 1, heads, d_head]` where the encoder does;
    /// a single token stands first.
    pub(super) fn rotated(&self, heads: Tensor<4>) -> Tensor<4> {
        match &self.rotation {
            Some(rotation) => rotation.apply(heads),
            None => heads,
        }
    }
}

/// `[rows, 1, 1, tokens]`: 0 on tokens, [`MASKED`] on padding.
fn padding_bias(batch: &TokenBatch, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = batch.padding().into_iter().map(|pad| if pad { MASKED } else { 0.0 }).collect();
    Tensor::from_data(TensorData::new(values, [batch.rows(), 1, 1, batch.tokens()]), device)
}

/// `[1, heads, tokens, tokens]`: `-slope * |i - j|` (models.md 1.7).
fn alibi_bias(n_heads: usize, tokens: usize, device: &Device) -> Tensor<4> {
    let distances = (0..tokens).flat_map(|i| (0..tokens).map(move |j| i.abs_diff(j) as f32));
    let distances = TensorData::new(distances.collect::<Vec<_>>(), [1, 1, tokens, tokens]);
    let slopes = alibi_slopes(n_heads).into_iter().map(|slope| -slope as f32);
    let slopes = TensorData::new(slopes.collect::<Vec<_>>(), [1, n_heads, 1, 1]);
    Tensor::from_data(distances, device) * Tensor::from_data(slopes, device)
}

/// One slope per head (models.md 1.7): a geometric sequence where their number is a power
/// of two; otherwise that of the power below, and then every second one of the power above.
fn alibi_slopes(n_heads: usize) -> Vec<f64> {
    let geometric = |n: usize| (1..=n).map(move |i| (-8.0 * i as f64 / n as f64).exp2());
    if n_heads.is_power_of_two() {
        return geometric(n_heads).collect();
    }
    let above = n_heads.next_power_of_two();
    geometric(above / 2).chain(geometric(above).step_by(2)).take(n_heads).collect()
}

/// Rotates queries and keys, pairs `(2j, 2j + 1)` by `position * 10000^(-2j / d_head)`
/// (models.md 1.8).
struct Rotation {
    /// `[rows or 1, tokens, 1, d_head]`, each value twice.
    cosines: Tensor<4>,
    /// Likewise.
    sines: Tensor<4>,
    /// `[d_head, d_head]`: `(x, y)` to `(-y, x)` in each pair. As a product, because slices
    /// have a costly gradient (burn.md 5.2).
    quarter_turn: Tensor<2>,
}

impl Rotation {
    fn new(batch: &TokenBatch, d_head: usize, device: &Device) -> Self {
        let ramp = || (0..batch.tokens() as u32).collect();
        let positions: Vec<u32> = batch.positions.clone().unwrap_or_else(ramp);
        let shape = [positions.len() / batch.tokens(), batch.tokens(), 1, d_head];
        let angles: Vec<f64> = positions.iter().flat_map(|position| angles(*position, d_head)).collect();
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f32> = angles.iter().map(|angle| function(*angle) as f32).collect();
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        let mut turn = vec![0.0_f32; d_head * d_head];
        for even in (0..d_head).step_by(2) {
            turn[even * d_head + even + 1] = 1.0;
            turn[(even + 1) * d_head + even] = -1.0;
        }
        let quarter_turn = Tensor::from_data(TensorData::new(turn, [d_head, d_head]), device);
        Self { cosines: table(f64::cos), sines: table(f64::sin), quarter_turn }
    }

    fn apply(&self, input: Tensor<4>) -> Tensor<4> {
        let [rows, tokens, heads, d_head] = input.dims();
        let turned = input.clone().reshape([rows * tokens * heads, d_head]).matmul(self.quarter_turn.clone());
        let turned = turned.reshape([rows, tokens, heads, d_head]);
        let first = |table: &Tensor<4>| table.clone().narrow(1, 0, tokens);
        input * first(&self.cosines) + turned * first(&self.sines)
    }
}

/// The angle of each of the `d_head` dimensions.
fn angles(position: u32, d_head: usize) -> impl Iterator<Item = f64> {
    (0..d_head).map(move |dimension| {
        let exponent = (dimension / 2 * 2) as f64 / d_head as f64;
        f64::from(position) * ROTARY_BASE.powf(-exponent)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_twelve_and_sixteen_heads_are_the_published_ones() {
        // models.md 1.7.
        let twelve = [
            0.5,
            0.25,
            0.125,
            0.0625,
            0.03125,
            0.015_625,
            0.007_812_5,
            0.003_906_25,
            std::f64::consts::FRAC_1_SQRT_2,
            0.353_553_39,
            0.176_776_7,
            0.088_388_35,
        ];
        let close =
            |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-7);
        assert!(close(&alibi_slopes(12), &twelve), "{:?}", alibi_slopes(12));
        let sixteen: Vec<f64> = (1..=16).map(|i| 0.5_f64.powf(f64::from(i) / 2.0)).collect();
        assert!(close(&alibi_slopes(16), &sixteen), "{:?}", alibi_slopes(16));
        assert!(close(&alibi_slopes(1), &[1.0 / 256.0]));
    }
}
