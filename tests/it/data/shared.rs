//! The whole GUE and virus sets, where they are on this machine.

use std::collections::BTreeMap;
use std::path::Path;

use bench::data::{Found, catalogue, catalogue_corpus, load_task};
use bench::settings::{Split, TaskSource};

use super::samples::{corpora, tasks};
use crate::fixtures::shared_data;

/// Rows, duplicates and leaks of each data set, as the folder's README has them: computed
/// there by other code.
fn inventory(root: &Path) -> BTreeMap<String, Vec<Vec<Option<usize>>>> {
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let numbers =
        |cell: &str, separator| cell.split(separator).map(|part| part.trim().parse().ok()).collect();
    text.lines()
        .filter(|line| line.starts_with("| ") && line.split('|').count() == 11)
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .map(|cells| {
            let facts = vec![numbers(cells[2], '/'), numbers(cells[5], '/'), numbers(cells[6], ',')];
            (format!("gue/{}", cells[1]), facts)
        })
        .collect()
}

#[test]
fn every_complete_set_loads_with_the_rows_and_duplicates_of_the_inventory() {
    let Some(root) = shared_data("every_complete_set_loads_with_the_rows_and_duplicates_of_the_inventory")
    else {
        return;
    };
    let inventory = inventory(&root);
    let mut complete = 0;
    for (id, task) in tasks().into_iter().filter(|(id, _)| id.starts_with("gue/")) {
        let Found::Present(entry) = catalogue(&task, &root).unwrap() else { continue };
        complete += 1;
        let facts = inventory.get(&id).unwrap_or_else(|| panic!("{id} is not in the inventory"));
        let rows = Split::ALL.map(|split| Some(entry.splits[&split].rows));
        assert_eq!(facts[0], rows, "{id}");
        let found = &entry.duplicates;
        assert_eq!(facts[1], Split::ALL.map(|split| Some(found.within[&split])), "{id}");
        assert_eq!(facts[2], [found.dev_in_train, found.test_in_train, found.test_in_dev].map(Some), "{id}");
    }
    assert!(complete > 0);
}

#[test]
fn the_whole_virus_set_loads() {
    let Some(root) = shared_data("the_whole_virus_set_loads") else { return };
    for (id, task) in tasks() {
        let TaskSource::Windows(windows) = &task.source else { continue };
        let data = load_task(&task, &root).unwrap();
        assert_eq!((data.dev().len(), data.test().len()), (windows.dev, windows.test), "{id}");
        for fraction in [1.0, 0.1, 0.01] {
            assert_eq!(data.train(fraction, 1).unwrap().len(), windows.train, "{id}");
        }
    }
    for (id, corpus) in corpora() {
        assert!(matches!(catalogue_corpus(&corpus, &root).unwrap(), Found::Present(_)), "{id}");
    }
}
