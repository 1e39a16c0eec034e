//! Tasks of CSV files: reading, fingerprints, label fractions, dev subsets.

use std::collections::BTreeSet;

use bench::data::{Entry, Example, Found, TaskData, catalogue, load_task};
use bench::settings::{Split, Task, TaskSource};
use proptest::prelude::*;

use super::samples::{DataFolder, csv_rows, csv_task, gzip};

const PLAIN: &str = "sequence,label\nACGTN,0\nTTTT,1\nGGa,0\n";

/// The task whose train file has this content, beside dev and test of one row per class.
fn load_train(content: impl AsRef<[u8]>, task: &Task) -> TaskData {
    let folder = DataFolder::new();
    folder.write("train.csv", content);
    folder.write("dev.csv", csv_rows(1, &[0, 1]));
    folder.write("test.csv", csv_rows(2, &[0, 1]));
    load_task(task, folder.path()).unwrap()
}

/// A task with so many rows per class in every split.
fn sized(per_class: &[usize]) -> TaskData {
    let mut task = csv_task();
    task.classes = (0..per_class.len()).map(|class| class.to_string()).collect();
    let labels: Vec<usize> =
        per_class.iter().enumerate().flat_map(|(class, &count)| vec![class; count]).collect();
    let folder = DataFolder::new();
    for (seed, split) in ["train", "dev", "test"].iter().enumerate() {
        folder.write(&format!("{split}.csv"), csv_rows(seed as u64, &labels));
    }
    load_task(&task, folder.path()).unwrap()
}

fn sequences(rows: &[Example]) -> BTreeSet<&str> {
    rows.iter().map(|row| row.sequence.as_str()).collect()
}

fn of_class(rows: &[Example], label: usize) -> usize {
    rows.iter().filter(|row| row.label == label).count()
}

#[test]
fn the_same_rows_in_other_clothes_are_the_same_data() {
    let plain = load_train(PLAIN, &csv_task());
    let rows = plain.train(1.0, 1).unwrap();
    assert_eq!(rows.iter().map(|row| row.sequence.as_str()).collect::<Vec<_>>(), ["ACGTN", "TTTT", "GGA"]);
    assert_eq!(rows.iter().map(|row| row.label).collect::<Vec<_>>(), [0, 1, 0]);
    let clothes: [Vec<u8>; 6] = [
        PLAIN.replace('\n', "\r\n").into(),
        PLAIN.trim_end().into(),
        PLAIN.replace("ACGTN,0", "\"ACGTN\",\"0\"").into(),
        format!("\u{feff}{PLAIN}").into(),
        gzip(PLAIN),
        "label,note,sequence\n0,\"a, b\",ACGTN\n\n1,,TTTT\n0,x,GGa\n".into(),
    ];
    for content in clothes {
        let other = load_train(&content, &csv_task());
        assert_eq!(other.train(1.0, 1).unwrap(), rows, "{}", String::from_utf8_lossy(&content));
        assert_eq!(other.fingerprint(), plain.fingerprint());
    }
}

#[test]
fn a_gzipped_file_is_found_by_its_plain_name() {
    let folder = DataFolder::new();
    for (split, rows) in
        [("train", PLAIN.to_owned()), ("dev", csv_rows(1, &[0, 1])), ("test", csv_rows(2, &[0, 1]))]
    {
        folder.write(&format!("{split}.csv.gz"), gzip(rows));
    }
    let zipped = load_task(&csv_task(), folder.path()).unwrap();
    assert_eq!(zipped.fingerprint(), load_train(PLAIN, &csv_task()).fingerprint());
}

#[test]
fn the_fingerprint_changes_with_content_only() {
    let base = load_train(PLAIN, &csv_task()).fingerprint().to_owned();
    let other_content = [
        PLAIN.replace("TTTT,1", "TTTT,0"),
        PLAIN.replace("TTTT", "TTTA"),
        "sequence,label\nTTTT,1\nACGTN,0\nGGa,0\n".to_owned(),
        format!("{PLAIN}TTTT,1\n"),
    ];
    for content in other_content {
        assert_ne!(load_train(&content, &csv_task()).fingerprint(), base, "{content}");
    }
    let renamed = Task { id: "another/name".into(), version: 2, ..csv_task() };
    assert_eq!(load_train(PLAIN, &renamed).fingerprint(), base);
}

#[test]
fn lower_case_stays_unless_the_task_says_upper() {
    let as_written = Task { upper: false, ..csv_task() };
    let rows = load_train(PLAIN, &as_written).train(1.0, 1).unwrap();
    assert_eq!(rows[2].sequence, "GGa");
}

#[test]
fn a_label_fraction_keeps_its_share_of_each_class_nested_and_seeded() {
    let data = sized(&[400, 100, 50]);
    let whole = data.train(1.0, 3).unwrap();
    assert_eq!(whole, data.train(1.0, 4).unwrap());
    assert_eq!(whole.len(), data.full_train_rows());
    assert_eq!(data.label_units(), [400, 100, 50]);
    let tenth = data.train(0.1, 3).unwrap();
    assert_eq!([0, 1, 2].map(|class| of_class(&tenth, class)), [40, 10, 5]);
    let fiftieth = data.train(0.02, 3).unwrap();
    assert_eq!([0, 1, 2].map(|class| of_class(&fiftieth, class)), [8, 2, 1]);
    assert!(sequences(&fiftieth).is_subset(&sequences(&tenth)));
    assert_eq!(tenth, data.train(0.1, 3).unwrap());
    assert_ne!(tenth, data.train(0.1, 4).unwrap());
}

