//! Where the special tokens of a vocabulary lie, and where its other ids begin.

/// The ids of the special tokens. `[UNK]` is not special to means, likelihoods and masks
/// (models.md 14.9), but it stands among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Specials {
    /// `[PAD]`.
    pub pad: u32,
    /// `[UNK]`.
    pub unknown: u32,
    /// `[CLS]`.
    pub cls: u32,
    /// `[SEP]`.
    pub sep: u32,
    /// `[MASK]`.
    pub mask: u32,
}

impl Specials {
    /// How many there are. They take the first ids of every vocabulary here.
    pub const COUNT: u32 = 5;

    /// DNABERT's order (models.md 2.3).
    pub(super) const DNABERT: Self = Self { pad: 0, unknown: 1, cls: 2, sep: 3, mask: 4 };

    /// Their names, in DNABERT's order.
    pub(super) const DNABERT_NAMES: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// Their names in DNABERT-2's order (models.md 3.3).
    pub(super) const DNABERT_2_NAMES: [&str; 5] = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"];
}

/// What a reader of ids must know of a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// The special tokens.
    pub specials: Specials,
    /// The first id that is no special token; all from here to `size` are ordinary.
    pub first_ordinary: u32,
    /// Entries, special tokens included.
    pub size: u32,
}
