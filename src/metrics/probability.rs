//! Scores that depend on the values of class probabilities.

use super::confusion::mean;
use super::{Example, argmax};

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// Mean of `-ln q`, in nats; q is the probability of the true class, clipped to
/// `[2^-52, 1 - 2^-52]`.
pub(super) fn log_loss(examples: &[Example]) -> Option<f64> {
    mean(examples.iter().map(|e| -e.scores[e.class].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()))
}

/// Brier score. Two classes: mean squared error of class 1's probability, in 0..1. More:
/// squared errors summed over classes, then the mean over examples, in 0..2.
pub(super) fn brier(n_classes: usize, examples: &[Example]) -> Option<f64> {
    let error = |e: &Example, class: usize| {
        let truth = if e.class == class { 1.0 } else { 0.0 };
        (e.scores[class] - truth).powi(2)
    };
    // Both classes of two have the same error; only one is counted.
    let counted = if n_classes == 2 { 1..2 } else { 0..n_classes };
    mean(examples.iter().map(|e| counted.clone().map(|class| error(e, class)).sum()))
}

/// Expected calibration error over ten bins closed on the right (Guo et al. 2017): the mean
/// over examples of how far the share of right predictions in a bin is from its mean
/// confidence.
pub(super) fn ece(examples: &[Example]) -> Option<f64> {
    if examples.is_empty() {
        return None;
    }
    let mut gaps = [0.0; BINS];
    for example in examples {
        let class = argmax(example.scores);
        let confidence = example.scores[class];
        let right = if class == example.class { 1.0 } else { 0.0 };
        gaps[bin(confidence)] += right - confidence;
    }
    Some(gaps.iter().map(|gap| gap.abs()).sum::<f64>() / examples.len() as f64)
}

/// The first bin whose upper edge is not below the confidence.
fn bin(confidence: f64) -> usize {
    (0..BINS).find(|&b| confidence <= (b + 1) as f64 / BINS as f64).unwrap_or(BINS - 1)
}
