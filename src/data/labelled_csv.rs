//! Labelled sequences in the form of GUE: CSV with columns `sequence` and `label`.

use std::path::Path;

use super::error::{excerpt, quoted};
use super::nucleotides::first_stranger;
use super::table::{Dialect, read_table};
use super::{DataError, Example};

/// Reads one split. Labels are class names; an example's label is its place in `classes`.
///
/// # Errors
/// The file cannot be read as such a table, or a row has an unknown label, an empty
/// sequence or a character that codes no nucleotide.
pub(super) fn read_labelled(path: &Path, classes: &[String]) -> Result<Vec<Example>, DataError> {
    let table = read_table(path, Dialect::Comma, ["sequence", "label"])?;
    let path = table.path.as_path();
    let mut examples = Vec::with_capacity(table.rows.len());
    for row in table.rows {
        let [sequence, label] = row.fields;
        check_sequence(path, row.line, &sequence)?;
        let label = classes.iter().position(|class| *class == label).ok_or_else(|| DataError::Unknown {
            path: path.to_owned(),
            line: row.line,
            column: "label",
            value: excerpt(&label),
            accepted: quoted(classes),
        })?;
        examples.push(Example { sequence, label, group: None });
    }
    Ok(examples)
}

fn check_sequence(path: &Path, line: u64, sequence: &str) -> Result<(), DataError> {
    let path = path.to_owned();
    if sequence.is_empty() {
        return Err(DataError::EmptyField {
            path,
            line,
            column: "sequence",
            accepted: "at least one nucleotide",
        });
    }
    match first_stranger(sequence) {
        None => Ok(()),
        Some(letter) => Err(DataError::Letter { path, line, letter: excerpt(&letter.to_string()) }),
    }
}
