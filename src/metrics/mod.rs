//! Scores of predictions, from plain slices.
//!
//! Every definition, and what happens where it is undefined, is that of scikit-learn 1.9 as
//! written down beside the fixtures (fixtures/README.md, "metrics"): undefined is `None`,
//! never NaN and never a stand-in number. This module must never know tensors, files,
//! tasks, or which metric a table shows.

mod confusion;
mod probability;
mod ranking;
mod scores;

pub use scores::{Averages, ClassScores, ProbabilityScores, Scores};

use confusion::Confusion;

/// The label of an example that no score counts.
pub const IGNORED: i64 = -100;

/// Scores predictions against the truth.
///
/// `truth` `[n]` holds classes from 0 to `n_classes - 1`, or [`IGNORED`], in which case the
/// example is dropped before anything is counted. `predicted` `[n]` holds classes.
/// `scores` `[n, n_classes]` holds class probabilities, of which `predicted` is the
/// [`argmax`]; without it, or where one of them is not finite, nothing that needs
/// probabilities is defined.
///
/// # Panics
/// If lengths differ or a class is out of range: a caller's error, since classes come from
/// a task that has been read and checked, never from a file.
pub fn score(n_classes: usize, truth: &[i64], predicted: &[usize], scores: Option<&[Vec<f64>]>) -> Scores {
    assert_eq!(truth.len(), predicted.len(), "one prediction for each true class");
    let kept: Vec<(usize, usize)> = (0..truth.len())
        .filter(|&i| truth[i] != IGNORED)
        .map(|i| (i, usize::try_from(truth[i]).expect("a class, or IGNORED")))
        .collect();
    let pairs = kept.iter().map(|&(i, class)| (class, predicted[i]));
    let confusion = Confusion::count(n_classes, pairs);
    let probability = scores.map(|rows| {
        assert_eq!(truth.len(), rows.len(), "one row of scores for each true class");
        let examples: Vec<Example> =
            kept.iter().map(|&(i, class)| Example { class, scores: &rows[i] }).collect();
        assert!(examples.iter().all(|e| e.scores.len() == n_classes), "one score for each class");
        ProbabilityScores::of(n_classes, &examples)
    });
    Scores::of(confusion, probability)
}

/// The class with the largest score; ties go to the lowest class, NaN never wins. An empty
/// slice gives 0.
pub fn argmax(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] || (scores[best].is_nan() && !score.is_nan()) {
            best = class;
        }
    }
    best
}

/// One example that counts: its true class and its class probabilities `[n_classes]`.
#[derive(Clone, Copy)]
struct Example<'a> {
    class: usize,
    scores: &'a [f64],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argmax_prefers_the_lowest_class_and_any_number_to_nan() {
        assert_eq!(argmax(&[0.25, 0.5, 0.5]), 1);
        assert_eq!(argmax(&[f64::NAN, f64::NEG_INFINITY, f64::NAN]), 1);
        assert_eq!(argmax(&[-2.0, f64::NAN, -1.0]), 2);
        assert_eq!(argmax(&[f64::NAN, f64::NAN]), 0);
        assert_eq!(argmax(&[]), 0);
    }

    #[test]
    fn scores_that_are_not_finite_leave_only_what_counts_give() {
        let rows = vec![vec![0.9, 0.1], vec![f64::NAN, f64::NAN]];
        let scores = score(2, &[0, 1], &[0, 0], Some(&rows));
        assert_eq!(scores.accuracy, Some(0.5));
        assert_eq!(scores.probability, Some(ProbabilityScores::default()));
        assert_eq!(scores.named()["log_loss"], None);
    }

    #[test]
    fn names_tell_apart_what_is_undefined_and_what_does_not_apply() {
        let rows = vec![vec![0.9, 0.1], vec![0.8, 0.2]];
        let named = score(2, &[0, 0], &[0, 0], Some(&rows)).named();
        assert_eq!(named["auroc"], None, "undefined: class 1 is absent");
        assert!(!named.contains_key("auroc_ovr"), "for more than two classes only");
        assert_eq!(named["recall/1"], None, "undefined: class 1 is absent");
        assert_eq!(named["predicted_share/0"], Some(1.0));
        assert_eq!(named["predicted_share/1"], Some(0.0));
        assert_eq!(named["mcc"], Some(0.0));
        assert!(!score(2, &[0, 0], &[0, 0], None).named().contains_key("log_loss"));
    }
}
