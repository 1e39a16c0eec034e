//! What can be wrong with a tokenizer, its file, or the text it learns from.

use super::row::{HALF_TOKENS, TWO_HALVES_TOKENS};

/// A tokenizer that cannot be built, or input that it cannot lay out.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No k-mer tokenizer of that shape.
    #[error("words of {k} nucleotides every {stride}: accepted are words of 1 to 8 and a stride from 1")]
    Word {
        /// Nucleotides per word.
        k: u8,
        /// Nucleotides from one word's start to the next one's.
        stride: u8,
    },
    /// `bpe-trained` without its vocabulary.
    #[error("`bpe-trained` needs the tokenizer.json of a finished `vocabulary` job")]
    NotLearned,
    /// Not JSON, or not of a tokenizer's form.
    #[error("not a tokenizer of Hugging Face's tokenizers: {0}")]
    Json(#[from] serde_json::Error),
    /// A part that would change ids in a way the published DNA tokenizers do not.
    #[error("{key} is {found}; accepted is {accepted}")]
    Unsupported {
        /// Where in the file.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What could.
        accepted: &'static str,
    },
    /// A merge of unknown parts, or into an unknown token.
    #[error("merge {number} ({merge:?}) needs a token that the vocabulary lacks: {missing:?}")]
    Merge {
        /// Counted from 1.
        number: usize,
        /// As the file has it.
        merge: String,
        /// The token.
        missing: String,
    },
    /// Ids that do not count up.
    #[error("{entries} tokens must have the ids 0 to {}; none has {missing}", entries - 1)]
    Ids {
        /// Tokens in the vocabulary.
        entries: usize,
        /// The smallest id without a token.
        missing: usize,
    },
    /// A special token is absent, or not among the first.
    #[error(
        "special token {name} has {}; accepted is an id from 0 to 4",
        .found.map_or_else(|| "no id".to_owned(), |id| format!("the id {id}"))
    )]
    Special {
        /// Its text.
        name: &'static str,
        /// Its id, if it has one.
        found: Option<u32>,
    },
    /// Too few or too many tokens for a head of two halves.
    #[error(
        "{0} tokens do not fill two halves: the first takes {HALF_TOKENS}, so accepted are {HALF_TOKENS} to \
         {TWO_HALVES_TOKENS}; shorter sequences need another head, longer ones must be cut"
    )]
    Halves(usize),
    /// Nothing to learn a vocabulary from.
    #[error("no run of A, C, G and T to learn a vocabulary from; name another `corpus`")]
    NoText,
    /// A piece that [`super::pieces`] did not cut.
    #[error("piece {number} holds {letter:?}; a vocabulary is learnt from A, C, G and T alone")]
    Letter {
        /// Counted from 1.
        number: usize,
        /// The letter.
        letter: char,
    },
    /// Pair counts would overflow.
    #[error(
        "{nucleotides} nucleotides are too many to learn a vocabulary from: counts are kept in 32 bits; \
         accepted are up to {}, so lower the number or the length of pieces",
        i32::MAX
    )]
    TooMuchText {
        /// Nucleotides in all pieces.
        nucleotides: usize,
    },
    /// A vocabulary that has no room, or tokens that cannot grow.
    #[error(
        "a vocabulary of {size} with tokens of up to {max_token_length} nucleotides cannot be learnt: \
         accepted are sizes from 10 (5 special tokens, 4 nucleotides, 1 merge) and lengths from 2"
    )]
    VocabularyShape {
        /// Entries asked for.
        size: usize,
        /// Longest token, in nucleotides.
        max_token_length: usize,
    },
    /// The corpus is used up before the vocabulary is full.
    #[error(
        "the corpus yields a vocabulary of {reached}, not of {asked}: no further pair occurs twice; \
         ask for at most {reached}, allow longer tokens, or learn from more text"
    )]
    TooFewTokens {
        /// Entries asked for.
        asked: usize,
        /// Entries there are.
        reached: usize,
    },
    /// The library that learns vocabularies failed.
    #[error("learning a vocabulary failed: {0}")]
    Learning(#[source] Box<dyn std::error::Error + Send + Sync>),
}
