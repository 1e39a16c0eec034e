//! `bench gc`: what no kept sweep needs, listed, and removed where that is asked for.
//!
//! Only what the program itself has made is touched, known by its name and place; links are
//! never followed, and a person's own files stay where they are.

mod find;
mod remove;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::errors::CliError;
use super::stored::name_of;
use super::{Verdict, say, say_json, tell};
use crate::queue::ResultsFolder;
use find::find;

/// Arguments of `bench gc`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bench gc                              what could go, and its size; nothing is touched
  bench gc --remove                     remove it
  bench gc --drop pilot --remove        forget the sweep `pilot`, and what only it needs

A sweep is kept while `results/NAME/plan.json` is there. Never beside a running sweep.")]
pub(super) struct Arguments {
    /// Remove what is listed
    #[arg(long)]
    remove: bool,
    /// Only list, which is what happens without --remove too
    #[arg(long, conflicts_with = "remove")]
    dry_run: bool,
    /// Treat a sweep as not kept, and remove its frames and tables too; may be repeated
    #[arg(long, value_name = "SWEEP")]
    drop: Vec<String>,
    /// For a script
    #[arg(long)]
    json: bool,
    /// Folder of all results
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

/// Why something is not needed. In the order in which it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// A job that is done does not go on.
    Checkpoint,
    /// What a writer that was killed left, and records that could not be read.
    Litter,
    /// The frames, tables and plan of a sweep that is dropped.
    Sweep,
    /// No kept sweep names the job.
    Job,
}

impl Kind {
    fn describe(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint of a done job",
            Self::Litter => "litter",
            Self::Sweep => "dropped sweep",
            Self::Job => "job of no kept sweep",
        }
    }
}

/// One thing that is not needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Item {
    kind: Kind,
    path: PathBuf,
    /// What its files hold.
    bytes: u64,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    bytes: u64,
    items: Vec<Item>,
    /// Not made by this program, in a folder that would go: stays, with the folder.
    left: Vec<PathBuf>,
    removed: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let results = &arguments.results;
    let drop = arguments.drop.iter().map(|sweep| name_of(sweep)).collect::<Result<_, _>>()?;
    if !results.is_dir() {
        return Err(CliError::message(format!(
            "there is no results folder `{}`; name it with --results DIR",
            results.display()
        )));
    }
    // What is found must still be so when it is removed.
    let mut warn = |warning: String| tell(&format!("warning: {warning}"));
    let lock = if arguments.remove { Some(ResultsFolder::open(results)?.lock(&mut warn)?) } else { None };
    let found = find(results, &drop)?;
    if lock.is_some() {
        remove::remove(&found.items)?;
    }
    let report = Report {
        bytes: found.items.iter().map(|item| item.bytes).sum(),
        items: found.items,
        left: found.left,
        removed: arguments.remove,
    };
    if arguments.json {
        say_json(&report)?;
    } else {
        say(&as_text(&report))?;
    }
    Ok(Verdict::Complete)
}

fn as_text(report: &Report) -> String {
    let mut text = String::new();
    let mut kinds: BTreeMap<Kind, (usize, u64)> = BTreeMap::new();
    for Item { kind, path, bytes } in &report.items {
        let _ = writeln!(text, "{:26}{:>10}  {}", kind.describe(), size(*bytes), shown(path));
        let sum = kinds.entry(*kind).or_default();
        *sum = (sum.0 + 1, sum.1 + bytes);
    }
    for path in &report.left {
        let _ = writeln!(text, "{:26}{:>10}  {}", "not made by bench: stays", "", shown(path));
    }
    for (kind, (count, bytes)) in kinds {
        let _ = writeln!(text, "{count} x {}, {}", kind.describe(), size(bytes));
    }
    let _ = match (report.items.is_empty(), report.removed) {
        (true, _) => writeln!(text, "nothing to remove"),
        (false, true) => writeln!(text, "{} removed", size(report.bytes)),
        (false, false) => {
            writeln!(text, "{} in all; nothing was removed: --remove does it", size(report.bytes))
        }
    };
    text
}

fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// Bytes as a person says them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
