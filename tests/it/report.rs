//! From records to a frame to tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bench::record::{FORMAT, Failure, JobResult, Mark, Measurement, Outcome, Record};
use bench::report::{
    Cell, Styling, Table, TableError, TableSpec, csv, default_table, latex, markdown, tabulate, terminal,
};
use bench::results::{self, CellOutcome, ResultCell, axes, frame, read_parquet, write_csv, write_parquet};
use bench::settings::{Key, Metric, Split, Stage};
use polars::prelude::{DataFrame, DataType};

/// What became of one repetition in a test.
#[derive(Clone, Copy)]
enum End {
    Score(f64),
    Marked(f64, Mark),
    Failed(Outcome),
    Pending,
}
use End::{Failed, Marked, Pending, Score};

/// A cell whose axes are `axis=value` words; `mcc` is its headline unless `metric` says else.
fn cell(words: &str, seed: usize, metric: Metric, end: End) -> ResultCell {
    let given: BTreeMap<String, String> = words
        .split(' ')
        .map(|word| word.split_once('=').expect("axis=value"))
        .map(|(axis, value)| (axis.to_owned(), value.to_owned()))
        .collect();
    let mut axes: BTreeMap<String, String> =
        [("tokenization", "6-mer"), ("masking", "token"), ("init", "random"), ("label_fraction", "1")]
            .map(|(axis, value)| (axis.to_owned(), value.to_owned()))
            .into();
    axes.extend(given);
    axes.insert("seed".to_owned(), seed.to_string());
    let key = Key(format!("{:0>32}", axes.len() + seed));
    let outcome = match end {
        Score(value) => CellOutcome::Done(Box::new(record(&key, metric, value, &[]))),
        Marked(value, mark @ Mark::Collapsed) => {
            CellOutcome::Done(Box::new(record(&key, metric, value, &[mark])))
        }
        Marked(value, Mark::Untrained) => CellOutcome::Done(Box::new(record(&key, metric, value, &[]))),
        Failed(outcome) => {
            let message = "it ended".to_owned();
            CellOutcome::Failed(Failure { outcome, message, stderr_tail: Vec::new() })
        }
        Pending => CellOutcome::Pending,
    };
    // The untrained encoder is a parent of the fine-tuning.
    let parent_marks = match end {
        Marked(_, mark @ Mark::Untrained) => vec![mark],
        _ => Vec::new(),
    };
    ResultCell {
        sweep: "study".to_owned(),
        system: axes["model"].clone(),
        cell: axes,
        scale: "tiny".to_owned(),
        stage: Stage::Finetune,
        key: Some(key),
        headline: Some(metric),
        parent_marks,
        outcome,
    }
}

fn record(key: &Key, metric: Metric, value: f64, marks: &[Mark]) -> Record {
    let named =
        |value: f64| BTreeMap::from([(metric.name().to_owned(), Some(value)), ("ece".to_owned(), None)]);
    Record {
        format: FORMAT,
        key: key.clone(),
        stage: Stage::Finetune,
        result: JobResult {
            steps: 100,
            selected_step: 80,
            train_loss: Some(0.5),
            scores: BTreeMap::from([(Split::Dev, named(value + 0.125)), (Split::Test, named(value))]),
            marks: marks.to_vec(),
            rows: BTreeMap::from([(Split::Train, 64), (Split::Dev, 16), (Split::Test, 32)]),
            parameters: 1234,
            tokens_seen: 5678,
            flops: 4.2e7,
            ..JobResult::default()
        },
        measurement: Measurement {
            wall_seconds: 1.5,
            device: "cpu".to_owned(),
            host: "here".to_owned(),
            version: "0.1.0".to_owned(),
            ..Measurement::default()
        },
    }
}

/// Repetitions 1, 2, ... of one cell.
fn repeated(words: &str, metric: Metric, ends: &[End]) -> Vec<ResultCell> {
    (1..).zip(ends).map(|(seed, &end)| cell(words, seed, metric, end)).collect()
}

fn done(words: &str, values: &[f64]) -> Vec<ResultCell> {
    repeated(words, Metric::Mcc, &values.iter().map(|&value| Score(value)).collect::<Vec<_>>())
}

