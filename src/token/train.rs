//! Learns a BPE vocabulary from DNA, through the trainer of the `tokenizers` crate.
//!
//! The trainer is quadratic in the length of a word and DNA has no spaces, so a corpus is
//! first cut into short [`pieces`] (burn.md 6.1, huggingface/tokenizers 1313 and 497).

use std::collections::HashSet;

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::whitespace::Whitespace;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Trainer};

use super::{Specials, TokenError};

const NUCLEOTIDES: [char; 4] = ['A', 'C', 'G', 'T'];
/// A pair must occur this often to become a token: what occurs once teaches nothing.
const MIN_FREQUENCY: u64 = 2;

/// Cuts a sequence into pieces of at most `length` nucleotides (of 1, where it is 0).
/// No piece spans a letter other than upper-case A, C, G, T, and such letters are dropped.
pub fn pieces(sequence: &str, length: usize) -> impl Iterator<Item = &str> {
    let runs = sequence.split(|letter| !NUCLEOTIDES.contains(&letter));
    runs.flat_map(move |run| {
        let starts = (0..run.len()).step_by(length.max(1));
        starts.map(move |start| &run[start..run.len().min(start.saturating_add(length.max(1)))])
    })
}

/// At most `most` of the pieces, evenly spaced and in their order, so that no genome is
/// favoured for standing first.
pub fn subsample(pieces: Vec<String>, most: usize) -> Vec<String> {
    let all = pieces.len();
    if all <= most {
        return pieces;
    }
    // Piece i is kept when i * most / all steps up to a new number: `most` times in all.
    let quota = |index: usize| index as u128 * most as u128 / all as u128;
    let kept = pieces.into_iter().enumerate().filter(|&(index, _)| quota(index) < quota(index + 1));
    kept.map(|(_, piece)| piece).collect()
}

/// Learns a vocabulary of `size` entries with tokens of at most `max_token_length`
/// nucleotides, and returns it as a `tokenizer.json` in DNABERT-2's form: special tokens
/// `[UNK] [CLS] [SEP] [PAD] [MASK]`, then A C G T, then merges in order (models.md 3.3).
///
/// The result depends on the pieces alone, neither on their order nor on threads: counts
/// are sums, and equal counts are ordered by the ids of the pair.
///
/// # Errors
/// When there is no piece, one holds another letter, all together are too long for the
/// library's 32-bit counts, the shape is impossible, or pairs run out before `size`.
pub fn train_bpe(
    pieces: impl Iterator<Item = String>,
    size: usize,
    max_token_length: usize,
) -> Result<String, TokenError> {
    let pieces: Vec<String> = pieces.collect();
    check(&pieces, size, max_token_length)?;
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size)
        .min_frequency(MIN_FREQUENCY)
        // The library forms tokens strictly shorter than this.
        .max_token_length(Some(max_token_length.saturating_add(1)))
        .special_tokens(special_tokens())
        .initial_alphabet(HashSet::from(NUCLEOTIDES))
        .limit_alphabet(NUCLEOTIDES.len())
        .show_progress(false)
        .build();
    let mut model = BPE::default();
    trainer.feed(pieces.iter(), |piece| Ok(vec![piece.to_owned()])).map_err(TokenError::Learning)?;
    trainer.train(&mut model).map_err(TokenError::Learning)?;
    let reached = tokenizers::Model::get_vocab_size(&model);
    if reached < size {
        return Err(TokenError::TooFewTokens { asked: size, reached });
    }
    serialise(model).map_err(TokenError::Learning)
}

fn check(pieces: &[String], size: usize, max_token_length: usize) -> Result<(), TokenError> {
    if size <= Specials::COUNT as usize + NUCLEOTIDES.len() || max_token_length < 2 {
        return Err(TokenError::VocabularyShape { size, max_token_length });
    }
    for (index, piece) in pieces.iter().enumerate() {
        if let Some(letter) = piece.chars().find(|letter| !NUCLEOTIDES.contains(letter)) {
            return Err(TokenError::Letter { number: index + 1, letter });
        }
    }
    match pieces.iter().map(String::len).sum::<usize>() {
        0 => Err(TokenError::NoText),
        // Pairs are counted in an `i32`, unchecked (huggingface/tokenizers 2058).
        nucleotides if nucleotides > i32::MAX as usize => Err(TokenError::TooMuchText { nucleotides }),
        _ => Ok(()),
    }
}

fn special_tokens() -> Vec<AddedToken> {
    Specials::DNABERT_2_NAMES.map(|name| AddedToken::from(name, true)).to_vec()
}

/// The model in the form of DNABERT-2's file, so that other programs read it alike.
fn serialise(mut model: BPE) -> tokenizers::Result<String> {
    model.unk_token = Some("[UNK]".to_owned());
    let ids = (0..).zip(Specials::DNABERT_2_NAMES).map(|(id, name)| (name.to_owned(), id));
    let template = TemplateProcessing::builder()
        .try_single("[CLS] $A [SEP]")?
        .try_pair("[CLS] $A [SEP] $B:1 [SEP]:1")?
        .special_tokens(ids.collect::<Vec<_>>())
        .build()?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer.add_special_tokens(special_tokens())?;
    tokenizer.with_pre_tokenizer(Some(Whitespace)).with_post_processor(Some(template));
    tokenizer.to_string(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_short_runs_of_nucleotides() {
        let cut = |sequence, length| pieces(sequence, length).collect::<Vec<_>>();
        assert_eq!(cut("ACGTACGTAC", 4), ["ACGT", "ACGT", "AC"]);
        assert_eq!(cut("NNACGNNTTaGRA", 2), ["AC", "G", "TT", "G", "A"]);
        assert_eq!(cut("ACé-T", usize::MAX), ["AC", "T"]);
        assert_eq!(cut("ACG", 0), ["A", "C", "G"]);
        for empty in ["", "N", "acgt"] {
            assert_eq!(cut(empty, 4), [""; 0], "{empty}");
        }
    }

    #[test]
    fn a_subsample_is_even_ordered_and_no_larger_than_asked() {
        let numbers = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(subsample(numbers(3), 5), ["0", "1", "2"]);
        assert_eq!(subsample(numbers(6), 3), ["1", "3", "5"]);
        assert_eq!(subsample(numbers(6), 0), [""; 0]);
        for most in 0..=97 {
            assert_eq!(subsample(numbers(97), most).len(), most);
        }
    }

    #[test]
    fn impossible_requests_are_refused() {
        let refusal = |pieces: &[&str], size, length| {
            let pieces = pieces.iter().map(|&piece| piece.to_owned());
            train_bpe(pieces, size, length).unwrap_err().to_string()
        };
        assert!(refusal(&["ACGT"], 9, 8).contains("a vocabulary of 9"));
        assert!(refusal(&["ACGT"], 64, 1).contains("up to 1 nucleotides"));
        assert!(refusal(&["ACGT", "ACNT"], 64, 8).contains("piece 2 holds 'N'"));
        assert!(refusal(&[], 64, 8).contains("no run of A, C, G and T"));
        // AA occurs often enough (at three places), AAAA once.
        assert!(refusal(&["AAAA", "CGT"], 64, 8).contains("yields a vocabulary of 10, not of 64"));
    }
}
