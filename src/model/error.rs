//! Everything that can be wrong with a model, its input or its files.

use std::path::PathBuf;

/// What was wrong.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The settings describe no model.
    #[error("{n_heads} heads do not divide a width of {d_model}; accepted is a divisor of the width")]
    Heads {
        /// Heads asked for.
        n_heads: usize,
        /// Width asked for.
        d_model: usize,
    },
    /// Rotary embedding rotates pairs.
    #[error("rotary positions need an even head size, not {0}")]
    OddHead(usize),
    /// A setting that must be positive is 0.
    #[error("`{0}` is 0; accepted is 1 or more")]
    Zero(&'static str),
    /// The padding id lies outside the vocabulary.
    #[error("padding id {pad} lies outside a vocabulary of {vocabulary}")]
    PadOutside {
        /// The id.
        pad: u32,
        /// Entries of the vocabulary.
        vocabulary: usize,
    },
    /// A batch without rows.
    #[error("a batch holds no row")]
    NoRows,
    /// A row without tokens.
    #[error("row {row} holds no token")]
    EmptyRow {
        /// The row, from 0.
        row: usize,
    },
    /// A row longer than the model takes.
    #[error("row {row} has {tokens} tokens; this model takes at most {limit}")]
    TooLong {
        /// The row, from 0.
        row: usize,
        /// Its tokens.
        tokens: usize,
        /// The most this model takes.
        limit: usize,
    },
    /// An id outside the vocabulary.
    #[error("row {row} holds id {id}; the vocabulary has {vocabulary} entries")]
    UnknownId {
        /// The row, from 0.
        row: usize,
        /// The id.
        id: u32,
        /// Entries of the vocabulary.
        vocabulary: usize,
    },
    /// Two lists that must run in parallel do not.
    #[error("{what}: {found} given, {expected} expected")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A label that is no class.
    #[error("row {row} has label {label}; there are {classes} classes")]
    Label {
        /// The row, from 0.
        row: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A feature outside the model's.
    #[error("row {row} has feature {feature}; there are {width}")]
    Feature {
        /// The row, from 0.
        row: usize,
        /// Its feature.
        feature: u32,
        /// Number of features.
        width: usize,
    },
    /// A penalty that leaves the minimum undefined.
    #[error("the penalty is {0}; accepted is a positive number")]
    Penalty(f64),
    /// A prediction target outside its row.
    #[error("row {row} has a target at position {position}, but {tokens} tokens")]
    TargetOutside {
        /// The row, from 0.
        row: usize,
        /// The position.
        position: usize,
        /// Tokens of the row.
        tokens: usize,
    },
    /// No target in a whole batch.
    #[error("a batch holds no prediction target")]
    NoTargets,
    /// A stored tensor does not fit.
    #[error("tensor `{name}` has shape {found:?}; this model needs {expected:?}")]
    Shape {
        /// Its public name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape needed.
        expected: Vec<usize>,
    },
    /// The decoder's own weight differs from the word embeddings.
    #[error("tensor `{name}` differs from the word embeddings; this model ties the two")]
    Untied {
        /// Its public name.
        name: String,
    },
    /// A tensor of the encoder is not in a checkpoint.
    #[error("tensor `{name}` is missing; the encoder needs it")]
    Missing {
        /// Its public name.
        name: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Bytes that are to be safetensors are none.
    #[error("not safetensors: {0}")]
    Encoding(String),
    /// A file is not what its name says.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A link in a checkpoint's directory that leads out of it.
    #[error(
        "{}: a link to {}, outside of the checkpoint's folder; accepted is a file, or a link within the folder \
         or to the `blobs` of the Hugging Face cache it lies in",
        path.display(), target.display()
    )]
    Outside {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Something that is no regular file.
    #[error("{}: a folder, a pipe or a device; accepted is a file", path.display())]
    NoFile {
        /// Where it is.
        path: PathBuf,
    },
    /// A directory without weights.
    #[error("{}: neither `model.safetensors` nor `pytorch_model.bin` is there", path.display())]
    NoWeights {
        /// The directory.
        path: PathBuf,
    },
    /// A `config.json` that describes none of our encoders.
    #[error("config.json: {0}")]
    Config(String),
}