/// A study with every kind of cell.
fn study() -> DataFrame {
    let (mcc, recall) = (Metric::Mcc, Metric::MacroRecall);
    let (oom, crashed) = (Failed(Outcome::OutOfMemory), Failed(Outcome::Crashed));
    let collapsed = Marked(0.0, Mark::Collapsed);
    let cells = [
        repeated("task=gue/mouse/2 model=dnabert-6", mcc, &[collapsed; 3]),
        done("task=gue/mouse/2 model=dnabert-6 init=pretrained", &[0.601, 0.622, 0.64]),
        repeated(
            "task=gue/mouse/2 model=dnabert-2",
            mcc,
            &[Score(0.5), Failed(Outcome::Diverged), Score(0.52)],
        ),
        repeated(
            "task=gue/mouse/2 model=dnabert-2 init=pretrained",
            mcc,
            &[Score(0.7), Marked(0.69, Mark::Untrained), Score(0.745)],
        ),
        repeated("task=gue/mouse/2 model=kmer-logistic", mcc, &[Score(-0.012), Pending, Pending]),
        repeated("task=virus/phage-150 model=dnabert-6", recall, &[Score(0.81), Score(0.79), Score(0.8)]),
        repeated("task=virus/phage-150 model=dnabert-6 init=pretrained", recall, &[Pending; 3]),
        repeated("task=virus/phage-150 model=dnabert-2", recall, &[crashed; 3]),
        repeated(
            "task=virus/phage-150 model=dnabert-2 init=pretrained",
            recall,
            &[Score(0.85), oom, Pending],
        ),
        repeated("task=virus/phage-150 model=kmer-logistic", recall, &[Score(0.75); 3]),
        done("task==a|b_c&d model=dnabert-6 init=pretrained", &[0.25, 0.75, 0.5]),
        done("task==a|b_c&d model=dnabert-2", &[0.5, 0.5, 0.5001]),
        done("task==a|b_c&d model=dnabert-2 init=pretrained", &[0.25, 0.5, 0.375]),
        done("task==a|b_c&d model=kmer-logistic", &[0.1, 0.2, 0.3]),
    ];
    frame(&cells.concat()).unwrap()
}

fn study_table() -> Table {
    let mut spec = TableSpec::new("models", &["task"], &["model", "init"]);
    spec.baseline.insert("init".to_owned(), "random".to_owned());
    tabulate(&study(), &spec).unwrap()
}

/// The one cell of a table at these headers.
fn at<'a>(table: &'a Table, row: &[&str], column: &[&str]) -> &'a Cell {
    let i = table.row_headers.iter().position(|header| header == row).expect("a row");
    let j = table.columns.iter().position(|header| header == column).expect("a column");
    &table.cells[i][j]
}

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
fn the_frame_has_a_row_per_cell_split_and_metric_and_drops_nothing() {
    let cells = [
        done("task=t model=a pretrain.steps=20", &[0.5]),
        repeated("task=t model=b", Metric::Mcc, &[Pending, Failed(Outcome::TimedOut)]),
        repeated("task=t model=c", Metric::Mcc, &[Marked(0.5, Mark::Untrained)]),
    ]
    .concat();
    let frame = frame(&cells).unwrap();
    // Train loss, and two metrics on each of dev and test; one row where there is no record.
    assert_eq!(frame.height(), 5 + 1 + 1 + 5);
    assert_eq!(texts(&frame, "outcome")[4..8], ["done", "pending", "timed-out", "done"].map(Some));
    assert_eq!(
        texts(&frame, "split")[..6],
        [Some("train"), Some("dev"), Some("dev"), Some("test"), Some("test"), None]
    );
    assert_eq!(texts(&frame, "metric")[3..6], [Some("ece"), Some("mcc"), None]);
    assert_eq!(texts(&frame, "marks")[0], None);
    assert_eq!(texts(&frame, "marks")[7], Some("untrained"));
    assert_eq!(texts(&frame, "pretrain.steps")[4..6], [Some("20"), None]);
    let values: Vec<Option<f64>> = frame.column("value").unwrap().f64().unwrap().iter().collect();
    assert_eq!(values[..7], [Some(0.5), None, Some(0.625), None, Some(0.5), None, None]);
    let headline: Vec<bool> = frame.column("headline").unwrap().bool().unwrap().iter().flatten().collect();
    assert_eq!(headline[..6], [false, false, true, false, true, false]);
    let rows: Vec<Option<u64>> = frame.column("n").unwrap().u64().unwrap().iter().collect();
    assert_eq!(rows[..6], [Some(64), Some(16), Some(16), Some(32), Some(32), None]);
    assert_eq!(frame.column("seed").unwrap().dtype(), &DataType::UInt64);
    assert_eq!(frame.column("label_fraction").unwrap().dtype(), &DataType::Float64);
}

