//! Records to a frame of 100,000 rows, and that frame to a table, in rows per second.
//!
//! Beside the frame: reading the same records from their JSON, which comes before it.
//! Beside the table: one group-by of polars over the same rows.

use std::collections::BTreeMap;

use bench::metrics::score;
use bench::record::{FORMAT, JobResult, Measurement, Record};
use bench::report::{TableSpec, tabulate};
use bench::results::{CellOutcome, ResultCell, frame};
use bench::settings::{Key, Metric, Split, Stage};
use divan::Bencher;
use divan::counter::ItemsCount;
use polars::prelude::{DataFrame, IntoLazy, col, lit};

const ROWS: usize = 100_000;
const MODELS: [&str; 6] = ["dnabert-3", "dnabert-6", "dnabert-2", "deepgene", "genomenet-bert", "supervised"];
const INITS: [&str; 2] = ["random", "pretrained"];
const TASKS: usize = 28;
const FRACTIONS: [&str; 2] = ["1", "0.1"];

/// A finished study: models from scratch and pre-trained, tasks, label fractions, and as
/// many repetitions as fill the rows.
fn cells() -> Vec<ResultCell> {
    let rows_per_cell = frame(&[cell(0)]).expect("a cell").height();
    (0..ROWS.div_ceil(rows_per_cell)).map(cell).collect()
}

fn cell(index: usize) -> ResultCell {
    let mut rest = index;
    let mut next = |count: usize| {
        let chosen = rest % count;
        rest /= count;
        chosen
    };
    let (model, init) = (MODELS[next(MODELS.len())], INITS[next(INITS.len())]);
    let (task, fraction) = (format!("gue/task/{}", next(TASKS)), FRACTIONS[next(FRACTIONS.len())]);
    let axes = [
        ("model", model.to_owned()),
        ("tokenization", "6-mer".to_owned()),
        ("masking", "span-6".to_owned()),
        ("init", init.to_owned()),
        ("task", task),
        ("label_fraction", fraction.to_owned()),
        ("seed", (rest + 1).to_string()),
    ];
    let key = Key(format!("{index:032x}"));
    ResultCell {
        sweep: "speed".to_owned(),
        cell: axes.map(|(axis, value)| (axis.to_owned(), value)).into(),
        system: model.to_owned(),
        scale: "tiny".to_owned(),
        stage: Stage::Finetune,
        key: Some(key.clone()),
        headline: Some(Metric::Mcc),
        parent_marks: Vec::new(),
        outcome: CellOutcome::Done(Box::new(record(key, index))),
    }
}

fn record(key: Key, index: usize) -> Record {
    let truth: Vec<i64> = (0..20).map(|row| row % 2).collect();
    let scores: Vec<Vec<f64>> = (0..20)
        .map(|row| ((row * 7 + index * 3) % 20) as f64 / 20.0)
        .map(|share| vec![1.0 - share, share])
        .collect();
    let predicted: Vec<usize> = scores.iter().map(|row| usize::from(row[1] > 0.5)).collect();
    let named = score(2, &truth, &predicted, Some(&scores)).named();
    let result = JobResult {
        steps: 300,
        selected_step: 225,
        train_loss: Some(0.5),
        scores: BTreeMap::from([(Split::Dev, named.clone()), (Split::Test, named)]),
        rows: BTreeMap::from([(Split::Train, 2000), (Split::Dev, 20), (Split::Test, 20)]),
        parameters: 400_000,
        tokens_seen: 1_411_200,
        flops: 1e12,
        ..JobResult::default()
    };
    let measurement =
        Measurement { device: "cpu".to_owned(), host: "here".to_owned(), ..Measurement::default() };
    Record { format: FORMAT, key, stage: Stage::Finetune, result, measurement }
}

fn rows() -> DataFrame {
    frame(&cells()).expect("a frame").head(Some(ROWS))
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn frame_of_records(bencher: Bencher) {
    let cells = cells();
    let height = frame(&cells).expect("a frame").height();
    bencher.counter(ItemsCount::new(height)).bench(|| frame(&cells));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn records_from_json(bencher: Bencher) {
    let cells = cells();
    let height = frame(&cells).expect("a frame").height();
    let records = cells.iter().filter_map(|cell| cell.outcome.record());
    let texts: Vec<String> =
        records.map(|record| serde_json::to_string(record).expect("plain data")).collect();
    let parse = || -> Vec<Record> {
        texts.iter().map(|text| serde_json::from_str(text).expect("as it was written")).collect()
    };
    bencher.counter(ItemsCount::new(height)).bench(parse);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn table(bencher: Bencher) {
    time_table(bencher, &table_of_models());
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn table_with_differences(bencher: Bencher) {
    let mut spec = table_of_models();
    spec.baseline.insert("init".to_owned(), "random".to_owned());
    time_table(bencher, &spec);
}

fn table_of_models() -> TableSpec {
    TableSpec::new("speed", &["task", "label_fraction"], &["model", "init"])
}

fn time_table(bencher: Bencher, spec: &TableSpec) {
    let rows = rows();
    bencher.counter(ItemsCount::new(ROWS)).bench(|| tabulate(&rows, spec).expect("a table"));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn one_group_by(bencher: Bencher) {
    let rows = rows();
    let wanted = || col("split").eq(lit("test")).and(col("headline"));
    let axes = || ["task", "label_fraction", "model", "init"].map(col);
    let group = || {
        let grouped = rows.clone().lazy().filter(wanted()).group_by_stable(axes());
        let numbers = [col("value").mean().alias("mean"), col("value").std(1).alias("sd")];
        grouped.agg(numbers).collect().expect("columns of every frame")
    };
    bencher.counter(ItemsCount::new(ROWS)).bench(group);
}
