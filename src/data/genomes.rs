//! The genomes of a manifest with their sequences.

use super::DataError;
use super::fasta::{Genome, read_fasta};
use super::labelled_csv::class_named;
use super::manifest::{Listed, Manifest};
use crate::settings::Split;

/// One file of a manifest.
#[derive(Clone, Debug)]
pub(super) struct LabelledGenome {
    /// Place of its class among the task's.
    pub(super) label: usize,
    /// Near relatives share it.
    pub(super) cluster: String,
    /// The split of its cluster.
    pub(super) split: Split,
    /// Its sequences: a window lies within one of them.
    pub(super) records: Vec<Genome>,
}

/// Reads all files of a manifest, in its order.
///
/// # Errors
/// A class is not among `classes`, or a file cannot be read as FASTA.
pub(super) fn load_genomes(
    manifest: &Manifest,
    classes: &[String],
) -> Result<Vec<LabelledGenome>, DataError> {
    manifest.rows.iter().map(|row| labelled(manifest, row, classes)).collect()
}

fn labelled(manifest: &Manifest, row: &Listed, classes: &[String]) -> Result<LabelledGenome, DataError> {
    let label = class_named(&row.class, classes, &manifest.path, row.line, "class")?;
    let records = read_fasta(&row.file)?;
    Ok(LabelledGenome { label, cluster: row.cluster.clone(), split: row.split, records })
}
