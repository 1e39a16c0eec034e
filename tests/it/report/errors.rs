//! What is refused, and with which words.

use std::collections::BTreeMap;

use bench::report::{TableError, TableSpec, tabulate};
use bench::results::frame;

use super::study::{done, study};

#[test]
fn what_is_no_number_is_refused_with_its_cell() {
    let mut cells = done("task=t model=a", &[0.5]);
    cells[0].cell.insert("seed".to_owned(), "one".to_owned());
    let message = frame(&cells).unwrap_err().to_string();
    assert!(message.contains("`seed` is `one`") && message.contains("model=a"), "{message}");
    let cells = done("task=t model=a value=3", &[0.5]);
    assert_eq!(
        frame(&cells).unwrap_err().to_string(),
        "axis `value` has the name of another column of the results; rename it"
    );
}

#[test]
fn what_cannot_be_tabulated_says_why() {
    let study = study();
    let table = |change: &dyn Fn(&mut TableSpec)| {
        let mut spec = TableSpec::new("x", &["task"], &["model"]);
        change(&mut spec);
        tabulate(&study, &spec).unwrap_err()
    };
    let one = |axis: &str, value: &str| BTreeMap::from([(axis.to_owned(), vec![value.to_owned()])]);
    let error = table(&|spec| spec.rows = vec!["tsak".to_owned()]);
    assert!(matches!(&error, TableError::UnknownAxis { axis, .. } if axis == "tsak"), "{error}");
    let error = table(&|spec| spec.columns = vec!["task".to_owned()]);
    assert!(matches!(&error, TableError::RepeatedAxis { .. }), "{error}");
    let error = table(&|spec| (spec.rows, spec.columns) = (Vec::new(), Vec::new()));
    assert!(matches!(&error, TableError::NoAxis { .. }), "{error}");
    let error = table(&|spec| spec.filter = one("model", "dnabert-9"));
    assert!(
        matches!(&error, TableError::UnknownValue { known, .. } if known.contains("`dnabert-6`")),
        "{error}"
    );
    let error = table(&|spec| {
        spec.filter = one("task", "virus/phage-150");
        spec.filter.extend(one("seed", "3"));
        spec.filter.extend(one("label_fraction", "0.5"));
    });
    assert!(matches!(&error, TableError::UnknownValue { value, .. } if value == "0.5"), "{error}");
    let error = table(&|spec| {
        spec.filter = one("task", "=a|b_c&d");
        spec.filter.extend(one("model", "dnabert-6"));
        spec.filter.extend(one("init", "random"));
    });
    assert!(matches!(&error, TableError::NothingLeft { .. }), "{error}");
    let error = table(&|spec| spec.metric = Some("mc".to_owned()));
    assert!(matches!(&error, TableError::UnknownMetric { known, .. } if known.contains("`mcc`")), "{error}");
    let error = table(&|spec| spec.split = "tset".to_owned());
    assert!(matches!(&error, TableError::UnknownMetric { known, .. } if known.contains("`test`")), "{error}");
    let baseline = |axis: &str, value: &str| BTreeMap::from([(axis.to_owned(), value.to_owned())]);
    let error = table(&|spec| spec.baseline = baseline("init", "random"));
    assert!(matches!(&error, TableError::BaselineAxis { .. }), "{error}");
    let error = table(&|spec| spec.baseline = baseline("model", "dnabert-9"));
    assert!(matches!(&error, TableError::UnknownValue { .. }), "{error}");
}

#[test]
fn a_repetition_that_is_there_twice_is_an_error() {
    let cells = [done("task=t model=a", &[0.5]), done("task=t model=a", &[0.5])].concat();
    let error = tabulate(&frame(&cells).unwrap(), &TableSpec::new("x", &["task"], &["model"])).unwrap_err();
    assert!(matches!(&error, TableError::RepeatedCell { cell, .. } if cell.contains("seed = 1")), "{error}");
}

#[test]
fn no_cells_and_foreign_frames_are_refused() {
    let spec = TableSpec::new("x", &["task"], &["model"]);
    let error = tabulate(&frame(&[]).unwrap(), &spec).unwrap_err();
    assert_eq!(error.to_string(), "table `x`: no cell of stage finetune is left");
    let foreign = polars::prelude::df!("a" => [1, 2]).unwrap();
    assert!(matches!(tabulate(&foreign, &spec), Err(TableError::Frame(_))));
}
