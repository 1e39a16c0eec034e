//! Reads a Hugging Face `tokenizer.json` with a BPE model, and refuses what would give
//! other ids than the published DNA tokenizers' rule: the whole sequence is one word, and
//! each character outside the vocabulary is one unknown token (models.md 3.3).
//!
//! The library would read more, but takes merges on trust and panics on some bad ones.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bpe::Bpe;
use super::{Specials, TokenError};

/// A vocabulary and its merges, checked against each other.
pub(super) struct Rules {
    /// The text of each id.
    pub(super) tokens: Vec<String>,
    /// Pairs of token texts, most urgent first.
    pub(super) merges: Vec<(String, String)>,
    /// The ids of the special tokens.
    pub(super) specials: Specials,
    /// Whether white space is dropped. Otherwise it is unknown.
    pub(super) drops_white_space: bool,
}

/// What of the file decides ids. Truncation, padding and post-processor do not.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: Option<Named>,
    pre_tokenizer: Option<Named>,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
    #[serde(default)]
    special: bool,
}

/// A part of the file whose kind is all that matters.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    kind: String,
}

/// The file again, with nothing but the kind of its model.
#[derive(Deserialize)]
struct Kind {
    model: Named,
}

#[derive(Deserialize)]
struct Model {
    dropout: Option<f64>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    vocab: BTreeMap<String, u32>,
    merges: Vec<Merge>,
}

/// Old files have `"A C"`, new ones `["A", "C"]` (models.md 14.13).
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Text(String),
    Pair(String, String),
}

impl Merge {
    fn pair(self) -> (String, String) {
        match self {
            Self::Pair(left, right) => (left, right),
            // Without a space the right half is empty, which no vocabulary has.
            Self::Text(text) => {
                let (left, right) = text.split_once(' ').unwrap_or((&text, ""));
                (left.to_owned(), right.to_owned())
            }
        }
    }
}

/// The tokenizer that the text describes.
pub(super) fn read(text: &str) -> Result<Bpe, TokenError> {
    let kind: Kind = serde_json::from_str(text)?;
    require("model.type", kind.model.kind, |kind| kind == "BPE", "\"BPE\"")?;
    let file: File = serde_json::from_str(text)?;
    let drops_white_space = check_parts(&file)?;
    let Model { vocab, merges, .. } = file.model;
    let specials = specials(&vocab)?;
    let merges = merges.into_iter().map(Merge::pair).collect::<Vec<_>>();
    check_merges(&vocab, &merges)?;
    let tokens = in_order(vocab)?;
    Ok(Bpe::new(Rules { tokens, merges, specials, drops_white_space }, text))
}

/// Refuses settings that the published files leave off; answers whether white space is
/// dropped.
fn check_parts(file: &File) -> Result<bool, TokenError> {
    let model = &file.model;
    require("normalizer", kind(file.normalizer.as_ref()), |kind| kind == "null", "null")?;
    require("model.dropout", model.dropout.unwrap_or(0.0), |rate| *rate == 0.0, "null")?;
    let unknown = model.unk_token.clone().unwrap_or_default();
    require("model.unk_token", unknown, |token| token == "[UNK]", "\"[UNK]\"")?;
    for (key, affix) in [
        ("model.continuing_subword_prefix", &model.continuing_subword_prefix),
        ("model.end_of_word_suffix", &model.end_of_word_suffix),
    ] {
        require(key, affix.clone().unwrap_or_default(), String::is_empty, "null")?;
    }
    for (key, switch) in [
        ("model.fuse_unk", model.fuse_unk),
        ("model.byte_fallback", model.byte_fallback),
        ("model.ignore_merges", model.ignore_merges),
    ] {
        require(key, switch, |on| !on, "false")?;
    }
    for token in file.added_tokens.iter().filter(|token| !token.special) {
        require("added_tokens", token.content.clone(), |_| false, "special tokens only")?;
    }
    let accepted = "\"Whitespace\" or null";
    let words = require(
        "pre_tokenizer",
        kind(file.pre_tokenizer.as_ref()),
        |k| k == "Whitespace" || k == "null",
        accepted,
    )?;
    Ok(words == "Whitespace")
}

fn kind(part: Option<&Named>) -> String {
    part.map_or_else(|| "null".to_owned(), |part| part.kind.clone())
}

fn require<T: std::fmt::Debug>(
    key: &'static str,
    value: T,
    is_accepted: impl Fn(&T) -> bool,
    accepted: &'static str,
) -> Result<T, TokenError> {
    if is_accepted(&value) {
        return Ok(value);
    }
    Err(TokenError::Unsupported { key, found: format!("{value:?}"), accepted })
}

/// The special tokens, which must come first so that all ids after them are ordinary.
fn specials(vocabulary: &BTreeMap<String, u32>) -> Result<Specials, TokenError> {
    let id = |name: &'static str| match vocabulary.get(name) {
        Some(&id) if id < Specials::COUNT => Ok(id),
        found => Err(TokenError::Special { name, found: found.copied() }),
    };
    let [pad, unknown, cls, sep, mask] = Specials::DNABERT_NAMES;
    Ok(Specials { pad: id(pad)?, unknown: id(unknown)?, cls: id(cls)?, sep: id(sep)?, mask: id(mask)? })
}

