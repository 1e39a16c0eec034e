//! `bench status`, `plan` and a second `sweep` on ten thousand done jobs, as a person runs
//! them: the program, which reads each record.
//!
//! Beside it: reading the records' bytes and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bench::record::JobFolder;
use bench::settings::Job;
use divan::Bencher;
use divan::counter::ItemsCount;
use serde_json::Value as Json;

use crate::queueing::record;

/// Repetitions of one logistic regression: as many jobs.
const JOBS: usize = 10_000;

const SWEEP: &str =
    "scale = \"tiny\"\ntasks = \"synthetic/motif\"\nseed = 10000\n[[grid]]\nmodel = \"kmer-logistic\"\n";

/// A folder with a sweep whose jobs are all done, made once.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // Into the build's own folder, since nothing removes what a static holds.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("status");
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a folder of its own");
        fs::write(folder.join("many.toml"), SWEEP).expect("a folder of its own");
        let planned = bench(&["plan", "many.toml", "--json"], &folder);
        let planned: Json = serde_json::from_slice(&planned).expect("`plan --json` is JSON");
        for job in planned["jobs"].as_array().expect("a list of jobs") {
            finish(&folder.join("results"), &serde_json::from_value(job.clone()).expect("a job"));
        }
        folder
    })
}

/// A record with scores, without the syncs of a real one.
fn finish(results: &Path, job: &Job) {
    let folder = JobFolder::new(results, &job.key);
    fs::create_dir_all(folder.path()).expect("a folder of its own");
    let mut record = serde_json::to_value(record(job)).expect("plain data");
    let scores = serde_json::json!({ "accuracy": 0.75, "macro_f1": 0.74, "macro_recall": 0.75, "mcc": 0.5 });
    record["result"]["scores"] = serde_json::json!({ "dev": scores, "test": scores });
    let write = |name: &str, value: &Json| {
        fs::write(folder.path().join(name), format!("{value:#}\n")).expect("a folder of its own");
    };
    write("job.json", &serde_json::to_value(job).expect("plain data"));
    write("record.json", &record);
}

fn bench(arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RAYON_NUM_THREADS")
        .output()
        .expect("the program");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn timed(bencher: Bencher, arguments: &[&str]) {
    let folder = folder();
    bencher.counter(ItemsCount::new(JOBS)).bench(|| bench(arguments, folder));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_second_sweep(bencher: Bencher) {
    timed(bencher, &["sweep", "many.toml", "--slots", "1"]);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn plan(bencher: Bencher) {
    timed(bencher, &["plan", "many.toml"]);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn status(bencher: Bencher) {
    // The plan of the sweep is there once it has been started.
    bench(&["sweep", "many.toml", "--slots", "1"], folder());
    timed(bencher, &["status"]);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn floor_read_records(bencher: Bencher) {
    let jobs = folder().join("results/jobs");
    let entries = fs::read_dir(jobs).expect("a folder of its own");
    let records: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable folder").path().join("record.json")).collect();
    let read = || -> usize { records.iter().filter_map(|path| fs::read(path).ok()).map(|b| b.len()).sum() };
    bencher.counter(ItemsCount::new(JOBS)).bench(read);
}
