//! Corpora and the windows that pre-training reads.

use std::collections::BTreeSet;

use bench::data::{
    CorpusWindow, CorpusWindows, Found, Genome, catalogue_corpus, corpus_fingerprint, load_corpus,
};
use bench::settings::{Corpus, CorpusSource, ManifestSplit, Pretraining};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::samples::{DataFolder, gzip, sample_genomes, sequence, write_genomes};

fn corpus(source: CorpusSource) -> Corpus {
    Corpus { id: "sample/corpus".into(), version: 1, upper: true, source }
}

fn lengths(min_length: usize, max_length: usize, held_out: usize) -> Pretraining {
    Pretraining { min_length, max_length, attend_pads: false, held_out }
}

fn genomes(sizes: &[usize]) -> Vec<Genome> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let genome = |(nth, size): (usize, &usize)| Genome {
        name: format!("g{nth}"),
        sequence: sequence(&mut random, *size),
    };
    sizes.iter().enumerate().map(genome).collect()
}

fn windows(genomes: &[Genome], pretraining: &Pretraining) -> CorpusWindows {
    CorpusWindows::new(&corpus(CorpusSource::Fasta(Vec::new())), genomes.to_vec(), pretraining).unwrap()
}

/// Genome and start, read from the subject and held against the sequence.
fn place(window: &CorpusWindow, genomes: &[Genome]) -> (usize, usize) {
    let (genome, rest) = window.subject.split_once(':').unwrap();
    let (start, length) = rest.split_once('+').unwrap();
    let [genome, start, length] = [genome, start, length].map(|number| number.parse::<usize>().unwrap());
    assert_eq!(genomes[genome].sequence[start..start + length], window.sequence);
    (genome, start)
}

#[test]
fn fasta_files_hold_many_records_and_come_in_order() {
    let folder = DataFolder::new();
    folder.write("a.fasta", ">one first\nACGT\nacg\n\n>two\r\nTT\r\nGG\r\n");
    folder.write("b.fasta.gz", gzip(">three\nNNRY"));
    let source = CorpusSource::Fasta(vec!["b.fasta".into(), "a.fasta".into()]);
    let found = load_corpus(&corpus(source.clone()), folder.path()).unwrap();
    let genome = |name: &str, sequence: &str| Genome { name: name.into(), sequence: sequence.into() };
    assert_eq!(found, [genome("three", "NNRY"), genome("one", "ACGTACG"), genome("two", "TTGG")]);
    let as_written = Corpus { upper: false, ..corpus(source.clone()) };
    assert_eq!(load_corpus(&as_written, folder.path()).unwrap()[1].sequence, "ACGTacg");
    let Found::Present(entry) = catalogue_corpus(&corpus(source), folder.path()).unwrap() else {
        panic!("it is there")
    };
    assert_eq!((entry.sequences, entry.nucleotides), (3, 15));
    assert_eq!((entry.lengths.shortest, entry.lengths.median, entry.lengths.longest), (4, 4, 7));
    assert_eq!(entry.fingerprint, corpus_fingerprint(&found));
}

