//! Which positions become targets, and what becomes of each.

use std::ops::Range;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::settings::Masking;

/// What stands in a target's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// `[MASK]`.
    Mask,
    /// A random id.
    Random,
    /// The token itself.
    Keep,
}

/// Token and span masking (models.md 2.5): every maskable position is a centre with
/// probability share / span, centres are extended to spans, and each position of their
/// union draws its own replacement.
pub(super) fn independent(
    maskable: Range<usize>,
    masking: &Masking,
    rng: &mut impl Rng,
) -> Vec<(usize, Replacement)> {
    let span = masking.targets.span();
    let start = masking.share / f64::from(span);
    let centres: Vec<usize> = maskable.clone().filter(|_| rng.random::<f64>() < start).collect();
    let targets = extend(&centres, span, maskable).into_iter();
    targets.map(|position| (position, drawn(masking, rng))).collect()
}

/// The union of the spans of all centres, sorted. A span of N covers the offsets
/// `-(N-1)/2` to `N/2` of its centre (6: -2 to +3; models.md 2.5), as far as they are
/// maskable: the upper bound is the last maskable token of the row, not of its batch.
pub fn extend(centres: &[usize], span: u8, maskable: Range<usize>) -> Vec<usize> {
    let before = usize::from(span.saturating_sub(1) / 2);
    let after = usize::from(span / 2);
    let mut centres = centres.to_vec();
    centres.sort_unstable();
    let is_covered = |position: &usize| {
        let first = centres.partition_point(|&centre| centre.saturating_add(after) < *position);
        centres.get(first).is_some_and(|&centre| centre <= position.saturating_add(before))
    };
    maskable.filter(is_covered).collect()
}

fn drawn(masking: &Masking, rng: &mut impl Rng) -> Replacement {
    let draw = rng.random::<f64>();
    if draw < masking.mask {
        Replacement::Mask
    } else if draw < masking.mask + masking.random {
        Replacement::Random
    } else {
        Replacement::Keep
    }
}

/// The maskable positions in random order.
pub(super) fn permutation(maskable: Range<usize>, rng: &mut impl Rng) -> Vec<usize> {
    let mut positions: Vec<usize> = maskable.collect();
    positions.shuffle(rng);
    positions
}

/// DeepGene's masking of a row whose n maskable positions come in random order (models.md
/// 6.4): the first `floor(share n)` are targets, of which the first `floor(share mask n)`
/// become `[MASK]`, the next `floor(share random n)` a random id, and what rounding leaves
/// over stays. Sorted by position.
///
/// The reference truncates the float products 0.15 n, 0.12 n and 0.03 n. The doubles 0.15
/// x 0.8 and 0.15 x 0.2 are 0.12 and 0.03 to the last bit, so the products here are the
/// same; a test keeps watch over it.
pub fn exact(permutation: &[usize], masking: &Masking) -> Vec<(usize, Replacement)> {
    let n = permutation.len() as f64;
    let labelled = (masking.share * n) as usize;
    let masked = (masking.share * masking.mask * n) as usize;
    let random = (masking.share * masking.random * n) as usize;
    let replacement = |rank: usize| {
        if rank < masked {
            Replacement::Mask
        } else if rank < masked.saturating_add(random) {
            Replacement::Random
        } else {
            Replacement::Keep
        }
    };
    let ranked = permutation.iter().take(labelled).enumerate();
    let mut targets: Vec<_> = ranked.map(|(rank, &position)| (position, replacement(rank))).collect();
    targets.sort_unstable_by_key(|&(position, _)| position);
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Refresh, Targets};

    const DEEPGENE: Masking =
        Masking { targets: Targets::TokenExact, share: 0.15, mask: 0.8, random: 0.2, refresh: Refresh::Once };

    #[test]
    fn offsets_are_those_of_dnabert_and_genomenet_bert() {
        let expected = [(1, 20..=20), (3, 19..=21), (4, 19..=22), (5, 18..=22), (6, 18..=23), (8, 17..=24)];
        for (span, covered) in expected {
            assert_eq!(extend(&[20], span, 1..41), covered.collect::<Vec<_>>(), "span {span}");
        }
        assert_eq!(extend(&[1, 40], 6, 1..41), [1, 2, 3, 4, 38, 39, 40]);
        assert_eq!(extend(&[9, 3, 9], 1, 1..41), [3, 9]);
        assert_eq!(extend(&[0, 44], 1, 1..41), [0; 0]);
    }

    #[test]
    fn float_products_truncate_as_the_references_do() {
        for n in 0..20_000 {
            let positions: Vec<usize> = (0..n).collect();
            let targets = exact(&positions, &DEEPGENE);
            let count = |kind| targets.iter().filter(|&&(_, replacement)| replacement == kind).count();
            let n = n as f64;
            assert_eq!(targets.len(), (0.15 * n) as usize, "{n} tokens");
            assert_eq!(count(Replacement::Mask), (0.12 * n) as usize, "{n} tokens");
            assert_eq!(count(Replacement::Random), (0.03 * n) as usize, "{n} tokens");
        }
    }
}
