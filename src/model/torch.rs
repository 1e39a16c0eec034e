//! Files of `torch.save`: zip archives, and the format before PyTorch 1.6.
//!
//! The whole file is in memory before this reads it. Everything a file claims is held
//! against what it holds, and nothing is executed, unpacked or written. Archives of the
//! `tar` kind (before PyTorch 0.1.10, 2017) and whole pickled modules are refused.

use std::collections::BTreeMap;

use super::float::Float;
use super::pickle::{self, Elements, Pickle, PickleError, Storage, Tensor, Value};
use super::zip::{self, Member, ZipError};
use super::{HostTensor, HostTensors};

/// Why a file is not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TorchError {
    #[error("not a file of torch.save")]
    Unknown,
    #[error("a tar archive of a PyTorch before 0.1.10; accepted is what later ones save")]
    Tar,
    #[error("written on a big-endian machine; accepted is little-endian, as everywhere now")]
    Order,
    #[error(transparent)]
    Pickle(#[from] PickleError),
    #[error(transparent)]
    Zip(#[from] ZipError),
    #[error("the file holds no dict from names to tensors; accepted is the state_dict() of a model")]
    NoStateDict,
    #[error("storage `{0}` is missing, cut off or of another length than the pickle says")]
    Storage(String),
    #[error("tensor `{0}` reaches beyond its storage")]
    Outside(String),
    #[error(
        "the tensors hold {0} times the values that the file has; accepted are at most {MOST_COPIES} times"
    )]
    Copies(usize),
}

/// Bytes of `f32` per byte of file: 16-bit weights that two names share give four.
const MOST_COPIES: usize = 4;

/// How a file before PyTorch 1.6 begins, as protocols from 2 write it.
const MAGIC: &[u8] = &[0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The storages of a file by key: their bytes.
type Storages<'a> = BTreeMap<&'a str, &'a [u8]>;

/// The floating-point tensors of a file, by name; others are left out.
///
/// # Errors
/// A file of another kind, damaged, or with more than a state dict.
pub(super) fn read(file: &[u8]) -> Result<HostTensors, TorchError> {
    if file.starts_with(b"PK\x03\x04") {
        read_zip(file)
    } else if file.get(257..262) == Some(b"ustar") {
        Err(TorchError::Tar)
    } else if file.windows(MAGIC.len()).take(64).any(|window| window == MAGIC) {
        read_legacy(file)
    } else {
        // A bare pickle holds no tensor, but may well ask for something: say that first.
        pickle::read(file, 0)?;
        Err(TorchError::Unknown)
    }
}

fn read_zip(file: &[u8]) -> Result<HostTensors, TorchError> {
    let members = zip::members(file)?;
    let (root, pickled) = members
        .iter()
        .filter_map(|(name, member)| Some((name.strip_suffix("data.pkl")?, member)))
        .min_by_key(|(root, _)| root.len())
        .ok_or(TorchError::Unknown)?;
    if let Some(order) = members.get(format!("{root}byteorder").as_str())
        && order.bytes("byteorder")?.trim_ascii() != b"little"
    {
        return Err(TorchError::Order);
    }
    let pickle = pickle::read(pickled.bytes("data.pkl")?, 0)?;
    let mut storages = Storages::new();
    for storage in storages_of(&pickle) {
        let name = format!("{root}data/{}", storage.key);
        let missing = || TorchError::Storage(storage.key.to_owned());
        let member: &Member<'_> = members.get(name.as_str()).ok_or_else(missing)?;
        if !storages.contains_key(storage.key) {
            storages.insert(storage.key, member.bytes(&name)?);
        }
    }
    tensors(&pickle, &storages, file.len())
}

/// Five pickles (magic number, version, machine, the state dict, the keys of the storages),
/// then the storages: a count of elements and the elements of each.
fn read_legacy(file: &[u8]) -> Result<HostTensors, TorchError> {
    let magic = pickle::read(file, 0)?;
    let version = pickle::read(file, magic.end)?;
    let Value::Int(1001) = version.root() else { return Err(TorchError::Unknown) };
    let machine = pickle::read(file, version.end)?;
    let pickle = pickle::read(file, machine.end)?;
    let keys = pickle::read(file, pickle.end)?;
    let Value::Items(list) = keys.root() else { return Err(TorchError::Unknown) };
    let declared: BTreeMap<&str, &Storage<'_>> =
        storages_of(&pickle).map(|storage| (storage.key, storage)).collect();
    let (mut storages, mut at) = (Storages::new(), keys.end);
    for key in list {
        let Value::Text(key) = keys.value(*key) else { return Err(TorchError::Unknown) };
        let missing = || TorchError::Storage((*key).to_owned());
        let storage = declared.get(key).ok_or_else(missing)?;
        let count = file.get(at..at + 8).ok_or_else(missing)?;
        if count != (storage.count as u64).to_le_bytes() {
            return Err(missing());
        }
        let end =
            storage.count.checked_mul(storage.elements.size()).and_then(|length| length.checked_add(at + 8));
        let end = end.ok_or_else(missing)?;
        storages.insert(key, file.get(at + 8..end).ok_or_else(missing)?);
        at = end;
    }
    tensors(&pickle, &storages, file.len())
}

fn storages_of<'p, 'a>(pickle: &'p Pickle<'a>) -> impl Iterator<Item = &'p Storage<'a>> {
    pickle.values().iter().filter_map(|value| match value {
        Value::Storage(storage) => Some(&**storage),
        Value::Other
        | Value::Int(_)
        | Value::Text(_)
        | Value::Items(_)
        | Value::Dict(_)
        | Value::Name(_)
        | Value::Tensor(_) => None,
    })
}

fn tensors(pickle: &Pickle<'_>, storages: &Storages<'_>, file: usize) -> Result<HostTensors, TorchError> {
    let Value::Dict(entries) = pickle.root() else { return Err(TorchError::NoStateDict) };
    let mut tensors = HostTensors::new();
    let mut found = false;
    let mut values = 0_usize;
    for (name, value) in entries {
        let (Value::Text(name), Value::Tensor(tensor)) = (pickle.value(*name), pickle.value(*value)) else {
            continue;
        };
        found = true;
        let Value::Storage(storage) = pickle.value(tensor.storage) else {
            return Err(TorchError::NoStateDict);
        };
        let Elements::Floats(float) = storage.elements else { continue };
        let outside = || TorchError::Outside((*name).to_owned());
        let view = View::new(tensor, storage).ok_or_else(outside)?;
        values = values.saturating_add(view.count);
        let copies = values.saturating_mul(size_of::<f32>()) / file.max(1);
        if copies > MOST_COPIES {
            return Err(TorchError::Copies(copies));
        }
        let bytes = storages.get(storage.key).ok_or_else(|| TorchError::Storage(storage.key.to_owned()))?;
        if bytes.len() / float.size() < storage.count {
            return Err(TorchError::Storage(storage.key.to_owned()));
        }
        let data = view.values(bytes, float);
        tensors.insert((*name).to_owned(), HostTensor { shape: tensor.shape.clone(), data });
    }
    if found { Ok(tensors) } else { Err(TorchError::NoStateDict) }
}

/// A tensor that lies within its storage.
struct View<'a> {
    tensor: &'a Tensor,
    /// Its first element in the storage.
    start: usize,
    /// Values in all.
    count: usize,
    /// One past the last element that it reaches.
    end: usize,
}

