//! Tasks of windows: balance, borders, nesting by genome file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use bench::data::{DataError, Example, TaskData, load_task};
use bench::settings::{Task, TaskSource, Windows};

use super::samples::{DataFolder, SampleGenome, gzip, sample_genomes, windows_task, write_genomes};

fn load(genomes: &[SampleGenome], task: &Task) -> TaskData {
    let folder = DataFolder::new();
    write_genomes(&folder, genomes);
    load_task(task, folder.path()).unwrap()
}

fn with(change: impl FnOnce(&mut Windows)) -> Task {
    let mut task = windows_task();
    let TaskSource::Windows(windows) = &mut task.source else { panic!("a task of windows") };
    change(windows);
    task
}

fn windows_of(task: &Task) -> &Windows {
    let TaskSource::Windows(windows) = &task.source else { panic!("a task of windows") };
    windows
}

/// Where each window was cut: genome name and start. Sample windows are long enough to
/// occur once.
fn places(rows: &[Example], genomes: &[SampleGenome], split: &str) -> Vec<(String, usize)> {
    let classes = windows_task().classes;
    rows.iter()
        .map(|row| {
            let fits = |genome: &&SampleGenome| {
                genome.split == split
                    && genome.class == classes[row.label]
                    && row.group.as_deref() == Some(&genome.cluster)
            };
            let found = |genome: &SampleGenome| {
                genome.sequence.find(&row.sequence).map(|start| (genome.name.clone(), start))
            };
            genomes.iter().filter(fits).find_map(found).unwrap_or_else(|| panic!("{row:?}"))
        })
        .collect()
}

fn counts<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

#[test]
fn dev_and_test_windows_are_balanced_apart_and_inside_their_genomes() {
    let genomes = sample_genomes(5);
    let task = windows_task();
    let settings = windows_of(&task);
    let data = load(&genomes, &task);
    for (split, rows, limit) in [("dev", data.dev(), settings.dev), ("test", data.test(), settings.test)] {
        assert_eq!(counts(rows.iter().map(|row| row.label)), [(0, limit / 2), (1, limit / 2)].into());
        assert!(rows.iter().all(|row| row.sequence.len() == settings.length));
        let mut places = places(rows, &genomes, split);
        let per_genome = counts(places.iter().map(|(name, _)| name.clone()));
        assert!(per_genome.values().all(|&count| count <= settings.max_per_genome), "{per_genome:?}");
        places.sort();
        for pair in places.windows(2) {
            let [(one, start), (other, next)] = pair else { panic!("pairs") };
            assert!(one != other || start + settings.length <= *next, "{pair:?}");
        }
    }
}

#[test]
fn clusters_give_equally_many_dev_windows_as_far_as_they_can() {
    let mut genomes = sample_genomes(4);
    // One cluster with room for two windows only; the others share the rest.
    let small = genomes.iter_mut().find(|genome| genome.class == "phage" && genome.split == "dev").unwrap();
    small.sequence.truncate(140);
    let small = small.cluster.clone();
    let data = load(&genomes, &with(|windows| windows.dev = 40));
    let per_cluster = counts(data.dev().iter().map(|row| (row.label, row.group.clone().unwrap())));
    let of_class = |label| per_cluster.iter().filter(move |((l, _), _)| *l == label).map(|(_, &count)| count);
    assert_eq!(of_class(0).collect::<Vec<_>>(), [5, 5, 5, 5]);
    assert_eq!(per_cluster[&(1, small)], 2);
    assert_eq!(of_class(1).collect::<Vec<_>>(), [2, 6, 6, 6]);
}

#[test]
fn both_classes_shrink_to_what_the_smaller_one_has() {
    let mut genomes = sample_genomes(3);
    genomes
        .retain(|genome| genome.split != "test" || genome.class == "other" || genome.cluster.ends_with('0'));
    let task = windows_task();
    let data = load(&genomes, &task);
    let per_class = counts(data.test().iter().map(|row| row.label));
    assert_eq!(per_class[&1], windows_of(&task).max_per_genome);
    assert_eq!(per_class[&0], per_class[&1]);
}

