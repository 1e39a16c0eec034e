//! Every setting of every stage: its path, what it takes, its default and what it means.
//!
//! The one list from which files are checked, axes are resolved and help is printed.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::diagnostic::{Diagnostic, Diagnostics, nearest, quoted};
use super::node::{Node, NodeValue, grouped};

/// The tables that hold settings.
pub const SECTIONS: [&str; 4] = ["model", "vocabulary", "pretrain", "finetune"];

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number in a closed range.
    Integer {
        /// The least that is accepted.
        min: i64,
        /// The most that is accepted: beyond it products of settings overflow.
        max: i64,
    },
    /// A number in a closed range.
    Number {
        /// The least that is accepted.
        min: f64,
        /// The most that is accepted.
        max: f64,
    },
    /// `true` or `false`.
    Boolean,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// `random`, or the name of a system; which systems there are the library knows.
    Start,
}

/// The default of a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Not set unless a system, scale or sweep sets it.
    Unset,
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// A word.
    Text(&'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Dotted path: `pretrain.steps`.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is where nobody sets it.
    pub default: Value,
    /// What it means.
    pub doc: &'static str,
}

/// Settings by dotted path. A later layer overrides an earlier one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(pub BTreeMap<String, Json>);

/// Two ways to say one thing, and the thing: setting one forgets the other.
const ALTERNATIVES: [(&str, &str, &str); 3] = [
    ("pretrain.warmup_steps", "pretrain.warmup_share", "the length of the warm-up"),
    ("finetune.warmup_steps", "finetune.warmup_share", "the length of the warm-up"),
    ("finetune.steps", "finetune.epochs", "the number of steps"),
];

/// The other way to say what a setting says.
pub fn alternative(path: &str) -> Option<&'static str> {
    said_twice(path).map(|(other, _)| other)
}

/// The other way to say what a setting says, and what both say.
pub(super) fn said_twice(path: &str) -> Option<(&'static str, &'static str)> {
    ALTERNATIVES.iter().find_map(|(a, b, what)| match path {
        _ if path == *a => Some((*b, *what)),
        _ if path == *b => Some((*a, *what)),
        _ => None,
    })
}

impl Settings {
    /// Sets one value over what was there.
    pub fn set(&mut self, path: &str, value: Json) {
        if let Some(other) = alternative(path) {
            self.0.remove(other);
        }
        self.0.insert(path.to_owned(), value);
    }

    /// The value at a path.
    pub fn get(&self, path: &str) -> Option<&Json> {
        self.0.get(path)
    }
}

/// The defaults of all settings that have one.
pub fn defaults() -> Settings {
    let mut settings = Settings::default();
    for field in fields() {
        let value = match field.default {
            Value::Unset => continue,
            Value::Integer(integer) => Json::from(integer),
            Value::Number(number) => Json::from(number),
            Value::Boolean(boolean) => Json::from(boolean),
            Value::Text(text) => Json::from(text),
        };
        settings.set(field.path, value);
    }
    settings
}

/// The setting at a dotted path.
pub fn field(path: &str) -> Option<&'static Field> {
    fields().iter().find(|field| field.path == path)
}

/// All settings, in the order in which they are shown.
pub fn fields() -> &'static [Field] {
    FIELDS
}

impl Kind {
    /// In words: `a whole number of at least 1`.
    pub fn describe(self) -> String {
        match self {
            Self::Integer { min, max } => format!("a whole number from {min} to {}", grouped(max)),
            Self::Number { min, max } if max >= f64::MAX => {
                format!("a finite number of at least {}", limit_text(min))
            }
            Self::Number { min, max } => format!("a number from {} to {}", limit_text(min), limit_text(max)),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Choice(words) => format!("one of {}", quoted(words)),
            Self::Start => "`random` or the name of a system".to_owned(),
        }
    }

    /// The value as JSON, where it is of this kind. Whole numbers are numbers, and become
    /// the same JSON whichever way they are typed.
    fn accepts(self, node: &Node) -> Option<Json> {
        match self {
            Self::Integer { min, max } => {
                node.whole().filter(|integer| (min..=max).contains(integer)).map(Json::from)
            }
            Self::Number { min, max } => {
                // `+ 0.0` makes -0 the 0 that it is.
                node.number()
                    .filter(|number| (min..=max).contains(number))
                    .map(|number| Json::from(number + 0.0))
            }
            Self::Boolean => match node.value {
                NodeValue::Boolean(boolean) => Some(Json::from(boolean)),
                _ => None,
            },
            Self::Choice(words) => match &node.value {
                NodeValue::Text(text) => words.contains(&text.as_str()).then(|| Json::from(text.as_str())),
                _ => None,
            },
            Self::Start => match &node.value {
                NodeValue::Text(text) => Some(Json::from(text.as_str())),
                _ => None,
            },
        }
    }
}

