//! What a person reads.

use bench::report::{Styling, TableSpec, csv, latex, markdown, tabulate, terminal};
use bench::results::frame;
use bench::settings::Metric;

use super::study::{Pending, at, done, repeated, study, study_table};

#[test]
fn every_kind_of_cell_in_every_format() {
    let table = study_table();
    insta::assert_snapshot!("terminal", terminal(&table, 120, Styling::Plain));
    insta::assert_snapshot!("terminal_narrow", terminal(&table, 72, Styling::Plain));
    insta::assert_snapshot!("terminal_ansi", terminal(&table, 120, Styling::Ansi).replace('\u{1b}', "ESC"));
    insta::assert_snapshot!("markdown", markdown(&table));
    insta::assert_snapshot!("latex", latex(&table));
    insta::assert_snapshot!("csv", csv(&table));
}

#[test]
fn metrics_are_named_where_they_differ() {
    let study = study();
    let by_task = tabulate(&study, &TableSpec::new("x", &["model", "init"], &["task"])).unwrap();
    let text = markdown(&by_task);
    let header = text.lines().find(|line| line.starts_with('|')).unwrap();
    assert!(header.contains("gue/mouse/2<br>MCC"), "{header}");
    assert!(header.contains("virus/phage-150<br>macro recall (%)"), "{header}");
    assert!(by_task.notes[0].starts_with("The metric of each column on test"));

    let mut one = TableSpec::new("x", &["task"], &["model", "init"]);
    one.filter.insert("task".to_owned(), vec!["gue/mouse/2".to_owned()]);
    let table = tabulate(&study, &one).unwrap();
    assert!(table.notes[0].starts_with("MCC on test"), "{:?}", table.notes);
    assert!(!markdown(&table).contains("metric"));

    one.metric = Some("ece".to_owned());
    let undefined = tabulate(&study, &one).unwrap();
    let cell = at(&undefined, &["gue/mouse/2"], &["dnabert-6", "random"]);
    assert_eq!((cell.n, cell.mean, cell.outcomes.get("undefined")), (0, None, Some(&3)));
}

#[test]
fn seeds_are_shown_in_cells_only_where_they_differ() {
    let cells = [done("task=t model=a", &[0.5, 0.25]), done("task=t model=b", &[0.5])].concat();
    let table = tabulate(&frame(&cells).unwrap(), &TableSpec::new("x", &["task"], &["model"])).unwrap();
    let text = markdown(&table);
    assert!(text.contains("0.375 ± 0.177 (n=2)") && text.contains("0.500** (n=1)"), "{text}");
    assert!(text.contains("n is the number of seeds"), "{text}");
}

#[test]
fn nothing_finished_is_a_table_of_what_is_pending() {
    let cells = repeated("task=t model=a", Metric::Mcc, &[Pending, Pending]);
    let table = tabulate(&frame(&cells).unwrap(), &TableSpec::new("x", &["task"], &["model"])).unwrap();
    assert_eq!(table.cells[0][0].pending(), 2);
    assert!(markdown(&table).contains("| t | pending |"));
    assert!(table.notes[0].starts_with("No score yet on test"), "{:?}", table.notes);
}
