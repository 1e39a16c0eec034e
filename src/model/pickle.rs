//! Pickles of state dicts, read as data: a stack machine that builds texts, numbers, lists
//! and dicts, and never calls anything.
//!
//! A pickle names the functions that Python is to call. Here a name is one of the handful
//! that a state dict needs, each of which stands for a plain value, or the pickle is
//! refused. Values lie in one list and point to each other by number, so that what a pickle
//! repeats through its memo costs nothing, and nothing is walked or dropped recursively.

mod machine;

use super::float::Float;

/// Why a pickle is not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PickleError {
    #[error("the pickle ends too early, at byte {0}")]
    CutOff(usize),
    #[error(
        "the pickle asks for `{0}`, and nothing was called; accepted are the names of a state dict: tensors, \
         their storages, OrderedDict"
    )]
    Name(String),
    #[error("byte {at} of the pickle is the opcode 0x{code:02x}; no state dict has it")]
    Opcode { at: usize, code: u8 },
    #[error("byte {at} of the pickle: {what}")]
    Wrong { at: usize, what: &'static str },
}

/// The place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u32);

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// What tells nothing of weights: none, booleans, floats, bytes, huge integers.
    Other,
    Int(i64),
    Text(&'a str),
    /// A tuple or a list.
    Items(Vec<Id>),
    /// Keys and values in their order.
    Dict(Vec<(Id, Id)>),
    Name(Name),
    Storage(Box<Storage<'a>>),
    Tensor(Box<Tensor>),
}

/// The names that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Elements),
}

/// What a storage holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elements {
    Floats(Float),
    /// Of this many bytes each.
    Others(usize),
}

impl Elements {
    /// Bytes of one element.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Floats(float) => float.size(),
            Self::Others(size) => size,
        }
    }
}

/// Elements beside the pickle that tensors are views of.
#[derive(Clone, Debug)]
pub(super) struct Storage<'a> {
    pub(super) elements: Elements,
    pub(super) key: &'a str,
    /// Elements in all.
    pub(super) count: usize,
    /// Element at which a view of it starts; only early files have one that is not 0.
    pub(super) start: usize,
}

/// A view of a storage.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) storage: Id,
    /// Its first element.
    pub(super) start: usize,
    pub(super) shape: Vec<usize>,
    /// Elements from one index to the next, for each axis.
    pub(super) strides: Vec<usize>,
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    values: Vec<Value<'a>>,
    root: Id,
    /// Where in the input it ends.
    pub(super) end: usize,
}

impl<'a> Pickle<'a> {
    pub(super) fn value(&self, id: Id) -> &Value<'a> {
        &self.values[id.0 as usize]
    }

    pub(super) fn root(&self) -> &Value<'a> {
        self.value(self.root)
    }

    pub(super) fn values(&self) -> &[Value<'a>] {
        &self.values
    }
}

/// Reads the pickle that starts at `start`.
///
/// # Errors
/// Anything that is no pickle of a state dict, or of the little that stands around one.
pub(super) fn read(input: &[u8], start: usize) -> Result<Pickle<'_>, PickleError> {
    machine::Machine::new(input, start).run()
}

/// A name for a message, on one line and not longer than a line.
fn shown(module: &str, name: &str) -> String {
    let whole = format!("{}.{}", module.escape_debug(), name.escape_debug());
    if whole.chars().count() <= 80 { whole } else { whole.chars().take(80).chain("...".chars()).collect() }
}

impl Name {
    fn of(module: &str, name: &str) -> Option<Self> {
        let elements = match (module, name) {
            ("collections", "OrderedDict") => return Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => return Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => return Some(Self::RebuildParameter),
            ("torch", "DoubleStorage") => Elements::Floats(Float::F64),
            ("torch", "FloatStorage") => Elements::Floats(Float::F32),
            ("torch", "HalfStorage") => Elements::Floats(Float::F16),
            ("torch", "BFloat16Storage") => Elements::Floats(Float::Bf16),
            ("torch", "LongStorage") => Elements::Others(8),
            ("torch", "IntStorage") => Elements::Others(4),
            ("torch", "ShortStorage") => Elements::Others(2),
            ("torch", "CharStorage" | "ByteStorage" | "BoolStorage") => Elements::Others(1),
            _ => return None,
        };
        Some(Self::Storage(elements))
    }
}
