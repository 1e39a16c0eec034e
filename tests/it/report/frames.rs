//! The frame and its files.

use std::collections::BTreeMap;
use std::path::Path;

use bench::record::{Mark, Outcome};
use bench::report::{TableSpec, tabulate};
use bench::results::{
    CellOutcome, ResultCell, ResultsError, axes, frame, read_parquet, write_csv, write_parquet,
};
use bench::settings::{Key, Metric, Stage};
use polars::prelude::{DataFrame, DataType};

use super::study::{Failed, Marked, Pending, at, done, record, repeated, study};

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
    record.result.unigram_loss = Some(8.125);
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
    assert_eq!(texts(&frame, "metric")[1..3], ["held_out_loss", "unigram_loss"].map(Some));
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
    assert!(matches!(read_parquet(&comma), Err(ResultsError::Format { .. })));
    assert!(matches!(read_parquet(&folder.path().join("none")), Err(ResultsError::Io { .. })));
}

fn texts<'a>(frame: &'a DataFrame, name: &str) -> Vec<Option<&'a str>> {
    frame.column(name).unwrap().str().unwrap().iter().collect()
}

/// Only a disk or a copy can tear it: it is published whole. What is read of it then is an
/// error and never something else.
#[test]
fn a_parquet_file_cut_at_any_byte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.parquet");
    write_parquet(&mut frame(&[]).unwrap(), &path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let read = read_parquet(&path);
        assert!(matches!(read, Err(ResultsError::Format { .. })), "{length} of {}", whole.len());
    }
}