impl<'a> View<'a> {
    /// Nothing where it does not.
    fn new(tensor: &'a Tensor, storage: &Storage<'_>) -> Option<Self> {
        let start = storage.start.checked_add(tensor.start)?;
        let count = tensor.shape.iter().try_fold(1_usize, |count, axis| count.checked_mul(*axis))?;
        let mut end = start;
        if count > 0 {
            for (axis, stride) in tensor.shape.iter().zip(&tensor.strides) {
                end = end.checked_add((axis - 1).checked_mul(*stride)?)?;
            }
            end = end.checked_add(1)?;
        }
        (end <= storage.count).then_some(Self { tensor, start, count, end })
    }

    /// Whether its values lie one behind the other.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.tensor.shape.iter().zip(&self.tensor.strides).rev().all(|(&axis, &stride)| {
            let fits = axis <= 1 || stride == expected;
            expected *= axis.max(1);
            fits
        })
    }

    /// Its values, the last axis fastest.
    fn values(&self, storage: &[u8], float: Float) -> Vec<f32> {
        let size = float.size();
        if self.is_contiguous() || self.count == 0 {
            return float.decode(&storage[self.start * size..(self.start + self.count) * size]);
        }
        let reached = float.decode(&storage[self.start * size..self.end * size]);
        let mut values = Vec::with_capacity(self.count);
        let mut index = vec![0_usize; self.tensor.shape.len()];
        for _ in 0..self.count {
            values.push(
                reached[index.iter().zip(&self.tensor.strides).map(|(i, stride)| i * stride).sum::<usize>()],
            );
            for (i, axis) in index.iter_mut().zip(&self.tensor.shape).rev() {
                *i += 1;
                if *i < *axis {
                    break;
                }
                *i = 0;
            }
        }
        values
    }
}
