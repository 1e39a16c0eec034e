//! What a sweep may name: systems, scales, tasks and corpora.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Diagnostics, Place, Source};
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

    /// What one of them is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Scale => "scale",
            Self::Task => "task",
            Self::Corpus => "corpus",
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
    /// Its text, or as much of it as could be read.
    pub source: Arc<Source>,
    /// Why the text could not be read to its end; nothing of it counts then.
    pub problem: Option<String>,
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
    /// Ids of files that could not be read: known names, of which nothing else is known.
    broken: BTreeSet<(LibraryKind, String)>,
}

impl Library {
    /// Reads all files; of two with the same kind and id the later one counts.
    pub fn read(files: &[LibraryFile], out: &mut Diagnostics) -> Self {
        let last: BTreeMap<(LibraryKind, &str), &LibraryFile> =
            files.iter().map(|file| ((file.kind, file.id.as_str()), file)).collect();
        let mut library = Self::default();
        for ((kind, id), file) in last {
            match &file.problem {
                None => library.add(kind, id, &file.source, out),
                Some(problem) => {
                    library.broken.insert((kind, id.to_owned()));
                    let end = file.source.text.len();
                    let place = Place { source: Arc::clone(&file.source), span: end..end };
                    out.push(Diagnostic::new(&place, problem, ""));
                }
            }
        }
        library
    }

    /// All names of a kind, also of files that could not be read.
    pub fn names(&self, kind: LibraryKind) -> BTreeSet<String> {
        let broken = self.broken.iter().filter(|(of, _)| *of == kind).map(|(_, id)| id.clone());
        let read: Vec<&String> = match kind {
            LibraryKind::System => self.systems.keys().collect(),
            LibraryKind::Scale => self.scales.keys().collect(),
            LibraryKind::Task => self.tasks.keys().collect(),
            LibraryKind::Corpus => self.corpora.keys().collect(),
        };
        broken.chain(read.into_iter().cloned()).collect()
    }

    /// Whether all files could be read.
    pub fn is_complete(&self) -> bool {
        self.broken.is_empty()
    }

    fn add(&mut self, kind: LibraryKind, id: &str, source: &Arc<Source>, out: &mut Diagnostics) {
        // A file with mistakes is known by name only: what else it says is not to be trusted.
        let mut mistakes = Diagnostics::default();
        let id = id.to_owned();
        match kind {
            LibraryKind::System => insert(read_system(&id, source, &mut mistakes), &id, &mut self.systems),
            LibraryKind::Scale => insert(read_scale(&id, source, &mut mistakes), &id, &mut self.scales),
            LibraryKind::Task => insert(read_task(&id, source, &mut mistakes), &id, &mut self.tasks),
            LibraryKind::Corpus => insert(read_corpus(&id, source, &mut mistakes), &id, &mut self.corpora),
        }
        if !mistakes.is_empty() {
            self.forget(kind, &id);
            self.broken.insert((kind, id));
        }
        out.extend(mistakes);
    }

    fn forget(&mut self, kind: LibraryKind, id: &str) {
        match kind {
            LibraryKind::System => drop(self.systems.remove(id)),
            LibraryKind::Scale => drop(self.scales.remove(id)),
            LibraryKind::Task => drop(self.tasks.remove(id)),
            LibraryKind::Corpus => drop(self.corpora.remove(id)),
        }
    }
}

fn insert<T>(read: Option<T>, id: &str, known: &mut BTreeMap<String, T>) {
    if let Some(read) = read {
        known.insert(id.to_owned(), read);
    }
}
