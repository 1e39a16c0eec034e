//! What no kept sweep needs.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::errors::CliError;
use super::super::stored::StoredPlan;
use super::{Item, Kind};
use crate::record::{JobFolder, State};
use crate::settings::Key;

/// What there is to remove.
#[derive(Default)]
pub(super) struct Found {
    /// In the order of removal.
    pub(super) items: Vec<Item>,
    /// What stays in folders that would go.
    pub(super) left: Vec<PathBuf>,
}

/// Names in a job's folder that this program gives. Anything else is somebody's own.
const OF_A_JOB: [&str; 9] = [
    "job.json",
    "events.jsonl",
    "predictions.csv",
    "model.safetensors",
    "tokenizer.json",
    "record.json",
    "failure.json",
    DAMAGED,
    CHECKPOINT,
];

const CHECKPOINT: &str = "checkpoint";
const DAMAGED: &str = "record.json.damaged";
/// Begins the name of a folder in which one attempt at a job gathers what it will publish.
const ATTEMPT: &str = ".attempt-";
/// Names in a sweep's folder; its tables are beside them in a folder of their own.
const OF_A_SWEEP: [&str; 3] = ["plan.json", "results.parquet", "results.csv"];
const TABLES: &str = "tables";
const ENDINGS_OF_TABLES: [&str; 4] = ["txt", "md", "tex", "csv"];

/// Finds what is not needed if the sweeps `dropped` are not.
///
/// # Errors
/// A sweep that is dropped and not there; a plan that cannot be read, of which nobody knows
/// what it needs; a folder that cannot be read.
pub(super) fn find(results: &Path, dropped: &BTreeSet<String>) -> Result<Found, CliError> {
    let sweeps = sweeps(results)?;
    if let Some(unknown) = dropped.iter().find(|name| !sweeps.contains(*name)) {
        let accepted: Vec<&str> = sweeps.iter().map(String::as_str).collect();
        return Err(CliError::message(format!(
            "--drop: no sweep `{unknown}` in `{}`\nhelp: accepted: {}",
            results.display(),
            accepted.join(", ")
        )));
    }
    let needed = needed(results, sweeps.difference(dropped))?;
    let mut found = Found::default();
    found.litter(results)?;
    for sweep in &sweeps {
        let folder = results.join(sweep);
        // A folder elsewhere that a link names is not of this results folder.
        if is_folder(&folder)? {
            found.sweep(&folder, dropped.contains(sweep))?;
        }
    }
    let jobs = results.join("jobs");
    if is_folder(&jobs)? {
        for entry in entries(&jobs)? {
            let key = entry.file_name().into_string().ok().filter(|name| is_key(name));
            if let Some(key) = key.filter(|_| is_folder(&entry.path()).unwrap_or(false)) {
                let key = Key(key);
                found.job(results, &key, needed.contains(&key))?;
            }
        }
    }
    // The plan goes last of its sweep: without it nobody would know the rest for a sweep's.
    let is_plan = |item: &Item| item.path.file_name().is_some_and(|name| name == "plan.json");
    found.items.sort_by_cached_key(|item| (item.kind, is_plan(item), item.clone()));
    Ok(found)
}

/// All names under which there is a plan, readable or not.
fn sweeps(results: &Path) -> Result<BTreeSet<String>, CliError> {
    let mut sweeps = BTreeSet::new();
    for entry in entries(results)? {
        let plan = entry.path().join("plan.json");
        match fs::symlink_metadata(&plan) {
            Ok(_) => {
                let name = entry.file_name().into_string();
                sweeps.insert(name.map_err(|_| named(&plan, "its folder's name is not UTF-8"))?);
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(named(&plan, error)),
        }
    }
    Ok(sweeps)
}

/// The keys of all jobs that sweeps name, those that others build on included.
fn needed<'a>(results: &Path, kept: impl Iterator<Item = &'a String>) -> Result<BTreeSet<Key>, CliError> {
    let mut needed = BTreeSet::new();
    for name in kept {
        let plan = StoredPlan::read_named(results, name).map_err(|error| match error {
            CliError::Message(text) => CliError::message(format!(
                "{text}\nhelp: nothing was removed, since nobody knows which jobs this sweep needs; `--drop {name}` gives it up"
            )),
            other @ (CliError::Mistakes(_) | CliError::Interrupted(_)) => other,
        })?;
        needed.extend(plan.jobs.into_iter().map(|job| job.key));
    }
    Ok(needed)
}

impl Found {
    fn add(&mut self, kind: Kind, path: PathBuf) -> Result<(), CliError> {
        let bytes = bytes(&path)?;
        self.items.push(Item { kind, path, bytes });
        Ok(())
    }

