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

/// The experiment files with mistakes, by name.
fn bad_files() -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/bad");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn each_bad_file_is_explained() {
    let data = bundled_data();
    let files = bad_files();
    assert!(files.len() >= 16, "{} files", files.len());
    for (name, content) in files {
        let folder = Folder::new();
        let file = format!("{name}.toml");
        folder.write(&file, content);
        let said = folder.refused(&["plan", &file, "--data-root", &data]);
        assert_places_ascend(&said);
        insta::assert_snapshot!(format!("bad_{name}"), said);
        // Whoever does not plan first reads the same.
        assert_eq!(folder.refused(&["sweep", &file, "--data-root", &data]), said);
    }
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
