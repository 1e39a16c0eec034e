//! Checkpoints on disk: our own `model.safetensors`, and the directories that public
//! models come in. Reading never executes anything.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, View};

use super::float::Float;
use super::{HostTensor, HostTensors, ModelError, folder, torch};

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
    let bytes = read(path)?;
    // It holds every claim of the header against the file: offsets that follow each other
    // without gap or overlap up to the end, and lengths that are those of shape and type.
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
/// Neither file, one that cannot be read, or one that is a link out of the directory.
pub fn read_checkpoint(directory: &Path) -> Result<HostTensors, ModelError> {
    if let Some(path) = folder::find(directory, SAFETENSORS)? {
        load(&path)
    } else if let Some(path) = folder::find(directory, PYTORCH)? {
        torch::read(&read(&path)?).map_err(|error| format(&path, &error))
    } else {
        Err(ModelError::NoWeights { path: directory.to_owned() })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    fs::read(path).map_err(|source| ModelError::File { path: path.to_owned(), source })
}

fn format(path: &Path, error: &dyn std::error::Error) -> ModelError {
    ModelError::Format { path: path.to_owned(), message: error.to_string() }
}
