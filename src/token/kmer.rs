//! k-mers: words of `k` nucleotides, ids by arithmetic (models.md 2.3).

use std::borrow::Cow;

use super::{Specials, TokenError, Vocabulary};

/// DNABERT's alphabet order. It is not alphabetical.
const ALPHABET: [u8; 4] = *b"ATCG";
/// Set in [`DIGITS`] for every byte that is no upper-case nucleotide.
const FOREIGN: u8 = 4;
/// The place of each byte in [`ALPHABET`], or [`FOREIGN`].
const DIGITS: [u8; 256] = digits();
/// The longest word: 4^8 ids are 65,536.
const LONGEST: u8 = 8;

/// The rule that cuts a sequence into words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kmer {
    k: u8,
    stride: u8,
}

impl Kmer {
    /// Words of one nucleotide.
    pub(super) const SINGLE: Self = Self { k: 1, stride: 1 };

    pub(super) fn new(k: u8, stride: u8) -> Result<Self, TokenError> {
        match (k, stride) {
            (1..=LONGEST, 1..) => Ok(Self { k, stride }),
            _ => Err(TokenError::Word { k, stride }),
        }
    }

    pub(super) fn vocabulary(self) -> Vocabulary {
        let size = Specials::COUNT + (1 << (2 * self.k));
        Vocabulary { specials: Specials::DNABERT, first_ordinary: Specials::COUNT, size }
    }

    /// One id per word, words starting at 0, `stride`, 2 `stride`, ... while they fit.
    pub(super) fn encode(self, sequence: &[u8]) -> Vec<u32> {
        let Some((head, rest)) = sequence.split_at_checked(usize::from(self.k) - 1) else {
            return Vec::new();
        };
        let mut window = Window::new(self.k);
        window.push_all(head);
        if self.stride == 1 {
            return rest.iter().map(|&byte| window.pushed(byte)).collect();
        }
        // Each chunk begins with the last nucleotide of a word.
        let words = rest.chunks(usize::from(self.stride)).map(|chunk| {
            let id = window.pushed(chunk[0]);
            window.push_all(&chunk[1..]);
            id
        });
        words.collect()
    }

    /// The text of an id.
    pub(super) fn token(self, id: u32) -> Option<Cow<'static, str>> {
        if let Some(name) = Specials::DNABERT_NAMES.get(id as usize) {
            return Some(Cow::Borrowed(name));
        }
        let rank = id - Specials::COUNT;
        let letter = |place| char::from(ALPHABET[(rank >> (2 * place)) as usize % ALPHABET.len()]);
        (id < self.vocabulary().size).then(|| (0..self.k).rev().map(letter).collect())
    }
}

/// The last `k` bytes seen, as two bits each. Older bits are left to fall off at the top.
struct Window {
    digits: u32,
    foreign: u32,
    digit_mask: u32,
    foreign_mask: u32,
}

impl Window {
    fn new(k: u8) -> Self {
        Self { digits: 0, foreign: 0, digit_mask: (1 << (2 * k)) - 1, foreign_mask: (1 << k) - 1 }
    }

    fn push(&mut self, byte: u8) {
        let digit = DIGITS[usize::from(byte)];
        self.digits = (self.digits << 2) | u32::from(digit % FOREIGN);
        self.foreign = (self.foreign << 1) | u32::from(digit / FOREIGN);
    }

    fn push_all(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.push(byte);
        }
    }

    /// The id of the word that `byte` completes.
    fn pushed(&mut self, byte: u8) -> u32 {
        self.push(byte);
        if self.foreign & self.foreign_mask == 0 {
            Specials::COUNT + (self.digits & self.digit_mask)
        } else {
            Specials::DNABERT.unknown
        }
    }
}

const fn digits() -> [u8; 256] {
    let mut digits = [FOREIGN; 256];
    let mut place = 0;
    while place < ALPHABET.len() {
        digits[ALPHABET[place] as usize] = place as u8;
        place += 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(k: u8, stride: u8, sequence: &str) -> Vec<String> {
        let kmer = Kmer::new(k, stride).unwrap();
        let text = |id| kmer.token(id).unwrap().into_owned();
        kmer.encode(sequence.as_bytes()).into_iter().map(text).collect()
    }

    #[test]
    fn ids_follow_the_order_a_t_c_g() {
        // The examples of models.md 2.3.
        let kmer = Kmer::new(6, 1).unwrap();
        let words = [("AAAAAA", 5), ("AAAAAT", 6), ("AAAAAC", 7), ("AAAAAG", 8), ("GGGGGG", 4100)];
        for (word, id) in words {
            assert_eq!(kmer.encode(word.as_bytes()), [id]);
            assert_eq!(kmer.token(id).unwrap(), word);
        }
        assert_eq!(kmer.vocabulary().size, 4101);
        assert_eq!(kmer.token(4101), None);
        assert_eq!(kmer.token(u32::MAX), None);
    }

    #[test]
    fn words_start_at_multiples_of_the_stride_while_they_fit() {
        assert_eq!(texts(3, 1, "ACGTA"), ["ACG", "CGT", "GTA"]);
        assert_eq!(texts(3, 2, "ACGTAC"), ["ACG", "GTA"]);
        assert_eq!(texts(3, 3, "ACGTACG"), ["ACG", "TAC"]);
        assert_eq!(texts(2, 5, "ACGTACGT"), ["AC", "CG"]);
        assert_eq!(texts(1, 1, "AC"), ["A", "C"]);
        assert_eq!(texts(8, 1, "ACGTACGT"), ["ACGTACGT"]);
        for short in ["", "A", "AC"] {
            assert!(texts(3, 1, short).is_empty(), "{short}");
        }
    }

    #[test]
    fn a_word_with_any_other_letter_is_unknown() {
        for foreign in ["N", "a", "R", "-", " ", "\0"] {
            let sequence = format!("ACG{foreign}ACG");
            let expected = ["ACG", "[UNK]", "[UNK]", "[UNK]", "ACG"];
            assert_eq!(texts(3, 1, &sequence), expected, "{foreign:?}");
        }
        // Each byte of a letter that takes two.
        assert_eq!(texts(2, 1, "Aé"), ["[UNK]", "[UNK]"]);
    }

    #[test]
    fn impossible_words_are_refused() {
        for (k, stride) in [(0, 1), (9, 1), (6, 0)] {
            let message = Kmer::new(k, stride).unwrap_err().to_string();
            assert!(message.contains(&format!("words of {k} nucleotides every {stride}")), "{message}");
        }
    }
}