#[test]
fn dev_and_test_do_not_depend_on_how_much_is_trained_on() {
    let genomes = sample_genomes(3);
    let base = load(&genomes, &windows_task());
    let other = load(&genomes, &with(|windows| windows.train = 40));
    assert_eq!((base.dev(), base.test()), (other.dev(), other.test()));
    assert_eq!(base.fingerprint(), other.fingerprint());
}

#[test]
fn training_windows_are_balanced_drawn_anew_and_from_the_training_split() {
    let genomes = sample_genomes(5);
    let task = windows_task();
    let data = load(&genomes, &task);
    let rows = data.train(1.0, 1).unwrap();
    assert_eq!(rows.len(), windows_of(&task).train);
    assert_eq!(data.full_train_rows(), rows.len());
    assert_eq!(counts(rows.iter().map(|row| row.label)), [(0, 151), (1, 150)].into());
    let places = places(&rows, &genomes, "train");
    assert!(places.iter().any(|(_, start)| start % 50 != 0));
    // 150 draws of 5 clusters: 30 each, give or take five standard deviations.
    let per_cluster = counts(rows.iter().map(|row| row.group.clone()));
    assert!(per_cluster.values().all(|count| (5..=55).contains(count)), "{per_cluster:?}");
    assert_eq!(rows, data.train(1.0, 1).unwrap());
    assert_ne!(rows, data.train(1.0, 2).unwrap());
    assert_ne!(rows, data.train(0.5, 1).unwrap());
}

#[test]
fn no_cluster_is_in_two_splits() {
    let data = load(&sample_genomes(4), &windows_task());
    let train = data.train(1.0, 1).unwrap();
    let groups = |rows: &[Example]| rows.iter().filter_map(|row| row.group.clone()).collect::<BTreeSet<_>>();
    let [train, dev, test] = [&train, data.dev(), data.test()].map(groups);
    assert!(train.is_disjoint(&dev) && train.is_disjoint(&test) && dev.is_disjoint(&test));
    assert!(!train.is_empty() && !dev.is_empty() && !test.is_empty());
}

#[test]
fn a_label_fraction_keeps_genome_files_and_the_number_of_windows() {
    let genomes = sample_genomes(20);
    let task = with(|windows| windows.train = 2000);
    let data = load(&genomes, &task);
    let files = |fraction: f64, repetition| {
        let rows = data.train(fraction, repetition).unwrap();
        assert_eq!(rows.len(), 2000);
        assert_eq!(counts(rows.iter().map(|row| row.label)), [(0, 1000), (1, 1000)].into());
        places(&rows, &genomes, "train").into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>()
    };
    assert_eq!(data.label_units(), [30, 30]);
    // 30 files per class; with 1,000 windows of a class, each kept file is met.
    let [few, some, more] = [0.1, 0.3, 0.5].map(|fraction| files(fraction, 1));
    assert_eq!([few.len(), some.len(), more.len()], [6, 18, 30]);
    assert!(few.is_subset(&some) && some.is_subset(&more));
    assert_ne!(few, files(0.1, 2));
    let error = data.train(0.01, 1).unwrap_err();
    insta::assert_snapshot!(error, @"sample/windows: label fraction 0.01 keeps none of the 30 training genome files of class `other`; accepted is a fraction that keeps at least one per class");
}

#[test]
fn the_same_files_are_kept_for_other_window_lengths() {
    let genomes = sample_genomes(20);
    let files = |length| {
        let data = load(&genomes, &with(|windows| (windows.length, windows.train) = (length, 2000)));
        let rows = data.train(0.1, 1).unwrap();
        places(&rows, &genomes, "train").into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>()
    };
    assert_eq!(files(50), files(200));
}

