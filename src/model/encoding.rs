//! Tensors as the bytes of a safetensors file, with a note of the writer's own.

use std::collections::HashMap;

use safetensors::SafeTensors;

use super::checkpoint::tensors_of;
use super::{HostTensors, ModelError};

/// The note's name among the metadata.
const NOTE: &str = "note";

/// Tensors and a note as safetensors.
///
/// # Errors
/// None that is known: the tensors have the lengths that their shapes ask for.
pub fn encode(tensors: &HostTensors, note: &str) -> Result<Vec<u8>, ModelError> {
    let metadata = (!note.is_empty()).then(|| HashMap::from([(NOTE.to_owned(), note.to_owned())]));
    safetensors::serialize(tensors, metadata).map_err(|error| ModelError::Encoding(error.to_string()))
}

/// The tensors and the note that [`encode`] was given.
///
/// # Errors
/// Bytes that are no safetensors.
pub fn decode(bytes: &[u8]) -> Result<(HostTensors, String), ModelError> {
    let encoding = |error: safetensors::SafeTensorError| ModelError::Encoding(error.to_string());
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(encoding)?;
    let note = metadata.metadata().as_ref().and_then(|metadata| metadata.get(NOTE)).cloned();
    let file = SafeTensors::deserialize(bytes).map_err(encoding)?;
    Ok((tensors_of(&file), note.unwrap_or_default()))
}
