//! Nested, stratified, seeded subsets.
//!
//! Each class is put in a seeded order once; a share takes its first rows. So the 1 % subset
//! lies inside the 10 % subset, and all models that ask see the same rows. It knows nothing
//! of what it chooses from.

use rand::seq::SliceRandom;

use super::DataError;
use super::identity::Identity;
use crate::seed::Purpose;

/// The members of each class, by index into `labels`, in the order in which shares take
/// them. `what` names the list that is drawn from: `train` or `dev`.
pub(super) fn ranked(
    identity: &Identity,
    labels: impl Iterator<Item = usize>,
    repetition: u64,
    what: &str,
) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); identity.classes.len()];
    for (index, label) in labels.enumerate() {
        if let Some(class) = members.get_mut(label) {
            class.push(index);
        }
    }
    for (class, members) in identity.classes.iter().zip(&mut members) {
        let mut stream = identity.stream(repetition, Purpose::LabelSubset, &[what, class]);
        members.shuffle(&mut stream);
    }
    members
}

/// `fraction` of `available`, to the nearest.
pub(super) fn share(fraction: f64, available: usize) -> usize {
    (fraction * available as f64).round() as usize
}

/// Refuses a share outside (0, 1]; `what` names it, and `accepted` says so for people.
pub(super) fn check_share(what: &'static str, value: f64, accepted: &'static str) -> Result<(), DataError> {
    if value > 0.0 && value <= 1.0 { Ok(()) } else { Err(DataError::Share { what, value, accepted }) }
}
