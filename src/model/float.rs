//! The floating-point types of files, and their values as `f32`. Both formats that are read
//! are little-endian only.

use burn::tensor::{bf16, f16};

/// The floating-point types of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

impl Float {
    /// Bytes of one value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// The values of little-endian bytes; what is left of a last value is dropped.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F64 => chunks(bytes).map(|bytes| f64::from_le_bytes(bytes) as f32).collect(),
            Self::F32 => chunks(bytes).map(f32::from_le_bytes).collect(),
            Self::F16 => chunks(bytes).map(|bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
            Self::Bf16 => chunks(bytes).map(|bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
        }
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().copied()
}
