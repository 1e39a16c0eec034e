//! Sequences without labels, to pre-train on or to learn a vocabulary from.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::catalogue::missing;
use super::fasta::read_fasta;
use super::fingerprint::of_corpus;
use super::manifest::{read_manifest, split_named, split_names};
use super::{DataError, Found, Genome, Lengths};
use crate::settings::{Corpus, CorpusSource, ManifestSplit};

/// What is known of a corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CorpusEntry {
    /// Content hash of the sequences: 32 hexadecimal digits.
    pub fingerprint: String,
    /// Sequences.
    pub sequences: usize,
    /// Nucleotides in all of them.
    pub nucleotides: usize,
    /// Lengths of the sequences.
    pub lengths: Lengths,
}

/// Reads all sequences of a corpus, in the order of its files; at least one.
///
/// # Errors
/// A file is missing or wrong, or the split is unknown or has no genome.
pub fn load_corpus(corpus: &Corpus, root: &Path) -> Result<Vec<Genome>, DataError> {
    let mut genomes = Vec::new();
    for file in corpus_files(corpus, root)? {
        genomes.extend(read_fasta(&file)?);
    }
    if corpus.upper {
        for genome in &mut genomes {
            genome.sequence.make_ascii_uppercase();
        }
    }
    Ok(genomes)
}

/// Content hash of a corpus as [`load_corpus`] gives it: 32 hexadecimal digits.
pub fn corpus_fingerprint(genomes: &[Genome]) -> String {
    of_corpus(genomes)
}

/// Looks a corpus up below `root`.
///
/// # Errors
/// The data are there and wrong.
pub fn catalogue_corpus(corpus: &Corpus, root: &Path) -> Result<Found<CorpusEntry>, DataError> {
    let files = match corpus_files(corpus, root) {
        // The manifest itself; which genomes it would name is not known.
        Err(DataError::Missing { path, .. }) => vec![path],
        files => files?,
    };
    if let Some(missing) = missing(&files, root)? {
        return Ok(Found::Missing(missing));
    }
    let genomes = load_corpus(corpus, root)?;
    let lengths = || genomes.iter().map(|genome| genome.sequence.len());
    Ok(Found::Present(CorpusEntry {
        fingerprint: corpus_fingerprint(&genomes),
        sequences: genomes.len(),
        nucleotides: lengths().sum(),
        lengths: Lengths::of(lengths()),
    }))
}

fn corpus_files(corpus: &Corpus, root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let files = match &corpus.source {
        CorpusSource::Manifest(split) => split_files(corpus, split, root)?,
        CorpusSource::Fasta(files) => files.iter().map(|file| root.join(file)).collect(),
    };
    if files.is_empty() {
        return Err(DataError::Setting {
            origin: corpus.id.clone(),
            setting: "the list of files",
            value: "empty".to_owned(),
            accepted: "at least one FASTA file, or a split that has genomes",
        });
    }
    Ok(files)
}

fn split_files(corpus: &Corpus, wanted: &ManifestSplit, root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let split = split_named(&wanted.split).ok_or_else(|| DataError::UnknownSplit {
        corpus: corpus.id.clone(),
        value: wanted.split.clone(),
        accepted: split_names(),
    })?;
    let manifest = read_manifest(&root.join(&wanted.manifest))?;
    Ok(manifest.rows.into_iter().filter(|row| row.split == split).map(|row| row.file).collect())
}
