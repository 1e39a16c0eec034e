//! From sequences to rows of ids, as a model reads them.

use std::ops::Range;

use super::TrainError;
use crate::model::EncoderSpec;
use crate::settings::{Encoder, Head};
use crate::token::{Row, Tokenizer, assemble, two_halves};

/// Longest input, in tokens without special ones, that the two-half head takes whole.
const HALF: usize = 510;

/// What can be built for a tokenizer. Which ids have a padding row is the family's
/// (models.md 1.6, 3.5, 6.1): BERT's and RoFormer's embeddings do, DNABERT-2's does not.
pub(super) fn spec(encoder: &Encoder, tokenizer: &Tokenizer) -> Result<EncoderSpec, TrainError> {
    use crate::settings::Position;
    let pad = match encoder.position {
        Position::Learned | Position::Rope => Some(tokenizer.specials().pad),
        Position::Alibi => None,
    };
    Ok(EncoderSpec::new(encoder.clone(), tokenizer.vocabulary_size(), pad)?)
}

/// Rows for one encoder.
pub(super) struct RowMaker<'a> {
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) encoder: &'a Encoder,
}

impl RowMaker<'_> {
    /// One row with special tokens; what does not fit is cut on the right.
    pub(super) fn row(&self, sequence: &str) -> Row {
        let ids = self.tokenizer.encode(sequence);
        assemble(self.encoder.layout, self.tokenizer.specials(), &ids, self.encoder.max_tokens)
    }

    /// Rows for a classifier.
    pub(super) fn classifier_rows<'s>(
        &self,
        sequences: impl Iterator<Item = &'s str>,
        halves: Halves,
    ) -> Result<Rows, TrainError> {
        let mut rows = Rows::default();
        for sequence in sequences {
            match halves {
                Halves::One => {
                    let row = self.row(sequence);
                    rows.truncated += usize::from(row.truncated);
                    rows.ids.push(row.ids);
                }
                Halves::Two => {
                    let [first, second] =
                        two_halves(&self.tokenizer.encode(sequence), self.tokenizer.specials())?;
                    rows.ids.push([first, second].concat());
                }
            }
        }
        Ok(rows)
    }
}

/// Rows of ids, special ones included.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) ids: Vec<Vec<u32>>,
    /// How many were cut.
    pub(super) truncated: usize,
}

impl Rows {
    pub(super) fn pick(&self, range: Range<usize>) -> &[Vec<u32>] {
        &self.ids[range]
    }
}

/// In how many pieces a classifier reads a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halves {
    /// As one row.
    One,
    /// In two rows through the one encoder (models.md 7.3).
    Two,
}

impl Halves {
    /// How a head reads sequences of up to `longest` tokens.
    pub(super) fn of(head: Head, longest: usize) -> Self {
        match head {
            Head::TwoHalf if longest >= HALF => Self::Two,
            Head::TwoHalf | Head::Pooler | Head::Dense => Self::One,
        }
    }
}
