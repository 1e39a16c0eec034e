//! `bench data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::errors::{CliError, check};
use super::experiment::environment_root;
use super::{Verdict, library, say};
use crate::data::{self, Entry, Found, data_root};
use crate::escape::line;
use crate::settings::Split;
use crate::spec::{Diagnostics, Library};

/// Arguments of `bench data`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the tasks and corpora: rows, classes, lengths, or that the data are missing
    #[command(after_help = "Examples:
  bench data list
  bench data list --data-root /data/GUE-layout")]
    List(List),
}

#[derive(Args, Debug)]
struct List {
    /// Root of the task data
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
    /// Folder with `tasks/`, `corpora/` of your own, and `data/`
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    library: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let Command::List(list) = &arguments.command;
    let mut mistakes = Diagnostics::default();
    let library = Library::read(&library::files(Some(&list.library))?, &mut mistakes);
    check(mistakes)?;
    let root = data_root(list.data_root.as_deref(), environment_root().as_deref(), &list.library)?;
    for (id, entry) in &library.tasks {
        let id = line(id);
        say(&match data::catalogue(&entry.task, &root)? {
            Found::Present(known) => format!("{id:28}{}\n", present(&known)),
            Found::Missing(missing) => format!("{id:28}missing: {}\n", line(&missing.what)),
        })?;
    }
    for (id, entry) in &library.corpora {
        let id = line(id);
        say(&match data::catalogue_corpus(&entry.corpus, &root)? {
            Found::Present(_) => format!("{id:28}corpus\n"),
            Found::Missing(missing) => format!("{id:28}missing: {}\n", line(&missing.what)),
        })?;
    }
    Ok(Verdict::Complete)
}

fn present(entry: &Entry) -> String {
    let rows = |split: Split| entry.splits.get(&split).map_or(0, |known| known.rows);
    let lengths = entry.splits.values().map(|split| split.lengths);
    let shortest = lengths.clone().map(|lengths| lengths.shortest).min().unwrap_or(0);
    let longest = lengths.map(|lengths| lengths.longest).max().unwrap_or(0);
    let groups = entry.splits.values().map(|split| split.groups).max().unwrap_or(0);
    let clusters = if groups > 0 { ", split by cluster" } else { "" };
    let leaks = entry.duplicates.test_in_train;
    let warning = if leaks > 0 { format!(", {leaks} test rows are in train") } else { String::new() };
    let [train, dev, test] = Split::ALL.map(rows);
    format!("{train} / {dev} / {test} rows, {shortest} to {longest} nt{clusters}{warning}")
}
