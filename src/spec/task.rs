//! Tasks and corpora.

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use super::node::{self, Node, NodeValue, Table};
use super::system::{Override, optional_text, read_section};
use crate::settings::{
    Corpus, CorpusSource, CsvSplits, ManifestSplit, Metric, Motif, Task, TaskSource, Windows,
};

/// A task as its file defines it.
#[derive(Clone, Debug)]
pub struct TaskEntry {
    /// One line for lists.
    pub title: String,
    /// The task.
    pub task: Task,
    /// Fine-tuning settings that belong to the task.
    pub overrides: Vec<Override>,
}

/// A corpus as its file defines it.
#[derive(Clone, Debug)]
pub struct CorpusEntry {
    /// One line for lists.
    pub title: String,
    /// The corpus.
    pub corpus: Corpus,
}

const SOURCES: [&str; 3] = ["csv", "windows", "motif"];
const CORPUS_SOURCES: [&str; 2] = ["manifest", "fasta"];
const COUNT_MAX: i64 = 1_000_000_000;

/// Reads a task's file.
pub(super) fn read_task(id: &str, source: &Arc<Source>, out: &mut Diagnostics) -> Option<TaskEntry> {
    let root = node::parse(source, out);
    let place = root.place.clone();
    let table = root.table("a table", out)?;
    let own = ["version", "title", "metric", "classes", "upper", "source_note", "finetune"];
    table.only(&[own.as_slice(), &SOURCES].concat(), out);
    let title = optional_text(table, "title", out);
    let version = read_version(table, &place, out);
    let metric = table.require("metric", &place, out).and_then(|node| read_metric(node, out));
    let classes = table.require("classes", &place, out).and_then(|node| read_classes(node, out));
    let upper = table.get("upper").map_or(Some(true), |node| node.boolean(out));
    let data = one_of(table, &SOURCES, &place, out).and_then(|(name, node)| read_source(name, node, out));
    let overrides = table.get("finetune").map_or_else(Vec::new, |node| read_section("finetune", node, out));
    let task = Task {
        id: id.to_owned(),
        version: version?,
        metric: metric?,
        classes: classes?,
        upper: upper?,
        source: data?,
    };
    Some(TaskEntry { title, task, overrides })
}

/// Reads a corpus's file.
pub(super) fn read_corpus(id: &str, source: &Arc<Source>, out: &mut Diagnostics) -> Option<CorpusEntry> {
    let root = node::parse(source, out);
    let place = root.place.clone();
    let table = root.table("a table", out)?;
    table.only(&[["version", "title", "upper", "source_note"].as_slice(), &CORPUS_SOURCES].concat(), out);
    let title = optional_text(table, "title", out);
    let version = read_version(table, &place, out);
    let upper = table.get("upper").map_or(Some(true), |node| node.boolean(out));
    let (name, node) = one_of(table, &CORPUS_SOURCES, &place, out)?;
    let data = match name {
        "manifest" => read_manifest(node, out),
        _ => read_fasta(node, out),
    };
    let corpus = Corpus { id: id.to_owned(), version: version?, upper: upper?, source: data? };
    Some(CorpusEntry { title, corpus })
}

