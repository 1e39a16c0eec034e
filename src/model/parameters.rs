//! The parameters of a built model by name, out and in, under the names of the family's
//! public checkpoints: one format for our jobs and for theirs.
//!
//! Inside, a parameter is known by its path in the module tree; the inventory says which
//! piece of which public tensor it is. No file is touched here.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use super::inventory::{Kind, Slot};
use super::{HostTensor, HostTensors, ModelError};

/// The decoder of a masked-language head, which shares the word embeddings.
const DECODER: &str = "cls.predictions.decoder.weight";

/// Two names of one output bias: a checkpoint may hold either, or both (models.md 14.14).
const OUTPUT_BIAS: [&str; 2] = ["cls.predictions.bias", "cls.predictions.decoder.bias"];

/// A model whose parameters the inventory lists.
pub trait Parameterised: Module {
    #[doc(hidden)]
    fn slots(&self) -> Vec<Slot>;

    /// The device it is on, with autodiff where it can be trained.
    fn device(&self) -> Device;

    #[doc(hidden)]
    #[must_use]
    fn with_values(&self, values: HostTensors) -> Self;
}

/// What became of the tensors that were to be loaded. Names are public ones, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Taken over.
    pub used: Vec<String>,
    /// Not part of this model: `position_ids`, another model's head.
    pub ignored: Vec<String>,
    /// Of this model's head and not given; these parameters are as they were.
    pub missing: Vec<String>,
}

/// The public names and shapes of a model's parameters, in their order in the model; a
/// tensor that is held in pieces stands where its first piece does.
pub fn named_parameters<M: Parameterised>(model: &M) -> Vec<(String, Vec<usize>)> {
    let slots = model.slots();
    let first = slots.iter().filter(|slot| slot.piece.0 == 0);
    first.map(|slot| (slot.public.clone(), slot.public_shape())).collect()
}

/// A model's parameters under their public names.
///
/// # Panics
/// Where the inventory and the modules disagree, which the tests rule out.
pub fn to_tensors<M: Parameterised>(model: &M) -> HostTensors {
    let mut values = values(model);
    let mut tensors = HostTensors::new();
    // Pieces of one tensor follow each other in order in the inventory.
    for slot in model.slots() {
        let value = values.remove(&slot.path).expect("the inventory lists every parameter of every module");
        let value = match slot.kind {
            Kind::Weight => value.transposed(),
            Kind::Table { .. } | Kind::Bias | Kind::Scale => value,
        };
        match tensors.get_mut(&slot.public) {
            Some(whole) => whole.append(&value),
            None => drop(tensors.insert(slot.public, value)),
        }
    }
    tensors
}

/// The model with the values of `tensors`, which have public names. Parameters of a head
/// that are not there keep their values. All parameters are trainable afterwards.
///
/// # Errors
/// A tensor of another shape, an encoder without one of its tensors, a decoder that is not
/// the word embeddings.
pub fn load_tensors<M: Parameterised>(
    model: &M,
    tensors: &HostTensors,
) -> Result<(M, LoadReport), ModelError> {
    let slots = model.slots();
    let mut values = values(model);
    let mut used = BTreeSet::new();
    let mut missing = BTreeSet::new();
    for slot in &slots {
        let found = names(slot).into_iter().find_map(|name| tensors.get_key_value(name));
        match found {
            Some((name, tensor)) => {
                values.insert(slot.path.clone(), piece(slot, name, tensor)?);
                used.insert(name.clone());
            }
            None if slot.path.starts_with("encoder.") => {
                return Err(ModelError::Missing { name: slot.public.clone() });
            }
            None => drop(missing.insert(slot.public.clone())),
        }
    }
    check_decoder(&slots, tensors)?;
    let ignored = tensors.keys().filter(|name| !used.contains(*name)).cloned().collect();
    let report =
        LoadReport { used: used.into_iter().collect(), ignored, missing: missing.into_iter().collect() };
    Ok((model.with_values(values), report))
}

/// The names under which a checkpoint may hold a slot, the usual one first.
fn names(slot: &Slot) -> Vec<&str> {
    let usual = slot.public.as_str();
    if OUTPUT_BIAS.contains(&usual) {
        let other = OUTPUT_BIAS.into_iter().filter(|name| *name != usual);
        std::iter::once(usual).chain(other).collect()
    } else {
        vec![usual]
    }
}

/// The slot's part of a public tensor, in the model's layout.
fn piece(slot: &Slot, name: &str, tensor: &HostTensor) -> Result<HostTensor, ModelError> {
    let expected = slot.public_shape();
    if tensor.shape != expected {
        return Err(ModelError::Shape { name: name.to_owned(), found: tensor.shape.clone(), expected });
    }
    let (index, pieces) = slot.piece;
    let count = expected[0] / pieces;
    let part = tensor.rows(index * count, count);
    Ok(match slot.kind {
        Kind::Weight => part.transposed(),
        Kind::Table { .. } | Kind::Bias | Kind::Scale => part,
    })
}

/// Where a checkpoint holds the decoder beside the word embeddings, they must be equal
/// (models.md 14.7).
fn check_decoder(slots: &[Slot], tensors: &HostTensors) -> Result<(), ModelError> {
    let has_head = slots.iter().any(|slot| OUTPUT_BIAS.contains(&slot.public.as_str()));
    let words = slots.iter().find(|slot| slot.path == "encoder.word_embeddings");
    let words = words.and_then(|slot| tensors.get(&slot.public));
    match (tensors.get(DECODER), words) {
        (Some(decoder), Some(words)) if has_head && decoder != words => {
            Err(ModelError::Untied { name: DECODER.to_owned() })
        }
        _ => Ok(()),
    }
}

/// The model's parameters by path.
fn values<M: Parameterised>(model: &M) -> HostTensors {
    let mut reader = Reader::default();
    model.visit(&mut reader);
    reader.values
}

/// Reads parameters, keeping track of where it is.
#[derive(Default)]
struct Reader {
    path: Vec<String>,
    values: HostTensors,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let data = tensor.into_data().iter::<f32>().collect();
        self.values.insert(self.path.join("."), HostTensor { shape, data });
    }
}
