//! Experiments as text, resolved against the library in `experiments/` and made-up facts of
//! the data: what planning costs without reading a sequence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bench::resolve::{Catalogue, Cells, CorpusFacts, Known, TaskFacts, resolve};
use bench::settings::Split;
use bench::spec::{Diagnostics, Library, LibraryFile, LibraryKind, Source, Sweep, read_sweep};

/// Where the library and the bundled data lie.
pub(crate) const EXPERIMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments");

/// Everything a sweep may name.
pub(crate) fn library() -> Library {
    let mut files = Vec::new();
    for kind in LibraryKind::ALL {
        let root = Path::new(EXPERIMENTS).join(kind.folder());
        read_folder(kind, &root, &root, &mut files);
    }
    let mut mistakes = Diagnostics::default();
    let library = Library::read(&files, &mut mistakes);
    assert_none(mistakes);
    library
}

fn read_folder(kind: LibraryKind, root: &Path, folder: &Path, files: &mut Vec<LibraryFile>) {
    for entry in fs::read_dir(folder).expect("the repository has it") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            read_folder(kind, root, &path, files);
        } else {
            let id = path.strip_prefix(root).expect("below the root").with_extension("");
            let id = id.to_str().expect("UTF-8").replace('\\', "/");
            let text = fs::read_to_string(&path).expect("a readable file");
            let source = Source::new(path.display().to_string(), text);
            files.push(LibraryFile { kind, id, source, problem: None });
        }
    }
}

/// Facts of all tasks and corpora: two thousand training rows of 150 nt.
pub(crate) fn catalogue(library: &Library) -> Catalogue {
    let fingerprint = |id: &str| blake3::hash(id.as_bytes()).to_hex()[..32].to_owned();
    let tasks = library.tasks.iter().map(|(id, entry)| {
        let classes = entry.task.classes.len();
        let facts = TaskFacts {
            rows: BTreeMap::from([(Split::Train, 2000), (Split::Dev, 500), (Split::Test, 500)]),
            label_units: vec![2000 / classes; classes],
            max_length: 150,
            fingerprint: fingerprint(id),
        };
        (id.clone(), Known::Present(facts))
    });
    let corpora = library.corpora.keys().map(|id| {
        let facts = CorpusFacts { fingerprint: fingerprint(id), longest_held_out: 2000 };
        (id.clone(), Known::Present(facts))
    });
    Catalogue { tasks: tasks.collect(), corpora: corpora.collect() }
}

/// Reads an experiment that is right.
pub(crate) fn read(text: &str, library: &Library) -> Sweep {
    let mut mistakes = Diagnostics::default();
    let sweep = read_sweep("speed", &Source::new("speed.toml", text), library, &mut mistakes);
    assert_none(mistakes);
    sweep
}

/// Its cells.
pub(crate) fn cells(sweep: &Sweep, library: &Library, catalogue: &Catalogue) -> Cells {
    let mut mistakes = Diagnostics::default();
    let cells = resolve(sweep, library, catalogue, &mut mistakes);
    assert_none(mistakes);
    cells
}

fn assert_none(mistakes: Diagnostics) {
    let messages: Vec<String> = mistakes.sorted().into_iter().map(|mistake| mistake.message).collect();
    assert!(messages.is_empty(), "{}", messages.join("\n"));
}
