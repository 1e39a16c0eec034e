//! The frame on disk. Both files are there whole or not at all.

use std::fs::File;
use std::path::Path;

use polars::prelude::{DataFrame, PolarsResult};
use polars_io::prelude::{CsvWriter, ParquetReader, ParquetWriter};
use polars_io::{SerReader, SerWriter};

use super::ResultsError;
use crate::record::publish;

/// Writes a frame as CSV: comma, header, shortest round-trip numbers, empty for null.
///
/// # Errors
/// Any failure of the file system.
pub fn write_csv(frame: &mut DataFrame, path: &Path) -> Result<(), ResultsError> {
    write(path, |bytes| CsvWriter::new(bytes).finish(frame))
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

fn write(path: &Path, encode: impl FnOnce(&mut Vec<u8>) -> PolarsResult<()>) -> Result<(), ResultsError> {
    let mut bytes = Vec::new();
    encode(&mut bytes).map_err(|source| ResultsError::Format { path: path.to_owned(), source })?;
    publish(path, &bytes).map_err(ResultsError::Unwritable)
}
