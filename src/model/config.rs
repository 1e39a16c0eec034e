//! An encoder's settings from the `config.json` of a public checkpoint.
//!
//! Reads as much as the supported families write; keys of other tools are passed over.

use std::path::Path;

use serde::Deserialize;

use super::{EncoderSpec, ModelError, folder};
use crate::settings::{Encoder, FeedForward, Head, Layout, Norm, Position};

/// The file.
const NAME: &str = "config.json";

/// Longest file that is read, in bytes. Public ones have a few thousand.
const LONGEST: u64 = 1_000_000;

/// The keys that matter.
#[derive(Deserialize)]
struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    hidden_act: String,
    #[serde(default = "bert_epsilon")]
    layer_norm_eps: f64,
    hidden_dropout_prob: f64,
    attention_probs_dropout_prob: f64,
    /// Of weights and embeddings alike.
    #[serde(default = "bert_range")]
    initializer_range: f64,
    pad_token_id: Option<u32>,
    embedding_size: Option<usize>,
    #[serde(default)]
    rotary_value: bool,
    model_type: Option<String>,
    /// Only MosaicBERT has it.
    alibi_starting_size: Option<usize>,
    #[serde(default)]
    architectures: Vec<String>,
}

/// The default of BERT's configuration class, which old files leave out.
fn bert_epsilon() -> f64 {
    1e-12
}

/// The standard deviation of BERT's untrained parameters (models.md 1.6).
fn bert_range() -> f64 {
    0.02
}

/// The encoder that the text of a `config.json` describes.
///
/// # Errors
/// No JSON, a missing key, or a model of another kind.
pub fn encoder_from_config(json: &str) -> Result<EncoderSpec, ModelError> {
    let config: Config = serde_json::from_str(json).map_err(|error| ModelError::Config(error.to_string()))?;
    let refuse = |message: &str| Err(ModelError::Config(message.to_owned()));
    if config.hidden_act != "gelu" {
        return refuse(&format!("`hidden_act` is `{}`; accepted is `gelu`", config.hidden_act));
    }
    if config.embedding_size.is_some_and(|size| size != config.hidden_size) {
        return refuse("`embedding_size` differs from `hidden_size`");
    }
    if config.rotary_value {
        return refuse("`rotary_value` is true; only queries and keys are rotated here");
    }
    let (position, feed_forward, layout) = match config.model_type.as_deref() {
        // DNABERT-2's file names no type (models.md 14.8); a re-saved one says `bert`.
        None | Some("bert") if config.alibi_starting_size.is_some() => {
            (Position::Alibi, FeedForward::Geglu, Layout::ClsXSep)
        }
        None | Some("bert" | "dna" | "dnalongcat") => (Position::Learned, FeedForward::Gelu, Layout::ClsXSep),
        Some("roformer") => (Position::Rope, FeedForward::Gelu, Layout::ClsSepX),
        Some(other) => {
            return refuse(&format!("`model_type` is `{other}`; accepted are `bert`, `roformer`"));
        }
    };
    let pad = match (position, config.pad_token_id) {
        // Its class knows no padding id; the 0 of re-saved files is a default (models.md 14.12).
        (Position::Alibi, _) => None,
        (Position::Learned | Position::Rope, pad) => pad.or(Some(0)),
    };
    let long = config.architectures.iter().any(|name| name.contains("LongSequenceClassificationCat"));
    let head = match position {
        Position::Rope => Head::Dense,
        Position::Learned if long => Head::TwoHalf,
        Position::Learned | Position::Alibi => Head::Pooler,
    };
    let settings = Encoder {
        d_model: config.hidden_size,
        n_layers: config.num_hidden_layers,
        n_heads: config.num_attention_heads,
        d_ff: config.intermediate_size,
        position,
        max_tokens: max_tokens(&config, position),
        feed_forward,
        norm: Norm::Post,
        norm_epsilon: config.layer_norm_eps,
        token_types: config.type_vocab_size,
        layout,
        head,
        dropout: config.hidden_dropout_prob,
        attention_dropout: config.attention_probs_dropout_prob,
        weight_std: config.initializer_range,
        embedding_std: config.initializer_range,
    };
    EncoderSpec::new(settings, config.vocab_size, pad)
}

/// With linear biases the number in the file is no limit (models.md 3.1): the longest input
/// of the benchmarks is 10,000 nt, so this is far enough.
fn max_tokens(config: &Config, position: Position) -> usize {
    match position {
        Position::Learned | Position::Rope => config.max_position_embeddings,
        Position::Alibi => config.max_position_embeddings.max(10_240),
    }
}

/// The encoder that a checkpoint directory's `config.json` describes.
///
/// # Errors
/// As [`encoder_from_config`], and a file that cannot be read.
pub fn read_config(directory: &Path) -> Result<EncoderSpec, ModelError> {
    let path = directory.join(NAME);
    let missing = || ModelError::File { path: path.clone(), source: std::io::ErrorKind::NotFound.into() };
    let file = folder::find(directory, NAME)?.ok_or_else(missing)?;
    let length = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
    if length > LONGEST {
        let message = format!("{length} bytes; accepted is a file of at most {LONGEST}");
        return Err(ModelError::Format { path, message });
    }
    let text =
        std::fs::read_to_string(&file).map_err(|source| ModelError::File { path: path.clone(), source })?;
    encoder_from_config(&text).map_err(|error| ModelError::Format { path, message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERT: &str = r#"{"vocab_size": 69, "hidden_size": 24, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 72, "max_position_embeddings": 512,
        "type_vocab_size": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "split": 10}"#;

    #[test]
    fn what_is_left_out_has_the_defaults_of_the_class() {
        let spec = encoder_from_config(BERT).expect("a config");
        assert_eq!((spec.pad(), spec.vocabulary()), (Some(0), 69));
        assert!((spec.settings().norm_epsilon - 1e-12).abs() < 1e-20);
        assert_eq!((spec.settings().position, spec.settings().head), (Position::Learned, Head::Pooler));
    }

    #[test]
    fn what_would_be_computed_wrongly_is_refused() {
        for (from, to, says) in [
            (r#""gelu""#, r#""gelu_new""#, "gelu_new"),
            (r#""split": 10"#, r#""embedding_size": 12"#, "embedding_size"),
            (r#""split": 10"#, r#""rotary_value": true"#, "rotary_value"),
            (r#""split": 10"#, r#""model_type": "esm""#, "esm"),
            (r#""num_attention_heads": 4"#, r#""num_attention_heads": 5"#, "divide"),
            (r#""hidden_size": 24,"#, "", "hidden_size"),
        ] {
            let error = encoder_from_config(&BERT.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains(says), "{to}: {error}");
        }
    }
}
