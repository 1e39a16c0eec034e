//! The frame on disk. Both files are there whole or not at all.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use polars::prelude::{ChunkApply, DataFrame, IntoColumn, PolarsResult};
use polars_io::prelude::{CsvWriter, ParquetReader, ParquetWriter};
use polars_io::{SerReader, SerWriter};

use super::ResultsError;
use crate::escape;
use crate::record::publish;

/// Writes a frame as CSV: comma, header, shortest round-trip numbers, empty for null, and
/// an apostrophe before a text that a spreadsheet would take for a formula.
///
/// # Errors
/// Any failure of the file system.
pub fn write_csv(frame: &mut DataFrame, path: &Path) -> Result<(), ResultsError> {
    write(path, |bytes| CsvWriter::new(bytes).finish(&mut without_formulas(frame)?))
}

/// Writes a frame as Parquet.
///
/// # Errors
/// Any failure of the file system.
pub fn write_parquet(frame: &mut DataFrame, path: &Path) -> Result<(), ResultsError> {
    write(path, |bytes| ParquetWriter::new(bytes).finish(frame).map(|_| ()))
}

/// Reads a frame that [`write_parquet`] wrote.
///
/// # Errors
/// A file that is missing or no Parquet.
pub fn read_parquet(path: &Path) -> Result<DataFrame, ResultsError> {
    let file = File::open(path).map_err(|source| ResultsError::Io { path: path.to_owned(), source })?;
    ParquetReader::new(file).finish().map_err(|source| ResultsError::Format { path: path.to_owned(), source })
}

/// Numbers stay as they are.
fn without_formulas(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let mut harmless = frame.clone();
    for name in frame.get_column_names() {
        if let Ok(texts) = frame.column(name)?.str() {
            let texts = texts.apply_values(|text| Cow::Owned(escape::csv(text)));
            harmless.with_column(texts.into_column())?;
        }
    }
    Ok(harmless)
}

fn write(path: &Path, encode: impl FnOnce(&mut Vec<u8>) -> PolarsResult<()>) -> Result<(), ResultsError> {
    let mut bytes = Vec::new();
    encode(&mut bytes).map_err(|source| ResultsError::Format { path: path.to_owned(), source })?;
    publish(path, &bytes).map_err(ResultsError::Unwritable)
}
