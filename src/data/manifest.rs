//! The table of a set of genomes: file, class, cluster and split of each.
//!
//! It keeps whole clusters in one split, so that no window is tested on whose near relative
//! was learnt from.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::DataError;
use super::error::{excerpt, quoted};
use super::table::{Dialect, Row, read_table};
use crate::settings::Split;

/// A manifest without the sequences.
#[derive(Debug)]
pub(super) struct Manifest {
    /// The file that was read.
    pub(super) path: PathBuf,
    /// Its rows, in order; at least one.
    pub(super) rows: Vec<Listed>,
}

/// One genome file.
#[derive(Debug)]
pub(super) struct Listed {
    /// Line in the manifest, from 1.
    pub(super) line: u64,
    /// The FASTA file: beside the manifest, plain or with `.gz`.
    pub(super) file: PathBuf,
    /// The class, as written.
    pub(super) class: String,
    /// Near relatives share it.
    pub(super) cluster: String,
    /// The split of its cluster.
    pub(super) split: Split,
}

/// Reads a manifest.
///
/// # Errors
/// The file cannot be read as such a table, a field is empty, a split is unknown, a file is
/// listed twice, or a cluster is in two splits.
pub(super) fn read_manifest(path: &Path) -> Result<Manifest, DataError> {
    let table = read_table(path, Dialect::Tab, ["file", "class", "cluster", "split"])?;
    let folder = table.path.parent().map(Path::to_owned).unwrap_or_default();
    let rows =
        table.rows.into_iter().map(|row| listed(&table.path, &folder, row)).collect::<Result<Vec<_>, _>>()?;
    let manifest = Manifest { path: table.path, rows };
    manifest.check_files()?;
    manifest.check_clusters()?;
    Ok(manifest)
}

/// The split that a text names.
pub(super) fn split_named(name: &str) -> Option<Split> {
    Split::ALL.into_iter().find(|split| split.name() == name)
}

/// The names of all splits, quoted, for messages.
pub(super) fn split_names() -> String {
    quoted(&Split::ALL.map(Split::name))
}

fn listed(path: &Path, folder: &Path, row: Row<4>) -> Result<Listed, DataError> {
    let line = row.line;
    let [file, class, cluster, split] = row.fields;
    for (column, value) in [("file", &file), ("class", &class), ("cluster", &cluster)] {
        if value.is_empty() {
            return Err(DataError::EmptyField { path: path.to_owned(), line, column, accepted: "a name" });
        }
    }
    let split = split_named(&split).ok_or_else(|| DataError::Unknown {
        path: path.to_owned(),
        line,
        column: "split",
        value: excerpt(&split),
        accepted: split_names(),
    })?;
    // A manifest comes with its data, from wherever they come.
    if Path::new(&file).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(DataError::Outside { path: path.to_owned(), line, name: excerpt(&file) });
    }
    Ok(Listed { line, file: folder.join(file), class, cluster, split })
}

impl Manifest {
    fn check_files(&self) -> Result<(), DataError> {
        let mut lines: BTreeMap<&Path, u64> = BTreeMap::new();
        for row in &self.rows {
            if let Some(before) = lines.insert(&row.file, row.line) {
                let name = row.file.display().to_string();
                return Err(DataError::ListedTwice { path: self.path.clone(), line: row.line, name, before });
            }
        }
        Ok(())
    }

    fn check_clusters(&self) -> Result<(), DataError> {
        let mut first: BTreeMap<&str, &Listed> = BTreeMap::new();
        for row in &self.rows {
            let before = *first.entry(&row.cluster).or_insert(row);
            if before.split != row.split {
                return Err(DataError::ClusterInTwoSplits {
                    path: self.path.clone(),
                    line: row.line,
                    cluster: row.cluster.clone(),
                    split: row.split.name(),
                    before: before.line,
                    before_split: before.split.name(),
                });
            }
        }
        Ok(())
    }
}
