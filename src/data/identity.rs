//! What a task's random streams belong to: its content and version, never its name, its
//! place or a model.

use rand_chacha::ChaCha8Rng;

use crate::seed::{Purpose, stream};

/// The part of a task that its streams depend on, and its name for messages.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// The task's id, for messages only.
    pub(super) task: String,
    /// Class names, in order.
    pub(super) classes: Vec<String>,
    /// Content hash of the data.
    pub(super) fingerprint: String,
    /// The task's version.
    pub(super) version: u32,
}

impl Identity {
    /// The stream of one purpose and what it is used for.
    pub(super) fn stream(&self, repetition: u64, purpose: Purpose, what: &[&str]) -> ChaCha8Rng {
        let version = self.version.to_string();
        let mut subject = vec![self.fingerprint.as_str(), version.as_str()];
        subject.extend(what);
        stream(repetition, purpose, &subject)
    }

    /// A class's name.
    pub(super) fn class(&self, label: usize) -> &str {
        self.classes.get(label).map_or("", String::as_str)
    }
}