#[test]
fn a_manifest_gives_the_genomes_of_one_split() {
    let folder = DataFolder::new();
    let samples = sample_genomes(3);
    write_genomes(&folder, &samples);
    let of = |split: &str| {
        let source = ManifestSplit { manifest: "virus/manifest.tsv".into(), split: split.into() };
        load_corpus(&corpus(CorpusSource::Manifest(source)), folder.path()).unwrap()
    };
    for split in ["train", "dev"] {
        let expected: Vec<&str> = samples
            .iter()
            .filter(|genome| genome.split == split)
            .map(|genome| genome.sequence.as_str())
            .collect();
        let found = of(split);
        assert_eq!(found.iter().map(|genome| genome.sequence.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn half_of_the_windows_are_longest_and_the_rest_any_length() {
    let genomes = genomes(&[20_000, 5_000]);
    let windows = windows(&genomes, &lengths(10, 100, 0));
    let drawn: Vec<CorpusWindow> = (0..4000).map(|index| windows.window(1, index).unwrap()).collect();
    let longest = drawn.iter().filter(|window| window.sequence.len() == 100).count();
    // One half, and one in 91 of the other; five standard deviations are 158.
    assert!((1860..=2180).contains(&longest), "{longest}");
    assert!(drawn.iter().all(|window| (10..=100).contains(&window.sequence.len())));
    let others: BTreeSet<usize> = drawn.iter().map(|window| window.sequence.len()).collect();
    assert!(others.len() > 85, "{}", others.len());
    let mean: usize =
        drawn.iter().map(|window| window.sequence.len()).filter(|length| *length < 100).sum::<usize>()
            / (4000 - longest);
    assert!((51..=58).contains(&mean), "{mean}");
}

#[test]
fn genomes_are_met_in_proportion_to_their_length() {
    let genomes = genomes(&[30_000, 10_000]);
    let windows = windows(&genomes, &lengths(50, 50, 0));
    let first = (0..2000).filter(|&index| place(&windows.window(1, index).unwrap(), &genomes).0 == 0).count();
    assert!((1400..=1600).contains(&first), "{first}");
}

#[test]
fn held_out_windows_lie_where_no_training_window_does() {
    let genomes = genomes(&[4_000, 1_000, 60]);
    let pretraining = lengths(20, 80, 300);
    let windows = windows(&genomes, &pretraining);
    let reserved_from = |genome: usize| genomes[genome].sequence.len() - genomes[genome].sequence.len() / 20;
    for index in 0..3000 {
        let window = windows.window(2, index).unwrap();
        let (genome, start) = place(&window, &genomes);
        assert!(start + window.sequence.len() <= reserved_from(genome), "{}", window.subject);
    }
    let held_out = windows.held_out().unwrap();
    assert_eq!(held_out.len(), 300);
    for window in &held_out {
        let (genome, start) = place(window, &genomes);
        assert!(start >= reserved_from(genome), "{}", window.subject);
        assert!((20..=80).contains(&window.sequence.len()));
    }
    assert_eq!(held_out, windows.held_out().unwrap());
}

#[test]
fn a_window_depends_on_repetition_index_and_content_only() {
    let genomes = genomes(&[4_000, 1_000]);
    let base = windows(&genomes, &lengths(20, 80, 0));
    assert_eq!(base.window(1, 7).unwrap(), windows(&genomes, &lengths(20, 80, 9)).window(1, 7).unwrap());
    assert_ne!(base.window(1, 7).unwrap(), base.window(1, 8).unwrap());
    assert_ne!(base.window(1, 7).unwrap(), base.window(2, 7).unwrap());
    let mut renamed = genomes.clone();
    renamed[0].name = "renamed".into();
    assert_eq!(base.window(1, 7).unwrap(), windows(&renamed, &lengths(20, 80, 0)).window(1, 7).unwrap());
    assert_eq!(base.fingerprint(), corpus_fingerprint(&genomes));
}

#[test]
fn ambiguous_stretches_are_avoided_and_a_corpus_of_them_refused() {
    let mut genomes = genomes(&[3_000]);
    genomes[0].sequence.replace_range(500..1500, &"N".repeat(1000));
    let some = windows(&genomes, &lengths(20, 80, 0));
    assert!((0..500).all(|index| !some.window(1, index).unwrap().sequence.contains('N')));
    genomes[0].sequence = "N".repeat(3000);
    let all = windows(&genomes, &lengths(20, 80, 5));
    insta::assert_snapshot!(all.window(1, 0).unwrap_err(), @"sample/corpus: 1000 draws gave no window with at most 0.1 % of letters other than A, C, G, T");
    assert!(all.held_out().is_err());
}

#[test]
fn impossible_lengths_are_refused() {
    let new = |sizes: &[usize], pretraining: &Pretraining| {
        CorpusWindows::new(&corpus(CorpusSource::Fasta(Vec::new())), genomes(sizes), pretraining).unwrap_err()
    };
    insta::assert_snapshot!(new(&[500], &lengths(0, 80, 0)), @"sample/corpus: min_length is 0; accepted is a whole number from 1 to max_length");
    insta::assert_snapshot!(new(&[500], &lengths(81, 80, 0)), @"sample/corpus: min_length is 81; accepted is a whole number from 1 to max_length");
    insta::assert_snapshot!(new(&[50], &lengths(60, 80, 0)), @"sample/corpus: no training region of at least 60 nt; accepted is a longer corpus or a smaller `min_length`");
    insta::assert_snapshot!(new(&[500], &lengths(60, 80, 1)), @"sample/corpus: no held-out region of at least 60 nt; accepted is a longer corpus or a smaller `min_length`");
}