/// Every merge must join two tokens into a third.
fn check_merges(vocabulary: &BTreeMap<String, u32>, merges: &[(String, String)]) -> Result<(), TokenError> {
    for (index, (left, right)) in merges.iter().enumerate() {
        let joined = format!("{left}{right}");
        if let Some(missing) =
            [left, right, &joined].into_iter().find(|token| !vocabulary.contains_key(*token))
        {
            let (number, merge) = (index + 1, format!("{left} {right}"));
            return Err(TokenError::Merge { number, merge, missing: missing.clone() });
        }
    }
    Ok(())
}

/// The tokens by id. Ordinary ones must be letters and digits, so that the `Whitespace`
/// pre-tokenizer never cuts inside a token and only drops what its name says.
fn in_order(vocabulary: BTreeMap<String, u32>) -> Result<Vec<String>, TokenError> {
    let entries = vocabulary.len();
    let by_id: BTreeMap<u32, String> = vocabulary.into_iter().map(|(token, id)| (id, token)).collect();
    if let Some(missing) = (0..entries).find(|&id| !by_id.contains_key(&(id as u32))) {
        return Err(TokenError::Ids { entries, missing });
    }
    let tokens: Vec<String> = by_id.into_values().collect();
    for token in tokens.iter().skip(Specials::COUNT as usize) {
        let is_word =
            |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        require("model.vocab", token.clone(), is_word, "tokens of ASCII letters and digits")?;
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tokenizer of A, C, AC, with one place to put something wrong.
    fn file(old: &str, new: &str) -> String {
        let good = r#"{
            "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
            "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 3,
                        "pad_type_id": 0, "pad_token": "[PAD]"},
            "added_tokens": [{"id": 0, "content": "[UNK]", "special": true}],
            "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
            "model": {"type": "BPE", "dropout": null, "unk_token": "[UNK]", "fuse_unk": false,
                "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "[MASK]": 4, "A": 5, "C": 6, "AC": 7},
                "merges": ["A C"]}}"#;
        assert!(good.contains(old), "{old} is not in the file");
        good.replace(old, new)
    }

    fn refusal(old: &str, new: &str) -> String {
        read(&file(old, new)).unwrap_err().to_string()
    }

    #[test]
    fn both_forms_of_merges_and_any_truncation_give_the_same_ids() {
        for merges in [r#"["A C"]"#, r#"[["A", "C"]]"#] {
            let bpe = read(&file(r#"["A C"]"#, merges)).unwrap();
            assert_eq!(bpe.encode("ACCACNa C\tA"), [7, 6, 7, 0, 0, 6, 5], "{merges}");
            assert_eq!(bpe.encode(""), [0_u32; 0]);
        }
        let bpe = read(&file(r#"{"type": "Whitespace"}"#, "null")).unwrap();
        assert_eq!(bpe.encode("A C"), [5, 0, 6]);
    }

    #[test]
    fn what_would_change_ids_is_refused_by_name() {
        let cases = [
            (r#""dropout": null"#, r#""dropout": 0.1"#, "model.dropout is 0.1; accepted is null"),
            (r#""fuse_unk": false"#, r#""fuse_unk": true"#, "model.fuse_unk is true"),
            (r#""fuse_unk": false"#, r#""byte_fallback": true"#, "model.byte_fallback is true"),
            (r#""unk_token": "[UNK]""#, r#""unk_token": null"#, "model.unk_token is \"\""),
            (
                r#""normalizer": null"#,
                r#""normalizer": {"type": "Lowercase"}"#,
                "normalizer is \"Lowercase\"",
            ),
            (r#""type": "Whitespace""#, r#""type": "ByteLevel""#, "pre_tokenizer is \"ByteLevel\""),
            (r#""type": "BPE""#, r#""type": "Unigram""#, "model.type is \"Unigram\"; accepted is \"BPE\""),
            (r#""special": true"#, r#""special": false"#, "added_tokens is \"[UNK]\""),
            (r#""[CLS]": 1"#, r#""<cls>": 1"#, "special token [CLS] has no id"),
            (r#""[MASK]": 4, "A": 5"#, r#""A": 4, "[MASK]": 5"#, "special token [MASK] has the id 5"),
            (r#""AC": 7"#, r#""AC": 9"#, "8 tokens must have the ids 0 to 7; none has 7"),
            (r#""AC": 7"#, r#""AC": 6"#, "none has 7"),
            (r#""AC": 7"#, r#""AC": 7, "A-": 8"#, "model.vocab is \"A-\""),
            (r#""AC": 7"#, r#""AC": 7, "": 8"#, "model.vocab is \"\""),
            (r#"["A C"]"#, r#"["C A"]"#, "merge 1 (\"C A\") needs a token that the vocabulary lacks: \"CA\""),
            (r#"["A C"]"#, r#"["AC"]"#, "merge 1 (\"AC \") needs a token that the vocabulary lacks: \"\""),
            (r#"["A C"]"#, r#"[["A", "C"], ["A", "G"]]"#, "merge 2 (\"A G\")"),
            (r#""vocab""#, r#""words""#, "not a tokenizer of Hugging Face"),
        ];
        for (old, new, expected) in cases {
            let message = refusal(old, new);
            assert!(message.contains(expected), "{message} lacks {expected}");
        }
        assert!(read("[").is_err());
    }
}
