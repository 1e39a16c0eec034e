//! FASTA, plain or gzipped, with one record or many.

use std::path::Path;

use needletail::errors::{ParseError, ParseErrorKind};
use needletail::parse_fastx_reader;
use needletail::parser::SequenceRecord;

use super::DataError;
use super::error::excerpt;
use super::files::{Text, read_text};
use super::nucleotides::first_stranger;

/// A named sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genome {
    /// The first word of its FASTA header.
    pub name: String,
    /// Its nucleotides: ASCII letters only.
    pub sequence: String,
}

/// Reads all records of a file, in their order; at least one.
///
/// # Errors
/// The file cannot be read, is no FASTA, or a record has no sequence or a character that
/// codes no nucleotide.
pub(super) fn read_fasta(path: &Path) -> Result<Vec<Genome>, DataError> {
    let text = read_text(path, "FASTA text, plain or .gz")?;
    // needletail would take FASTQ as well.
    if !text.content.starts_with('>') {
        let found = match text.content.lines().next().unwrap_or_default().trim() {
            "" => "an empty line".to_owned(),
            line => format!("`{}`", excerpt(line)),
        };
        return Err(DataError::NotFasta { path: text.path, found });
    }
    let failed = |error| parse_error(&text, &error);
    let mut reader = parse_fastx_reader(text.content.as_bytes()).map_err(failed)?;
    let mut genomes = Vec::new();
    while let Some(record) = reader.next() {
        genomes.push(genome(&text, &record.map_err(failed)?)?);
    }
    Ok(genomes)
}

fn genome(text: &Text, record: &SequenceRecord<'_>) -> Result<Genome, DataError> {
    let header_line = record.start_line_number();
    let header = String::from_utf8_lossy(record.id());
    let name = header.split_whitespace().next().unwrap_or_default().to_owned();
    let sequence = String::from_utf8_lossy(&record.seq()).into_owned();
    if sequence.is_empty() {
        let reason = format!("record `{}` has no sequence", excerpt(&name));
        return Err(DataError::Fasta { path: text.path.clone(), line: header_line, reason });
    }
    if let Some(letter) = first_stranger(&sequence) {
        let raw = String::from_utf8_lossy(record.raw_seq());
        let before = raw.split(letter).next().unwrap_or_default();
        let line = header_line + 1 + before.matches('\n').count() as u64;
        let letter = excerpt(&letter.to_string());
        return Err(DataError::Letter { path: text.path.clone(), line, letter });
    }
    Ok(Genome { name, sequence })
}

fn parse_error(text: &Text, error: &ParseError) -> DataError {
    let reason = match error.kind {
        ParseErrorKind::UnexpectedEnd | ParseErrorKind::EmptyFile => "ends inside a record".to_owned(),
        ParseErrorKind::Io
        | ParseErrorKind::UnknownFormat
        | ParseErrorKind::InvalidStart
        | ParseErrorKind::InvalidSeparator
        | ParseErrorKind::UnequalLengths => error.msg.clone(),
    };
    DataError::Fasta { path: text.path.clone(), line: error.position.line.max(1), reason }
}
