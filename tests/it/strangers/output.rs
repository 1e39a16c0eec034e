//! Names from files, and words of workers, in everything that the program prints.

use std::fs;
use std::path::Path;
use std::process::Command;

use bench::queue::message::Request;
use bench::record::{AttemptId, FORMAT, Failure, JobFolder, JobResult, Measurement, Outcome, Record};
use bench::report::{Styling, TableSpec, csv, latex, markdown, tabulate, terminal};
use bench::results::{CellOutcome, ResultCell, frame, write_csv};
use bench::settings::{Job, Key, Metric, Split, Stage};
use serde_json::json;

/// Clears the screen, sets the title, turns the direction, ends the line, is a formula, a
/// command, a tag, a link.
const EVIL: &str =
    "=1+cmd|' /C calc'!A0\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{9b}31m\r\nfake: <script>[a](b) &_%$#^~\\input{x}";

/// What a terminal or a reader would stumble over.
fn is_harmless(text: &str) -> bool {
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars().all(|c| c == '\n' || !c.is_control() && !turns(c))
}

/// What the program prints in a folder, on both streams.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = command.args(arguments).current_dir(folder).env_remove("BENCH_DATA").output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(is_harmless(&text), "{arguments:?}: {text:?}");
    text
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A library whose names, titles and notes are hostile; a file's name may be so too.
fn library(folder: &Path) {
    let evil = toml_text(EVIL);
    let name = "evil\u{1b}[2J\n\u{202e}";
    let system =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/systems/kmer-logistic.toml"));
    let system: String =
        system.unwrap().lines().fold(String::new(), |text, line| match line.split_once(" = ") {
            Some(("title" | "source_note", _)) => text,
            _ => text + line + "\n",
        });
    let system = format!("title = {evil}\nsource_note = {evil}\n{system}");
    let task = format!(
        "version = 1\ntitle = {evil}\nmetric = \"mcc\"\nclasses = [\"0\", {evil}]\n[csv]\ntrain = \"a\\u001b[2J\"\n\
         dev = \"b\"\ntest = \"c\"\n"
    );
    let corpus = format!("version = 1\ntitle = {evil}\n[fasta]\nfiles = [\"a\\u001b[2J\"]\n");
    for (kind, text) in [("systems", system), ("tasks", task), ("corpora", corpus)] {
        let path = folder.join("experiments").join(kind);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(format!("{name}.toml")), text).unwrap();
    }
}

#[test]
fn lists_of_a_library_from_strangers_are_harmless() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let systems = said(folder.path(), &["systems"]);
    assert!(
        systems.contains("evil\\u{1b}[2J\\n\\u{202e}") && systems.contains("\\u{1b}]0;x\\u{7}"),
        "{systems}"
    );
    assert!(!systems.contains("\nfake:"), "{systems}");
    let page = said(folder.path(), &["systems", "evil\u{1b}[2J\n\u{202e}"]);
    assert!(page.contains("\\u{202e}"), "{page}");
    let data = said(folder.path(), &["data", "list"]);
    assert!(data.contains("evil\\u{1b}[2J\\n\\u{202e}") && data.contains("missing: a\\u{1b}[2J"), "{data}");
    // Of a file that is wrong, its name, its text and its words.
    let wrong = format!("{} = 1\nversion = {}\n", toml_text(EVIL), toml_text(EVIL));
    fs::write(folder.path().join("experiments/tasks/wrong\u{1b}[2J\u{202e}.toml"), wrong).unwrap();
    let mistakes = said(folder.path(), &["data", "list"]);
    assert!(mistakes.contains("wrong\\u{1b}[2J\\u{202e}.toml"), "{mistakes}");
}

#[test]
fn a_sweep_from_strangers_is_planned_harmlessly() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let sweep = format!(
        "title = {}\nscale = \"tiny\"\nseed = 1\ntasks = {}\n[[grid]]\nmodel = [\"kmer-logistic\", {}]\n",
        toml_text(EVIL),
        toml_text("evil\u{1b}[2J\n\u{202e}"),
        toml_text("evil\u{1b}[2J\n\u{202e}"),
    );
    fs::write(folder.path().join("experiments/sweep.toml"), sweep).unwrap();
    for command in ["plan", "sweep"] {
        let text = said(folder.path(), &[command, "experiments/sweep.toml"]);
        assert!(text.contains("a\\u{1b}[2J") && !text.contains("panicked"), "{text}");
    }
}

fn a_job() -> Job {
    Job { label: EVIL.to_owned(), ..crate::fuzz::jobs::a_job() }
}

