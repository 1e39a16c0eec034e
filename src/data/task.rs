//! A task's rows: dev and test as they are for every job, training rows as a job asks.

use std::path::{Path, PathBuf};

use super::DataError;
use super::error::quoted;
use super::fingerprint;
use super::fixed_windows::fixed_windows;
use super::genomes::load_genomes;
use super::identity::Identity;
use super::labelled_csv::read_labelled;
use super::manifest::read_manifest;
use super::motif;
use super::subset::{check_share, ranked, share};
use super::train_windows::TrainWindows;
use crate::settings::{CsvSplits, Motif, Split, Task, TaskSource, Windows};

/// Fewest dev rows per class that a label fraction may leave, where there are as many.
const DEV_FLOOR: usize = 50;

/// A labelled sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its nucleotides: ASCII letters only.
    pub sequence: String,
    /// Place of its class among the task's classes, as observed.
    pub label: usize,
    /// The cluster of near relatives it comes from, where the task has clusters.
    pub group: Option<String>,
}

/// A loaded task.
#[derive(Debug)]
pub struct TaskData {
    identity: Identity,
    train: Train,
    dev: Vec<Example>,
    test: Vec<Example>,
}

/// Where training rows come from.
#[derive(Debug)]
enum Train {
    /// Those of a file.
    Rows(PathBuf, Vec<Example>),
    Windows(TrainWindows),
    Motif(Motif),
}

/// Reads a task below `root`.
///
/// # Errors
/// A file is missing or wrong, a setting cannot be, or a class has no dev or test window.
pub fn load_task(task: &Task, root: &Path) -> Result<TaskData, DataError> {
    if task.classes.len() < 2 {
        return Err(DataError::Setting {
            origin: task.id.clone(),
            setting: "the number of classes",
            value: task.classes.len().to_string(),
            accepted: "at least 2",
        });
    }
    match &task.source {
        TaskSource::Csv(splits) => load_csv(task, splits, root),
        TaskSource::Windows(windows) => load_windows(task, windows, root),
        TaskSource::Motif(motif) => load_motif(task, motif),
    }
}

fn load_csv(task: &Task, splits: &CsvSplits, root: &Path) -> Result<TaskData, DataError> {
    let read = |file: &str| {
        let mut rows = read_labelled(&root.join(file), &task.classes)?;
        if task.upper {
            for row in &mut rows {
                row.sequence.make_ascii_uppercase();
            }
        }
        Ok::<_, DataError>(rows)
    };
    let (train, dev, test) = (read(&splits.train)?, read(&splits.dev)?, read(&splits.test)?);
    let all = [(Split::Train, &*train), (Split::Dev, &*dev), (Split::Test, &*test)];
    let identity = identity(task, fingerprint::of_rows(&task.classes, all));
    Ok(TaskData { identity, train: Train::Rows(root.join(&splits.train), train), dev, test })
}

fn load_windows(task: &Task, windows: &Windows, root: &Path) -> Result<TaskData, DataError> {
    check_counts(
        task,
        &[
            ("length", windows.length),
            ("train", windows.train),
            ("dev", windows.dev),
            ("test", windows.test),
            ("max_per_genome", windows.max_per_genome),
        ],
    )?;
    for (setting, value) in [("dev", windows.dev), ("test", windows.test)] {
        if value < task.classes.len() {
            return Err(DataError::Setting {
                origin: task.id.clone(),
                setting,
                value: value.to_string(),
                accepted: "at least one window of each class",
            });
        }
    }
    let manifest = read_manifest(&root.join(&windows.manifest))?;
    let mut genomes = load_genomes(&manifest, &task.classes)?;
    if task.upper {
        for record in genomes.iter_mut().flat_map(|genome| &mut genome.records) {
            record.sequence.make_ascii_uppercase();
        }
    }
    let identity = identity(task, fingerprint::of_labelled_genomes(&task.classes, &genomes));
    let dev = fixed_windows(&identity, &genomes, Split::Dev, windows)?;
    let test = fixed_windows(&identity, &genomes, Split::Test, windows)?;
    genomes.retain(|genome| genome.split == Split::Train);
    let train = TrainWindows { genomes, length: windows.length, count: windows.train };
    Ok(TaskData { identity, train: Train::Windows(train), dev, test })
}

fn load_motif(task: &Task, settings: &Motif) -> Result<TaskData, DataError> {
    check_counts(task, &[("train", settings.train), ("dev", settings.dev), ("test", settings.test)])?;
    motif::check(task, settings)?;
    let identity = identity(task, fingerprint::of_motif(settings));
    let dev = motif::rows(settings, &identity, Split::Dev, 0);
    let test = motif::rows(settings, &identity, Split::Test, 0);
    Ok(TaskData { identity, train: Train::Motif(settings.clone()), dev, test })
}

