//! From sequences to rows of ids, as a model reads them.

use super::TrainError;
use crate::model::EncoderSpec;
use crate::settings::{Encoder, Head, Position};
use crate::token::{HALF_TOKENS, Row, TWO_HALVES_TOKENS, Tokenizer, assemble, two_halves};

/// What can be built for a tokenizer. Which ids have a padding row is the family's
/// (models.md 1.6, 3.5, 6.1): BERT's and RoFormer's embeddings do, DNABERT-2's does not.
pub(super) fn spec(encoder: &Encoder, tokenizer: &Tokenizer) -> Result<EncoderSpec, TrainError> {
    let pad = match encoder.position {
        Position::Learned | Position::Rope => Some(tokenizer.specials().pad),
        Position::Alibi => None,
    };
    Ok(EncoderSpec::new(encoder.clone(), tokenizer.vocabulary_size(), pad)?)
}

/// One row with special tokens; what does not fit is cut on the right.
pub(super) fn row(ids: &[u32], tokenizer: &Tokenizer, encoder: &Encoder) -> Row {
    assemble(encoder.layout, tokenizer.specials(), ids, encoder.max_tokens)
}

/// Rows of ids, special ones included.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) ids: Vec<Vec<u32>>,
    /// How many were cut.
    pub(super) truncated: usize,
}

impl Rows {
    /// Rows as a classifier reads them. The model decides whether sequences of up to
    /// `longest` tokens go through it in two halves (models.md 7.3).
    pub(super) fn of(
        sequences: &[Vec<u32>],
        longest: usize,
        tokenizer: &Tokenizer,
        spec: &EncoderSpec,
    ) -> Result<Self, TrainError> {
        let has_halves = match spec.clone().for_length(longest).settings().head {
            Head::TwoHalf => true,
            Head::Pooler | Head::Dense => false,
        };
        let mut rows = Self::default();
        for ids in sequences {
            // Among long sequences a short one is a first half alone.
            if has_halves && ids.len() >= HALF_TOKENS {
                let kept = &ids[..ids.len().min(TWO_HALVES_TOKENS)];
                rows.truncated += usize::from(kept.len() < ids.len());
                rows.ids.push(two_halves(kept, tokenizer.specials())?.concat());
            } else {
                let row = row(ids, tokenizer, spec.settings());
                rows.truncated += usize::from(row.truncated);
                rows.ids.push(row.ids);
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{FeedForward, Layout, Norm};

    fn long_encoder() -> Encoder {
        Encoder {
            d_model: 8,
            n_layers: 1,
            n_heads: 1,
            d_ff: 8,
            position: Position::Learned,
            max_tokens: 512,
            feed_forward: FeedForward::Gelu,
            norm: Norm::Post,
            norm_epsilon: 1e-12,
            token_types: 2,
            layout: Layout::ClsXSep,
            head: Head::TwoHalf,
            dropout: 0.0,
            attention_dropout: 0.0,
            weight_std: 0.02,
            embedding_std: 0.02,
        }
    }

    #[test]
    fn long_and_short_sequences_go_through_two_halves_together() {
        let tokenizer = Tokenizer::character();
        let spec = spec(&long_encoder(), &tokenizer).unwrap();
        let sequences = [3, 509, 510, 1019, 1020].map(|length| vec![5; length]);
        let rows = Rows::of(&sequences, 1020, &tokenizer, &spec).unwrap();
        let lengths: Vec<usize> = rows.ids.iter().map(Vec::len).collect();
        // Two special tokens around each half; the last is cut to the most that fits.
        assert_eq!(lengths, [5, 511, 514, 1023, 1023]);
        assert_eq!(rows.truncated, 1);
        // Where no sequence is long there are no halves, and nothing is cut in the middle.
        let rows = Rows::of(&sequences[..2], 509, &tokenizer, &spec).unwrap();
        assert_eq!(rows.ids.iter().map(Vec::len).collect::<Vec<_>>(), [5, 511]);
    }
}
