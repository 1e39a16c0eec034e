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
        let label = class_named(&label, classes, path, row.line, "label")?;
        examples.push(Example { sequence, label, group: None });
    }
    Ok(examples)
}

/// The place of a class among the task's, or what a file says instead.
pub(super) fn class_named(
    name: &str,
    classes: &[String],
    path: &Path,
    line: u64,
    column: &'static str,
) -> Result<usize, DataError> {
    classes.iter().position(|class| class == name).ok_or_else(|| DataError::Unknown {
        path: path.to_owned(),
        line,
        column,
        value: excerpt(name),
        accepted: quoted(classes),
    })
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
