//! Tasks and corpora.

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Diagnostics, Place, Source, nearest, quoted};
use super::node::{Node, Table, grouped, missing, nowhere};
use super::syntax;
use super::system::{Override, optional_text, read_section};
use crate::settings::{
    Corpus, CorpusSource, CsvSplits, ManifestSplit, Metric, Motif, Split, Task, TaskSource, Windows,
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
/// Most nucleotides of a synthetic task: they are made whenever a sweep is planned.
const SYNTHETIC_MAX: usize = 100_000_000;

/// Reads a task's file.
pub(super) fn read_task(id: &str, source: &Arc<Source>, out: &mut Diagnostics) -> Option<TaskEntry> {
    let root = syntax::parse(source, out);
    let place = Place::start_of(source);
    let table = root.table("a table", out)?;
    let own = ["version", "title", "metric", "classes", "upper", "source_note", "finetune"];
    table.only(&[own.as_slice(), &SOURCES].concat(), nowhere, out);
    let title = optional_text(table, "title", out);
    optional_text(table, "source_note", out);
    let version = read_version(table, &place, out);
    let accepted = format!("`metric = \"..\"`: {}", quoted(METRICS));
    let metric = table.require("metric", &place, &accepted, out).and_then(|node| read_metric(node, out));
    let accepted = "`classes = [\"0\", \"1\"]`, the labels in class order";
    let classes_node = table.require("classes", &place, accepted, out);
    let classes = classes_node.and_then(|node| read_classes(node, out));
    let upper = table.get("upper").map_or(Some(true), |node| node.boolean(out));
    let data = one_of(table, &SOURCES, &place, read_source, out);
    let overrides =
        table.get("finetune").map_or_else(Vec::new, |node| read_section("finetune", node, None, out));
    if let (Some(TaskSource::Motif(_)), Some(classes), Some(node)) = (&data, &classes, classes_node)
        && classes.len() != 2
    {
        node.refuse("a list of two classes: without and with the motif", out);
    }
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
    let root = syntax::parse(source, out);
    let place = Place::start_of(source);
    let table = root.table("a table", out)?;
    let own = ["version", "title", "upper", "source_note"];
    table.only(&[own.as_slice(), &CORPUS_SOURCES].concat(), nowhere, out);
    let title = optional_text(table, "title", out);
    optional_text(table, "source_note", out);
    let version = read_version(table, &place, out);
    let upper = table.get("upper").map_or(Some(true), |node| node.boolean(out));
    let read = |name: &str, node: &Node, out: &mut Diagnostics| match name {
        "manifest" => read_manifest(node, out),
        _ => read_fasta(node, out),
    };
    let data = one_of(table, &CORPUS_SOURCES, &place, read, out);
    let corpus = Corpus { id: id.to_owned(), version: version?, upper: upper?, source: data? };
    Some(CorpusEntry { title, corpus })
}

/// What `read` makes of the one table of several that is there. Of too many the first is read,
/// so that its mistakes are told.
fn one_of<T>(
    table: &Table,
    names: &[&'static str],
    place: &Place,
    read: impl Fn(&str, &Node, &mut Diagnostics) -> Option<T>,
    out: &mut Diagnostics,
) -> Option<T> {
    let mut found: Vec<(&'static str, &Node)> =
        names.iter().filter_map(|name| table.get(name).map(|node| (*name, node))).collect();
    found.sort_by_key(|(_, node)| node.place.span.start);
    let source = found.first().and_then(|(name, node)| read(name, node, out));
    let tables: Vec<String> = names.iter().map(|name| format!("`[{name}]`")).collect();
    match found.as_slice() {
        [_] => source,
        [(first, _), (name, second), ..] => {
            let message = format!("`[{name}]` is a second source of data, beside `[{first}]`");
            let diagnostic = Diagnostic::new(&second.place, message, "one too many");
            out.push(diagnostic.help(format!("accepted: one of {}", tables.join(", "))));
            None
        }
        [] => {
            let is_misspelt = table.entries.iter().any(|(key, _)| nearest(&key.text, names).is_some());
            if out.is_readable(&place.source) && !is_misspelt {
                let help = format!("add one of {}", tables.join(", "));
                out.push(missing("the source of the data", place).help(help));
            }
            None
        }
    }
}

fn read_source(name: &str, node: &Node, out: &mut Diagnostics) -> Option<TaskSource> {
    let table = node.table("a table", out)?;
    match name {
        "csv" => {
            table.only(&["train", "dev", "test"], nowhere, out);
            let [train, dev, test] = ["train", "dev", "test"].map(|key| path(table, key, &node.place, out));
            Some(TaskSource::Csv(CsvSplits { train: train?, dev: dev?, test: test? }))
        }
        "windows" => read_windows(table, &node.place, out),
        _ => read_motif(table, &node.place, out),
    }
}

fn read_windows(table: &Table, place: &Place, out: &mut Diagnostics) -> Option<TaskSource> {
    const COUNTS: [&str; 5] = ["length", "train", "dev", "test", "max_per_genome"];
    table.only(&[["manifest"].as_slice(), &COUNTS].concat(), nowhere, out);
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
    table.only(&[["motif", "noise"].as_slice(), &COUNTS].concat(), nowhere, out);
    let word = table.require("motif", place, "`motif = \"TGACTCA\"`, the word to plant", out);
    let word = word.and_then(|node| read_word(node, out));
    let [length, train, dev, test] = COUNTS.map(|key| count(table, key, place, out));
    if let (Some(word), Some(length), Some(node)) = (&word, length, table.get("length"))
        && length < word.len()
    {
        node.refuse(&format!("a length that holds the motif: at least {}", word.len()), out);
    }
    check_amount(table, length, [train, dev, test], out);
    let noise = table.get("noise").map_or(Some(0.0), |node| {
        let noise = node.number().filter(|noise| (0.0..0.5).contains(noise));
        if noise.is_none() {
            node.refuse("a share of flipped labels: a number from 0 to below 0.5", out);
        }
        noise
    });
    Some(TaskSource::Motif(Motif {
        motif: word?,
        length: length?,
        train: train?,
        dev: dev?,
        test: test?,
        noise: noise?,
    }))
}

/// Whether the sequences of a synthetic task can be made in no time.
fn check_amount(table: &Table, length: Option<usize>, rows: [Option<usize>; 3], out: &mut Diagnostics) {
    let (Some(length), Some(node)) = (length, table.get("length")) else { return };
    let rows: usize = rows.into_iter().flatten().sum();
    if length.saturating_mul(rows) > SYNTHETIC_MAX {
        let most = grouped(SYNTHETIC_MAX as i64);
        let [rows, length] = [rows, length].map(|count| grouped(count as i64));
        let message = format!("{rows} sequences of {length} nt are more than {most} nt");
        out.push(
            Diagnostic::new(&node.place, message, "too much for a synthetic task")
                .help("they are made whenever the sweep is planned: fewer sequences, or shorter ones"),
        );
    }
}

fn read_word(node: &Node, out: &mut Diagnostics) -> Option<String> {
    let word = node.text("a text", out)?;
    if word.is_empty() || !word.chars().all(|letter| "ACGT".contains(letter)) {
        node.refuse("a word of the letters A, C, G, T", out);
        return None;
    }
    Some(word.to_owned())
}

fn read_manifest(node: &Node, out: &mut Diagnostics) -> Option<CorpusSource> {
    let table = node.table("a table", out)?;
    table.only(&["manifest", "split"], nowhere, out);
    let manifest = path(table, "manifest", &node.place, out);
    let split = table.require("split", &node.place, "`split = \"train\"`", out);
    let split = split.and_then(|node| read_split(node, out));
    Some(CorpusSource::Manifest(ManifestSplit { manifest: manifest?, split: split? }))
}

fn read_split(node: &Node, out: &mut Diagnostics) -> Option<String> {
    let text = node.text("the name of a split", out)?;
    let names = Split::ALL.map(Split::name);
    if !names.contains(&text) {
        let message = format!("unknown split `{text}`");
        out.push(Diagnostic::new(&node.place, message, "unknown split").accepted(text, names));
        return None;
    }
    Some(text.to_owned())
}

fn read_fasta(node: &Node, out: &mut Diagnostics) -> Option<CorpusSource> {
    let table = node.table("a table", out)?;
    table.only(&["files"], nowhere, out);
    let files = table.require("files", &node.place, "`files = [\"a.fasta\"]`, below the data root", out)?;
    if files.one_or_more().is_empty() {
        files.refuse("a list with at least one FASTA file", out);
    }
    let paths: Vec<String> = files.one_or_more().iter().filter_map(|file| relative(file, out)).collect();
    (!paths.is_empty()).then_some(CorpusSource::Fasta(paths))
}

fn read_version(table: &Table, place: &Place, out: &mut Diagnostics) -> Option<u32> {
    let accepted = "`version = 1`, and count it up when the data it means change";
    let node = table.require("version", place, accepted, out)?;
    node.integer(1, COUNT_MAX, out).map(|version| version as u32)
}

const METRICS: [&str; 4] = ["mcc", "macro-f1", "macro-recall", "accuracy"];

fn read_metric(node: &Node, out: &mut Diagnostics) -> Option<Metric> {
    let text = node.text("the name of a metric", out)?;
    serde_json::from_value(serde_json::Value::from(text))
        .map_err(|_| {
            let message = format!("unknown metric `{text}`");
            out.push(Diagnostic::new(&node.place, message, "unknown metric").accepted(text, METRICS));
        })
        .ok()
}

fn read_classes(node: &Node, out: &mut Diagnostics) -> Option<Vec<String>> {
    let items = node.list("a list of class names", out)?;
    if items.len() < 2 {
        node.refuse("a list of at least two class names", out);
        return None;
    }
    let mut classes: Vec<&str> = Vec::new();
    for item in items {
        match item.text("a class name, with quotes: labels are texts", out) {
            Some(class) if class.is_empty() || classes.contains(&class) => {
                item.refuse("a class name of its own", out);
            }
            Some(class) => classes.push(class),
            None => {}
        }
    }
    (classes.len() == items.len()).then(|| classes.into_iter().map(str::to_owned).collect())
}

fn path(table: &Table, key: &str, place: &Place, out: &mut Diagnostics) -> Option<String> {
    let accepted = format!("`{key} = \"FILE\"`, a path below the data root");
    relative(table.require(key, place, &accepted, out)?, out)
}

/// A path inside the data root: relative, and without a step upwards.
fn relative(node: &Node, out: &mut Diagnostics) -> Option<String> {
    let text = node.text("a path, as a text", out)?;
    let outside = text.is_empty() || text.starts_with('/') || text.split('/').any(|part| part == "..");
    if outside {
        node.refuse("a path below the data root, without `/` in front and without `..`", out);
        return None;
    }
    Some(text.to_owned())
}

fn count(table: &Table, key: &str, place: &Place, out: &mut Diagnostics) -> Option<usize> {
    let node = table.require(key, place, &format!("`{key} = N`, a whole number from 1"), out)?;
    node.integer(1, COUNT_MAX, out).map(|count| count as usize)
}
