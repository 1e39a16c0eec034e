//! The genomes of a manifest with their sequences.

use super::DataError;
use super::error::{excerpt, quoted};
use super::fasta::{Genome, read_fasta};
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
    let label = classes.iter().position(|class| *class == row.class).ok_or_else(|| DataError::Unknown {
        path: manifest.path.clone(),
        line: row.line,
        column: "class",
        value: excerpt(&row.class),
        accepted: quoted(classes),
    })?;
    let records = read_fasta(&row.file)?;
    Ok(LabelledGenome { label, cluster: row.cluster.clone(), split: row.split, records })
}