/// The one table of several that is there.
fn one_of<'a>(
    table: &'a Table,
    names: &[&'static str],
    place: &Place,
    out: &mut Diagnostics,
) -> Option<(&'static str, &'a Node)> {
    let found: Vec<(&'static str, &Node)> =
        names.iter().filter_map(|name| table.get(name).map(|node| (*name, node))).collect();
    match found.as_slice() {
        [one] => Some(*one),
        [_, (name, second), ..] => {
            let message = format!("`[{name}]` is a second source of data");
            out.push(Diagnostic::new(&second.place, message, "only one is possible"));
            None
        }
        [] => {
            let start = Place { source: Arc::clone(&place.source), span: 0..0 };
            let message = "the source of the data is missing";
            out.push(Diagnostic::new(&start, message, "in this file").accepted("", names.iter().copied()));
            None
        }
    }
}

fn read_source(name: &str, node: &Node, out: &mut Diagnostics) -> Option<TaskSource> {
    let table = node.table("a table", out)?;
    match name {
        "csv" => {
            table.only(&["train", "dev", "test"], out);
            let [train, dev, test] = ["train", "dev", "test"].map(|key| path(table, key, &node.place, out));
            Some(TaskSource::Csv(CsvSplits { train: train?, dev: dev?, test: test? }))
        }
        "windows" => read_windows(table, &node.place, out),
        _ => read_motif(table, &node.place, out),
    }
}

fn read_windows(table: &Table, place: &Place, out: &mut Diagnostics) -> Option<TaskSource> {
    const COUNTS: [&str; 5] = ["length", "train", "dev", "test", "max_per_genome"];
    table.only(&[["manifest"].as_slice(), &COUNTS].concat(), out);
    let manifest = path(table, "manifest", place, out);
    let [length, train, dev, test, max_per_genome] = COUNTS.map(|key| count(table, key, place, out));
    Some(TaskSource::Windows(Windows {
        manifest: manifest?,
        length: length?,
        train: train?,
        dev: dev?,
        test: test?,
        max_per_genome: max_per_genome?,
    }))
}

fn read_motif(table: &Table, place: &Place, out: &mut Diagnostics) -> Option<TaskSource> {
    const COUNTS: [&str; 4] = ["length", "train", "dev", "test"];
    table.only(&[["motif", "noise"].as_slice(), &COUNTS].concat(), out);
    let motif = path(table, "motif", place, out);
    let [length, train, dev, test] = COUNTS.map(|key| count(table, key, place, out));
    let noise = match table.get("noise").map(|node| (node, &node.value)) {
        None => Some(0.0),
        Some((_, NodeValue::Number(noise))) if (0.0..0.5).contains(noise) => Some(*noise),
        Some((node, _)) => {
            node.refuse("a number from 0 to below 0.5", out);
            None
        }
    };
    Some(TaskSource::Motif(Motif {
        motif: motif?,
        length: length?,
        train: train?,
        dev: dev?,
        test: test?,
        noise: noise?,
    }))
}

fn read_manifest(node: &Node, out: &mut Diagnostics) -> Option<CorpusSource> {
    let table = node.table("a table", out)?;
    table.only(&["manifest", "split"], out);
    let manifest = path(table, "manifest", &node.place, out);
    let split = path(table, "split", &node.place, out);
    Some(CorpusSource::Manifest(ManifestSplit { manifest: manifest?, split: split? }))
}

fn read_fasta(node: &Node, out: &mut Diagnostics) -> Option<CorpusSource> {
    let table = node.table("a table", out)?;
    table.only(&["files"], out);
    let files = table.require("files", &node.place, out)?;
    let paths: Vec<String> = files.one_or_more().iter().filter_map(|file| relative(file, out)).collect();
    (!paths.is_empty()).then_some(CorpusSource::Fasta(paths))
}

fn read_version(table: &Table, place: &Place, out: &mut Diagnostics) -> Option<u32> {
    table.require("version", place, out)?.integer(1, COUNT_MAX, out).map(|version| version as u32)
}

fn read_metric(node: &Node, out: &mut Diagnostics) -> Option<Metric> {
    let text = node.text("the name of a metric", out)?;
    serde_json::from_value(serde_json::Value::from(text))
        .map_err(|_| {
            let message = format!("unknown metric `{text}`");
            let names = ["mcc", "macro-f1", "macro-recall", "accuracy"];
            out.push(Diagnostic::new(&node.place, message, "unknown metric").accepted(text, names));
        })
        .ok()
}

fn read_classes(node: &Node, out: &mut Diagnostics) -> Option<Vec<String>> {
    let items = node.list("a list of class names", out)?;
    if items.len() < 2 {
        node.refuse("a list of at least two class names", out);
        return None;
    }
    items.iter().map(|item| item.text("a class name", out).map(str::to_owned)).collect()
}

fn path(table: &Table, key: &str, place: &Place, out: &mut Diagnostics) -> Option<String> {
    relative(table.require(key, place, out)?, out)
}

/// A path inside the data root: relative, and without a step upwards.
fn relative(node: &Node, out: &mut Diagnostics) -> Option<String> {
    let text = node.text("a text", out)?;
    let outside = text.is_empty() || text.starts_with('/') || text.split('/').any(|part| part == "..");
    if outside {
        node.refuse("a path inside the data root", out);
        return None;
    }
    Some(text.to_owned())
}

fn count(table: &Table, key: &str, place: &Place, out: &mut Diagnostics) -> Option<usize> {
    table.require(key, place, out)?.integer(1, COUNT_MAX, out).map(|count| count as usize)
}