#[test]
fn what_failed_jobs_said_is_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let job = a_job();
    let failure =
        Failure { outcome: Outcome::Crashed, message: EVIL.to_owned(), stderr_tail: vec![EVIL.to_owned()] };
    JobFolder::new(&results, &job.key).fail(&failure).unwrap();
    let mut done = a_job();
    done.key = Key("done".to_owned());
    let result = JobResult {
        scores: [(Split::Test, [("mcc".to_owned(), Some(-0.03))].into())].into(),
        ..JobResult::default()
    };
    let measurement =
        Measurement { version: EVIL.to_owned(), device: EVIL.to_owned(), ..Measurement::default() };
    let record =
        Record { format: FORMAT, key: done.key.clone(), stage: Stage::Finetune, result, measurement };
    let record_folder = JobFolder::new(&results, &done.key);
    let attempt = record_folder.begin(&done).unwrap();
    record_folder.attempt(&attempt).finish(&record).unwrap();
    let coordinates = |model: &str| {
        json!({ "model": model, "tokenization": "3-mer", "masking": "token", "init": "random", "task": EVIL,
                "label_fraction": "1", "seed": "1" })
    };
    let plan = json!({
        "format": 2, "sweep": "study", "scale": EVIL, "tables": [], "jobs": [job, done],
        "cells": [
            { "coordinates": coordinates(EVIL), "metric": "mcc", "finetune": "done", "pretrain": [] },
            { "coordinates": coordinates("b"), "metric": "mcc", "finetune": job.key, "pretrain": [] },
        ],
    });
    fs::create_dir_all(results.join("study")).unwrap();
    fs::write(results.join("study/plan.json"), serde_json::to_vec(&plan).unwrap()).unwrap();
    let status = said(folder.path(), &["status", "study"]);
    assert!(status.contains("failed: =1+cmd") && !status.contains("\nfake:"), "{status}");
    assert!(status.contains("made by version =1+cmd"), "{status}");
    for format in ["terminal", "markdown", "latex", "csv"] {
        let table = said(folder.path(), &["table", "study", "--format", format]);
        assert!(table.contains("0.03"), "{table}");
    }
}

/// A table whose every name is hostile, and whose number starts with a minus sign.
#[test]
fn tables_say_what_names_are_and_do_no_more() {
    let cell = |model: &str, score: f64| {
        let names = [("model", model), ("task", EVIL), ("seed", "1"), ("label_fraction", "1")];
        let scores = [("mcc".to_owned(), Some(score))].into();
        let result = JobResult { scores: [(Split::Test, scores)].into(), ..JobResult::default() };
        let key = Key(model.to_owned());
        let record = Record {
            format: FORMAT,
            key: key.clone(),
            stage: Stage::Finetune,
            result,
            measurement: Measurement::default(),
        };
        ResultCell {
            sweep: "study".to_owned(),
            cell: names.map(|(axis, value)| (axis.to_owned(), value.to_owned())).into(),
            system: model.to_owned(),
            scale: "tiny".to_owned(),
            stage: Stage::Finetune,
            key: Some(key),
            headline: Some(Metric::Mcc),
            parent_marks: Vec::new(),
            outcome: CellOutcome::Done(Box::new(record)),
        }
    };
    let frame = frame(&[cell(EVIL, -0.03), cell("@b", 0.5)]).unwrap();
    let spec = TableSpec { name: EVIL.to_owned(), ..TableSpec::new("evil", &["model"], &["task"]) };
    let table = tabulate(&frame, &spec).unwrap();
    let [plain, markdown, latex, csv] =
        [terminal(&table, 200, Styling::Plain), markdown(&table), latex(&table), csv(&table)];
    for text in [&plain, &markdown, &latex, &csv] {
        assert!(is_harmless(text), "{text:?}");
    }
    assert!(!markdown.contains("<script") || markdown.contains("\\<script"), "{markdown}");
    assert!(!markdown.contains("[a](b)"), "{markdown}");
    assert!(!latex.contains("\\input"), "{latex}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.csv");
    write_csv(&mut frame.clone(), &path).unwrap();
    for csv in [csv, fs::read_to_string(path).unwrap()] {
        let fields: Vec<String> = ::csv::Reader::from_reader(csv.as_bytes())
            .records()
            .flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        assert!(is_harmless(&csv), "{csv:?}");
        assert!(fields.iter().any(|field| field == "-0.03"), "{csv}");
        assert!(fields.iter().any(|field| field == "'@b"), "{csv}");
        let is_formula =
            |field: &&String| field.starts_with(['=', '+', '-', '@']) && field.parse::<f64>().is_err();
        assert_eq!(fields.iter().find(is_formula), None, "{csv}");
    }
}

/// What the protocol carries comes out as it went in: escaping is for who prints.
#[test]
fn hostile_labels_survive_the_wire() {
    let request = Request::Run { job: Box::new(a_job()), attempt: AttemptId::unique() };
    let line = serde_json::to_string(&request).unwrap();
    assert!(!line.contains('\n') && !line.contains('\u{1b}'));
    assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
}
