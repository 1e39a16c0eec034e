//! What jobs leave behind, what was planned, and what workers and schedulers say.

use bench::cli::readers;
use bench::queue::message::{Reply, Request};
use bench::record::{
    AttemptId, Event, FORMAT, Failure, JobFolder, JobResult, Mark, Measurement, Outcome, Record, State,
};
use bench::settings::{Corpus, CorpusSource, Job, Key, Parents, Split, Stage, VocabularyWork, Work};

use super::{Fuzz, folder, plain};

const JSON: &[&str] = &[
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "{\"",
    "\":",
    ",",
    "-",
    "1e999",
    "\\u0000",
    "\\ud800",
    "\"format\": 1,",
    "\"format\": 2,",
    "\"key\": \"abc\",",
    "\"scores\": {",
    "\"test\":",
    "\"mcc\":",
    "\"marks\": [\"collapsed\"]",
    "\"outcome\": \"diverged\"",
    "\"stage\": \"finetune\"",
    "\"progress\": {",
    "\"finished\"",
    "\"shutdown\"",
    "\n",
    "\"jobs\": [",
    "\"cells\": [",
];

fn json(reader: &'static str, seeds: Vec<Vec<u8>>) -> Fuzz {
    Fuzz { reader, seeds, words: JSON, longest: 20_000, pack: plain, multiple: 16, constant: 1 << 14 }
}

fn key() -> Key {
    Key("abc".to_owned())
}

fn bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap()
}

fn a_record() -> Record {
    let scores = [("mcc".to_owned(), Some(0.5)), ("accuracy".to_owned(), None)].into();
    let result = JobResult {
        steps: 5,
        selected_step: 4,
        train_loss: Some(0.7),
        scores: [(Split::Test, scores)].into(),
        marks: vec![Mark::Collapsed],
        rows: [(Split::Train, 10)].into(),
        ..JobResult::default()
    };
    let measurement = Measurement { host: "host".to_owned(), ..Measurement::default() };
    Record { format: FORMAT, key: key(), stage: Stage::Finetune, result, measurement }
}

pub(crate) fn a_job() -> Job {
    let source = CorpusSource::Fasta(vec!["a.fasta".to_owned()]);
    let work = VocabularyWork {
        corpus: Corpus { id: "corpus".to_owned(), version: 1, upper: true, source },
        fingerprint: "0".repeat(32),
        size: 64,
        max_token_length: 8,
        piece_length: 100,
        max_pieces: 10,
    };
    let parents = Parents { vocabulary: None, encoder: None };
    Job { key: key(), label: "a label".to_owned(), work: Work::Vocabulary(work), parents }
}

/// Every job of a sweep with all stages, as the program writes it.
fn planned_jobs() -> Vec<Job> {
    let text = std::fs::read_to_string(
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("experiments/ablation.toml"),
    );
    crate::plan::study::World::of_the_repository().plan(&text.unwrap()).jobs
}

/// One job of each stage.
fn one_of_each() -> Vec<Job> {
    let mut jobs = planned_jobs();
    jobs.sort_by_key(|job| job.work.stage());
    jobs.dedup_by_key(|job| job.work.stage());
    jobs.push(a_job());
    jobs
}

fn a_failure() -> Failure {
    let stderr_tail = vec!["thread 'main' panicked".to_owned(), "\u{1b}[31m".to_owned()];
    Failure { outcome: Outcome::Crashed, message: "killed".to_owned(), stderr_tail }
}

/// A file of a job's folder, and what the folder says of it.
fn job_file(reader: &'static str, name: &str, seeds: Vec<Vec<u8>>) {
    let results = folder();
    let folder = JobFolder::new(results.path(), &key());
    std::fs::create_dir_all(folder.path()).unwrap();
    let path = folder.path().join(name);
    json(reader, seeds).run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        let peeked = folder.peek().map_err(|error| error.to_string())?;
        let mut said = String::new();
        let state = folder.state(&mut |warning| said = warning).map_err(|error| error.to_string())?;
        // Of a NaN the two are not equal.
        assert_eq!(std::mem::discriminant(&state), std::mem::discriminant(&peeked));
        match state {
            State::Done(_) => Ok("done".to_owned()),
            State::Failed(failure) => Ok(format!("failed {}", failure.outcome.name())),
            State::Pending => Err(said.replace(&results.path().display().to_string(), "")),
        }
    });
}

