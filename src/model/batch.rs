//! Rows of token ids, checked and padded: what an encoder reads.
//!
//! Host data only. Which ids a sequence has is decided elsewhere.

use super::{EncoderSpec, ModelError};
use crate::settings::Position;

/// Rows of ids padded on the right to the longest of them.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenBatch {
    /// `[rows * tokens]`.
    pub(super) ids: Vec<i32>,
    /// Tokens of each row, padding not counted.
    pub(super) lengths: Vec<usize>,
    /// Tokens of the longest row.
    pub(super) tokens: usize,
    /// `[rows * tokens]`, where positions are not 0, 1, 2, ...
    pub(super) positions: Option<Vec<u32>>,
    /// Whether padding is attended to.
    pub(super) attend_pads: bool,
}

impl TokenBatch {
    /// Pads `rows` of ids, special tokens included, to the longest.
    ///
    /// # Errors
    /// No row, an empty row, a row longer than the model takes, an id outside the
    /// vocabulary.
    pub fn new<R: AsRef<[u32]>>(rows: &[R], spec: &EncoderSpec) -> Result<Self, ModelError> {
        if let Some(row) = rows.iter().position(|row| row.as_ref().is_empty()) {
            return Err(ModelError::EmptyRow { row });
        }
        Self::with_empty_rows(rows, spec)
    }

    /// As [`Self::new`]; a row may be empty, and is then all padding.
    pub(super) fn with_empty_rows<R: AsRef<[u32]>>(
        rows: &[R],
        spec: &EncoderSpec,
    ) -> Result<Self, ModelError> {
        let lengths: Vec<usize> = rows.iter().map(|row| row.as_ref().len()).collect();
        let tokens = lengths.iter().copied().max().filter(|tokens| *tokens > 0);
        let tokens = tokens.ok_or(ModelError::NoRows)?;
        let (limit, vocabulary) = (spec.settings().max_tokens, spec.vocabulary());
        let mut ids = Vec::with_capacity(rows.len() * tokens);
        for (row, row_ids) in rows.iter().map(AsRef::as_ref).enumerate() {
            if row_ids.len() > limit {
                return Err(ModelError::TooLong { row, tokens: row_ids.len(), limit });
            }
            if let Some(&id) = row_ids.iter().find(|id| **id as usize >= vocabulary) {
                return Err(ModelError::UnknownId { row, id, vocabulary });
            }
            ids.extend(row_ids.iter().map(|id| *id as i32));
            ids.resize((row + 1) * tokens, spec.filler() as i32);
        }
        Ok(Self { ids, lengths, tokens, positions: None, attend_pads: false })
    }

    /// Lets attention see the padding too, as DNABERT's pre-training does (models.md 2.5).
    #[must_use]
    pub fn attending_pads(mut self) -> Self {
        self.attend_pads = true;
        self
    }

    /// States where tokens stand, for rotary encoders on graphs (models.md 6.1); without
    /// this they stand at 0, 1, 2, ...
    ///
    /// # Errors
    /// Rows of other lengths than the ids, or an encoder without rotary positions.
    pub fn with_positions<R: AsRef<[u32]>>(
        mut self,
        rows: &[R],
        spec: &EncoderSpec,
    ) -> Result<Self, ModelError> {
        match spec.settings().position {
            Position::Rope => {}
            Position::Learned | Position::Alibi => {
                return Err(ModelError::Config("explicit positions need `position = \"rope\"`".to_owned()));
            }
        }
        let count = |what, found, expected| ModelError::Count { what, found, expected };
        if rows.len() != self.lengths.len() {
            return Err(count("rows of positions", rows.len(), self.lengths.len()));
        }
        let mut positions = Vec::with_capacity(self.ids.len());
        for (row, &length) in rows.iter().map(AsRef::as_ref).zip(&self.lengths) {
            if row.len() != length {
                return Err(count("positions of a row", row.len(), length));
            }
            positions.extend_from_slice(row);
            // Where padding stands makes no difference: it is masked.
            positions.resize(positions.len() + self.tokens - length, 0);
        }
        self.positions = Some(positions);
        Ok(self)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Tokens per row, padding included.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Whether some row is shorter than the longest.
    pub(super) fn is_padded(&self) -> bool {
        self.lengths.iter().any(|length| *length < self.tokens)
    }

    /// Whether what stands at padding can reach a result: attended to, or in a row of
    /// nothing but padding, whose keys are all masked alike.
    pub(super) fn padding_matters(&self) -> bool {
        (self.attend_pads && self.is_padded()) || self.lengths.contains(&0)
    }

    /// For each place of `[rows * tokens]`, whether it is padding.
    pub(super) fn padding(&self) -> Vec<bool> {
        self.lengths.iter().flat_map(|length| (0..self.tokens).map(move |token| token >= *length)).collect()
    }
}

/// Which hidden states are wanted. Fewer cost less: the last block computes no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readout {
    /// All, padding included.
    Every,
    /// The first token of each row.
    First,
    /// These places of `[rows * tokens]`.
    Picked(Vec<usize>),
}
