//! What a sweep may name: systems, scales, tasks and corpora.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostic::{Diagnostics, Source};
use super::system::{Scale, System, read_scale, read_system};
use super::task::{CorpusEntry, TaskEntry, read_corpus, read_task};

/// What a library file defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LibraryKind {
    /// `systems/NAME.toml`
    System,
    /// `scales/NAME.toml`
    Scale,
    /// `tasks/ID.toml`, where the id is a folder path
    Task,
    /// `corpora/ID.toml`, where the id is a folder path
    Corpus,
}

impl LibraryKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::System, Self::Scale, Self::Task, Self::Corpus];

    /// The folder its files lie in.
    pub fn folder(self) -> &'static str {
        match self {
            Self::System => "systems",
            Self::Scale => "scales",
            Self::Task => "tasks",
            Self::Corpus => "corpora",
        }
    }
}

/// One file of a library.
#[derive(Clone, Debug)]
pub struct LibraryFile {
    /// What it defines.
    pub kind: LibraryKind,
    /// Its path below the kind's folder, without `.toml`.
    pub id: String,
    /// Its text.
    pub source: Arc<Source>,
}

/// What a sweep may name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// By name.
    pub systems: BTreeMap<String, System>,
    /// By name.
    pub scales: BTreeMap<String, Scale>,
    /// By id.
    pub tasks: BTreeMap<String, TaskEntry>,
    /// By id.
    pub corpora: BTreeMap<String, CorpusEntry>,
}

impl Library {
    /// Reads all files; of two with the same kind and id the later one counts.
    pub fn read(files: &[LibraryFile], out: &mut Diagnostics) -> Self {
        let last: BTreeMap<(LibraryKind, &str), &LibraryFile> =
            files.iter().map(|file| ((file.kind, file.id.as_str()), file)).collect();
        let mut library = Self::default();
        for ((kind, id), file) in last {
            library.add(kind, id, &file.source, out);
        }
        library
    }

    fn add(&mut self, kind: LibraryKind, id: &str, source: &Arc<Source>, out: &mut Diagnostics) {
        let id = id.to_owned();
        match kind {
            LibraryKind::System => {
                if let Some(system) = read_system(&id, source, out) {
                    self.systems.insert(id, system);
                }
            }
            LibraryKind::Scale => {
                if let Some(scale) = read_scale(&id, source, out) {
                    self.scales.insert(id, scale);
                }
            }
            LibraryKind::Task => {
                if let Some(task) = read_task(&id, source, out) {
                    self.tasks.insert(id, task);
                }
            }
            LibraryKind::Corpus => {
                if let Some(corpus) = read_corpus(&id, source, out) {
                    self.corpora.insert(id, corpus);
                }
            }
        }
    }
}
