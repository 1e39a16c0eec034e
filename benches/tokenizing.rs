//! Sequences to ids, in nucleotides (bytes) per second.
//!
//! 6-mers beside slicing words and looking each up, as DNABERT's Python does; BPE beside
//! the `Tokenizer` of the `tokenizers` crate, whose model ours calls.

use std::collections::HashMap;

use bench::token::Tokenizer;
use divan::Bencher;
use divan::counter::BytesCount;
use tokenizers::Tokenizer as HuggingFace;

use crate::experiment::EXPERIMENTS;
use crate::sequences::windows;

const LENGTHS: [usize; 3] = [150, 1_000, 10_000];

/// One sequence.
fn sequence(length: usize) -> String {
    windows(length, 3).remove(1)
}

#[divan::bench(args = LENGTHS)]
fn six_mers(bencher: Bencher, length: usize) {
    let tokenizer = Tokenizer::kmer(6, 1).expect("a known tokenizer");
    let sequence = sequence(length);
    bencher.counter(BytesCount::of_str(&sequence)).bench(|| tokenizer.encode(divan::black_box(&sequence)));
}

#[divan::bench(args = LENGTHS)]
fn six_mers_by_look_up(bencher: Bencher, length: usize) {
    let tokenizer = Tokenizer::kmer(6, 1).expect("a known tokenizer");
    let ids = 0..tokenizer.vocabulary_size() as u32;
    let by_word: HashMap<String, u32> =
        ids.filter_map(|id| Some((tokenizer.token(id)?.into_owned(), id))).collect();
    let unknown = tokenizer.specials().unknown;
    let encode = |sequence: &str| -> Vec<u32> {
        let words = (0..sequence.len() - 5).map(|start| &sequence[start..start + 6]);
        words.map(|word| by_word.get(word).copied().unwrap_or(unknown)).collect()
    };
    let sequence = sequence(length);
    assert_eq!(encode(&sequence), tokenizer.encode(&sequence));
    bencher.counter(BytesCount::of_str(&sequence)).bench(|| encode(divan::black_box(&sequence)));
}

#[divan::bench(args = LENGTHS)]
fn bpe(bencher: Bencher, length: usize) {
    let tokenizer = Tokenizer::dnabert2();
    let sequence = sequence(length);
    bencher.counter(BytesCount::of_str(&sequence)).bench(|| tokenizer.encode(divan::black_box(&sequence)));
}

#[divan::bench(args = LENGTHS)]
fn bpe_by_tokenizers_crate(bencher: Bencher, length: usize) {
    let tokenizer = hugging_face();
    let sequence = sequence(length);
    let encode = |sequence: &str| tokenizer.encode(sequence, false).expect("a sequence");
    assert_eq!(encode(&sequence).get_ids(), Tokenizer::dnabert2().encode(&sequence));
    bencher.counter(BytesCount::of_str(&sequence)).bench(|| encode(divan::black_box(&sequence)));
}

/// The published tokenizer as the crate reads it, without its cache of whole words: windows
/// of genomes hardly ever repeat, but here the same one would be found again.
fn hugging_face() -> HuggingFace {
    let path = format!("{EXPERIMENTS}/data/tokenizers/dnabert-2.json");
    let mut tokenizer = HuggingFace::from_file(path).expect("the published file");
    let mut model = tokenizer.get_model().clone();
    model.resize_cache(0);
    tokenizer.with_model(model);
    tokenizer
}
