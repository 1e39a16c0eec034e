//! The library of the repository, a catalogue made by hand, and what a text is planned to be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bench::plan::{CellJobs, Plan, plan};
use bench::resolve::{Catalogue, CorpusFacts, Known, TaskFacts, resolve};
use bench::settings::{Coordinates, Key, Split};
use bench::spec::{Diagnostics, Library, LibraryFile, LibraryKind, Source, read_sweep};

/// Library files, by kind and id.
pub(crate) type Files = BTreeMap<(LibraryKind, String), String>;

/// What a sweep may name, and what is known of its data.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) files: Files,
    pub(crate) catalogue: Catalogue,
}

/// The jobs of each cell.
pub(crate) type Cells = BTreeMap<Coordinates, CellJobs>;

impl World {
    /// The repository's library, and facts of each of its tasks and corpora.
    pub(crate) fn of_the_repository() -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("experiments");
        let mut files = Files::new();
        for kind in LibraryKind::ALL {
            let folder = root.join(kind.folder());
            add_files(kind, &folder, &folder, &mut files);
        }
        let ids = |kind| files.keys().filter(move |(of, _)| *of == kind).map(|(_, id)| id.clone());
        let catalogue = Catalogue {
            tasks: ids(LibraryKind::Task).map(|id| (id.clone(), Known::Present(task_facts(&id)))).collect(),
            corpora: ids(LibraryKind::Corpus)
                .map(|id| (id.clone(), Known::Present(corpus_facts(&id))))
                .collect(),
        };
        Self { files, catalogue }
    }

    /// With one more library file, or another text for one.
    pub(crate) fn with(mut self, kind: LibraryKind, id: &str, text: &str) -> Self {
        self.files.insert((kind, id.to_owned()), text.to_owned());
        self
    }

    /// With a library file and its facts under another id, the old one gone.
    pub(crate) fn renamed(mut self, kind: LibraryKind, from: &str, to: &str) -> Self {
        let text = self.files.remove(&(kind, from.to_owned())).unwrap();
        self.files.insert((kind, to.to_owned()), text);
        if let Some(facts) = self.catalogue.tasks.remove(from) {
            self.catalogue.tasks.insert(to.to_owned(), facts);
        }
        if let Some(facts) = self.catalogue.corpora.remove(from) {
            self.catalogue.corpora.insert(to.to_owned(), facts);
        }
        self
    }

    /// With another text in a library file.
    pub(crate) fn edited(mut self, kind: LibraryKind, id: &str, from: &str, to: &str) -> Self {
        let text = self.files.get_mut(&(kind, id.to_owned())).unwrap();
        assert!(text.contains(from), "{id}: {text}");
        *text = text.replace(from, to);
        self
    }

    /// The messages of a text with mistakes; empty where there are none.
    pub(crate) fn mistakes(&self, text: &str) -> Vec<String> {
        self.try_plan("study", text).err().unwrap_or_default()
    }

    /// The plan of a text without mistakes.
    pub(crate) fn plan(&self, text: &str) -> Plan {
        self.try_plan("study", text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{text}"))
    }

    /// The plan of an experiment file of this name.
    pub(crate) fn try_plan(&self, name: &str, text: &str) -> Result<Plan, Vec<String>> {
        let mut out = Diagnostics::default();
        let library = self.library(&mut out);
        let source = Source::new(format!("{name}.toml"), text);
        let sweep = read_sweep(name, &source, &library, &mut out);
        let cells = resolve(&sweep, &library, &self.catalogue, &mut out);
        if out.is_empty() {
            return Ok(plan(&cells));
        }
        Err(out.sorted().into_iter().map(|diagnostic| diagnostic.message).collect())
    }

    /// The library as a sweep sees it.
    pub(crate) fn library(&self, out: &mut Diagnostics) -> Library {
        let files: Vec<LibraryFile> = self
            .files
            .iter()
            .map(|((kind, id), text)| LibraryFile {
                kind: *kind,
                id: id.clone(),
                source: Source::new(format!("{}/{id}.toml", kind.folder()), text.clone()),
                problem: None,
            })
            .collect();
        Library::read(&files, out)
    }

    /// The jobs of each cell of a text without mistakes.
    pub(crate) fn cells(&self, text: &str) -> Cells {
        cells(&self.plan(text))
    }
}

/// The jobs of each cell; a cell that is there twice fails.
pub(crate) fn cells(plan: &Plan) -> Cells {
    let mut cells = Cells::new();
    for cell in &plan.cells {
        let jobs = cell.jobs.clone().expect("no data are missing");
        assert_eq!(cells.insert(cell.coordinates.to_map(), jobs), None, "{:?} twice", cell.coordinates);
    }
    cells
}

/// The keys of all jobs.
pub(crate) fn keys(plan: &Plan) -> BTreeSet<Key> {
    let keys: BTreeSet<Key> = plan.jobs.iter().map(|job| job.key.clone()).collect();
    assert_eq!(keys.len(), plan.jobs.len(), "each job once");
    keys
}

/// Facts that look like those of a task, from its id alone.
fn task_facts(id: &str) -> TaskFacts {
    let size = 1000 + id.len();
    TaskFacts {
        rows: [(Split::Train, size), (Split::Dev, 200), (Split::Test, 300)].into(),
        label_units: vec![size / 2, size - size / 2],
        max_length: 100,
        fingerprint: format!("rows of {id}"),
    }
}

fn corpus_facts(id: &str) -> CorpusFacts {
    CorpusFacts { longest_held_out: 5000, fingerprint: format!("sequences of {id}") }
}

fn add_files(kind: LibraryKind, root: &Path, folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_files(kind, root, &path, files);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            let id = path.strip_prefix(root).unwrap().with_extension("");
            files.insert((kind, id.to_str().unwrap().to_owned()), std::fs::read_to_string(&path).unwrap());
        }
    }
}
