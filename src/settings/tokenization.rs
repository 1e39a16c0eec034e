//! How a sequence becomes tokens, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A tokenization of the `tokenization` axis. Its name is its `Display` form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Tokenization {
    /// `K-mer` or `K-mer-stride-S`: words of `k` nucleotides, one every `stride`.
    Kmer {
        /// Nucleotides per word, 1 to 8.
        k: u8,
        /// Nucleotides from one word's start to the next one's.
        stride: u8,
    },
    /// `bpe`: DNABERT-2's published vocabulary of 4,096 (models.md 3.3).
    Bpe,
    /// `bpe-trained`: a BPE learned from the sweep's corpus by a `vocabulary` job.
    BpeTrained,
    /// `character`: one token per nucleotide.
    Character,
}

impl Tokenization {
    /// What a person may write, for messages.
    pub const ACCEPTED: &str =
        "`K-mer` (K from 1 to 8), `K-mer-stride-S` (S from 1 to 8), `bpe`, `bpe-trained`, `character`";

    /// The names offered when a misspelt one is near.
    pub const COMMON: [&str; 9] = [
        "3-mer",
        "4-mer",
        "5-mer",
        "6-mer",
        "6-mer-stride-3",
        "6-mer-stride-6",
        "bpe",
        "bpe-trained",
        "character",
    ];

    /// Whether a `vocabulary` job must come first.
    pub fn is_learned(self) -> bool {
        self == Self::BpeTrained
    }
}

impl fmt::Display for Tokenization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kmer { k, stride: 1 } => write!(f, "{k}-mer"),
            Self::Kmer { k, stride } => write!(f, "{k}-mer-stride-{stride}"),
            Self::Bpe => f.write_str("bpe"),
            Self::BpeTrained => f.write_str("bpe-trained"),
            Self::Character => f.write_str("character"),
        }
    }
}

/// The text names no tokenization.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a tokenization; accepted are {accepted}", accepted = Tokenization::ACCEPTED)]
pub struct UnknownTokenization(String);

impl FromStr for Tokenization {
    type Err = UnknownTokenization;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownTokenization(text.to_owned());
        let small = |digits: &str| match digits.parse::<u8>() {
            Ok(n @ 1..=8) if digits.len() == 1 => Ok(n),
            _ => Err(unknown()),
        };
        match text {
            "bpe" => Ok(Self::Bpe),
            "bpe-trained" => Ok(Self::BpeTrained),
            "character" => Ok(Self::Character),
            _ => {
                let (k, rest) = text.split_once("-mer").ok_or_else(unknown)?;
                let stride = match rest {
                    "" => 1,
                    _ => small(rest.strip_prefix("-stride-").ok_or_else(unknown)?)?,
                };
                Ok(Self::Kmer { k: small(k)?, stride })
            }
        }
    }
}

impl From<Tokenization> for String {
    fn from(tokenization: Tokenization) -> Self {
        tokenization.to_string()
    }
}

impl TryFrom<String> for Tokenization {
    type Error = UnknownTokenization;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for name in Tokenization::COMMON {
            assert_eq!(name.parse::<Tokenization>().unwrap().to_string(), name);
        }
        for name in ["", "mer", "0-mer", "9-mer", "06-mer", "6-mer-stride-", "6-mer-stride-0", "6mer", "BPE"]
        {
            assert!(name.parse::<Tokenization>().is_err(), "{name}");
        }
    }
}
