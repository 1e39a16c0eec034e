//! What must be known to build an encoder, checked once.
//!
//! The settings say the shape; the vocabulary and the padding id come from the tokenizer.

use super::ModelError;
use crate::settings::{Encoder, FeedForward, Head, Position};

/// An encoder that can be built.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderSpec {
    settings: Encoder,
    vocabulary: usize,
    pad: Option<u32>,
}

impl EncoderSpec {
    /// Checks the settings. `pad` is the row of the word embedding that starts at zero and
    /// gets no gradient where it pads a row (`padding_idx`): 0 for DNABERT, 3 for DeepGene, none
    /// for DNABERT-2 (models.md 1.6, 14.12).
    ///
    /// # Errors
    /// Settings that describe no model.
    pub fn new(settings: Encoder, vocabulary: usize, pad: Option<u32>) -> Result<Self, ModelError> {
        let positive = [
            ("d_model", settings.d_model),
            ("n_heads", settings.n_heads),
            ("d_ff", settings.d_ff),
            ("max_tokens", settings.max_tokens),
            ("token_types", settings.token_types),
            ("vocabulary", vocabulary),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(ModelError::Zero(name));
        }
        let (d_model, n_heads) = (settings.d_model, settings.n_heads);
        if d_model % n_heads != 0 {
            return Err(ModelError::Heads { n_heads, d_model });
        }
        if settings.position == Position::Rope && (d_model / n_heads) % 2 != 0 {
            return Err(ModelError::OddHead(d_model / n_heads));
        }
        match pad {
            Some(pad) if pad as usize >= vocabulary => Err(ModelError::PadOutside { pad, vocabulary }),
            Some(_) | None => Ok(Self { settings, vocabulary, pad }),
        }
    }

    /// The same encoder with the head that a task with up to `longest` tokens per sequence,
    /// special ones not counted, gets: [`Head::TwoHalf`] is an ordinary pooler where one
    /// row holds all (models.md 7.3).
    #[must_use]
    pub fn for_length(mut self, longest: usize) -> Self {
        self.settings.head = match self.settings.head {
            Head::TwoHalf if longest < self.half_tokens() => Head::Pooler,
            head @ (Head::TwoHalf | Head::Pooler | Head::Dense) => head,
        };
        self
    }

    /// Tokens that fill one half of a long input, its two special ones not counted: 510.
    pub fn half_tokens(&self) -> usize {
        self.settings.max_tokens.saturating_sub(2)
    }

    /// The settings.
    pub fn settings(&self) -> &Encoder {
        &self.settings
    }

    /// Entries of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The padding row of the word embedding, where there is one.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    /// What fills short rows of a batch. Without a padding row any id does, since it is
    /// masked.
    pub fn filler(&self) -> u32 {
        self.pad.unwrap_or(0)
    }

    /// Width of one attention head.
    pub fn d_head(&self) -> usize {
        self.settings.d_model / self.settings.n_heads
    }

    /// Whose names this encoder's tensors have in files.
    pub(super) fn family(&self) -> Family {
        match (self.settings.position, self.settings.feed_forward) {
            (Position::Rope, FeedForward::Gelu | FeedForward::Geglu) => Family::Roformer,
            (Position::Alibi, FeedForward::Geglu) => Family::MosaicBert,
            (Position::Alibi, FeedForward::Gelu)
            | (Position::Learned, FeedForward::Gelu | FeedForward::Geglu) => Family::Bert,
        }
    }
}

/// The public model classes whose tensor names we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `bert.*`, separate query, key and value (models.md 2.2).
    Bert,
    /// `bert.*`, fused `Wqkv` (DNABERT-2, models.md 3.2).
    MosaicBert,
    /// `roformer.*` (DeepGene, models.md 6.2).
    Roformer,
}

impl Family {
    /// What encoder names begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Bert | Self::MosaicBert => "bert",
            Self::Roformer => "roformer",
        }
    }
}