    /// Temporary files of writers that are no more.
    fn litter(&mut self, folder: &Path) -> Result<(), CliError> {
        for entry in entries(folder)? {
            if is_file(&entry)? && is_litter(&entry) {
                self.add(Kind::Litter, entry.path())?;
            }
        }
        Ok(())
    }

    fn sweep(&mut self, folder: &Path, is_dropped: bool) -> Result<(), CliError> {
        self.litter(folder)?;
        let tables = folder.join(TABLES);
        let has_tables = is_folder(&tables)?;
        if has_tables {
            self.litter(&tables)?;
        }
        if !is_dropped {
            return Ok(());
        }
        if has_tables {
            for entry in entries(&tables)? {
                let ending = entry.path().extension().and_then(|ending| ending.to_str().map(str::to_owned));
                let is_table = ending.is_some_and(|ending| ENDINGS_OF_TABLES.contains(&ending.as_str()));
                self.own(Kind::Sweep, &entry, is_table)?;
            }
        }
        for entry in entries(folder)?.iter().filter(|entry| entry.file_name() != TABLES || !has_tables) {
            let is_known = OF_A_SWEEP.iter().any(|name| entry.file_name() == *name);
            self.own(Kind::Sweep, entry, is_known)?;
        }
        Ok(())
    }

    fn own(&mut self, kind: Kind, entry: &DirEntry, is_known: bool) -> Result<(), CliError> {
        if is_known && is_file(entry)? {
            self.add(kind, entry.path())?;
        } else if !is_temporary(entry) {
            self.left.push(entry.path());
        }
        Ok(())
    }

    fn job(&mut self, results: &Path, key: &Key, is_needed: bool) -> Result<(), CliError> {
        let folder = JobFolder::new(results, key);
        let entries = entries(folder.path())?;
        if !is_needed {
            let is_own = |entry: &&DirEntry| !is_of_a_job(entry);
            let own: Vec<PathBuf> = entries.iter().filter(is_own).map(DirEntry::path).collect();
            if own.is_empty() {
                return self.add(Kind::Job, folder.path().to_owned());
            }
            self.left.extend(own);
        }
        let is_done = matches!(folder.peek()?, State::Done(_));
        for entry in &entries {
            let name = entry.file_name();
            if name == CHECKPOINT && is_done && is_folder(&entry.path())? {
                self.add(Kind::Checkpoint, entry.path())?;
            } else if is_file(entry)? && (name == DAMAGED || is_litter(entry)) {
                self.add(Kind::Litter, entry.path())?;
            }
        }
        Ok(())
    }
}

fn is_of_a_job(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let is_attempt = name.to_string_lossy().starts_with(ATTEMPT);
    is_attempt || is_temporary(entry) || OF_A_JOB.iter().any(|known| name == *known)
}

fn is_key(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `.NAME.PID-N.tmp`, or `.NAME.PID.tmp`: the process.
fn writer(entry: &DirEntry) -> Option<u32> {
    let name = entry.file_name();
    let stem = name.to_str()?.strip_prefix('.')?.strip_suffix(".tmp")?;
    let (_, process) = stem.rsplit_once('.')?;
    process.split('-').next()?.parse().ok()
}

fn is_temporary(entry: &DirEntry) -> bool {
    writer(entry).is_some()
}

fn is_litter(entry: &DirEntry) -> bool {
    writer(entry).is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists())
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, CliError> {
    let read = fs::read_dir(folder).map_err(|error| named(folder, error))?;
    let mut entries: Vec<DirEntry> = read.collect::<Result<_, _>>().map_err(|error| named(folder, error))?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// Whether it is a folder itself, not a link to one.
fn is_folder(path: &Path) -> Result<bool, CliError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(named(path, error)),
    }
}

fn is_file(entry: &DirEntry) -> Result<bool, CliError> {
    entry.file_type().map(|kind| kind.is_file()).map_err(|error| named(&entry.path(), error))
}

/// What a file, or all files of a folder, hold. A link holds nothing.
fn bytes(path: &Path) -> Result<u64, CliError> {
    let metadata = fs::symlink_metadata(path).map_err(|error| named(path, error))?;
    if metadata.is_dir() {
        return entries(path)?.iter().map(|entry| bytes(&entry.path())).sum();
    }
    Ok(if metadata.is_file() { metadata.len() } else { 0 })
}

fn named(path: &Path, error: impl std::fmt::Display) -> CliError {
    CliError::message(format!("{}: {error}", path.display()))
}