#[test]
fn short_genomes_are_skipped_and_ambiguous_windows_are_not_cut() {
    let mut genomes = sample_genomes(3);
    for genome in &mut genomes {
        match genome.cluster.chars().last() {
            Some('0') => genome.sequence.truncate(49),
            // An N in the second window of the grid.
            _ => genome.sequence.replace_range(70..71, "N"),
        }
    }
    let data = load(&genomes, &with(|windows| windows.max_per_genome = 100));
    for rows in [data.dev(), data.test(), &data.train(1.0, 1).unwrap()] {
        assert!(rows.iter().all(|row| !row.sequence.contains('N')));
        assert!(rows.iter().all(|row| !row.group.as_deref().unwrap().ends_with('0')));
    }
}

#[test]
fn a_class_of_nothing_but_ambiguous_letters_is_refused() {
    let mut genomes = sample_genomes(2);
    for genome in genomes.iter_mut().filter(|genome| genome.split == "train" && genome.class == "phage") {
        genome.sequence = "N".repeat(300);
    }
    let data = load(&genomes, &windows_task());
    insta::assert_snapshot!(data.train(1.0, 1).unwrap_err(), @"sample/windows, class `phage`: 1000 draws gave no window with at most 0.1 % of letters other than A, C, G, T");
    for genome in genomes.iter_mut().filter(|genome| genome.split == "dev") {
        genome.sequence = "N".repeat(300);
    }
    let folder = DataFolder::new();
    write_genomes(&folder, &genomes);
    let error = load_task(&windows_task(), folder.path()).unwrap_err();
    assert!(matches!(error, DataError::NoWindow { .. }), "{error}");
    insta::assert_snapshot!(error, @"sample/windows: no dev genome of class `other` gives a window of 50 nt; accepted is at least one genome as long, with few letters other than A, C, G, T");
}

#[test]
fn windows_stay_inside_one_record_of_a_file() {
    let folder = DataFolder::new();
    let mut manifest = "file\tclass\tcluster\tsplit\n".to_owned();
    let records = ["A".repeat(120), "C".repeat(49), "G".repeat(60)];
    let text: String = records.iter().enumerate().map(|(n, record)| format!(">r{n}\n{record}\n")).collect();
    for class in ["other", "phage"] {
        for split in ["train", "dev", "test"] {
            writeln!(manifest, "{class}-{split}.fa\t{class}\t{class}-{split}\t{split}").unwrap();
            folder.write(&format!("virus/{class}-{split}.fa.gz"), gzip(&text));
        }
    }
    folder.write("virus/manifest.tsv", manifest);
    let data = load_task(&windows_task(), folder.path()).unwrap();
    let (a, g) = ("A".repeat(50), "G".repeat(50));
    let sequences: Vec<&str> = data.dev().iter().map(|row| row.sequence.as_str()).collect();
    assert_eq!(sequences, [&a, &a, &g, &a, &a, &g]);
    let train = data.train(1.0, 1).unwrap();
    assert!(train.iter().all(|row| row.sequence == a || row.sequence == g));
    // 71 starts in the first record, 11 in the last.
    let last = train.iter().filter(|row| row.sequence == g).count();
    assert!((15..=75).contains(&last), "{last} of {}", train.len());
}

#[test]
fn fingerprints_know_sequences_clusters_and_splits_but_not_file_names() {
    let fingerprint = |genomes: &[SampleGenome]| load(genomes, &windows_task()).fingerprint().to_owned();
    let base = fingerprint(&sample_genomes(2));
    let changed = |change: fn(&mut Vec<SampleGenome>)| {
        let mut genomes = sample_genomes(2);
        change(&mut genomes);
        fingerprint(&genomes)
    };
    assert_eq!(changed(|genomes| genomes[0].name = "renamed".into()), base);
    assert_ne!(changed(|genomes| genomes[0].cluster = "renamed".into()), base);
    assert_ne!(changed(|genomes| genomes[0].sequence.push('A')), base);
    assert_ne!(changed(|genomes| genomes.swap(0, 1)), base);
    assert_ne!(changed(|genomes| drop(genomes.remove(0))), base);
}

#[test]
fn a_split_too_small_for_its_classes_is_refused() {
    let task = with(|windows| windows.test = 1);
    let error = load_task(&task, Path::new("nowhere")).unwrap_err().to_string();
    assert!(error.contains("test") && error.contains("at least one window of each class"), "{error}");
}