fn check_counts(task: &Task, settings: &[(&'static str, usize)]) -> Result<(), DataError> {
    match settings.iter().find(|(_, value)| *value == 0) {
        None => Ok(()),
        Some((setting, value)) => Err(DataError::Setting {
            origin: task.id.clone(),
            setting,
            value: value.to_string(),
            accepted: "a whole number from 1",
        }),
    }
}

fn identity(task: &Task, fingerprint: String) -> Identity {
    Identity { task: task.id.clone(), classes: task.classes.clone(), fingerprint, version: task.version }
}

impl TaskData {
    /// Content hash of the data: 32 hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.identity.fingerprint
    }

    /// Class names, in order.
    pub fn classes(&self) -> &[String] {
        &self.identity.classes
    }

    /// All dev rows; the same for every repetition.
    pub fn dev(&self) -> &[Example] {
        &self.dev
    }

    /// All test rows; the same for every repetition.
    pub fn test(&self) -> &[Example] {
        &self.test
    }

    /// Rows of the full training split, which epochs are counted in.
    pub fn full_train_rows(&self) -> usize {
        match &self.train {
            Train::Rows(_, rows) => rows.len(),
            Train::Windows(windows) => windows.count,
            Train::Motif(motif) => motif.train,
        }
    }

    /// What a label fraction counts, class by class: training rows, or genome files that
    /// hold a window. A fraction must round to at least one of each. Of a synthetic task,
    /// whose labels are drawn, the rows are those of repetition 0.
    pub fn label_units(&self) -> Vec<usize> {
        let mut units = vec![0; self.classes().len()];
        let mut count = |label: usize| {
            if let Some(unit) = units.get_mut(label) {
                *unit += 1;
            }
        };
        match &self.train {
            Train::Rows(_, rows) => labels(rows).for_each(&mut count),
            Train::Windows(windows) => windows.usable_labels().for_each(&mut count),
            Train::Motif(settings) => {
                let rows = motif::rows(settings, &self.identity, Split::Train, 0);
                labels(&rows).for_each(&mut count);
            }
        }
        units
    }

    /// The accuracy that no model can beat on average, where it is known.
    pub fn best_accuracy(&self) -> Option<f64> {
        match &self.train {
            Train::Rows(..) | Train::Windows(_) => None,
            Train::Motif(motif) => Some(1.0 - motif.noise),
        }
    }

    /// The training rows of one label fraction and repetition, in an order that depends on
    /// nothing else.
    ///
    /// Rows are chosen per class and nested: a smaller fraction of the same repetition is a
    /// part of a larger one. Of windows, the fraction chooses genome files and their number
    /// stays.
    ///
    /// # Errors
    /// The fraction is outside (0, 1] or keeps nothing of some class, or a class has no
    /// window free of ambiguous letters.
    pub fn train(&self, label_fraction: f64, repetition: u64) -> Result<Vec<Example>, DataError> {
        check_label_fraction(label_fraction)?;
        match &self.train {
            Train::Rows(_, rows) => self.labelled_part(rows, label_fraction, repetition),
            Train::Windows(windows) => windows.draw(&self.identity, label_fraction, repetition),
            Train::Motif(settings) => {
                let rows = motif::rows(settings, &self.identity, Split::Train, repetition);
                self.labelled_part(&rows, label_fraction, repetition)
            }
        }
    }

    fn labelled_part(
        &self,
        rows: &[Example],
        fraction: f64,
        repetition: u64,
    ) -> Result<Vec<Example>, DataError> {
        let mut classes = ranked(&self.identity, labels(rows), repetition, "train");
        for (label, members) in classes.iter_mut().enumerate() {
            let available = members.len();
            if available == 0 {
                return Err(self.none_at_all(label, repetition));
            }
            members.truncate(share(fraction, available));
            if members.is_empty() {
                return Err(DataError::NoneKept {
                    task: self.identity.task.clone(),
                    fraction,
                    available,
                    unit: "rows",
                    class: self.identity.class(label).to_owned(),
                });
            }
        }
        Ok(in_order(rows, classes))
    }

    /// The mistake that no training row is of a class, whatever the fraction.
    fn none_at_all(&self, label: usize, repetition: u64) -> DataError {
        let class = self.identity.class(label).to_owned();
        match &self.train {
            Train::Rows(path, _) => {
                DataError::NoRow { path: path.clone(), class, classes: quoted(self.classes()) }
            }
            Train::Windows(_) | Train::Motif(_) => DataError::NoneDrawn {
                task: self.identity.task.clone(),
                rows: self.full_train_rows(),
                class,
                repetition,
            },
        }
    }

    /// The dev rows a checkpoint is chosen on.
    ///
    /// `dev_fraction` is the share of dev that is kept: 1 is all of it, 0 stands for "the
    /// label fraction", so that few labels also mean few to select with (DESIGN 3). Each
    /// class keeps at least 50 rows, or all it has. The rows are nested in the share and
    /// depend on the task only, never on the repetition.
    ///
    /// # Errors
    /// A share is outside its range.
    pub fn dev_subset(&self, label_fraction: f64, dev_fraction: f64) -> Result<Vec<Example>, DataError> {
        check_label_fraction(label_fraction)?;
        let kept = if dev_fraction == 0.0 { label_fraction } else { dev_fraction };
        check_share("dev fraction", kept, "a number from 0 to 1, where 0 means the label fraction")?;
        let mut classes = ranked(&self.identity, labels(&self.dev), 0, "dev");
        for members in &mut classes {
            members.truncate(share(kept, members.len()).max(DEV_FLOOR));
        }
        Ok(in_order(&self.dev, classes))
    }
}

fn check_label_fraction(value: f64) -> Result<(), DataError> {
    check_share("label fraction", value, "a number above 0 and at most 1")
}

fn labels(rows: &[Example]) -> impl Iterator<Item = usize> {
    rows.iter().map(|row| row.label)
}

/// The chosen rows in the order of the file.
fn in_order(rows: &[Example], chosen: Vec<Vec<usize>>) -> Vec<Example> {
    let mut chosen: Vec<usize> = chosen.into_iter().flatten().collect();
    chosen.sort_unstable();
    chosen.into_iter().filter_map(|row| rows.get(row).cloned()).collect()
}
