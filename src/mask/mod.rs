//! Chooses the tokens that pre-training hides, and what stands in their place.
//!
//! Pure integers: ids in, ids and targets out. This module knows no tensors, no batches
//! and no global random source; the caller hands in a stream, and [`mask_stream`] derives
//! the one that makes masks depend on (repetition, sequence, epoch) alone.
//!
//! Main types: [`Masked`], [`Replacement`].

mod choice;

use std::ops::Range;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

pub use choice::{Replacement, exact, extend};

use crate::seed::{Purpose, stream};
use crate::settings::{Masking, Refresh, Targets};
use crate::token::Vocabulary;

/// A row with some of its tokens hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// The ids a model reads; as many as the row had.
    pub ids: Vec<u32>,
    /// (position in the row, id that stood there), by position. It may be empty: such a row
    /// has no part in the loss.
    pub targets: Vec<(usize, u32)>,
}

/// Hides tokens of `row` at positions in `maskable`.
///
/// Each target is replaced on its own (models.md 2.5): by `[MASK]` with probability
/// `masking.mask`, by a random id with probability `masking.random`, else not at all.
/// Random ids are uniform over the whole vocabulary, special ids included, as BERT,
/// DNABERT and DNABERT-2 draw them; for [`Targets::TokenExact`] the numbers of each kind
/// are fixed and random ids are ordinary ones, as in DeepGene (models.md 6.4).
///
/// # Panics
/// When `maskable` reaches beyond the row.
pub fn mask_row(
    row: &[u32],
    maskable: Range<usize>,
    masking: &Masking,
    vocabulary: Vocabulary,
    rng: &mut impl Rng,
) -> Masked {
    let (chosen, first_random) = match masking.targets {
        Targets::None => (Vec::new(), 0),
        Targets::Token | Targets::Span(_) => (choice::independent(maskable, masking, rng), 0),
        Targets::TokenExact => {
            (exact(&choice::permutation(maskable, rng), masking), vocabulary.first_ordinary)
        }
    };
    let mut ids = row.to_vec();
    let targets = chosen.iter().map(|&(position, _)| (position, row[position])).collect();
    for (position, replacement) in chosen {
        match replacement {
            Replacement::Mask => ids[position] = vocabulary.specials.mask,
            Replacement::Random => ids[position] = rng.random_range(first_random..vocabulary.size),
            Replacement::Keep => {}
        }
    }
    Masked { ids, targets }
}

/// The random stream of one sequence's masks. `sequence` names it within its corpus;
/// `epoch` tells apart the times it is met, and plays no part where masks are drawn once.
pub fn mask_stream(repetition: u64, sequence: &str, epoch: u64, refresh: Refresh) -> ChaCha8Rng {
    match refresh {
        Refresh::Always => stream(repetition, Purpose::Masks, &[sequence, &epoch.to_string()]),
        Refresh::Once => stream(repetition, Purpose::Masks, &[sequence]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_repetition_sequence_and_epoch() {
        let first = |repetition, sequence, epoch, refresh| {
            mask_stream(repetition, sequence, epoch, refresh).next_u64()
        };
        let base = first(1, "chr1:0", 0, Refresh::Always);
        assert_eq!(base, first(1, "chr1:0", 0, Refresh::Always));
        assert_ne!(base, first(2, "chr1:0", 0, Refresh::Always));
        assert_ne!(base, first(1, "chr1:1", 0, Refresh::Always));
        assert_ne!(base, first(1, "chr1:0", 1, Refresh::Always));
        let once = first(1, "chr1:0", 0, Refresh::Once);
        assert_eq!(once, first(1, "chr1:0", 7, Refresh::Once));
        assert_ne!(once, first(2, "chr1:0", 0, Refresh::Once));
    }
}
