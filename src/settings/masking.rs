//! Which tokens pre-training hides, and what stands in their place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How prediction targets are chosen: a value of the `masking` axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Targets {
    /// `token`: each token on its own (BERT, DNABERT-2; models.md 3.4).
    Token,
    /// `token-exact`: a random permutation, of which exactly the floor of the share is
    /// taken (DeepGene; models.md 6.4).
    TokenExact,
    /// `span-N`: centres are drawn, each with its N - 1 neighbours (DNABERT, N = k;
    /// models.md 2.5 and 7.2). Offsets run from `-(N-1)/2` to `N/2`.
    Span(u8),
    /// `none`: a system without masked-language pre-training.
    None,
}

impl Targets {
    /// What a person may write, for messages.
    pub const ACCEPTED: &str = "`token`, `token-exact`, `span-N` (N from 2 to 16), `none`";

    /// The names offered when a misspelt one is near.
    pub const COMMON: [&str; 7] = ["token", "token-exact", "span-3", "span-4", "span-6", "span-8", "none"];

    /// Tokens hidden for each one drawn.
    pub fn span(self) -> u8 {
        match self {
            Self::Span(n) => n,
            Self::Token | Self::TokenExact | Self::None => 1,
        }
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token => f.write_str("token"),
            Self::TokenExact => f.write_str("token-exact"),
            Self::Span(n) => write!(f, "span-{n}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// The text names no masking.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a masking; accepted are {accepted}", accepted = Targets::ACCEPTED)]
pub struct UnknownMasking(String);

impl FromStr for Targets {
    type Err = UnknownMasking;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "token" => Ok(Self::Token),
            "token-exact" => Ok(Self::TokenExact),
            "none" => Ok(Self::None),
            _ => match text.strip_prefix("span-").map(str::parse::<u8>) {
                Some(Ok(n @ 2..=16)) => Ok(Self::Span(n)),
                _ => Err(UnknownMasking(text.to_owned())),
            },
        }
    }
}

impl From<Targets> for String {
    fn from(targets: Targets) -> Self {
        targets.to_string()
    }
}

impl TryFrom<String> for Targets {
    type Error = UnknownMasking;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// How often a sequence's masks are drawn anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refresh {
    /// Anew each time the sequence is met (BERT's dynamic masking).
    Always,
    /// Once, and the same ever after (DeepGene).
    Once,
}

/// A complete rule for hiding tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Masking {
    /// How targets are chosen.
    pub targets: Targets,
    /// Nominal share of tokens hidden, 0.15 in every system here. A span of N is started
    /// with probability `share / N`: 2.5 % for 6, 1.875 % for 8, 5 % for 3.
    pub share: f64,
    /// Of the targets, the share replaced by `[MASK]`.
    pub mask: f64,
    /// Of the targets, the share replaced by a random token; the rest stays as it is.
    pub random: f64,
    /// How often masks are drawn anew.
    pub refresh: Refresh,
}
