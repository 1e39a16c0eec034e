//! Damage to bytes: flips, cuts, splices, copies, words of a format, extreme numbers.

/// Pseudo-random numbers (SplitMix64: Steele et al. 2014), a stream of its own per seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, reader: &str) -> Self {
        let name = reader.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Self(name)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A stretch of `length` things, at most `longest` of them.
    fn stretch(&mut self, length: usize, longest: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let size = self.below(longest.min(length - start) + 1);
        start..start + size
    }
}

/// Texts that readers of numbers trip over.
const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "-1",
    "1",
    "255",
    "256",
    "65536",
    "2147483647",
    "-2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e309",
    "-1e400",
    "5e-324",
    "0.1",
    "NaN",
    "inf",
    "123456789012345678901234567890",
];

/// Characters of several bytes, of no width, that turn the direction, or steer a terminal.
const CHARACTERS: [&str; 14] = [
    "é",
    "🧬",
    "\u{feff}",
    "\u{202e}",
    "\u{0}",
    "\u{1b}[31m",
    "\u{85}",
    "\r",
    "\n",
    "\t",
    "\\",
    "\"",
    "\u{d7ff}",
    "\u{10ffff}",
];

/// Integers of binary formats.
const INTEGERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    100_000_000,
];

/// One to eight kinds of damage to `bytes`; `other` is another input, to splice with.
pub(super) fn damage(bytes: &mut Vec<u8>, other: &[u8], words: &[&str], dice: &mut Dice) {
    let times = 1 + dice.below(8).min(dice.below(8));
    for _ in 0..times {
        once(bytes, other, words, dice);
    }
}

fn once(bytes: &mut Vec<u8>, other: &[u8], words: &[&str], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    match dice.below(15) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.next() as u8,
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(dice.stretch(bytes.len(), 8))),
        4 => drop(bytes.drain(dice.stretch(bytes.len(), 512))),
        5 => insert(bytes, at, &dice.next().to_le_bytes()),
        6 => {
            let copy = bytes[dice.stretch(bytes.len(), 256)].to_vec();
            insert(bytes, at, &copy);
        }
        7 => {
            let part = &other[dice.stretch(other.len(), other.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(part);
        }
        8 => {
            let part = other[dice.stretch(other.len(), 256)].to_vec();
            insert(bytes, at, &part);
        }
        9 | 10 if !words.is_empty() => insert(bytes, at, dice.pick(words).as_bytes()),
        11 => replace_number(bytes, at, NUMBERS[dice.below(NUMBERS.len())]),
        12 => insert(bytes, at, dice.pick(&CHARACTERS).as_bytes()),
        13 => {
            let integer = dice.pick(&INTEGERS).to_le_bytes();
            let width = 1 << dice.below(4);
            let end = (at + width).min(bytes.len());
            bytes[at..end].copy_from_slice(&integer[..end - at]);
        }
        _ => {
            let opening = *dice.pick(&["[", "{\"a\":", "(", "[[", "{a=", "\"", "]"]);
            insert(bytes, at, opening.repeat(1 << dice.below(13)).as_bytes());
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    drop(bytes.splice(at..at, part.iter().copied()));
}

/// Another text for the digits at or behind a place.
fn replace_number(bytes: &mut Vec<u8>, at: usize, number: &str) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = bytes[at..].iter().position(is_digit).map(|offset| at + offset) else { return };
    let length = bytes[start..].iter().take_while(|byte| is_digit(byte) || **byte == b'.').count();
    drop(bytes.splice(start..start + length, number.bytes()));
}
