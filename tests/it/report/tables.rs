//! What stands in a table.

use std::collections::BTreeSet;

use bench::report::{TableSpec, default_table, markdown, tabulate};
use bench::results::{axes, frame};
use bench::settings::Metric;

use super::study::{Pending, Score, at, done, repeated, study};

#[test]
fn an_axis_that_varies_is_never_averaged_over() {
    let cells = [
        done("task=t model=a label_fraction=0.1", &[0.1, 0.2]),
        done("task=t model=a label_fraction=0.01", &[0.3, 0.4]),
        done("task=t model=b label_fraction=0.1", &[0.5, 0.6]),
        done("task=t model=b label_fraction=0.01", &[0.7, 0.8]),
    ];
    let table =
        tabulate(&frame(&cells.concat()).unwrap(), &TableSpec::new("x", &["task"], &["model"])).unwrap();
    assert_eq!(table.row_axes, ["task", "label_fraction"]);
    assert_eq!(table.row_headers, [["t", "0.1"], ["t", "0.01"]]);
    assert_eq!(at(&table, &["t", "0.01"], &["b"]).n, 2);
    let note = "label_fraction has several values inside the cells asked for and was added to the rows.";
    assert!(table.notes.iter().any(|other| other == note), "{:?}", table.notes);
}

#[test]
fn an_axis_that_follows_from_the_model_goes_beside_it() {
    let cells = [
        done("task=s model=a masking=span-6", &[0.1]),
        done("task=t model=a masking=span-6", &[0.1]),
        done("task=s model=b masking=token", &[0.1]),
        done("task=t model=b masking=token", &[0.2]),
        done("task=s model=b masking=whole-ggram", &[0.3]),
        done("task=t model=b masking=whole-ggram", &[0.4]),
    ];
    let table =
        tabulate(&frame(&cells.concat()).unwrap(), &TableSpec::new("x", &["task"], &["model"])).unwrap();
    assert_eq!(table.row_axes, ["task"]);
    assert_eq!(table.columns, [["a", "span-6"], ["b", "token"], ["b", "whole-ggram"]]);
}

#[test]
fn every_repetition_is_counted_once_whatever_the_layout() {
    let study = study();
    let (names, mut cells) = (axes(&study), BTreeSet::new());
    for i in 0..study.height() {
        let values = names.iter().map(|axis| study.column(axis).unwrap().get(i).unwrap().to_string());
        cells.insert(values.collect::<Vec<String>>());
    }
    let all = ["task", "model", "init", "seed", "tokenization", "sweep"];
    for rows in all {
        for columns in all.into_iter().filter(|&columns| columns != rows) {
            let table = tabulate(&study, &TableSpec::new("x", &[rows], &[columns])).unwrap();
            let wanted: usize = table.cells.iter().flatten().map(|cell| cell.wanted).sum();
            assert_eq!(wanted, cells.len(), "{rows} by {columns}");
        }
    }
}

#[test]
fn differences_are_paired_by_seed() {
    let cells = [
        repeated("task=t model=a", Metric::Mcc, &[Score(0.125), Pending, Score(0.5), Score(0.25)]),
        done("task=t model=b", &[0.25, 0.75, 1.0, 0.0]),
    ];
    let mut spec = TableSpec::new("x", &["task"], &["model"]);
    spec.baseline.insert("model".to_owned(), "a".to_owned());
    let table = tabulate(&frame(&cells.concat()).unwrap(), &spec).unwrap();
    // Seeds 1, 3 and 4: 0.125, 0.5 and -0.25.
    let difference = at(&table, &["t"], &["b"]).difference.unwrap();
    assert_eq!((difference.mean, difference.sd, difference.n), (0.125, Some(0.375), 3));
    assert_eq!(at(&table, &["t"], &["a"]).difference, None);
    assert!(markdown(&table).contains("+0.125 ± 0.375 (3 pairs)"));
}

#[test]
fn the_best_is_among_complete_cells_of_equal_conditions() {
    let cells = [
        done("task=s model=a", &[0.5, 0.5]),
        done("task=s model=b", &[0.50004, 0.50004]),
        done("task=t model=a", &[0.9, 0.9]),
        repeated("task=t model=b", Metric::Mcc, &[Score(0.1), Pending]),
    ]
    .concat();
    let frame = frame(&cells).unwrap();
    for (rows, columns) in [("task", "model"), ("model", "task")] {
        let table = tabulate(&frame, &TableSpec::new("x", &[rows], &[columns])).unwrap();
        let best = |task: &'static str, model: &'static str| match rows {
            "task" => at(&table, &[task], &[model]).best,
            _ => at(&table, &[model], &[task]).best,
        };
        assert!(best("s", "a") && best("s", "b"), "both show 0.500");
        assert!(!best("t", "a") && !best("t", "b"), "a seed is missing");
    }
    let mut losses = TableSpec::new("x", &["task"], &["model"]);
    (losses.metric, losses.split) = (Some("train_loss".to_owned()), "train".to_owned());
    assert!(tabulate(&frame, &losses).unwrap().cells[0].iter().all(|cell| cell.best));
}

#[test]
fn the_default_table_has_the_axes_that_vary() {
    let spec = default_table(&study()).unwrap();
    assert_eq!(
        (spec.rows, spec.columns),
        (vec!["task".to_owned()], vec!["model".to_owned(), "init".to_owned()])
    );
    let cells =
        [done("task=t model=a label_fraction=0.1", &[0.5]), done("task=t model=a label_fraction=1", &[0.5])];
    let spec = default_table(&frame(&cells.concat()).unwrap()).unwrap();
    assert_eq!((spec.rows.len(), spec.columns.len()), (2, 1));
}

#[test]
fn a_number_in_a_filter_may_be_written_in_any_way() {
    let cells = [
        done("task=t model=a label_fraction=0.1", &[0.5, 0.25]),
        done("task=t model=a label_fraction=1", &[0.5]),
    ];
    let mut spec = TableSpec::new("x", &["task"], &["model"]);
    spec.filter.insert("label_fraction".to_owned(), vec!["0.10".to_owned()]);
    let table = tabulate(&frame(&cells.concat()).unwrap(), &spec).unwrap();
    assert_eq!((table.row_axes.len(), table.cells[0][0].n), (1, 2));
}
