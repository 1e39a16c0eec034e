//! Delimited text with a header: named columns out, one text per field.

use std::path::{Path, PathBuf};

use super::DataError;
use super::error::quoted;
use super::files::read_text;

/// How fields are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
    /// Commas; fields may be quoted (RFC 4180).
    Comma,
    /// Tabs; quotes are ordinary characters.
    Tab,
}

impl Dialect {
    fn accepted(self) -> &'static str {
        match self {
            Self::Comma => "CSV text with a header line, plain or .gz",
            Self::Tab => "tab-separated text with a header line, plain or .gz",
        }
    }

    fn separated(self) -> &'static str {
        match self {
            Self::Comma => "separated by commas",
            Self::Tab => "separated by tabs",
        }
    }

    fn reader(self, text: &str) -> csv::Reader<&[u8]> {
        let mut builder = csv::ReaderBuilder::new();
        match self {
            Self::Comma => builder.delimiter(b','),
            Self::Tab => builder.delimiter(b'\t').quoting(false),
        };
        builder.from_reader(text.as_bytes())
    }
}

/// The wanted columns of a file.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    /// The file that was read.
    pub(super) path: PathBuf,
    /// Its rows; at least one.
    pub(super) rows: Vec<Row<N>>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row<const N: usize> {
    /// Line in the file, from 1.
    pub(super) line: u64,
    /// The fields, in the order in which columns were asked for.
    pub(super) fields: [String; N],
}

/// Reads the columns named; others may be there, in any order.
///
/// # Errors
/// The file cannot be read, lacks a column or all rows, or a row is ragged.
pub(super) fn read_table<const N: usize>(
    path: &Path,
    dialect: Dialect,
    columns: [&str; N],
) -> Result<Table<N>, DataError> {
    let text = read_text(path, dialect.accepted())?;
    let mut reader = dialect.reader(&text.content);
    let mut lines = Lines { text: text.content.as_bytes(), byte: 0, line: 1 };
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(table_error(&text.path, dialect, &mut lines, error)),
    };
    let positions = find_columns(&text.path, dialect, &header, columns)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| table_error(&text.path, dialect, &mut lines, error))?;
        let line = record.position().map_or(1, |position| lines.of(position));
        // Rows are as long as the header, so every position is there.
        let fields = positions.map(|at| record.get(at).unwrap_or_default().to_owned());
        rows.push(Row { line, fields });
    }
    if rows.is_empty() {
        return Err(DataError::Empty { path: text.path, accepted: "a header line and at least one row" });
    }
    Ok(Table { path: text.path, rows })
}

fn find_columns<const N: usize>(
    path: &Path,
    dialect: Dialect,
    header: &csv::StringRecord,
    columns: [&str; N],
) -> Result<[usize; N], DataError> {
    let found: Vec<&str> = header.iter().collect();
    let mut positions = [0; N];
    for (position, column) in positions.iter_mut().zip(columns) {
        *position = found.iter().position(|name| *name == column).ok_or_else(|| DataError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            found: quoted(&found),
            required: format!("{}, {}", quoted(&columns), dialect.separated()),
        })?;
    }
    Ok(positions)
}

/// Counts lines up to a record, going forwards only. The reader's own count is one behind
/// where lines end in CRLF, and does not skip blank lines.
struct Lines<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, position: &csv::Position) -> u64 {
        let start = position.byte() as usize;
        while let Some(&byte) = self.text.get(self.byte) {
            let before_record = self.byte < start || matches!(byte, b'\r' | b'\n');
            if !before_record {
                break;
            }
            self.line += u64::from(byte == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

fn table_error(path: &Path, dialect: Dialect, lines: &mut Lines<'_>, error: csv::Error) -> DataError {
    let path = path.to_owned();
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => DataError::Ragged {
            path,
            line: pos.as_ref().map_or(1, |position| lines.of(position)),
            found: if *len == 1 { "1 field".to_owned() } else { format!("{len} fields") },
            expected: *expected_len,
        },
        _ => DataError::Table { path, source: error, accepted: dialect.accepted() },
    }
}
