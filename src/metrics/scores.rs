//! The scores of one set of predictions, and their names.

use std::collections::BTreeMap;

use super::confusion::{Confusion, macro_average, weighted_average};
use super::{Example, probability, ranking};
use crate::record;

/// The scores of one set of predictions. `None` is "undefined".
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Examples that count.
    pub n: usize,
    /// The classes that occur in truth or prediction, ascending.
    pub labels: Vec<usize>,
    /// `[n_classes, n_classes]`; row = truth, column = prediction.
    pub confusion: Vec<Vec<u64>>,
    /// Scores of each class, `[n_classes]`.
    pub classes: Vec<ClassScores>,
    /// Share of right predictions.
    pub accuracy: Option<f64>,
    /// Mean recall over the classes that occur in truth.
    pub balanced_accuracy: Option<f64>,
    /// Matthews' correlation, multi-class R_K; 0 where its denominator is 0.
    pub mcc: Option<f64>,
    /// Means over the classes in `labels`.
    pub macro_average: Averages,
    /// From counts summed over classes: all three equal the accuracy.
    pub micro_average: Averages,
    /// Means over the classes in `labels`, weighted by their examples.
    pub weighted_average: Averages,
    /// What needs class probabilities, where there are any.
    pub probability: Option<ProbabilityScores>,
}

/// Precision, recall and F1 averaged over classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averages {
    /// Right among those predicted.
    pub precision: Option<f64>,
    /// Found among those there are.
    pub recall: Option<f64>,
    /// Mean of the classes' F1, not F1 of the means.
    pub f1: Option<f64>,
}

/// Scores of one class against the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassScores {
    /// Right among those predicted to be of the class; 0 where none is.
    pub precision: Option<f64>,
    /// Found among those of the class; 0 where there is none.
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: Option<f64>,
    /// Examples of the class.
    pub support: u64,
    /// Share of the examples predicted to be of the class.
    pub predicted_share: Option<f64>,
}

/// Scores that need class probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProbabilityScores {
    /// Area under the ROC curve; two classes only.
    pub auroc: Option<f64>,
    /// Mean area of each class against the rest; more than two classes only.
    pub auroc_ovr: Option<f64>,
    /// Mean area over pairs of classes; more than two classes only.
    pub auroc_ovo: Option<f64>,
    /// Average precision of class 1; two classes only.
    pub average_precision: Option<f64>,
    /// Mean negative log-probability of the true class, in nats.
    pub log_loss: Option<f64>,
    /// Brier score: 0..1 for two classes, 0..2 for more.
    pub brier: Option<f64>,
    /// Expected calibration error over ten bins.
    pub ece: Option<f64>,
}

impl Scores {
    pub(super) fn of(confusion: Confusion, probability: Option<ProbabilityScores>) -> Self {
        let classes: Vec<ClassScores> =
            (0..confusion.counts.len()).map(|class| confusion.class(class)).collect();
        let accuracy = confusion.accuracy();
        Self {
            n: confusion.n() as usize,
            labels: confusion.labels(),
            accuracy,
            balanced_accuracy: confusion.balanced_accuracy(),
            mcc: confusion.mcc(),
            macro_average: macro_average(&classes),
            // Each wrong prediction is one false positive and one false negative.
            micro_average: Averages { precision: accuracy, recall: accuracy, f1: accuracy },
            weighted_average: weighted_average(&classes),
            classes,
            confusion: confusion.counts,
            probability,
        }
    }

    /// Flat snake-case names, as in records and frames. A name is there where the score
    /// applies, with `None` where it is undefined: `auroc` for two classes, `auroc_ovr`
    /// for more. Micro averages are left out, since all of them equal `accuracy`.
    pub fn named(&self) -> record::Scores {
        let mut named = BTreeMap::new();
        let mut put = |name: String, value: Option<f64>| named.insert(name, value);
        put("accuracy".to_owned(), self.accuracy);
        put("balanced_accuracy".to_owned(), self.balanced_accuracy);
        put("mcc".to_owned(), self.mcc);
        for (average, scores) in [("macro", &self.macro_average), ("weighted", &self.weighted_average)] {
            put(format!("{average}_precision"), scores.precision);
            put(format!("{average}_recall"), scores.recall);
            put(format!("{average}_f1"), scores.f1);
        }
        for (class, scores) in self.classes.iter().enumerate() {
            put(format!("precision/{class}"), scores.precision);
            put(format!("recall/{class}"), scores.recall);
            put(format!("f1/{class}"), scores.f1);
            put(format!("predicted_share/{class}"), scores.predicted_share);
        }
        let probability = self.probability.iter().flat_map(|scores| scores.named(self.classes.len()));
        named.extend(probability.map(|(name, value)| (name.to_owned(), value)));
        named
    }
}

impl ProbabilityScores {
    pub(super) fn of(n_classes: usize, examples: &[Example]) -> Self {
        if !examples.iter().all(|example| example.scores.iter().all(|score| score.is_finite())) {
            return Self::default();
        }
        let binary = || examples.iter().map(|example| (example.scores[1], example.class == 1));
        let (two, more) = (n_classes == 2, n_classes > 2);
        Self {
            auroc: two.then(|| ranking::auroc(binary())).flatten(),
            auroc_ovr: more.then(|| ranking::auroc_ovr(n_classes, examples)).flatten(),
            auroc_ovo: more.then(|| ranking::auroc_ovo(n_classes, examples)).flatten(),
            average_precision: two.then(|| ranking::average_precision(binary())).flatten(),
            log_loss: probability::log_loss(examples),
            brier: probability::brier(n_classes, examples),
            ece: probability::ece(examples),
        }
    }

    fn named(&self, n_classes: usize) -> Vec<(&'static str, Option<f64>)> {
        let mut named = vec![("log_loss", self.log_loss), ("brier", self.brier), ("ece", self.ece)];
        if n_classes == 2 {
            named.extend([("auroc", self.auroc), ("average_precision", self.average_precision)]);
        } else {
            named.extend([("auroc_ovr", self.auroc_ovr), ("auroc_ovo", self.auroc_ovo)]);
        }
        named
    }
}
