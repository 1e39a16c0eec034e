//! The data and task files that come with the repository.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use bench::data::{DataError, Found, catalogue, catalogue_corpus, load_task};
use bench::settings::{Metric, Split, TaskSource};

use super::samples::{corpora, experiments, tasks};
use super::sha256::sha256;

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The manifest's rows by column name.
fn manifest() -> Vec<BTreeMap<String, String>> {
    let text = String::from_utf8(read(&experiments().join("data/virus/manifest.tsv"))).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let header: Vec<String> = lines.next().unwrap().collect();
    lines.map(|line| header.iter().cloned().zip(line).collect()).collect()
}

/// The rows of all tables of a Markdown text, cell by cell, from 1.
fn table_rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.map(|line| line.split('|').map(str::trim).collect()).collect()
}

#[test]
fn task_files_are_found_under_the_names_of_gue() {
    let tasks = tasks();
    for (id, task) in &tasks {
        match &task.source {
            TaskSource::Csv(splits) => {
                for (split, file) in [("train", &splits.train), ("dev", &splits.dev), ("test", &splits.test)]
                {
                    assert_eq!(*file, format!("{id}/{split}.csv"));
                }
                let metric = if id == "gue/virus/covid" { Metric::MacroF1 } else { Metric::Mcc };
                assert_eq!(task.metric, metric, "{id}");
            }
            TaskSource::Windows(_) => assert_eq!(task.metric, Metric::MacroRecall, "{id}"),
            TaskSource::Motif(_) => {}
        }
    }
    let gue = tasks.keys().filter(|id| id.starts_with("gue/")).count();
    assert_eq!(gue, 28, "GUE has 28 data sets");
}

#[test]
fn every_bundled_file_is_the_one_its_table_names() {
    let data = experiments().join("data");
    let readme = String::from_utf8(read(&data.join("README.md"))).unwrap();
    let mut checked = 0;
    for cells in table_rows(&readme)
        .into_iter()
        .filter(|cells| Path::new(&cells[1]).extension().is_some_and(|ending| ending == "csv"))
    {
        assert_eq!(sha256(&read(&data.join(cells[1]))), cells[5], "{}", cells[1]);
        checked += 1;
    }
    assert_eq!(checked, 3, "train, dev and test of mouse/2");
    for row in manifest() {
        assert_eq!(
            sha256(&read(&data.join("virus").join(&row["file"]))),
            row["sha256_gz"],
            "{}",
            row["file"]
        );
    }
}

#[test]
fn no_file_lies_in_the_bundle_that_the_manifest_does_not_name() {
    let mut listed: Vec<String> = manifest().into_iter().map(|row| row["file"].clone()).collect();
    listed.sort();
    let mut found = Vec::new();
    for class in ["other", "phage"] {
        for entry in std::fs::read_dir(experiments().join("data/virus").join(class)).unwrap() {
            found.push(format!("{class}/{}", entry.unwrap().file_name().to_str().unwrap()));
        }
    }
    found.sort();
    assert_eq!(found, listed);
}

#[test]
fn bundled_genomes_have_accessions_and_the_sequences_of_the_manifest() {
    let root = experiments().join("data");
    for corpus in corpora().into_values() {
        let Found::Present(entry) = catalogue_corpus(&corpus, &root).unwrap() else {
            panic!("{} is bundled", corpus.id)
        };
        let rows = manifest();
        let of_train = rows.iter().filter(|row| row["split"] == "train");
        let nucleotides: usize = of_train.clone().map(|row| row["length"].parse::<usize>().unwrap()).sum();
        assert_eq!((entry.sequences, entry.nucleotides), (of_train.count(), nucleotides));
        let genomes = bench::data::load_corpus(&corpus, &root).unwrap();
        let rows = rows.iter().filter(|row| row["split"] == "train");
        for (genome, row) in genomes.iter().zip(rows) {
            assert_eq!(genome.name, row["accession"]);
            assert_eq!(sha256(genome.sequence.as_bytes()), row["sha256_seq"], "{}", genome.name);
        }
    }
}

/// Tasks whose data are bundled load, quickly; the others say what is missing.
#[test]
fn tasks_are_there_or_said_to_be_missing() {
    let root = experiments().join("data");
    let mut present = Vec::new();
    let start = Instant::now();
    for (id, task) in tasks() {
        match catalogue(&task, &root).unwrap() {
            Found::Present(entry) => {
                let [train, dev, test] = Split::ALL.map(|split| &entry.splits[&split]);
                assert!(train.rows > dev.rows && dev.rows > 0 && test.rows > 0, "{id}");
                eprintln!("{id}: {entry:?}");
                present.push(id);
            }
            Found::Missing(missing) => {
                assert!(missing.what.contains(&id), "{id}: {missing:?}");
                assert!(matches!(load_task(&task, &root), Err(DataError::Missing { .. })), "{id}");
            }
        }
    }
    eprintln!("all bundled tasks in {:?}", start.elapsed());
    for id in ["gue/mouse/2", "synthetic/motif", "virus/phage-1000", "virus/phage-150"] {
        assert!(present.iter().any(|there| there == id), "{id} is not in {present:?}");
    }
}

#[test]
fn the_readme_states_the_rows_and_duplicates_that_the_catalogue_finds() {
    let root = experiments().join("data");
    let readme = String::from_utf8(read(&root.join("README.md"))).unwrap();
    let tasks = tasks();
    let mut checked = 0;
    for cells in table_rows(&readme) {
        let Some(task) = tasks.get(cells[1]).filter(|_| cells.len() == 7) else { continue };
        let Found::Present(entry) = catalogue(task, &root).unwrap() else { panic!("{}", task.id) };
        let of_splits =
            |value: &dyn Fn(Split) -> usize| Split::ALL.map(|split| value(split).to_string()).join(" / ");
        let found = &entry.duplicates;
        assert_eq!(cells[2], of_splits(&|split| entry.splits[&split].rows), "{}", task.id);
        assert_eq!(cells[3], of_splits(&|split| entry.splits[&split].groups), "{}", task.id);
        assert_eq!(cells[4], of_splits(&|split| found.within[&split]), "{}", task.id);
        let across =
            [found.dev_in_train, found.test_in_train, found.test_in_dev].map(|count| count.to_string());
        assert_eq!(cells[5], across.join(", "), "{}", task.id);
        checked += 1;
    }
    assert_eq!(checked, 3, "the bundled tasks");
}

#[test]
fn bundled_virus_windows_are_many_balanced_and_of_few_relatives() {
    let root = experiments().join("data");
    for (id, task) in tasks() {
        let TaskSource::Windows(windows) = &task.source else { continue };
        let data = load_task(&task, &root).unwrap();
        for (rows, limit) in [(data.dev(), windows.dev), (data.test(), windows.test)] {
            assert!(rows.len() * 10 >= limit * 9, "{id}: {} of {limit}", rows.len());
            let phages = rows.iter().filter(|row| row.label == 1).count();
            assert_eq!(phages * 2, rows.len(), "{id}");
        }
        // The 1 % of GenomeNet-BERT's table 1 must keep a file of each class.
        assert_eq!(data.train(0.01, 1).unwrap().len(), windows.train, "{id}");
    }
}

#[test]
fn what_was_selected_can_be_selected_again() {
    let script = String::from_utf8(read(&experiments().join("data/select.py"))).unwrap();
    for row in manifest() {
        assert!(script.contains(&format!("\"{}\"", row["source"])), "{}", row["source"]);
    }
}
