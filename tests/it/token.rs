//! Token ids against the published vocabularies, the fixtures, and the library's own
//! pipeline; and vocabularies learnt here.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bench::settings::{Layout, Tokenization};
use bench::token::{Tokenizer, assemble, pieces, train_bpe, two_halves};
use proptest::prelude::*;
use serde_json::Value;

use crate::fixtures::{expected, fixture, shared_data};

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("a list of ids")
}

fn texts(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<String> {
    let text = |&id| tokenizer.token(id).unwrap_or_else(|| panic!("no token {id}")).into_owned();
    ids.iter().map(text).collect()
}

/// The sequence of a record, as its `upper` says.
fn sequence(record: &Value) -> String {
    let sequence = record["sequence"].as_str().expect("a sequence");
    if record["upper"].as_bool().expect("upper or not") {
        sequence.to_uppercase()
    } else {
        sequence.to_owned()
    }
}

fn check_records(family: &str, tokenizer: &Tokenizer, layout: Layout) {
    let expected = expected(&format!("{family}/expected.json"));
    let records = expected["records"].as_array().expect("records");
    assert!(!records.is_empty());
    for record in records {
        let row = assemble(layout, tokenizer.specials(), &tokenizer.encode(&sequence(record)), usize::MAX);
        assert_eq!(row.ids, ids(&record["input_ids"]), "{family} record {}", record["index"]);
        assert_eq!(Value::from(texts(tokenizer, &row.ids)), record["tokens"], "{family}");
        assert_eq!(row.maskable.len() + 2, row.ids.len());
        assert!(!row.truncated);
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn kmers_of_the_dnabert_fixtures() {
    for (family, k) in [("dnabert-6mer", 6), ("dnabert-3mer", 3)] {
        check_records(family, &Tokenizer::kmer(k, 1).unwrap(), Layout::ClsXSep);
    }
}

#[test]
fn bpe_of_the_dnabert_2_and_deepgene_fixtures() {
    for (family, layout) in [("dnabert-2", Layout::ClsXSep), ("deepgene", Layout::ClsSepX)] {
        check_records(family, &Tokenizer::dnabert2(), layout);
        // The classifier's file may have truncation and padding blocks.
        for folder in [family.to_owned(), format!("{family}-classifier")] {
            let text = read(&fixture(&folder).join("tokenizer.json"));
            check_records(family, &Tokenizer::from_json(&text).unwrap(), layout);
        }
    }
}

#[test]
fn halves_of_the_genomenet_bert_fixture() {
    let tokenizer = Tokenizer::kmer(6, 1).unwrap();
    let expected = expected("genomenet-bert-1000nt/expected.json");
    for record in expected["records"].as_array().expect("records") {
        let halves = two_halves(&tokenizer.encode(&sequence(record)), tokenizer.specials()).unwrap();
        let wanted = record["input_ids"].as_array().expect("two lists");
        assert_eq!(halves.len(), wanted.len());
        for (half, wanted) in halves.iter().zip(wanted) {
            assert_eq!(*half, ids(wanted), "record {}", record["index"]);
        }
    }
    for record in expected["edge_records"].as_array().expect("edge records") {
        let tokens = tokenizer.encode(&sequence(record));
        let error = two_halves(&tokens, tokenizer.specials()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{} tokens", tokens.len())), "{error}");
    }
}

/// Compares the vocabulary of the `vocab.txt` in `folder`, if there is one.
fn is_dnabert_vocabulary(folder: &Path) -> bool {
    let path = folder.join("vocab.txt");
    if !path.is_file() {
        return false;
    }
    let text = read(&path);
    let wanted: Vec<&str> = text.lines().collect();
    let k = wanted.last().expect("a vocabulary has entries").len() as u8;
    let tokenizer = Tokenizer::kmer(k, 1).unwrap();
    let all: Vec<u32> = (0..tokenizer.vocabulary_size() as u32).collect();
    assert_eq!(texts(&tokenizer, &all), wanted, "{}", path.display());
    for word in &wanted[5..] {
        assert_eq!(texts(&tokenizer, &tokenizer.encode(word)), [*word]);
    }
    true
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

#[test]
fn kmer_vocabularies_are_those_of_the_published_files() {
    let checked = folders(&fixture("")).iter().filter(|folder| is_dnabert_vocabulary(folder)).count();
    assert!(checked > 0, "no fixture has a vocab.txt");
    if let Some(data) = shared_data("kmer_vocabularies_are_those_of_the_published_files") {
        let folders = folders(&data.join("tokenizers/dnabert"));
        assert!(!folders.is_empty() && folders.iter().all(|folder| is_dnabert_vocabulary(folder)));
    }
}

#[test]
fn bpe_equals_the_golden_ids_of_an_independent_build() {
    let Some(data) = shared_data("bpe_equals_the_golden_ids_of_an_independent_build") else { return };
    let folder = data.join("tokenizers");
    let golden: Value = serde_json::from_str(&read(&folder.join("golden_dnabert2_bpe.json"))).unwrap();
    let mut tokenizers = vec![Tokenizer::dnabert2()];
    for name in ["deepgene", "dnabert2"] {
        let text = read(&folder.join(name).join("tokenizer.json"));
        tokenizers.push(Tokenizer::from_json(&text).unwrap());
    }
    assert_eq!(
        tokenizers[0].fingerprint(),
        tokenizers[1].fingerprint(),
        "the embedded file is the public one"
    );
    for tokenizer in tokenizers {
        for case in golden["cases"].as_array().expect("cases") {
            let tokens = tokenizer.encode(case["text"].as_str().expect("a text"));
            let row = assemble(Layout::ClsXSep, tokenizer.specials(), &tokens, usize::MAX);
            assert_eq!(row.ids, ids(&case["ids"]), "{}", case["name"]);
            assert_eq!(Value::from(texts(&tokenizer, &row.ids)), case["tokens"], "{}", case["name"]);
        }
    }
}

#[test]
fn a_tokenization_names_its_tokenizer() {
    let new = |name: &str, learned| Tokenizer::new(name.parse::<Tokenization>().unwrap(), learned);
    let text = read(&fixture("dnabert-2").join("tokenizer.json"));
    let checks = [
        ("6-mer-stride-3", None, Tokenizer::kmer(6, 3).unwrap()),
        ("character", None, Tokenizer::kmer(1, 1).unwrap()),
        ("bpe", None, Tokenizer::dnabert2()),
        ("bpe-trained", Some(text.as_str()), Tokenizer::dnabert2()),
    ];
    let sequence = "ACGTACNGTTGACCATGACGATAGACCAGATAGA";
    for (name, learned, same) in checks {
        let tokenizer = new(name, learned).unwrap();
        assert_eq!(tokenizer.encode(sequence), same.encode(sequence), "{name}");
        assert_eq!(tokenizer.vocabulary(), same.vocabulary(), "{name}");
        assert_eq!(tokenizer.fingerprint(), same.fingerprint(), "{name}");
        assert_eq!(tokenizer.fingerprint().is_empty(), !name.starts_with("bpe"), "{name}");
        assert_eq!(tokenizer.token(tokenizer.vocabulary().size), None, "{name}");
    }
    assert!(new("bpe-trained", None).unwrap_err().to_string().contains("`vocabulary` job"));
}

/// Random DNA in which some words are commoner than chance makes them.
fn synthetic(nucleotides: usize) -> String {
    let mut state = 1_u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let words = ["A", "C", "G", "T", "TATAAA", "CACACACA", "GGGCGG", "AAAAAAAAAA", "N"];
    let mut sequence = String::new();
    while sequence.len() < nucleotides {
        sequence.push_str(words[draw(words.len() as u64) as usize]);
    }
    sequence
}

/// Checks everything that must hold of a vocabulary learnt from `sequence`.
fn check_learning(sequence: &str, size: usize, longest: usize) {
    let cut: Vec<String> = pieces(sequence, 128).map(str::to_owned).collect();
    let learn = |threads: usize, pieces: Vec<String>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train_bpe(pieces.into_iter(), size, longest)).unwrap()
    };
    let text = learn(1, cut.clone());
    for threads in [1, 4] {
        assert_eq!(learn(threads, cut.clone()), text, "{threads} threads");
        assert_eq!(learn(threads, cut.iter().rev().cloned().collect()), text, "another order");
    }

    let tokenizer = Tokenizer::from_json(&text).unwrap();
    assert_eq!(tokenizer.vocabulary_size(), size);
    let all = texts(&tokenizer, &(0..size as u32).collect::<Vec<_>>());
    assert_eq!(all[..9], texts(&Tokenizer::dnabert2(), &[0, 1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(tokenizer.vocabulary().specials, Tokenizer::dnabert2().specials());
    assert_eq!(all[5..].iter().map(String::len).max(), Some(longest), "the longest token");
    for piece in &cut {
        let tokens = tokenizer.encode(piece);
        assert_eq!(texts(&tokenizer, &tokens).concat(), *piece);
        assert!(tokens.len() <= piece.len());
    }

    let library: tokenizers::Tokenizer = text.parse().unwrap();
    let encoding = library.encode(cut[0].as_str(), true).unwrap();
    let row = assemble(Layout::ClsXSep, tokenizer.specials(), &tokenizer.encode(&cut[0]), usize::MAX);
    assert_eq!(encoding.get_ids(), row.ids, "the file means the same to the library");
}

#[test]
fn a_vocabulary_learnt_from_synthetic_dna_is_reproducible_and_lossless() {
    check_learning(&synthetic(60_000), 200, 10);
    check_learning(&synthetic(20_000), 40, 2 + 2);
}

#[test]
fn a_vocabulary_learnt_from_real_dna_is_reproducible_and_lossless() {
    let Some(data) = shared_data("a_vocabulary_learnt_from_real_dna_is_reproducible_and_lossless") else {
        return;
    };
    let path = data.join("genomes/mt_human_chimp_orang.fa.gz");
    let mut reader = needletail::parse_fastx_file(&path).unwrap();
    let mut sequence = String::new();
    while let Some(record) = reader.next() {
        sequence.push_str(&String::from_utf8(record.unwrap().seq().to_vec()).unwrap().to_uppercase());
        sequence.push('N');
    }
    check_learning(&sequence, 512, 8);
}

static DNABERT_2: LazyLock<Tokenizer> = LazyLock::new(Tokenizer::dnabert2);

/// The library's pipeline on the same file, where texts may not spell special tokens.
static PIPELINE: LazyLock<tokenizers::Tokenizer> = LazyLock::new(|| {
    let text = read(&fixture("dnabert-2").join("tokenizer.json"));
    let mut pipeline: tokenizers::Tokenizer = text.parse().unwrap();
    pipeline.set_encode_special_tokens(true);
    pipeline
});

#[test]
fn text_never_spells_a_special_token() {
    let tokenizer = Tokenizer::dnabert2();
    let ordinary = tokenizer.vocabulary().first_ordinary;
    for text in ["[CLS]", "AC[MASK]GT", "[PAD] [SEP]"] {
        let ids = tokenizer.encode(text);
        let unknown = tokenizer.specials().unknown;
        assert!(ids.iter().all(|&id| id == unknown || id >= ordinary), "{text}");
    }
}

proptest! {
    #[test]
    fn overlapping_kmers_reconstruct_the_sequence(sequence in "[ACGT]{0,200}", k in 1_u8..=8) {
        let tokenizer = Tokenizer::kmer(k, 1).unwrap();
        let words = texts(&tokenizer, &tokenizer.encode(&sequence));
        prop_assert_eq!(words.len(), (sequence.len() + 1).saturating_sub(k.into()));
        let firsts = words.iter().map(|word| &word[..1]);
        let rest = words.last().map_or("", |word| &word[1..]);
        let whole: String = firsts.chain([rest]).collect();
        prop_assert_eq!(whole, if words.is_empty() { "" } else { sequence.as_str() });
    }

    #[test]
    fn a_stride_takes_every_so_many_words(sequence in "[ACGTNa]{0,100}", k in 1_u8..=8, stride in 1_u8..=12) {
        let all = Tokenizer::kmer(k, 1).unwrap().encode(&sequence);
        let some = Tokenizer::kmer(k, stride).unwrap().encode(&sequence);
        let wanted: Vec<u32> = all.into_iter().step_by(stride.into()).collect();
        prop_assert_eq!(some, wanted);
    }

    #[test]
    fn bpe_tokens_concatenate_to_the_sequence(sequence in "[ACGT]{0,600}") {
        prop_assert_eq!(texts(&DNABERT_2, &DNABERT_2.encode(&sequence)).concat(), sequence);
    }

    #[test]
    fn bpe_equals_the_librarys_pipeline(text in "[ACGT]{0,9}([ACGTNacgtRY]{0,40}|[ \\t\\né_\\[\\]-]){0,12}") {
        let wanted = PIPELINE.encode(text.as_str(), false).unwrap();
        let ids = DNABERT_2.encode(&text);
        prop_assert_eq!(ids.as_slice(), wanted.get_ids());
    }

    #[test]
    fn pieces_are_the_sequence_without_foreign_letters(sequence in "[ACGTNa-]{0,200}", length in 1_usize..40) {
        let cut: Vec<&str> = pieces(&sequence, length).collect();
        prop_assert!(cut.iter().all(|piece| (1..=length).contains(&piece.len())));
        prop_assert_eq!(cut.concat(), sequence.replace(['N', 'a', '-'], ""));
    }
}
