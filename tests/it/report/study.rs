//! Cells, and a study of every kind of them.

use std::collections::BTreeMap;

use bench::record::{FORMAT, Failure, JobResult, Mark, Measurement, Outcome, Record};
use bench::report::{Cell, Table, TableSpec, tabulate};
use bench::results::{CellOutcome, ResultCell, frame};
use bench::settings::{Key, Metric, Split, Stage};
use polars::prelude::DataFrame;

/// What became of one repetition in a test.
#[derive(Clone, Copy)]
pub(super) enum End {
    Score(f64),
    Marked(f64, Mark),
    Failed(Outcome),
    Pending,
}
pub(super) use End::{Failed, Marked, Pending, Score};

/// A cell whose axes are `axis=value` words; `mcc` is its headline unless `metric` says else.
pub(super) fn cell(words: &str, seed: usize, metric: Metric, end: End) -> ResultCell {
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
        Marked(value, mark @ Mark::Collapsed) => {
            CellOutcome::Done(Box::new(record(&key, metric, value, &[mark])))
        }
        Score(value) | Marked(value, Mark::Untrained) => {
            CellOutcome::Done(Box::new(record(&key, metric, value, &[])))
        }
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

pub(super) fn record(key: &Key, metric: Metric, value: f64, marks: &[Mark]) -> Record {
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
pub(super) fn repeated(words: &str, metric: Metric, ends: &[End]) -> Vec<ResultCell> {
    (1..).zip(ends).map(|(seed, &end)| cell(words, seed, metric, end)).collect()
}

pub(super) fn done(words: &str, values: &[f64]) -> Vec<ResultCell> {
    repeated(words, Metric::Mcc, &values.iter().map(|&value| Score(value)).collect::<Vec<_>>())
}

/// A study with every kind of cell.
pub(super) fn study() -> DataFrame {
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

pub(super) fn study_table() -> Table {
    let mut spec = TableSpec::new("models", &["task"], &["model", "init"]);
    spec.baseline.insert("init".to_owned(), "random".to_owned());
    tabulate(&study(), &spec).unwrap()
}

/// The one cell of a table at these headers.
pub(super) fn at<'a>(table: &'a Table, row: &[&str], column: &[&str]) -> &'a Cell {
    let i = table.row_headers.iter().position(|header| header == row).expect("a row");
    let j = table.columns.iter().position(|header| header == column).expect("a column");
    &table.cells[i][j]
}
