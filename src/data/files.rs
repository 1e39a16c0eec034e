//! Opening one text file, plain or gzipped. Knows nothing of what the text means.
//!
//! Links are followed wherever they lead: people keep large data elsewhere and put links
//! into the data root. What names a file (a task, a corpus, a manifest) cannot name one
//! outside, and only regular files are read.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::DataError;

/// The first two bytes of every gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A gzip file gives at most this many bytes for each of its own, and [`ALLOWANCE`]. DNA of
/// four letters gives 4, with runs of N up to 10; what gzip could give is 1,000.
const INFLATION: usize = 32;

/// Bytes that any gzip file may give.
const ALLOWANCE: usize = 16 << 20;

/// A file's text and where it was found.
#[derive(Debug)]
pub(super) struct Text {
    /// The file that was read: the name asked for, or that with `.gz`.
    pub(super) path: PathBuf,
    /// All of it; never empty, without zero bytes.
    pub(super) content: String,
}

/// The file that `path` means: itself, or itself with `.gz`.
///
/// # Errors
/// Neither is there, or `path` is a folder, a pipe or a device.
pub(super) fn locate(path: &Path) -> Result<PathBuf, DataError> {
    if path.is_dir() {
        return Err(DataError::Folder { path: path.to_owned() });
    }
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if path.exists() {
        return Err(DataError::NoFile { path: path.to_owned() });
    }
    let mut zipped = OsString::from(path);
    zipped.push(".gz");
    let zipped = PathBuf::from(zipped);
    if zipped.is_file() { Ok(zipped) } else { Err(DataError::Missing { path: path.to_owned() }) }
}

/// Reads `path`, plain or gzipped; `accepted` describes the format for messages.
///
/// # Errors
/// The file is missing, a folder, unreadable, damaged, empty, binary or not UTF-8.
pub(super) fn read_text(path: &Path, accepted: &'static str) -> Result<Text, DataError> {
    let path = locate(path)?;
    let stored = fs::read(&path).map_err(|source| DataError::Unreadable { path: path.clone(), source })?;
    let bytes = unzip(&path, stored)?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(DataError::Empty { path, accepted });
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(DataError::Binary { line: line_of(&bytes, at), path, accepted });
    }
    match String::from_utf8(bytes) {
        Ok(content) => Ok(Text { path, content }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let byte = bytes.get(at).copied().unwrap_or_default();
            Err(DataError::NotUtf8 { line: line_of(bytes, at), path, byte })
        }
    }
}

/// The magic decides, not the name: downloads are often unpacked or packed on the way.
fn unzip(path: &Path, stored: Vec<u8>) -> Result<Vec<u8>, DataError> {
    if !stored.starts_with(&GZIP_MAGIC) {
        let named_gz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        return if named_gz { Err(DataError::NotGzip { path: path.to_owned() }) } else { Ok(stored) };
    }
    let most = INFLATION.saturating_mul(stored.len()).saturating_add(ALLOWANCE);
    let mut bytes = Vec::new();
    MultiGzDecoder::new(stored.as_slice())
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| DataError::Gzip { path: path.to_owned(), source })?;
    if bytes.len() > most {
        return Err(DataError::Inflated { path: path.to_owned(), most });
    }
    Ok(bytes)
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|&&byte| byte == b'\n').count()
}