impl Field {
    /// Reads a value of this setting.
    pub(super) fn read(&self, node: &Node, out: &mut Diagnostics) -> Option<Json> {
        let value = self.kind.accepts(node);
        if value.is_none() {
            out.push(self.refusal(node));
        }
        value
    }

    fn refusal(&self, node: &Node) -> Diagnostic {
        let message = format!("`{}` cannot be {}", self.path, node.describe());
        let expected = format!("expected {}", self.kind.describe());
        let advice = match (&node.value, self.kind) {
            (NodeValue::Text(text), Kind::Choice(words)) => {
                nearest(text, words).map(|near| format!("did you mean `{near}`?"))
            }
            (NodeValue::Text(_), Kind::Integer { .. } | Kind::Number { .. } | Kind::Boolean) => {
                node.unquoted(|text| text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok())
            }
            _ => None,
        };
        let meaning = format!("`{}`: {}", self.path, self.doc);
        Diagnostic::new(&node.place, message, expected).maybe_help(advice).note(meaning)
    }
}

/// A value as tables, coordinates and messages show it: a number in its shortest form, so
/// that `1` and `1.0` are one value.
pub fn value_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        other => other.to_string(),
    }
}

/// A limit in a message, where a large whole number is read in groups.
fn limit_text(limit: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = limit.fract() == 0.0 && limit.abs() <= EXACT;
    if is_whole { grouped(limit as i64) } else { value_text(&Json::from(limit)) }
}

/// Steps, lengths and the like.
const fn integer(path: &'static str, min: i64, default: Value, doc: &'static str) -> Field {
    Field { path, kind: Kind::Integer { min, max: 1_000_000_000 }, default, doc }
}

/// Sizes of models and batches, which are multiplied with each other.
const fn size(path: &'static str, min: i64, default: Value, doc: &'static str) -> Field {
    Field { path, kind: Kind::Integer { min, max: 1_000_000 }, default, doc }
}

const fn number(path: &'static str, min: f64, max: f64, default: Value, doc: &'static str) -> Field {
    Field { path, kind: Kind::Number { min, max }, default, doc }
}

const fn boolean(path: &'static str, default: bool, doc: &'static str) -> Field {
    Field { path, kind: Kind::Boolean, default: Value::Boolean(default), doc }
}

const fn choice(
    path: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    doc: &'static str,
) -> Field {
    Field { path, kind: Kind::Choice(words), default: Value::Text(default), doc }
}

use Value::{Integer as I, Number as N, Unset};

