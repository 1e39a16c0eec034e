//! Models: one Transformer encoder for the whole family, its heads, and logistic regression
//! on k-mer counts; their initial values, and their weights in and out of files.
//!
//! [`EncoderSpec`] is what can be built, [`LanguageModel`] and [`Classifier`] are what is
//! built of it, [`TokenBatch`] is what they read. [`HostTensors`] hold weights outside a
//! device, under the names of the family's public checkpoints. [`KmerLogistic`] knows no
//! tensors at all.
//!
//! Nothing here knows datasets, tokenizers, training, the queue or the terminal.

mod arithmetic;
mod attention;
mod batch;
mod block;
mod checkpoint;
mod classifier;
mod config;
mod context;
mod encoder;
mod encoding;
mod error;
mod float;
mod folder;
mod heads;
mod host_tensor;
mod initial;
mod inventory;
mod kernels;
mod kmer_logistic;
mod language_model;
mod layers;
mod objective;
mod parameters;
mod pickle;
mod spec;
mod torch;
mod zip;

pub use arithmetic::softmax;
pub use batch::{Readout, TokenBatch};
pub use checkpoint::{load, read_checkpoint};
pub use classifier::Classifier;
pub use config::{encoder_from_config, read_config};
pub use encoder::Encoder;
pub use encoding::{decode, encode};
pub use error::ModelError;
pub use host_tensor::{HostTensor, HostTensors};
pub use inventory::{Part, parameter_count};
pub use kmer_logistic::{KmerLogistic, SparseRow, kmer_features};
pub use language_model::LanguageModel;
pub use objective::Objective;
pub use parameters::{LoadReport, Parameterised, load_tensors, named_parameters, to_tensors};
pub use spec::EncoderSpec;
