//! The confusion matrix and everything that follows from counts alone.

use super::scores::{Averages, ClassScores};

/// Counts of (true class, predicted class).
pub(super) struct Confusion {
    /// `[n_classes, n_classes]`; row = truth, column = prediction.
    pub(super) counts: Vec<Vec<u64>>,
}

impl Confusion {
    pub(super) fn count(n_classes: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![vec![0; n_classes]; n_classes];
        for (truth, predicted) in pairs {
            counts[truth][predicted] += 1;
        }
        Self { counts }
    }

    /// Examples in all.
    pub(super) fn n(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Examples whose prediction is right.
    pub(super) fn right(&self) -> u64 {
        (0..self.counts.len()).map(|class| self.counts[class][class]).sum()
    }

    /// Examples of a class.
    pub(super) fn support(&self, class: usize) -> u64 {
        self.counts[class].iter().sum()
    }

    /// Examples predicted to be of a class.
    pub(super) fn predicted(&self, class: usize) -> u64 {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// The classes that occur in truth or prediction, ascending.
    pub(super) fn labels(&self) -> Vec<usize> {
        (0..self.counts.len()).filter(|&class| self.support(class) + self.predicted(class) > 0).collect()
    }

    /// Matthews' correlation in its multi-class form R_K (Gorodkin 2004),
    /// `(n tr C - r.c) / sqrt((n^2 - r.r)(n^2 - c.c))`; 0 where the root is 0.
    pub(super) fn mcc(&self) -> Option<f64> {
        let n = i128::from(self.n());
        if n == 0 {
            return None;
        }
        let classes = 0..self.counts.len();
        let dot = |a: fn(&Self, usize) -> u64, b: fn(&Self, usize) -> u64| -> i128 {
            classes.clone().map(|class| i128::from(a(self, class)) * i128::from(b(self, class))).sum()
        };
        // Whole numbers up to here: nothing is lost however large the counts are.
        let covariance = n * i128::from(self.right()) - dot(Self::support, Self::predicted);
        let of_truth = n * n - dot(Self::support, Self::support);
        let of_prediction = n * n - dot(Self::predicted, Self::predicted);
        let root = (of_truth as f64 * of_prediction as f64).sqrt();
        Some(if root == 0.0 { 0.0 } else { covariance as f64 / root })
    }

    /// Scores of one class; precision, recall and F1 are `None` for a class that occurs
    /// neither in truth nor in prediction, and 0 where they would be 0/0 otherwise.
    pub(super) fn class(&self, class: usize) -> ClassScores {
        let (right, support, predicted) =
            (self.counts[class][class], self.support(class), self.predicted(class));
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let occurs = support + predicted > 0;
        ClassScores {
            precision: occurs.then(|| share(right, predicted)),
            recall: occurs.then(|| share(right, support)),
            f1: occurs.then(|| share(2 * right, support + predicted)),
            support,
            predicted_share: (self.n() > 0).then(|| share(predicted, self.n())),
        }
    }

    /// Share of right predictions.
    pub(super) fn accuracy(&self) -> Option<f64> {
        (self.n() > 0).then(|| self.right() as f64 / self.n() as f64)
    }

    /// Mean recall over the classes that occur in truth.
    pub(super) fn balanced_accuracy(&self) -> Option<f64> {
        let in_truth = (0..self.counts.len()).filter(|&class| self.support(class) > 0);
        mean(in_truth.filter_map(|class| self.class(class).recall))
    }
}

/// Averages over classes: each class that occurs counts once.
pub(super) fn macro_average(classes: &[ClassScores]) -> Averages {
    average(classes, |_| 1.0)
}

/// Averages over classes: each class counts by its number of examples.
pub(super) fn weighted_average(classes: &[ClassScores]) -> Averages {
    average(classes, |class| class.support as f64)
}

fn average(classes: &[ClassScores], weight: impl Fn(&ClassScores) -> f64) -> Averages {
    let total: f64 = classes.iter().filter(|class| class.recall.is_some()).map(&weight).sum();
    let over = |value: fn(&ClassScores) -> Option<f64>| {
        let sum: f64 = classes.iter().filter_map(|class| Some(value(class)? * weight(class))).sum();
        (total > 0.0).then(|| sum / total)
    };
    Averages {
        precision: over(|class| class.precision),
        recall: over(|class| class.recall),
        f1: over(|class| class.f1),
    }
}

/// The mean; `None` of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_usize), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}
