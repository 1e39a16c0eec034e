//! Scores that depend on the order of class probabilities only.

use super::Example;
use super::confusion::mean;

/// Area under the ROC curve, binary: the share of (positive, negative) pairs in which the
/// positive has the higher score, equal scores counting one half. `None` where one side is
/// empty. Items are (score, is positive).
pub(super) fn auroc(items: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let (mut positives, mut negatives, mut doubled_wins) = (0_u64, 0_u64, 0_u64);
    // From the lowest score up, so that `negatives` counts those that lie below.
    for (tied_positives, tied_negatives) in tied_groups(items).into_iter().rev() {
        doubled_wins += tied_positives * (2 * negatives + tied_negatives);
        positives += tied_positives;
        negatives += tied_negatives;
    }
    let pairs = positives * negatives;
    (pairs > 0).then(|| doubled_wins as f64 / (2.0 * pairs as f64))
}

/// Average precision, binary: the sum over distinct thresholds, descending, of
/// (R_i - R_(i-1)) P_i, without interpolation. `None` without a positive.
pub(super) fn average_precision(items: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let groups = tied_groups(items);
    let positives: u64 = groups.iter().map(|group| group.0).sum();
    let (mut found, mut taken, mut sum) = (0, 0, 0.0);
    for (tied_positives, tied_negatives) in groups {
        found += tied_positives;
        taken += tied_positives + tied_negatives;
        sum += tied_positives as f64 * (found as f64 / taken as f64);
    }
    (positives > 0).then(|| sum / positives as f64)
}

/// Mean over all classes of the area of class against rest; `None` where one is undefined.
pub(super) fn auroc_ovr(n_classes: usize, examples: &[Example]) -> Option<f64> {
    let areas: Option<Vec<f64>> = (0..n_classes)
        .map(|class| auroc(examples.iter().map(|e| (e.scores[class], e.class == class))))
        .collect();
    mean(areas?.into_iter())
}

/// Mean over the pairs of classes that occur in truth of the two areas of one against the
/// other, each on the examples of these two classes; `None` without a pair.
pub(super) fn auroc_ovo(n_classes: usize, examples: &[Example]) -> Option<f64> {
    let one_way = |class: usize, other: usize| {
        let of_pair = examples.iter().filter(|e| e.class == class || e.class == other);
        auroc(of_pair.map(|e| (e.scores[class], e.class == class)))
    };
    let pairs = (0..n_classes).flat_map(|a| (a + 1..n_classes).map(move |b| (a, b)));
    mean(pairs.filter_map(|(a, b)| Some(f64::midpoint(one_way(a, b)?, one_way(b, a)?))))
}

/// (positives, negatives) of each distinct score, scores descending.
fn tied_groups(items: impl Iterator<Item = (f64, bool)>) -> Vec<(u64, u64)> {
    let mut items: Vec<(f64, bool)> = items.collect();
    items.sort_by(|a, b| b.0.total_cmp(&a.0));
    items
        // Scores descend, so what is not above its successor is equal to it (-0 to 0 too).
        .chunk_by(|a, b| a.0 <= b.0)
        .map(|group| {
            let positives = group.iter().filter(|item| item.1).count() as u64;
            (positives, group.len() as u64 - positives)
        })
        .collect()
}
