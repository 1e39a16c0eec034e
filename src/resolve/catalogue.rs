//! What is known of the data without training: what `data` finds, in the terms of
//! planning.

use std::collections::BTreeMap;

use crate::settings::Split;

/// What is known of all tasks and corpora a sweep names.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// By task id.
    pub tasks: BTreeMap<String, Known<TaskFacts>>,
    /// By corpus id.
    pub corpora: BTreeMap<String, Known<CorpusFacts>>,
}

/// Facts, or what is missing.
#[derive(Clone, Debug)]
pub enum Known<T> {
    /// The data are there.
    Present(T),
    /// The data are not there.
    Missing(Missing),
}

/// Data that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whose: a task or a corpus, with its name.
    pub of: String,
    /// The file that was looked for.
    pub what: String,
    /// That it is not there, and where it was looked for.
    pub absent: String,
    /// How to get it.
    pub advice: String,
}

/// What planning needs to know of a task.
#[derive(Clone, Debug)]
pub struct TaskFacts {
    /// Rows of each split, at label fraction 1.
    pub rows: BTreeMap<Split, usize>,
    /// What a label fraction counts, class by class: rows, or genome files.
    pub label_units: Vec<usize>,
    /// The longest sequence of any split, in nucleotides.
    pub max_length: usize,
    /// Hash of the content.
    pub fingerprint: String,
}

/// What planning needs to know of a corpus.
#[derive(Clone, Debug)]
pub struct CorpusFacts {
    /// The longest window that can be held out of it, in nucleotides.
    pub longest_held_out: usize,
    /// Hash of the content.
    pub fingerprint: String,
}
