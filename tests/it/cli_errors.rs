//! What a person reads when the input is wrong. Each message has the place, the value and
//! what would be accepted; the exit code is 2 and nothing is written.

mod data;
mod files;
mod library;
mod program;
mod results;

use std::collections::BTreeMap;
use std::path::PathBuf;

use program::{Folder, bundled_data};

/// The files with mistakes of one kind, by name: `.` are the experiment files.
fn bad_files(kind: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/bad").join(kind);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn each_bad_file_is_explained() {
    let data = bundled_data();
    let files = bad_files(".");
    assert!(files.len() >= 40, "{} files", files.len());
    for (name, content) in files {
        let folder = Folder::new();
        let file = format!("{name}.toml");
        folder.write(&file, content);
        let said = folder.refused(&["plan", &file, "--data-root", &data]);
        assert_is_tame(&said);
        assert_places_ascend(&said);
        insta::assert_snapshot!(format!("bad_{name}"), said);
        // Whoever does not plan first reads the same.
        assert_eq!(folder.refused(&["sweep", &file, "--data-root", &data]), said);
    }
}

/// An experiment that names one file of the library.
fn naming(kind: &str, name: &str) -> String {
    let (mut scale, mut task, mut corpus, mut model) =
        ("tiny", "synthetic/motif", "virus/pretrain", "dnabert-6");
    match kind {
        // The scale that leaves sizes to the system.
        "systems" => (scale, model) = ("base", name),
        "scales" => scale = name,
        "tasks" => task = name,
        _ => corpus = name,
    }
    format!(
        "scale = \"{scale}\"\ntasks = [\"{task}\"]\ncorpus = \"{corpus}\"\n[[grid]]\nmodel = \"{model}\"\n"
    )
}

#[test]
fn each_bad_file_of_the_library_is_explained() {
    let data = bundled_data();
    for kind in ["systems", "scales", "tasks", "corpora"] {
        for (name, content) in bad_files(kind) {
            let folder = Folder::new();
            folder.write("my.toml", naming(kind, &name)).write(&format!("{kind}/{name}.toml"), content);
            let said = folder.refused(&["plan", "my.toml", "--data-root", &data]);
            assert_is_tame(&said);
            assert_places_ascend(&said);
            // The mistake is in that file and nowhere else.
            let places = said.lines().filter_map(|line| line.trim_start().strip_prefix("--> "));
            let file = format!("{kind}/{name}.toml:");
            assert!(places.clone().all(|place| place.starts_with(&file)), "{said}");
            insta::assert_snapshot!(format!("bad_{kind}_{name}"), said);
        }
    }
}

/// A message steers no terminal, hides nothing and ends before the reader is tired.
fn assert_is_tame(said: &str) {
    let unseen = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!said.contains(unseen), "{said:?}");
    assert!(said.len() < 40_000 && said.matches("error: ").count() <= 51, "{said}");
}

/// Mistakes come in the order of the file.
fn assert_places_ascend(said: &str) {
    let places: Vec<(usize, usize)> = said
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--> "))
        .filter_map(|place| {
            let mut numbers = place.rsplit(':').map(str::parse::<usize>);
            let (column, line) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            Some((line, column))
        })
        .collect();
    assert!(!places.is_empty(), "{said}");
    assert!(places.is_sorted(), "{places:?}\n{said}");
}
