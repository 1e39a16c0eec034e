//! Sequences to ids, in nucleotides (bytes) per second.
//!
//! 6-mers beside slicing words and looking each up, as DNABERT's Python does; BPE beside
//! `encode` of the `tokenizers` crate's `Tokenizer`, whose model ours calls. Two that are
//! compared run one after the other, and give the same ids.

use std::collections::HashMap;
use std::fmt;

use bench::token::Tokenizer;
use divan::Bencher;
use divan::counter::BytesCount;
use tokenizers::Tokenizer as HuggingFace;

use crate::experiment::EXPERIMENTS;
use crate::sequences::windows;

/// A length in nucleotides, and who tokenizes.
#[derive(Clone, Copy)]
struct Case(usize, Who);

#[derive(Clone, Copy)]
enum Who {
    Bench,
    Other(&'static str),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.1 {
            Who::Bench => "bench",
            Who::Other(name) => name,
        };
        write!(f, "{} nt, {who}", self.0)
    }
}

fn cases(other: &'static str) -> impl Iterator<Item = Case> {
    [150, 1_000, 10_000]
        .into_iter()
        .flat_map(move |length| [Who::Bench, Who::Other(other)].map(|who| Case(length, who)))
}

#[divan::bench(args = cases("look-up"), sample_size = 32)]
fn six_mers(bencher: Bencher, Case(length, who): Case) {
    let tokenizer = Tokenizer::kmer(6, 1).expect("a known tokenizer");
    let sequence = sequence(length);
    let bencher = bencher.counter(BytesCount::of_str(&sequence));
    match who {
        Who::Bench => bencher.bench(|| tokenizer.encode(divan::black_box(&sequence))),
        Who::Other(_) => {
            let table = LookUp::new(&tokenizer);
            assert_eq!(table.encode(&sequence), tokenizer.encode(&sequence));
            bencher.bench(|| table.encode(divan::black_box(&sequence)));
        }
    }
}

#[divan::bench(args = cases("tokenizers"), sample_size = 8)]
fn bpe(bencher: Bencher, Case(length, who): Case) {
    let tokenizer = Tokenizer::dnabert2();
    let sequence = sequence(length);
    let bencher = bencher.counter(BytesCount::of_str(&sequence));
    match who {
        Who::Bench => bencher.bench(|| tokenizer.encode(divan::black_box(&sequence))),
        Who::Other(_) => {
            let other = hugging_face();
            let encode = |sequence: &str| other.encode(sequence, false).expect("nucleotides");
            assert_eq!(encode(&sequence).get_ids(), tokenizer.encode(&sequence));
            bencher.bench(|| encode(divan::black_box(&sequence)));
        }
    }
}

/// One sequence, from the middle of a genome.
fn sequence(length: usize) -> String {
    windows(length, 3).remove(1)
}

/// A vocabulary of 6-mers as a table.
struct LookUp {
    ids: HashMap<String, u32>,
    unknown: u32,
}

impl LookUp {
    fn new(tokenizer: &Tokenizer) -> Self {
        let all = 0..tokenizer.vocabulary_size() as u32;
        let ids = all.filter_map(|id| Some((tokenizer.token(id)?.into_owned(), id))).collect();
        Self { ids, unknown: tokenizer.specials().unknown }
    }

    fn encode(&self, sequence: &str) -> Vec<u32> {
        let words = (6..=sequence.len()).map(|end| &sequence[end - 6..end]);
        words.map(|word| self.ids.get(word).copied().unwrap_or(self.unknown)).collect()
    }
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
