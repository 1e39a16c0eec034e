//! What is known of a task's data without training: sizes, balance, lengths, groups,
//! duplicates and the fingerprint; or that they are missing, and how to get them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::files::locate;
use super::manifest::read_manifest;
use super::{DataError, Example, load_task};
use crate::settings::{Split, Task, TaskSource};

/// Something looked for below the data root.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found<T> {
    /// It is there, and this is known of it.
    Present(T),
    /// It is not there.
    Missing(Missing),
}

/// Data that are not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The files, for people.
    pub what: String,
    /// That they are not there, and where they were looked for.
    pub absent: String,
    /// What a person may do about it.
    pub how_to_get: String,
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Content hash of the data: 32 hexadecimal digits.
    pub fingerprint: String,
    /// Each split on its own. Training windows are those of repetition 0.
    pub splits: BTreeMap<Split, SplitEntry>,
    /// What a label fraction counts, class by class: training rows, or genome files.
    pub label_units: Vec<usize>,
    /// Rows that are there more than once.
    pub duplicates: Duplicates,
    /// The accuracy that no model can beat on average, where it is known.
    pub best_accuracy: Option<f64>,
}

/// What is known of one split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitEntry {
    /// Rows.
    pub rows: usize,
    /// Rows of each class, in class order.
    pub class_rows: Vec<usize>,
    /// Lengths of the sequences.
    pub lengths: Lengths,
    /// Clusters of near relatives that the rows come from; 0 where the task has none.
    pub groups: usize,
}

/// Lengths in nucleotides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub shortest: usize,
    /// The middle one; of an even number, the longer of the middle two.
    pub median: usize,
    /// The longest.
    pub longest: usize,
}

/// Rows whose sequence is there before, letter by letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Rows of a split that repeat an earlier row of it.
    pub within: BTreeMap<Split, usize>,
    /// Dev rows that are also in train: selection on what was learnt.
    pub dev_in_train: usize,
    /// Test rows that are also in train.
    pub test_in_train: usize,
    /// Test rows that are also in dev.
    pub test_in_dev: usize,
    /// Sequences that occur with more than one label, in any split.
    pub conflicting: usize,
}

/// Looks a task up below `root`.
///
/// # Errors
/// The data are there and wrong.
pub fn catalogue(task: &Task, root: &Path) -> Result<Found<Entry>, DataError> {
    let files = match &task.source {
        TaskSource::Csv(splits) => {
            [&splits.train, &splits.dev, &splits.test].map(|file| root.join(file)).to_vec()
        }
        TaskSource::Windows(windows) => manifest_files(&root.join(&windows.manifest))?,
        TaskSource::Motif(_) => Vec::new(),
    };
    if let Some(missing) = missing(&files, root)? {
        return Ok(Found::Missing(missing));
    }
    let data = load_task(task, root)?;
    let train = data.train(1.0, 0)?;
    let splits = [(Split::Train, &*train), (Split::Dev, data.dev()), (Split::Test, data.test())];
    Ok(Found::Present(Entry {
        fingerprint: data.fingerprint().to_owned(),
        splits: splits.map(|(split, rows)| (split, split_entry(rows, data.classes().len()))).into(),
        label_units: data.label_units(),
        duplicates: duplicates(splits),
        best_accuracy: data.best_accuracy(),
    }))
}

/// The manifest alone where it is missing, else it and all it lists.
fn manifest_files(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = vec![path.to_owned()];
    match read_manifest(path) {
        Err(DataError::Missing { .. }) => {}
        Err(error) => return Err(error),
        Ok(manifest) => files.extend(manifest.rows.into_iter().map(|row| row.file)),
    }
    Ok(files)
}

/// Which of the files are not there.
pub(super) fn missing(files: &[PathBuf], root: &Path) -> Result<Option<Missing>, DataError> {
    let mut absent = Vec::new();
    for file in files {
        match locate(file) {
            Ok(_) => {}
            Err(DataError::Missing { path }) => absent.push(path),
            Err(error) => return Err(error),
        }
    }
    let shown = |path: &Path| path.display().to_string();
    let names: Vec<String> =
        absent.iter().map(|path| shown(path.strip_prefix(root).unwrap_or(path))).collect();
    let listed = |names: &[String]| match names {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, .., last] => format!("{} files, {first} to {last}", names.len()),
    };
    let paths: Vec<String> = absent.iter().map(|path| shown(path)).collect();
    let (it, absent) = match paths.as_slice() {
        [] => return Ok(None),
        [one] => ("it", format!("neither {one} nor {one}.gz is there")),
        more => ("them", format!("{} are not there, neither plain nor .gz", listed(more))),
    };
    let how_to_get = format!("put {it} there, or name the data folder with --data-root or BENCH_DATA");
    Ok(Some(Missing { what: listed(&names), absent, how_to_get }))
}

fn split_entry(rows: &[Example], classes: usize) -> SplitEntry {
    let mut class_rows = vec![0; classes];
    for row in rows {
        if let Some(count) = class_rows.get_mut(row.label) {
            *count += 1;
        }
    }
    let groups: BTreeSet<&str> = rows.iter().filter_map(|row| row.group.as_deref()).collect();
    SplitEntry {
        rows: rows.len(),
        class_rows,
        lengths: Lengths::of(rows.iter().map(|row| row.sequence.len())),
        groups: groups.len(),
    }
}

impl Lengths {
    pub(super) fn of(lengths: impl Iterator<Item = usize>) -> Self {
        let mut lengths: Vec<usize> = lengths.collect();
        lengths.sort_unstable();
        let at = |place: usize| lengths.get(place).copied().unwrap_or_default();
        Self { shortest: at(0), median: at(lengths.len() / 2), longest: at(lengths.len().saturating_sub(1)) }
    }
}

fn duplicates(splits: [(Split, &[Example]); 3]) -> Duplicates {
    let mut seen: HashMap<&str, Seen> = HashMap::new();
    let mut found = Duplicates { within: Split::ALL.map(|split| (split, 0)).into(), ..Default::default() };
    for (split, rows) in splits {
        for row in rows {
            let before = seen.entry(&row.sequence).or_insert_with(|| Seen::new(row.label));
            before.count(split, &mut found);
            if before.label.is_some_and(|label| label != row.label) {
                before.label = None;
                found.conflicting += 1;
            }
        }
    }
    found
}

/// Where a sequence was met so far.
struct Seen {
    /// Its label, until another one is met.
    label: Option<usize>,
    train: bool,
    dev: bool,
    test: bool,
}

impl Seen {
    fn new(label: usize) -> Self {
        Self { label: Some(label), train: false, dev: false, test: false }
    }

    /// Splits come in the order train, dev, test.
    fn count(&mut self, split: Split, found: &mut Duplicates) {
        let in_split = match split {
            Split::Train => &mut self.train,
            Split::Dev => {
                found.dev_in_train += usize::from(self.train);
                &mut self.dev
            }
            Split::Test => {
                found.test_in_train += usize::from(self.train);
                found.test_in_dev += usize::from(self.dev);
                &mut self.test
            }
        };
        if std::mem::replace(in_split, true) {
            *found.within.entry(split).or_default() += 1;
        }
    }
}
