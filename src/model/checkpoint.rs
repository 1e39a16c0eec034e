//! Checkpoints on disk: our own `model.safetensors`, and the directories that public
//! models come in. Reading never executes anything.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::store::pytorch_reader::{DType, PytorchReader};
use burn::tensor::{bf16, f16};
use safetensors::{Dtype, SafeTensors, View};

use super::{HostTensor, HostTensors, ModelError};

/// The weights of a directory.
const SAFETENSORS: &str = "model.safetensors";

/// The weights of an older directory.
const PYTORCH: &str = "pytorch_model.bin";

impl View for &HostTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.data.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        self.data.len() * size_of::<f32>()
    }
}

/// Reads a safetensors file. Tensors that are no floats are left out.
///
/// # Errors
/// A file that cannot be read, or is no safetensors file.
pub fn load(path: &Path) -> Result<HostTensors, ModelError> {
    let bytes = fs::read(path).map_err(|source| ModelError::File { path: path.to_owned(), source })?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format(path, &error))?;
    Ok(tensors_of(&file))
}

/// The tensors of a safetensors file that are floats.
pub(super) fn tensors_of(file: &SafeTensors<'_>) -> HostTensors {
    let mut tensors = HostTensors::new();
    for (name, view) in file.iter() {
        let float = match view.dtype() {
            Dtype::F64 => Float::F64,
            Dtype::F32 => Float::F32,
            Dtype::F16 => Float::F16,
            Dtype::BF16 => Float::Bf16,
            _ => continue,
        };
        let tensor = HostTensor { shape: view.shape().to_vec(), data: float.decode(view.data()) };
        tensors.insert(name.to_owned(), tensor);
    }
    tensors
}

/// The tensors of a checkpoint directory, from `model.safetensors` or else from
/// `pytorch_model.bin`, as a zip or in the format before PyTorch 1.6.
///
/// # Errors
/// Neither file, or one that cannot be read.
pub fn read_checkpoint(directory: &Path) -> Result<HostTensors, ModelError> {
    let (modern, old) = (directory.join(SAFETENSORS), directory.join(PYTORCH));
    if modern.is_file() {
        load(&modern)
    } else if old.is_file() {
        load_pytorch(&old)
    } else {
        Err(ModelError::NoWeights { path: directory.to_owned() })
    }
}

/// Reads a file of `torch.save`. Tensors that are no floats are left out.
fn load_pytorch(path: &Path) -> Result<HostTensors, ModelError> {
    let reader = PytorchReader::new(path).map_err(|error| format(path, &error))?;
    let mut tensors = HostTensors::new();
    for (name, tensor) in reader.into_tensors().into_iter().collect::<BTreeMap<_, _>>() {
        let float = match tensor.dtype() {
            DType::F64 => Float::F64,
            DType::F32 => Float::F32,
            DType::F16 => Float::F16,
            DType::BF16 => Float::Bf16,
            DType::I64
            | DType::I32
            | DType::I16
            | DType::I8
            | DType::U64
            | DType::U32
            | DType::U16
            | DType::U8
            | DType::Bool => continue,
        };
        let bytes = tensor.read().map_err(|source| ModelError::File { path: path.to_owned(), source })?;
        tensors.insert(name, HostTensor { shape: tensor.shape().to_vec(), data: float.decode(&bytes) });
    }
    Ok(tensors)
}

/// The floating-point types of files.
#[derive(Clone, Copy)]
enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

impl Float {
    /// The values of little-endian bytes; both formats are little-endian only.
    fn decode(self, bytes: &[u8]) -> Vec<f32> {
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

fn format(path: &Path, error: &dyn std::error::Error) -> ModelError {
    ModelError::Format { path: path.to_owned(), message: error.to_string() }
}
