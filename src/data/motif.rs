//! A planted motif in random sequence: a task whose best accuracy is known.
//!
//! Rows of class 1 carry the motif at a random place, rows of class 0 nowhere; then labels
//! are flipped with probability `noise`. Dev and test are fixed; training rows are drawn for
//! each repetition.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::identity::Identity;
use super::{DataError, Example};
use crate::seed::Purpose;
use crate::settings::{Motif, Split, Task};

const NUCLEOTIDES: [char; 4] = ['A', 'C', 'G', 'T'];

/// Refuses settings that make no such task.
///
/// # Errors
/// The motif is empty, too long or not of A, C, G, T; there are not two classes; `noise` is
/// outside [0, 0.5].
pub(super) fn check(task: &Task, motif: &Motif) -> Result<(), DataError> {
    let refuse = |setting, value: String, accepted| {
        Err(DataError::Setting { origin: task.id.clone(), setting, value, accepted })
    };
    if task.classes.len() != 2 {
        return refuse(
            "the number of classes",
            task.classes.len().to_string(),
            "2: without and with the motif",
        );
    }
    if motif.motif.is_empty() || !motif.motif.chars().all(|letter| NUCLEOTIDES.contains(&letter)) {
        return refuse("motif", format!("`{}`", motif.motif), "a word of the letters A, C, G, T");
    }
    if motif.length < motif.motif.len() {
        return refuse("length", motif.length.to_string(), "at least the length of the motif");
    }
    if !(0.0..=0.5).contains(&motif.noise) {
        return refuse("noise", motif.noise.to_string(), "a number from 0 to 0.5");
    }
    Ok(())
}

/// The rows of a split; `repetition` matters for train only.
pub(super) fn rows(motif: &Motif, identity: &Identity, split: Split, repetition: u64) -> Vec<Example> {
    let (count, repetition) = match split {
        Split::Train => (motif.train, repetition),
        Split::Dev => (motif.dev, 0),
        Split::Test => (motif.test, 0),
    };
    let mut stream = identity.stream(repetition, Purpose::Synthetic, &[split.name()]);
    (0..count).map(|row| example(motif, row % 2, &mut stream)).collect()
}

fn example(motif: &Motif, planted: usize, stream: &mut ChaCha8Rng) -> Example {
    let mut sequence: String = (0..motif.length).map(|_| nucleotide(stream)).collect();
    if planted == 1 {
        let start = stream.random_range(0..=motif.length - motif.motif.len());
        sequence.replace_range(start..start + motif.motif.len(), &motif.motif);
    } else {
        erase(&motif.motif, &mut sequence, stream);
    }
    let flipped = usize::from(stream.random_bool(motif.noise));
    Example { sequence, label: planted ^ flipped, group: None }
}

/// Changes one letter of each occurrence until there is none. A change can make a new
/// occurrence, but every letter has three others to become, so this ends.
fn erase(motif: &str, sequence: &mut String, stream: &mut ChaCha8Rng) {
    while let Some(start) = sequence.find(motif) {
        let at = start + stream.random_range(0..motif.len());
        let replacement = nucleotide(stream);
        sequence.replace_range(at..=at, replacement.encode_utf8(&mut [0; 4]));
    }
}

fn nucleotide(stream: &mut ChaCha8Rng) -> char {
    NUCLEOTIDES.choose(stream).copied().unwrap_or('A')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this fails, bump `MOTIF_GENERATOR` in `fingerprint.rs`: results made before belong
    /// to other rows.
    #[test]
    fn the_generator_still_gives_the_rows_of_its_version() {
        let motif = Motif { motif: "ACG".into(), length: 12, train: 2, dev: 2, test: 2, noise: 0.25 };
        let identity = Identity {
            task: "golden".into(),
            classes: vec!["0".into(), "1".into()],
            fingerprint: "golden".into(),
            version: 1,
        };
        let rows = Split::ALL.map(|split| {
            rows(&motif, &identity, split, 3)
                .into_iter()
                .map(|row| (row.sequence, row.label))
                .collect::<Vec<_>>()
        });
        insta::assert_compact_debug_snapshot!(rows, @r#"[[("TCCTAGAGTAGT", 1), ("GATATCGACGGG", 0)], [("CCAGCAGAAGAA", 1), ("TGTTCACGAACC", 1)], [("AATATTAGTATT", 0), ("TGTACAGACGCA", 1)]]"#);
    }
}
