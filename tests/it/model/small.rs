//! Small encoders of every kind, for tests of what must hold of all of them.

use bench::model::{EncoderSpec, HostTensors, Parameterised, load_tensors, to_tensors};
use bench::settings::{Encoder, FeedForward, Head, Layout, Norm, Position};

pub(super) const VOCABULARY: usize = 30;

/// Settings of a small encoder without dropout.
pub(crate) fn settings(position: Position, feed_forward: FeedForward, norm: Norm) -> Encoder {
    Encoder {
        d_model: 12,
        n_layers: 2,
        n_heads: 3,
        d_ff: 20,
        position,
        max_tokens: 16,
        feed_forward,
        norm,
        norm_epsilon: 1e-12,
        token_types: 2,
        layout: Layout::ClsXSep,
        head: Head::Pooler,
        dropout: 0.0,
        attention_dropout: 0.0,
        weight_std: 0.02,
        embedding_std: 0.02,
    }
}

pub(super) fn spec(settings: Encoder) -> EncoderSpec {
    EncoderSpec::new(settings, VOCABULARY, Some(0)).expect("settings of a model")
}

/// Every combination of the encoder's settings.
pub(super) fn every_encoder() -> Vec<Encoder> {
    let mut all = Vec::new();
    for position in [Position::Learned, Position::Alibi, Position::Rope] {
        for feed_forward in [FeedForward::Gelu, FeedForward::Geglu] {
            for norm in [Norm::Post, Norm::Pre] {
                all.push(settings(position, feed_forward, norm));
            }
        }
    }
    all
}

/// The model with weights large enough that every part of it matters: initial ones leave
/// attention almost uniform, and biases without effect.
pub(super) fn with_strong_weights<M: Parameterised>(model: &M) -> M {
    let mut tensors: HostTensors = to_tensors(model);
    for (index, tensor) in tensors.values_mut().enumerate() {
        let scale = if tensor.shape.len() > 1 { 5.0 } else { 1.0 };
        for (place, value) in tensor.data.iter_mut().enumerate() {
            *value = *value * scale + 0.1 * ((place * 7 + index * 3) as f32).sin();
        }
    }
    load_tensors(model, &tensors).expect("its own tensors").0
}

/// Rows of ids of different lengths, the first special.
pub(super) fn rows(lengths: &[usize]) -> Vec<Vec<u32>> {
    let row = |(row, length): (usize, &usize)| {
        (0..*length)
            .map(|place| if place == 0 { 2 } else { (5 + (row * 11 + place * 7) % 25) as u32 })
            .collect()
    };
    lengths.iter().enumerate().map(row).collect()
}
