//! Independent random streams, one per purpose.
//!
//! A stream is named by the repetition (the value of the `seed` axis), a purpose, and what
//! the purpose belongs to; its seed is their hash. So a second repetition changes all
//! streams, and a new axis value changes none of the others. There is no global source.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial values of an encoder's parameters.
    Weights,
    /// Initial values of a classification head.
    Head,
    /// The order of training examples.
    DataOrder,
    /// Which tokens are hidden, and by what.
    Masks,
    /// Dropout.
    Dropout,
    /// Which labels a label fraction keeps.
    LabelSubset,
    /// Where windows are cut in genomes.
    Windows,
    /// A synthetic task's sequences.
    Synthetic,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Head => "head",
            Self::DataOrder => "data-order",
            Self::Masks => "masks",
            Self::Dropout => "dropout",
            Self::LabelSubset => "label-subset",
            Self::Windows => "windows",
            Self::Synthetic => "synthetic",
        }
    }
}

/// The generator of one stream. Two `subject` lists that differ give unrelated streams.
pub fn stream(repetition: u64, purpose: Purpose, subject: &[&str]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(seed(repetition, purpose, subject))
}

/// The 64-bit seed of one stream, for generators that take no more.
pub fn seed_u64(repetition: u64, purpose: Purpose, subject: &[&str]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = seed(repetition, purpose, subject);
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn seed(repetition: u64, purpose: Purpose, subject: &[&str]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&repetition.to_le_bytes());
    // Lengths first, so that ["ab", "c"] and ["a", "bc"] differ.
    for part in std::iter::once(&purpose.name()).chain(subject) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_name_matters() {
        let base = seed(1, Purpose::Weights, &["ab", "c"]);
        assert_eq!(base, seed(1, Purpose::Weights, &["ab", "c"]));
        assert_ne!(base, seed(2, Purpose::Weights, &["ab", "c"]));
        assert_ne!(base, seed(1, Purpose::Head, &["ab", "c"]));
        assert_ne!(base, seed(1, Purpose::Weights, &["a", "bc"]));
        assert_ne!(base, seed(1, Purpose::Weights, &["abc"]));
    }
}
