//! Letters of sequences: which may stand in one, and how many are ambiguous.

/// The first character that codes no nucleotide: IUPAC letters, in either case.
pub(super) fn first_stranger(sequence: &str) -> Option<char> {
    sequence.chars().find(|letter| !"ACGTUNRYSWKMBDHV".contains(letter.to_ascii_uppercase()))
}

/// Whether at most 0.1 % of the letters are other than A, C, G, T in either case: the rule
/// by which Self-GenomeNet drops windows (models.md 8).
pub(super) fn is_clean(window: &str) -> bool {
    let ambiguous =
        window.bytes().filter(|byte| !matches!(byte.to_ascii_uppercase(), b'A' | b'C' | b'G' | b'T'));
    ambiguous.count() * 1000 <= window.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ambiguous_letter_in_a_thousand_is_the_limit() {
        let clean = "ACGTacgt".repeat(125);
        assert!(is_clean(&clean));
        assert!(is_clean(&format!("N{}", &clean[1..])));
        assert!(!is_clean(&format!("NN{}", &clean[2..])));
        assert!(!is_clean(&format!("N{}", &clean[1..999])));
    }
}
