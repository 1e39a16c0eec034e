//! Real sequences: two of the bundled genomes.

use std::path::Path;

use bench::data::{Genome, load_corpus};
use bench::settings::{Corpus, CorpusSource};

use crate::experiment::EXPERIMENTS;

/// A phage and another virus of more than 100,000 nt each, all of them A, C, G and T.
const FILES: [&str; 2] = ["virus/phage/NC_022067.1.fasta.gz", "virus/other/NC_008168.1.fasta.gz"];

/// `count` windows of `length` nucleotides, from both genomes in turn, each from another
/// place.
pub(crate) fn windows(length: usize, count: usize) -> Vec<String> {
    let genomes = genomes();
    let window = |index: usize| {
        let sequence = &genomes[index % genomes.len()].sequence;
        let start = index * (sequence.len() - length) / count;
        sequence[start..start + length].to_owned()
    };
    (0..count).map(window).collect()
}

fn genomes() -> Vec<Genome> {
    let corpus = Corpus {
        id: "speed".to_owned(),
        version: 1,
        upper: true,
        source: CorpusSource::Fasta(FILES.map(str::to_owned).to_vec()),
    };
    load_corpus(&corpus, &Path::new(EXPERIMENTS).join("data")).expect("genomes of the repository")
}
