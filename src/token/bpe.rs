//! Byte-pair encoding by the model of the `tokenizers` crate.

use tokenizers::Model;
use tokenizers::models::bpe::{BPE, Vocab};

use super::file::Rules;
use super::{Specials, Vocabulary};

/// A BPE tokenizer, without its special-token template.
#[derive(Clone, Debug)]
pub(super) struct Bpe {
    model: BPE,
    tokens: Vec<String>,
    specials: Specials,
    drops_white_space: bool,
    fingerprint: String,
}

impl Bpe {
    /// Of checked rules; `text` is the file they stand in.
    pub(super) fn new(rules: Rules, text: &str) -> Self {
        let Rules { tokens, merges, specials, drops_white_space } = rules;
        let vocabulary: Vocab = (0..).zip(&tokens).map(|(id, token)| (token.clone(), id)).collect();
        let model = BPE::builder()
            .vocab_and_merges(vocabulary, merges)
            .unk_token("[UNK]".to_owned())
            // Windows of genomes hardly ever repeat, so a cache would only hold memory.
            .cache_capacity(0)
            .build()
            .expect("all tokens of all merges were found in the vocabulary");
        let fingerprint = blake3::hash(text.as_bytes()).to_hex().to_string();
        Self { model, tokens, specials, drops_white_space, fingerprint }
    }

    pub(super) fn encode(&self, sequence: &str) -> Vec<u32> {
        if !self.drops_white_space {
            return self.word(sequence).collect();
        }
        sequence.split_whitespace().flat_map(|word| self.word(word)).collect()
    }

    fn word(&self, word: &str) -> impl Iterator<Item = u32> {
        let tokens =
            self.model.tokenize(word).expect("fails only without an unknown token, and there is one");
        tokens.into_iter().map(|token| token.id)
    }

    pub(super) fn vocabulary(&self) -> Vocabulary {
        let size = self.tokens.len() as u32;
        Vocabulary { specials: self.specials, first_ordinary: Specials::COUNT, size }
    }

    pub(super) fn token(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize).map(String::as_str)
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}
