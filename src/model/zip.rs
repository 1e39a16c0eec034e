//! Zip archives as `torch.save` writes them: members that are stored, none compressed.
//!
//! Nothing is unpacked and nothing written; members are parts of the file's bytes, so that
//! no claim of a size can take memory. What `torch.save` never writes is refused.

use std::collections::BTreeMap;

use flate2::Crc;

/// Why an archive is not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ZipError {
    #[error("the zip archive is cut off or damaged ({0})")]
    Damaged(&'static str),
    #[error("zip member `{0}` is compressed; accepted is what torch.save writes: members that are stored")]
    Compressed(String),
    #[error("zip member `{0}` has a name that leads out of the archive, or has it twice")]
    Name(String),
    #[error("zip member `{0}` fails its checksum; copy the file again")]
    Checksum(String),
}

/// A part of the archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    data: &'a [u8],
    crc: u32,
}

impl<'a> Member<'a> {
    /// Its bytes, checked; a checksum of 0 was never made (`torch.save` can leave it out).
    pub(super) fn bytes(self, name: &str) -> Result<&'a [u8], ZipError> {
        let mut crc = Crc::new();
        crc.update(self.data);
        if self.crc == 0 || self.crc == crc.sum() {
            return Ok(self.data);
        }
        Err(ZipError::Checksum(name.to_owned()))
    }
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const END_LENGTH: usize = 22;
const LOCATOR_LENGTH: usize = 20;

/// Little-endian fields of a record that starts with a signature.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The record at a place of the file.
    fn at(file: &'a [u8], place: usize, signature: &'static [u8]) -> Result<Self, ZipError> {
        let rest = file.get(place..).filter(|rest| rest.starts_with(signature));
        rest.map(Self).ok_or(ZipError::Damaged("a record is not where it should be"))
    }

    fn bytes(self, start: usize, length: usize) -> Result<&'a [u8], ZipError> {
        let end = start.checked_add(length).ok_or(ZipError::Damaged("a length is too large"))?;
        self.0.get(start..end).ok_or(ZipError::Damaged("it ends inside a record"))
    }

    /// An unsigned number of `width` bytes, at most 8.
    fn number(self, start: usize, width: usize) -> Result<u64, ZipError> {
        let bytes = self.bytes(start, width)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn size(self, start: usize, width: usize) -> Result<usize, ZipError> {
        usize::try_from(self.number(start, width)?).map_err(|_| ZipError::Damaged("a size is too large"))
    }
}

/// The members of an archive by name.
pub(super) fn members(file: &[u8]) -> Result<BTreeMap<&str, Member<'_>>, ZipError> {
    let (count, start, end) = directory(file)?;
    let directory = file.get(start..end).ok_or(ZipError::Damaged("no list of members"))?;
    let mut members = BTreeMap::new();
    let mut at = 0;
    for _ in 0..count {
        let entry = Fields::at(directory, at, CENTRAL)?;
        let [name, extra, comment] = [entry.size(28, 2)?, entry.size(30, 2)?, entry.size(32, 2)?];
        at += 46 + name + extra + comment;
        let (name, member) = member(file, entry, start)?;
        if is_hostile(name) || members.insert(name, member).is_some() {
            return Err(ZipError::Name(name.to_owned()));
        }
    }
    if at == directory.len() {
        Ok(members)
    } else {
        Err(ZipError::Damaged("its list of members has another length"))
    }
}

/// Members, and start and end of their list.
fn directory(file: &[u8]) -> Result<(usize, usize, usize), ZipError> {
    let place = file.len().checked_sub(END_LENGTH).ok_or(ZipError::Damaged("no end record"))?;
    let end = Fields::at(file, place, END)?;
    if let (Ok(count @ ..0xffff), Ok(length @ ..0xffff_ffff), Ok(start @ ..0xffff_ffff)) =
        (end.size(10, 2), end.size(12, 4), end.size(16, 4))
    {
        return Ok((
            count,
            start,
            start.checked_add(length).ok_or(ZipError::Damaged("a length is too large"))?,
        ));
    }
    let place = place.checked_sub(LOCATOR_LENGTH).ok_or(ZipError::Damaged("no end record"))?;
    let record = Fields::at(file, place, LOCATOR_64)?.size(8, 8)?;
    let end = Fields::at(file, record, END_64)?;
    let (count, length, start) = (end.size(32, 8)?, end.size(40, 8)?, end.size(48, 8)?);
    Ok((count, start, start.checked_add(length).ok_or(ZipError::Damaged("a length is too large"))?))
}

/// A member from its entry in the list, which starts at `limit`.
fn member<'a>(file: &'a [u8], entry: Fields<'a>, limit: usize) -> Result<(&'a str, Member<'a>), ZipError> {
    let length = entry.size(28, 2)?;
    let raw = entry.bytes(46, length)?;
    let name = std::str::from_utf8(raw).map_err(|_| ZipError::Damaged("a name is not UTF-8"))?;
    let is_encrypted = entry.number(8, 2)? & 1 == 1;
    if is_encrypted || entry.number(10, 2)? != 0 {
        return Err(ZipError::Compressed(name.to_owned()));
    }
    let [whole, stored, place] = sizes(entry, length)?;
    if whole != stored {
        return Err(ZipError::Compressed(name.to_owned()));
    }
    let local = Fields::at(file, place, LOCAL)?;
    if local.bytes(30, local.size(26, 2)?)? != raw {
        return Err(ZipError::Damaged("a member has two names"));
    }
    let start = place + 30 + length + local.size(28, 2)?;
    let data = start.checked_add(stored).filter(|end| *end <= limit).and_then(|end| file.get(start..end));
    let data = data.ok_or(ZipError::Damaged("a member reaches beyond the file"))?;
    Ok((name, Member { data, crc: entry.number(16, 4)? as u32 }))
}

/// Size, stored size and place of a member: those that do not fit into 32 bits stand, in
/// this order, in the extra field of zip64.
fn sizes(entry: Fields<'_>, name_length: usize) -> Result<[usize; 3], ZipError> {
    let mut sizes = [entry.size(24, 4)?, entry.size(20, 4)?, entry.size(42, 4)?];
    let extra = Fields(entry.bytes(46 + name_length, entry.size(30, 2)?)?);
    let mut at = 0;
    while at + 4 <= extra.0.len() {
        let (kind, length) = (extra.number(at, 2)?, extra.size(at + 2, 2)?);
        if kind == 1 {
            let long = Fields(extra.bytes(at + 4, length)?);
            let missing = sizes.iter_mut().filter(|size| **size == 0xffff_ffff);
            for (place, size) in missing.enumerate() {
                *size = long.size(8 * place, 8)?;
            }
        }
        at += 4 + length;
    }
    Ok(sizes)
}

fn is_hostile(name: &str) -> bool {
    name.starts_with('/') || name.contains(['\\', ':', '\0']) || name.split('/').any(|part| part == "..")
}