#[test]
fn a_subset_depends_on_content_and_version_and_not_on_the_place_or_the_name() {
    let csv = csv_rows(5, &[0, 1].repeat(100));
    let tenth = |task: &Task| load_train(&csv, task).train(0.1, 1).unwrap();
    let base = tenth(&csv_task());
    assert_eq!(tenth(&Task { id: "another/name".into(), ..csv_task() }), base);
    assert_ne!(tenth(&Task { version: 2, ..csv_task() }), base);
}

#[test]
fn rows_of_a_subset_stand_in_the_order_of_the_file() {
    let data = sized(&[30, 30]);
    let whole = data.train(1.0, 1).unwrap();
    let mut left = whole.iter();
    for row in data.train(0.3, 1).unwrap() {
        assert!(left.any(|other| *other == row), "{row:?}");
    }
}

#[test]
fn dev_shrinks_with_the_label_fraction_to_fifty_rows_per_class() {
    let data = sized(&[1000, 300, 20]);
    let count = |label_fraction, dev_fraction| {
        let rows = data.dev_subset(label_fraction, dev_fraction).unwrap();
        [0, 1, 2].map(|class| of_class(&rows, class))
    };
    assert_eq!(count(1.0, 0.0), [1000, 300, 20]);
    assert_eq!(count(0.01, 1.0), [1000, 300, 20]);
    assert_eq!(count(0.3, 0.0), [300, 90, 20]);
    assert_eq!(count(0.01, 0.0), [50, 50, 20]);
    assert_eq!(count(0.01, 0.5), [500, 150, 20]);
    let (small, large) = (data.dev_subset(0.1, 0.0).unwrap(), data.dev_subset(0.4, 0.0).unwrap());
    assert!(sequences(&small).is_subset(&sequences(&large)));
    assert!(sequences(&large).is_subset(&sequences(data.dev())));
}

#[test]
fn the_catalogue_counts_rows_lengths_and_duplicates() {
    let folder = DataFolder::new();
    folder.write("train.csv", "sequence,label\nACGT,0\nacgt,0\nCC,1\nGGG,1\nTTTTT,0\n");
    folder.write("dev.csv", "sequence,label\nACGT,0\nAC,1\nGGG,0\n");
    folder.write("test.csv", "sequence,label\nAC,1\nAC,1\nTA,0\nCC,1\n");
    let Found::Present(entry) = catalogue(&csv_task(), folder.path()).unwrap() else { panic!("it is there") };
    let Entry { splits, duplicates, best_accuracy, .. } = &entry;
    assert_eq!(*best_accuracy, None);
    let train = &splits[&Split::Train];
    assert_eq!((train.rows, train.class_rows.as_slice(), train.groups), (5, [3, 2].as_slice(), 0));
    assert_eq!((train.lengths.shortest, train.lengths.median, train.lengths.longest), (2, 4, 5));
    assert_eq!(Split::ALL.map(|split| duplicates.within[&split]), [1, 0, 1]);
    assert_eq!((duplicates.dev_in_train, duplicates.test_in_train, duplicates.test_in_dev), (2, 1, 2));
    assert_eq!(duplicates.conflicting, 1);
    let written = serde_json::to_value(&entry).unwrap();
    assert_eq!(written["splits"]["dev"]["rows"], 3);
    let TaskSource::Csv(_) = csv_task().source else { panic!("a task of CSV files") };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn smaller_fractions_lie_inside_larger_ones(
        counts in prop::collection::vec(1usize..120, 2..5),
        one in 0.005f64..=1.0,
        other in 0.005f64..=1.0,
        repetition in any::<u64>(),
    ) {
        let data = sized(&counts);
        let (small, large) = (one.min(other), one.max(other));
        let kept = |fraction: f64, count: usize| (fraction * count as f64).round() as usize;
        let empty = counts.iter().any(|&count| kept(small, count) == 0);
        let small_rows = data.train(small, repetition);
        prop_assert_eq!(small_rows.is_err(), empty);
        if let (Ok(small_rows), Ok(large_rows)) = (small_rows, data.train(large, repetition)) {
            prop_assert!(sequences(&small_rows).is_subset(&sequences(&large_rows)));
            for (class, &count) in counts.iter().enumerate() {
                prop_assert_eq!(of_class(&small_rows, class), kept(small, count));
                prop_assert_eq!(of_class(&large_rows, class), kept(large, count));
            }
        }
        let (small_dev, large_dev) = (data.dev_subset(small, 0.0).unwrap(), data.dev_subset(large, 0.0).unwrap());
        prop_assert!(sequences(&small_dev).is_subset(&sequences(&large_dev)));
        for (class, &count) in counts.iter().enumerate() {
            prop_assert_eq!(of_class(&small_dev, class), kept(small, count).max(50).min(count));
        }
    }
}
