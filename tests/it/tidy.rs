//! The borders between modules that ARCHITECTURE.md draws, and the house rules on sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a file, its inline tests not counted, above which it must be split.
const LONGEST_FILE: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, in order.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The module of `src` that a file belongs to.
fn module(file: &Path) -> String {
    let below = file.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules that a line of code names as `crate::NAME`.
fn named(line: &str) -> impl Iterator<Item = String> + '_ {
    line.match_indices("crate::").map(move |(start, prefix)| {
        let rest = &line[start + prefix.len()..];
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    })
}

fn edges_of_the_code() -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files(&root().join("src")) {
        let from = module(&file);
        if ["lib", "main"].contains(&from.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let used = code.flat_map(named).filter(|to| *to != from && !to.is_empty());
        edges.entry(from.clone()).or_default().extend(used);
    }
    edges
}

fn edges_of_the_document() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = text.split_once("<!-- edges -->").expect("ARCHITECTURE.md lists the edges");
    let (list, _) = rest.split_once("<!-- /edges -->").expect("the list has an end");
    list.lines()
        .filter_map(|line| line.strip_prefix("- ")?.split_once(':'))
        .map(|(from, to)| {
            let to = to.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            (from.to_owned(), to.collect())
        })
        .collect()
}

#[test]
fn modules_use_what_the_architecture_says_and_nothing_else() {
    assert_eq!(edges_of_the_code(), edges_of_the_document());
}

#[test]
fn no_module_reaches_back() {
    // The list is a graph without cycles: each module can be put after all that it uses.
    let mut left = edges_of_the_document();
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, uses)| uses.iter().all(|used| !left.contains_key(used)))
            .map(|(name, _)| name.clone())
            .collect();
        assert!(!free.is_empty(), "a cycle among {:?}", left.keys());
        for name in free {
            left.remove(&name);
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let folders = ["src", "tests", "benches"].map(|folder| root().join(folder));
    for file in folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| rust_files(folder)) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with what it does", file.display());
        let length = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        assert!(length <= LONGEST_FILE, "{} has {length} lines; split it", file.display());
    }
}

#[test]
fn the_readme_shows_the_tables_that_the_program_wrote() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for table in ["mouse", "phage"] {
        let path = root().join("results/ablation/tables").join(format!("{table}.md"));
        let text = fs::read_to_string(path).unwrap();
        assert!(readme.contains(text.trim()), "README.md does not show `{table}` as it is");
    }
}

/// CUDA is a feature: without it nothing of its compiler or runtime is built. Three small
/// crates of cubecl are burn's own, whatever the backend.
#[test]
fn a_build_without_cuda_builds_nothing_for_it() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--edges", "normal,build"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let found: BTreeSet<&str> = names
        .filter(|name| name.starts_with("cubecl") || name.contains("cuda") || name.contains("nvrtc"))
        .collect();
    assert_eq!(found, BTreeSet::from(["cubecl-common", "cubecl-environment", "cubecl-zspace"]));
}
