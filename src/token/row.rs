//! Token ids to the rows a model reads: special tokens, truncation, halves.

use std::ops::Range;

use super::{Specials, TokenError};
use crate::settings::Layout;

/// Tokens in the first of two halves: 512 positions less `[CLS]` and `[SEP]`.
pub const HALF_TOKENS: usize = 510;
/// The most tokens in two halves. With one more, DNABERT's rule makes a third piece of
/// them (models.md 2.3 and 14.3).
pub const TWO_HALVES_TOKENS: usize = 2 * HALF_TOKENS - 1;

/// A sequence as a model reads it, before padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Ids with special tokens.
    pub ids: Vec<u32>,
    /// The positions in `ids` that are no special tokens: those that masking may choose.
    pub maskable: Range<usize>,
    /// Whether tokens were cut off at the right.
    pub truncated: bool,
}

/// Puts special tokens around `ids`, and cuts the right end so that no more than
/// `max_tokens` are left. Both special tokens always stay (models.md 3.3), so a row has at
/// least two.
pub fn assemble(layout: Layout, specials: Specials, ids: &[u32], max_tokens: usize) -> Row {
    let room = max_tokens.saturating_sub(2);
    let kept = &ids[..ids.len().min(room)];
    let (cls, sep) = ([specials.cls], [specials.sep]);
    let (ids_with_specials, start) = match layout {
        Layout::ClsXSep => ([&cls, kept, &sep].concat(), 1),
        Layout::ClsSepX => ([&cls, &sep, kept].concat(), 2),
    };
    Row { ids: ids_with_specials, maskable: start..start + kept.len(), truncated: kept.len() < ids.len() }
}

/// The two rows of GenomeNet-BERT's head for long inputs (models.md 7.3): tokens 0 to 509
/// and from 510 on, each in `[CLS]` ... `[SEP]`. With exactly 510 tokens the second half is
/// an empty `[CLS][SEP]`.
///
/// # Errors
/// Below 510 tokens there is no second half, and above 1,019 the second is too long.
pub fn two_halves(ids: &[u32], specials: Specials) -> Result<[Vec<u32>; 2], TokenError> {
    if !(HALF_TOKENS..=TWO_HALVES_TOKENS).contains(&ids.len()) {
        return Err(TokenError::Halves(ids.len()));
    }
    let (first, second) = ids.split_at(HALF_TOKENS);
    Ok([first, second].map(|half| [&[specials.cls], half, &[specials.sep]].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIALS: Specials = Specials::DNABERT;

    #[test]
    fn specials_stand_where_the_layout_says_and_survive_truncation() {
        let check = |layout, max_tokens, ids: &[u32], maskable, truncated| {
            let row = assemble(layout, SPECIALS, &[7, 8, 9], max_tokens);
            assert_eq!(row, Row { ids: ids.to_vec(), maskable, truncated });
        };
        check(Layout::ClsXSep, 512, &[2, 7, 8, 9, 3], 1..4, false);
        check(Layout::ClsXSep, 5, &[2, 7, 8, 9, 3], 1..4, false);
        check(Layout::ClsXSep, 4, &[2, 7, 8, 3], 1..3, true);
        check(Layout::ClsXSep, 2, &[2, 3], 1..1, true);
        check(Layout::ClsXSep, 0, &[2, 3], 1..1, true);
        check(Layout::ClsSepX, 5, &[2, 3, 7, 8, 9], 2..5, false);
        check(Layout::ClsSepX, 3, &[2, 3, 7], 2..3, true);
    }

    #[test]
    fn two_halves_take_no_less_than_one_and_no_more_than_two() {
        let lengths =
            |tokens| two_halves(&vec![9; tokens], SPECIALS).map(|halves| halves.map(|half| half.len()));
        assert_eq!(lengths(510).unwrap(), [512, 2]);
        assert_eq!(lengths(995).unwrap(), [512, 487]);
        assert_eq!(lengths(1019).unwrap(), [512, 511]);
        for tokens in [0, 509, 1020] {
            let message = lengths(tokens).unwrap_err().to_string();
            assert!(message.contains(&format!("{tokens} tokens")), "{message}");
            assert!(message.contains("510 to 1019"), "{message}");
        }
    }
}
