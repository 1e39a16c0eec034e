//! Sequences to token ids: k-mers, single nucleotides, byte-pair encoding; the layout of a
//! row; and the training of a BPE vocabulary.
//!
//! Ids equal those of the published tokenizers (models.md 2.3 and 3.3). Nothing is ever
//! lower- or upper-cased: what is no upper-case A, C, G or T is unknown, and upper-casing
//! is a setting of the task. This module knows no tensors, no files and no job; texts of
//! tokenizer files are handed in.
//!
//! Main types: [`Tokenizer`], [`Vocabulary`], [`Row`].

mod bpe;
mod error;
mod file;
mod kmer;
mod row;
mod train;
mod vocabulary;

use std::borrow::Cow;

pub use error::TokenError;
pub use row::{HALF_TOKENS, Row, TWO_HALVES_TOKENS, assemble, two_halves};
pub use train::{pieces, subsample, train_bpe};
pub use vocabulary::{Specials, Vocabulary};

use crate::settings::Tokenization;
use bpe::Bpe;
use kmer::Kmer;

/// The tokenizer of DNABERT-2-117M, byte for byte (md5 6f4f8641a287142ca40e9ac9804cef2f;
/// models.md 3.3). DeepGene ships the same file.
const DNABERT_2: &str = include_str!("../../experiments/data/tokenizers/dnabert-2.json");

/// Turns a sequence into token ids.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    method: Method,
}

#[derive(Clone, Debug)]
enum Method {
    Kmer(Kmer),
    Bpe(Box<Bpe>),
}

impl Tokenizer {
    /// The tokenizer that a tokenization names. `learned` is the text of the
    /// `tokenizer.json` of a `vocabulary` job; only `bpe-trained` reads it.
    ///
    /// # Errors
    /// When words are longer than 8 or the stride is 0, when `bpe-trained` comes without a
    /// text, and when the text is no tokenizer that [`Tokenizer::from_json`] accepts.
    pub fn new(tokenization: Tokenization, learned: Option<&str>) -> Result<Self, TokenError> {
        match tokenization {
            Tokenization::Kmer { k, stride } => Self::kmer(k, stride),
            Tokenization::Character => Ok(Self::character()),
            Tokenization::Bpe => Ok(Self::dnabert2()),
            Tokenization::BpeTrained => Self::from_json(learned.ok_or(TokenError::NotLearned)?),
        }
    }

    /// Words of `k` nucleotides, one every `stride`, in DNABERT's vocabulary (models.md 2.3).
    /// Only whole words count: what is left at the end is dropped.
    ///
    /// # Errors
    /// When `k` is not in 1 to 8, or `stride` is 0.
    pub fn kmer(k: u8, stride: u8) -> Result<Self, TokenError> {
        Ok(Self { method: Method::Kmer(Kmer::new(k, stride)?) })
    }

    /// One token per nucleotide: the k-mer rule with words of one.
    pub fn character() -> Self {
        Self { method: Method::Kmer(Kmer::SINGLE) }
    }

    /// DNABERT-2's published vocabulary of 4,096, which is also DeepGene's.
    ///
    /// # Panics
    /// Never: the embedded file is valid.
    pub fn dnabert2() -> Self {
        Self::from_json(DNABERT_2).expect("the embedded tokenizer is valid, as its test shows")
    }

    /// Reads a Hugging Face `tokenizer.json` with a BPE model, its merges as strings or as
    /// pairs. Truncation, padding and post-processor play no part.
    ///
    /// # Errors
    /// When the text is no JSON of that form, or has a part (normaliser, dropout, fused
    /// unknowns, special tokens elsewhere than at 0 to 4, ...) that the published DNA
    /// tokenizers lack and that would change ids.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        Ok(Self { method: Method::Bpe(Box::new(file::read(text)?)) })
    }

    /// The ids of a sequence, without special tokens. What is no upper-case A, C, G or T is
    /// the unknown token: each word that holds such a letter (k-mers), each such letter (BPE).
    pub fn encode(&self, sequence: &str) -> Vec<u32> {
        match &self.method {
            Method::Kmer(kmer) => kmer.encode(sequence.as_bytes()),
            Method::Bpe(bpe) => bpe.encode(sequence),
        }
    }

    /// Special tokens and ranges of ids.
    pub fn vocabulary(&self) -> Vocabulary {
        match &self.method {
            Method::Kmer(kmer) => kmer.vocabulary(),
            Method::Bpe(bpe) => bpe.vocabulary(),
        }
    }

    /// The ids of the special tokens.
    pub fn specials(&self) -> Specials {
        self.vocabulary().specials
    }

    /// Entries of the vocabulary, special tokens included; ids are below it.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary().size as usize
    }

    /// The text of a token, `None` from the vocabulary's size on.
    pub fn token(&self, id: u32) -> Option<Cow<'_, str>> {
        match &self.method {
            Method::Kmer(kmer) => kmer.token(id),
            Method::Bpe(bpe) => bpe.token(id).map(Cow::Borrowed),
        }
    }

    /// BLAKE3 of the tokenizer's file, 64 hexadecimal digits; empty where the name of the
    /// tokenization says all.
    pub fn fingerprint(&self) -> &str {
        match &self.method {
            Method::Kmer(_) => "",
            Method::Bpe(bpe) => bpe.fingerprint(),
        }
    }
}