const FIELDS: &[Field] = &[
    size("model.d_model", 1, I(768), "width of the hidden states"),
    Field {
        path: "model.n_layers",
        kind: Kind::Integer { min: 1, max: 10_000 },
        default: I(12),
        doc: "number of Transformer blocks",
    },
    size("model.n_heads", 1, I(12), "attention heads per block; divides d_model"),
    size("model.d_ff", 1, I(3072), "inner width of the feed-forward network"),
    choice("model.position", &["learned", "alibi", "rope"], "learned", "how tokens know where they stand"),
    size("model.max_tokens", 3, I(512), "longest input in tokens, special ones included"),
    choice("model.feed_forward", &["gelu", "geglu"], "gelu", "the feed-forward network"),
    choice("model.norm", &["post", "pre"], "post", "norms after or before each sublayer"),
    number("model.norm_epsilon", 0.0, 1.0, N(1e-12), "added to the variance in every LayerNorm"),
    size("model.token_types", 1, I(2), "rows of the token-type table"),
    choice("model.layout", &["cls-x-sep", "cls-sep-x"], "cls-x-sep", "where special tokens go"),
    choice("model.head", &["pooler", "dense", "two-half"], "pooler", "what turns states into classes"),
    number("model.dropout", 0.0, 0.9, N(0.1), "dropout of embeddings, sublayers and heads"),
    number("model.attention_dropout", 0.0, 0.9, N(0.1), "dropout of attention weights"),
    number("model.weight_std", 0.0, 10.0, N(0.02), "standard deviation of untrained linear weights"),
    number("model.embedding_std", 0.0, 10.0, N(0.02), "standard deviation of untrained embeddings"),
    size("vocabulary.size", 16, I(4096), "entries of a trained BPE, special tokens included"),
    integer("vocabulary.max_token_length", 2, I(16), "longest token of a trained BPE, in nucleotides"),
    integer("vocabulary.piece_length", 16, I(128), "pieces a trained BPE counts in, in nucleotides"),
    integer("vocabulary.max_pieces", 1, I(20_000), "most pieces a trained BPE learns from"),
    Field {
        path: "pretrain.start",
        kind: Kind::Start,
        default: Value::Text("random"),
        doc: "what pre-training starts from: `random`, or a system whose pre-training comes first",
    },
    integer("pretrain.steps", 1, I(1000), "optimiser steps"),
    size("pretrain.batch_size", 1, I(32), "sequences per optimiser step"),
    size("pretrain.micro_batch", 1, Unset, "sequences per forward pass; all of a batch if not set"),
    number("pretrain.learning_rate", 0.0, 10.0, N(4e-4), "peak learning rate"),
    integer("pretrain.warmup_steps", 0, Unset, "steps of linear warm-up"),
    number("pretrain.warmup_share", 0.0, 1.0, N(0.1), "share of the steps that is linear warm-up"),
    choice("pretrain.decay", &["linear", "constant"], "linear", "the learning rate after warm-up"),
    number("pretrain.weight_decay", 0.0, 1.0, N(0.01), "decoupled weight decay"),
    boolean("pretrain.decay_all", false, "whether biases and LayerNorm weights decay too"),
    number("pretrain.beta1", 0.0, 0.9999, N(0.9), "first-moment decay of AdamW"),
    number("pretrain.beta2", 0.0, 0.999_999, N(0.98), "second-moment decay of AdamW"),
    number("pretrain.epsilon", 1e-12, 1.0, N(1e-6), "added to the root of the second moment"),
    number("pretrain.clip_norm", 0.0, f64::MAX, N(1.0), "largest norm of all gradients; 0 is no clipping"),
    number("pretrain.mask_share", 0.0, 1.0, N(0.15), "nominal share of tokens that are prediction targets"),
    number("pretrain.mask_replaced", 0.0, 1.0, N(0.8), "of the targets, the share replaced by [MASK]"),
    number("pretrain.mask_random", 0.0, 1.0, N(0.1), "of the targets, the share replaced by a random token"),
    choice("pretrain.mask_refresh", &["always", "once"], "always", "how often masks are drawn anew"),
    integer("pretrain.min_length", 1, I(64), "shortest window cut from the corpus, in nucleotides"),
    integer("pretrain.max_length", 1, I(510), "longest window cut from the corpus, in nucleotides"),
    boolean("pretrain.attend_pads", false, "whether padding is attended to"),
    integer("pretrain.held_out", 1, I(256), "windows held out to measure the masked-language loss"),
    integer("finetune.steps", 1, Unset, "optimiser steps"),
    number(
        "finetune.epochs",
        0.001,
        10_000.0,
        N(3.0),
        "passes over the full training split, made into steps",
    ),
    size("finetune.batch_size", 1, I(32), "sequences per optimiser step"),
    size("finetune.micro_batch", 1, Unset, "sequences per forward pass; all of a batch if not set"),
    number("finetune.learning_rate", 0.0, 10.0, N(3e-5), "peak learning rate"),
    integer("finetune.warmup_steps", 0, Unset, "steps of linear warm-up"),
    number("finetune.warmup_share", 0.0, 1.0, N(0.1), "share of the steps that is linear warm-up"),
    choice("finetune.decay", &["linear", "constant"], "linear", "the learning rate after warm-up"),
    number("finetune.weight_decay", 0.0, 1.0, N(0.01), "decoupled weight decay"),
    boolean("finetune.decay_all", false, "whether biases and LayerNorm weights decay too"),
    number("finetune.beta1", 0.0, 0.9999, N(0.9), "first-moment decay of AdamW"),
    number("finetune.beta2", 0.0, 0.999_999, N(0.999), "second-moment decay of AdamW"),
    number("finetune.epsilon", 1e-12, 1.0, N(1e-8), "added to the root of the second moment"),
    number("finetune.clip_norm", 0.0, f64::MAX, N(1.0), "largest norm of all gradients; 0 is no clipping"),
    boolean("finetune.freeze", false, "whether the encoder stays as it is and only the head learns"),
    choice(
        "finetune.selection",
        &["metric", "loss", "last"],
        "metric",
        "how the checkpoint is chosen on dev",
    ),
    integer("finetune.evaluations", 1, I(5), "looks at dev, evenly over the steps"),
    number("finetune.dev_fraction", 0.0, 1.0, N(0.0), "share of dev used; 0 is the label fraction's"),
    number("finetune.l2", 0.0, f64::MAX, N(1.0), "L2 penalty of kmer-logistic"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_unique_and_belong_to_a_section() {
        let mut seen = std::collections::BTreeSet::new();
        for field in fields() {
            assert!(seen.insert(field.path), "{} twice", field.path);
            let (section, _) = field.path.split_once('.').expect("a dotted path");
            assert!(SECTIONS.contains(&section), "{}", field.path);
        }
    }

    #[test]
    fn setting_one_alternative_forgets_the_other() {
        let mut settings = defaults();
        settings.set("finetune.steps", Json::from(10));
        assert!(settings.get("finetune.epochs").is_none());
        settings.set("finetune.epochs", Json::from(2.0));
        assert!(settings.get("finetune.steps").is_none());
    }
}