#[test]
fn record() {
    let mut other = a_record();
    other.result = JobResult::default();
    job_file("record", "record.json", vec![bytes(&a_record()), bytes(&other)]);
}

#[test]
fn failure() {
    job_file("failure", "failure.json", vec![bytes(&a_failure())]);
}

#[test]
fn events() {
    let results = folder();
    let folder = JobFolder::new(results.path(), &key());
    std::fs::create_dir_all(folder.path()).unwrap();
    let path = folder.path().join("events.jsonl");
    let events = [
        Event::Started { pid: 1, device: "cpu".to_owned(), at: 1 },
        Event::Progress { step: 1, steps: 5, loss: 0.5 },
        Event::Evaluated { step: 1, metric: "mcc".to_owned(), value: 0.1 },
    ];
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    json("events", vec![lines.clone().into_bytes(), lines.repeat(20).into_bytes()]).run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        folder.last_event().map(|event| format!("{event:?}")).ok_or_else(|| "no event".to_owned())
    });
}

#[test]
fn job() {
    json("job", one_of_each().iter().map(bytes).collect()).run(|bytes| {
        let job: Job = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        Ok(job.work.stage().name().to_owned())
    });
}

#[test]
fn stored_plan() {
    let coordinates = serde_json::json!({ "model": "dnabert-2", "task": "gue/mouse/1", "seed": "1" });
    let table = serde_json::json!({
        "name": "a", "rows": ["model"], "columns": ["task"], "filter": { "task": ["x"] }, "baseline": {}, "metric": null
    });
    let plan = serde_json::json!({
        "format": 2, "sweep": "fuzz", "scale": "tiny", "jobs": one_of_each(), "tables": [table],
        "cells": [{ "coordinates": coordinates, "metric": "mcc", "finetune": "abc", "pretrain": ["a", "b"] }],
    });
    let results = folder();
    let path = results.path().join("fuzz/plan.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    json("stored_plan", vec![bytes(&plan)]).run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        readers::stored_plan(results.path(), "fuzz")
    });
}

#[test]
fn worker_line() {
    let replies = [
        Reply::Hello { pid: 7, device: "cuda:0".to_owned() },
        Reply::Alive,
        Reply::Progress { key: key(), step: 1, steps: 2, loss: 0.1 },
        Reply::Warning { key: key(), message: "late".to_owned() },
        Reply::Paused { key: key(), step: 3 },
        Reply::Storage { key: key(), message: "full".to_owned() },
        Reply::Finished { key: key(), headline: Some(("mcc".to_owned(), 0.3)), seconds: 0.5 },
        Reply::Failed { key: key(), failure: a_failure() },
    ];
    let line = |reply| serde_json::to_vec(reply).unwrap();
    json("worker_line", replies.iter().map(line).collect()).run(|bytes| {
        let reply = Reply::parse(&String::from_utf8_lossy(bytes)).ok_or("no reply")?;
        Ok(format!("{:?}", std::mem::discriminant(&reply)))
    });
}

#[test]
fn scheduler_line() {
    let requests = one_of_each()
        .into_iter()
        .map(|job| Request::Run { job: Box::new(job), attempt: AttemptId::unique() });
    let seeds = requests
        .chain([Request::Pause, Request::Shutdown])
        .map(|request| serde_json::to_vec(&request).unwrap());
    json("scheduler_line", seeds.collect()).run(|bytes| {
        let request: Request = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        Ok(format!("{:?}", std::mem::discriminant(&request)))
    });
}