#[test]
fn pretraining_has_rows_of_its_own_split() {
    let key = Key("0".repeat(32));
    let mut record = record(&key, Metric::Mcc, 0.0, &[Mark::Untrained]);
    record.stage = Stage::Pretrain;
    record.result.scores.clear();
    record.result.held_out_loss = Some(8.25);
    record.result.unigram_entropy = Some(8.125);
    let pretraining = ResultCell {
        sweep: "study".to_owned(),
        cell: [("model", "a"), ("seed", "1")].map(|(axis, value)| (axis.to_owned(), value.to_owned())).into(),
        system: "a".to_owned(),
        scale: "tiny".to_owned(),
        stage: Stage::Pretrain,
        key: Some(key),
        headline: None,
        parent_marks: Vec::new(),
        outcome: CellOutcome::Done(Box::new(record)),
    };
    let cells = [vec![pretraining], done("task=t model=a", &[0.5])].concat();
    let frame = frame(&cells).unwrap();
    assert_eq!(texts(&frame, "split")[..3], ["train", "held-out", "held-out"].map(Some));
    assert_eq!(texts(&frame, "metric")[1..3], ["held_out_loss", "unigram_entropy"].map(Some));
    assert_eq!(texts(&frame, "task")[..4], [None, None, None, Some("t")]);

    let mut spec = TableSpec::new("losses", &["model"], &[]);
    spec.split = "held-out".to_owned();
    let table = tabulate(&frame, &spec).unwrap();
    assert_eq!(at(&table, &["a"], &[]).mean, Some(8.25));
    assert_eq!(at(&table, &["a"], &[]).metric.as_deref(), Some("held_out_loss"));
    assert_eq!(at(&table, &["a"], &[]).marks, BTreeMap::from([("untrained".to_owned(), 1)]));
    let scores = tabulate(&frame, &TableSpec::new("scores", &["task"], &["model"])).unwrap();
    assert_eq!(at(&scores, &["t"], &["a"]).wanted, 1, "pre-training is no repetition of fine-tuning");
}

fn texts<'a>(frame: &'a DataFrame, name: &str) -> Vec<Option<&'a str>> {
    frame.column(name).unwrap().str().unwrap().iter().collect()
}

#[test]
fn the_document_names_the_columns_in_their_order() {
    let frame = frame(&done("task=t model=a pretrain.steps=20", &[0.5])).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results.md");
    let document = std::fs::read_to_string(path).unwrap();
    let documented: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter(|(_, rest)| ["text", "float", "integer", "true or false"].iter().any(|t| rest.starts_with(t)))
        .map(|(name, _)| name)
        .collect();
    let columns: Vec<String> =
        frame.get_column_names().iter().map(|name| name.replace("pretrain.steps", "SETTING.PATH")).collect();
    assert_eq!(documented, columns);
    assert_eq!(axes(&frame).last().map(String::as_str), Some("pretrain.steps"));
}

#[test]
fn files_hold_what_the_frame_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (parquet, comma) = (folder.path().join("results.parquet"), folder.path().join("results.csv"));
    let mut study = study();
    write_parquet(&mut study, &parquet).unwrap();
    write_csv(&mut study, &comma).unwrap();
    assert!(read_parquet(&parquet).unwrap().equals_missing(&study));

    let mut reader = ::csv::Reader::from_path(&comma).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
    assert_eq!(header, study.get_column_names().iter().map(ToString::to_string).collect::<Vec<_>>());
    let value = header.iter().position(|name| name == "value").unwrap();
    let read: Vec<Option<f64>> = reader.records().map(|row| row.unwrap()[value].parse().ok()).collect();
    assert_eq!(read, study.column("value").unwrap().f64().unwrap().iter().collect::<Vec<_>>());

    let again = folder.path().join("again.parquet");
    write_parquet(&mut study, &again).unwrap();
    assert_eq!(std::fs::read(&parquet).unwrap(), std::fs::read(&again).unwrap());
    assert!(matches!(read_parquet(&comma), Err(results::ResultsError::Format { .. })));
    assert!(matches!(read_parquet(&folder.path().join("none")), Err(results::ResultsError::Io { .. })));
}

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
fn seeds_are_shown_in_cells_only_where_they_differ() {
    let cells = [done("task=t model=a", &[0.5, 0.25]), done("task=t model=b", &[0.5])].concat();
    let table = tabulate(&frame(&cells).unwrap(), &TableSpec::new("x", &["task"], &["model"])).unwrap();
    let text = markdown(&table);
    assert!(text.contains("0.375 ± 0.177 (n=2)") && text.contains("0.500** (n=1)"), "{text}");
    assert!(text.contains("n is the number of seeds"), "{text}");
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

#[test]
fn nothing_finished_is_a_table_of_what_is_pending() {
    let cells = repeated("task=t model=a", Metric::Mcc, &[Pending, Pending]);
    let table = tabulate(&frame(&cells).unwrap(), &TableSpec::new("x", &["task"], &["model"])).unwrap();
    assert_eq!(table.cells[0][0].pending(), 2);
    assert!(markdown(&table).contains("| t | pending |"));
    assert!(table.notes[0].starts_with("No score yet on test"), "{:?}", table.notes);
}
