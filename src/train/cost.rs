//! What training costs, counted and not measured.

use crate::model::{EncoderSpec, Part, parameter_count};

/// Floating-point operations of training on `tokens` tokens in `rows` rows: 6 for each
/// parameter of the blocks and token (Kaplan et al. 2020, appendix B: 2 forward, 4
/// backward), and the scores and sums of attention, `12 * layers * width * length` for each
/// token, at the mean length.
pub(super) fn flops(spec: &EncoderSpec, tokens: u64, rows: usize) -> f64 {
    let encoder = spec.settings();
    let length = tokens as f64 / rows.max(1) as f64;
    let blocks = 6.0 * parameter_count(spec, Part::Layers) as f64;
    let attention = 12.0 * encoder.n_layers as f64 * encoder.d_model as f64 * length;
    (blocks + attention) * tokens as f64
}
