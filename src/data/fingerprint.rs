//! Content hashes: equal content gives equal fingerprints, whatever the files are called,
//! however they are packed and whatever ends their lines.

use super::genomes::LabelledGenome;
use super::{Example, Genome};
use crate::settings::{Motif, Split};

/// Bumped when [`super::motif`] gives other rows for the same settings.
const MOTIF_GENERATOR: u32 = 1;

/// Hexadecimal digits of a fingerprint, as of a key.
const DIGITS: usize = 32;

struct Hasher(blake3::Hasher);

impl Hasher {
    /// Kinds of content never share a fingerprint.
    fn new(kind: &str) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.text(kind);
        hasher
    }

    fn number(&mut self, value: usize) {
        self.0.update(&(value as u64).to_le_bytes());
    }

    /// The length first, so that `["ab", "c"]` and `["a", "bc"]` differ.
    fn text(&mut self, value: &str) {
        self.number(value.len());
        self.0.update(value.as_bytes());
    }

    fn finish(self) -> String {
        let mut digits = self.0.finalize().to_hex().to_string();
        digits.truncate(DIGITS);
        digits
    }
}

/// Of labelled rows: sequence and class name of each, in order, split by split.
pub(super) fn of_rows(classes: &[String], splits: [(Split, &[Example]); 3]) -> String {
    let mut hasher = Hasher::new("rows");
    for (split, rows) in splits {
        hasher.text(split.name());
        hasher.number(rows.len());
        for row in rows {
            hasher.text(&row.sequence);
            hasher.text(classes.get(row.label).map_or("", String::as_str));
        }
    }
    hasher.finish()
}

/// Of a manifest's genomes: class, cluster, split and sequences of each, in order.
pub(super) fn of_labelled_genomes(classes: &[String], genomes: &[LabelledGenome]) -> String {
    let mut hasher = Hasher::new("genomes");
    hasher.number(genomes.len());
    for genome in genomes {
        hasher.text(classes.get(genome.label).map_or("", String::as_str));
        hasher.text(&genome.cluster);
        hasher.text(genome.split.name());
        hasher.number(genome.records.len());
        for record in &genome.records {
            hasher.text(&record.sequence);
        }
    }
    hasher.finish()
}

/// Of a synthetic task: its settings and the version of the generator say all.
pub(super) fn of_motif(motif: &Motif) -> String {
    let Motif { motif, length, train, dev, test, noise } = motif;
    let mut hasher = Hasher::new("motif");
    hasher.number(MOTIF_GENERATOR as usize);
    hasher.text(motif);
    for value in [length, train, dev, test] {
        hasher.number(*value);
    }
    hasher.0.update(&noise.to_le_bytes());
    hasher.finish()
}

/// Of a corpus: its sequences, in order.
pub(super) fn of_corpus(genomes: &[Genome]) -> String {
    let mut hasher = Hasher::new("corpus");
    hasher.number(genomes.len());
    for genome in genomes {
        hasher.text(&genome.sequence);
    }
    hasher.finish()
}
