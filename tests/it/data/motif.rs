//! The synthetic task.

use bench::data::{Example, Found, catalogue, load_task};
use bench::settings::{Motif, Task, TaskSource};

use super::samples::{DataFolder, motif_task};

fn settings(task: &Task) -> &Motif {
    let TaskSource::Motif(motif) = &task.source else { panic!("a planted motif") };
    motif
}

fn rows(task: &Task, repetition: u64) -> [Vec<Example>; 3] {
    let data = load_task(task, DataFolder::new().path()).unwrap();
    [data.train(1.0, repetition).unwrap(), data.dev().to_vec(), data.test().to_vec()]
}

#[test]
fn without_noise_the_label_is_the_motif() {
    let task = motif_task(0.0);
    let motif = settings(&task);
    let splits = rows(&task, 1);
    assert_eq!(splits.each_ref().map(Vec::len), [motif.train, motif.dev, motif.test]);
    for row in splits.iter().flatten() {
        assert_eq!(row.sequence.len(), motif.length);
        assert_eq!(row.sequence.contains(&motif.motif), row.label == 1, "{row:?}");
    }
    let positives = splits[0].iter().filter(|row| row.label == 1).count();
    assert_eq!(positives * 2, motif.train);
}

#[test]
fn noise_flips_its_share_of_labels_and_bounds_the_accuracy() {
    let task = motif_task(0.2);
    let motif = settings(&task);
    let data = load_task(&task, DataFolder::new().path()).unwrap();
    assert_eq!(data.best_accuracy(), Some(0.8));
    let test = data.test();
    let flipped = test.iter().filter(|row| row.sequence.contains(&motif.motif) != (row.label == 1)).count();
    // Five standard deviations of a binomial.
    let expected = 0.2 * test.len() as f64;
    let deviation = (expected * 0.8).sqrt();
    assert!((flipped as f64 - expected).abs() < 5.0 * deviation, "{flipped} of {}", test.len());
}

#[test]
fn only_train_depends_on_the_repetition() {
    let task = motif_task(0.1);
    let [train, dev, test] = rows(&task, 1);
    let again = rows(&task, 1);
    assert_eq!([&train, &dev, &test], again.each_ref());
    let [other_train, other_dev, other_test] = rows(&task, 2);
    assert_eq!((dev, test), (other_dev, other_test));
    assert_ne!(train, other_train);
}

#[test]
fn a_motif_of_one_letter_can_be_left_out() {
    let mut task = motif_task(0.0);
    if let TaskSource::Motif(motif) = &mut task.source {
        motif.motif = "A".into();
    }
    for row in rows(&task, 1).iter().flatten() {
        assert_eq!(row.sequence.contains('A'), row.label == 1);
    }
}

#[test]
fn label_fractions_are_nested() {
    let data = load_task(&motif_task(0.1), DataFolder::new().path()).unwrap();
    let (few, more) = (data.train(0.05, 9).unwrap(), data.train(0.5, 9).unwrap());
    assert!(few.iter().all(|row| more.contains(row)));
    assert_eq!(data.full_train_rows(), data.train(1.0, 9).unwrap().len());
    let of_class = |label| data.train(1.0, 0).unwrap().iter().filter(|row| row.label == label).count();
    assert_eq!(data.label_units(), [of_class(0), of_class(1)]);
}

#[test]
fn it_needs_no_data_and_each_setting_makes_another_task() {
    let folder = DataFolder::new();
    let fingerprint = |task: &Task| match catalogue(task, &folder.path().join("absent")).unwrap() {
        Found::Present(entry) => entry.fingerprint,
        Found::Missing(missing) => panic!("{missing:?}"),
    };
    let mut seen = vec![fingerprint(&motif_task(0.1)), fingerprint(&motif_task(0.2))];
    let changes: [fn(&mut Motif); 5] = [
        |motif| motif.motif = "ACGA".into(),
        |motif| motif.length += 1,
        |motif| motif.train += 1,
        |motif| motif.dev += 1,
        |motif| motif.test += 1,
    ];
    for change in changes {
        let mut task = motif_task(0.1);
        if let TaskSource::Motif(motif) = &mut task.source {
            change(motif);
        }
        let next = fingerprint(&task);
        assert!(!seen.contains(&next));
        seen.push(next);
    }
}
