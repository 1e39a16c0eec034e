//! The shape of a model, free of tensors.

use serde::{Deserialize, Serialize};

/// What kind of model a system is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// A Transformer encoder of the BERT family.
    Encoder(Encoder),
    /// Logistic regression on k-mer counts: the floor every table should show.
    KmerLogistic(KmerLogistic),
}

/// Logistic regression on k-mer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmerLogistic {
    /// Nucleotides per word; `4^k` features.
    pub k: u8,
}

/// A Transformer encoder: one set of blocks serves the whole family (DESIGN 7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {
    /// Width of the hidden states.
    pub d_model: usize,
    /// Number of Transformer blocks.
    pub n_layers: usize,
    /// Attention heads per block; divides `d_model`.
    pub n_heads: usize,
    /// Inner width of the feed-forward network (of each half, for GEGLU).
    pub d_ff: usize,
    /// Where tokens stand.
    pub position: Position,
    /// The longest input in tokens, special ones included: rows of the learned position
    /// table, a limit chosen for memory otherwise.
    pub max_tokens: usize,
    /// The feed-forward network.
    pub feed_forward: FeedForward,
    /// Where the norms stand.
    pub norm: Norm,
    /// Added to the variance in every LayerNorm.
    pub norm_epsilon: f64,
    /// Rows of the token-type table, of which row 0 is used.
    pub token_types: usize,
    /// Where special tokens go.
    pub layout: Layout,
    /// What turns states into classes.
    pub head: Head,
    /// Dropout of embeddings, sublayers and heads in training.
    pub dropout: f64,
    /// Dropout of attention weights in training.
    pub attention_dropout: f64,
    /// Standard deviation of untrained linear weights: 0.02 in BERT, at its width of 768
    /// (models.md 1.6). Narrow encoders need more to learn at the same pace.
    pub weight_std: f64,
    /// Standard deviation of untrained embeddings: 0.02 in BERT (models.md 1.6).
    pub embedding_std: f64,
}

impl Encoder {
    /// Whether training drops anything, and so draws random numbers in each forward pass.
    pub fn drops(&self) -> bool {
        self.dropout > 0.0 || self.attention_dropout > 0.0
    }
}

/// How an encoder knows where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// A learned table (BERT).
    Learned,
    /// Linear biases on attention scores (models.md 1.7).
    Alibi,
    /// Rotated queries and keys, interleaved pairs (models.md 1.8).
    Rope,
}

/// The feed-forward network of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedForward {
    /// `W2 gelu(W1 x)`, with biases.
    Gelu,
    /// `Wo (gelu(Wg x) * (Wu x))`, no bias on the two inner maps (models.md 3.1).
    Geglu,
}

/// Where a block normalises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// After each residual sum (BERT).
    Post,
    /// Before each sublayer, and once at the end (ESM).
    Pre,
}

/// Where special tokens go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `[CLS] x [SEP]` (BERT).
    ClsXSep,
    /// `[CLS] [SEP] x` (DeepGene).
    ClsSepX,
}

/// What turns hidden states into class scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// tanh pooler over position 0, dropout, linear (models.md 1.4).
    Pooler,
    /// Dropout, dense, GELU, dropout, linear over position 0 (models.md 6.1).
    Dense,
    /// Up to 510 tokens as `pooler`; longer inputs in two halves whose pooled vectors are
    /// concatenated (models.md 7.3).
    TwoHalf,
}
