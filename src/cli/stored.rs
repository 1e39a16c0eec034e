//! `results/NAME/plan.json`: what a sweep asked for, for whoever looks at it later.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::errors::CliError;
use super::experiment::{Experiment, sweep_name};
use crate::plan::{Plan, PlannedCell, Shape, Shapes, steps};
use crate::record::publish;
use crate::report::TableSpec;
use crate::settings::{Coordinates, Key, Metric, Stage};
use crate::spec::{Condition, MetricChoice, TableRequest};

/// Bumped when a plan written before can no longer be read.
const FORMAT: u32 = 3;

/// A sweep as it was planned. A million cells must remain a file that can be read, so
/// values, shapes and keys are written once and meant by their place; what a job does in
/// full is in its own folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredPlan {
    format: u32,
    pub(super) sweep: String,
    pub(super) scale: String,
    axes: Vec<StoredAxis>,
    pub(super) shapes: Vec<Shape>,
    pub(super) jobs: Vec<StoredJob>,
    pub(super) cells: Vec<StoredCell>,
    tables: Vec<StoredTable>,
}

/// What a plan of any format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// An axis and the values that cells have on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredAxis {
    name: String,
    values: Vec<String>,
}

/// A job, as far as others than its worker need it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredJob {
    pub(super) key: Key,
    pub(super) stage: Stage,
    pub(super) label: String,
    /// Which of the shapes it has.
    pub(super) shape: usize,
    pub(super) steps: usize,
}

/// A cell and its jobs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredCell {
    /// Axis by axis, which of its values.
    at: Vec<u32>,
    pub(super) metric: Metric,
    /// Which of the jobs gives its score; none while data are missing.
    pub(super) finetune: Option<usize>,
    /// Which of the jobs; the last gives its encoder, and each starts from the one before it.
    pub(super) pretrain: Vec<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredTable {
    name: String,
    rows: Vec<String>,
    columns: Vec<String>,
    filter: BTreeMap<String, Vec<String>>,
    baseline: BTreeMap<String, String>,
    metric: Option<String>,
}

impl StoredPlan {
    pub(super) fn of(experiment: &Experiment) -> Self {
        let Experiment { sweep, plan, .. } = experiment;
        let mut shapes = Shapes::default();
        let jobs = plan.jobs.iter().map(|job| StoredJob {
            key: job.key.clone(),
            stage: job.work.stage(),
            label: job.label.clone(),
            shape: shapes.number(job),
            steps: steps(job),
        });
        let jobs = jobs.collect();
        Self {
            format: FORMAT,
            sweep: sweep.name.clone(),
            scale: sweep.scale.clone(),
            axes: stored_axes(plan),
            shapes: shapes.into_shapes(),
            jobs,
            cells: stored_cells(plan),
            tables: sweep.tables.iter().map(stored_table).collect(),
        }
    }

    /// Where a cell stands.
    pub(super) fn coordinates(&self, cell: &StoredCell) -> Coordinates {
        let value =
            |(axis, value): (&StoredAxis, &u32)| (axis.name.clone(), axis.values[*value as usize].clone());
        self.axes.iter().zip(&cell.at).map(value).collect()
    }

    /// Whether everything that is meant by its place is there, and no key leads elsewhere:
    /// it is the name of a folder.
    fn is_whole(&self) -> bool {
        let is_plain =
            |key: &Key| !key.0.is_empty() && key.0.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_value = |(axis, value): (&StoredAxis, &u32)| (*value as usize) < axis.values.len();
        self.jobs.iter().all(|job| job.shape < self.shapes.len() && is_plain(&job.key))
            && self.cells.iter().all(|cell| {
                cell.at.len() == self.axes.len()
                    && self.axes.iter().zip(&cell.at).all(is_value)
                    && cell.finetune.iter().chain(&cell.pretrain).all(|job| *job < self.jobs.len())
            })
    }

    pub(super) fn write(&self, results: &Path) -> Result<(), CliError> {
        let folder = results.join(&self.sweep);
        let named = |error: std::io::Error| CliError::message(format!("{}: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(named)?;
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        publish(&folder.join("plan.json"), &bytes).map_err(named)
    }

    /// Reads the plan of a sweep, named or by its experiment file.
    pub(super) fn read(results: &Path, sweep: &str) -> Result<Self, CliError> {
        Self::read_named(results, &name_of(sweep)?)
    }

    /// Reads the plan in the folder of this name.
    pub(super) fn read_named(results: &Path, name: &str) -> Result<Self, CliError> {
        let path = results.join(name).join("plan.json");
        let text = fs::read_to_string(&path).map_err(|error| {
            let known = known(results);
            let advice = if known.is_empty() {
                "no sweep has been started there; start one with `bench sweep FILE`".to_owned()
            } else {
                format!("accepted: {}", known.into_iter().collect::<Vec<_>>().join(", "))
            };
            match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                    CliError::message(format!(
                        "no sweep `{name}` in the results folder `{}`\nhelp: {advice}",
                        results.display()
                    ))
                }
                _ => CliError::message(format!("{}: {error}", path.display())),
            }
        })?;
        let refuse = |what: String| {
            CliError::message(format!("{}: {what}; run `bench sweep FILE` to write it anew", path.display()))
        };
        let unreadable = |error: serde_json::Error| refuse(error.to_string());
        // The format first: of another one the rest may not be readable.
        let Head { format } = serde_json::from_str(&text).map_err(unreadable)?;
        if format != FORMAT {
            return Err(refuse(format!("format {format}, and this program reads {FORMAT}")));
        }
        let plan: Self = serde_json::from_str(&text).map_err(unreadable)?;
        if plan.is_whole() {
            Ok(plan)
        } else {
            Err(refuse("it names values or jobs that it lacks".to_owned()))
        }
    }

    /// The tables it asks for.
    pub(super) fn tables(&self) -> Vec<TableSpec> {
        self.tables
            .iter()
            .map(|table| TableSpec {
                name: table.name.clone(),
                rows: table.rows.clone(),
                columns: table.columns.clone(),
                filter: table.filter.clone(),
                baseline: table.baseline.clone(),
                metric: table.metric.clone(),
                split: "test".to_owned(),
            })
            .collect()
    }
}

/// The names of all sweeps in a results folder.
pub(super) fn known(results: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(results) else { return BTreeSet::new() };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("plan.json").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// `ablation` and `experiments/ablation.toml` mean the same sweep.
pub(super) fn name_of(sweep: &str) -> Result<String, CliError> {
    let path = PathBuf::from(sweep);
    if path.extension().is_some_and(|ending| ending == "toml") {
        return sweep_name(&path);
    }
    if sweep.contains(std::path::MAIN_SEPARATOR) || sweep.starts_with('.') {
        return Err(CliError::message(format!(
            "`{sweep}` is not a sweep; expected its name, or its experiment file"
        )));
    }
    Ok(sweep.to_owned())
}

fn stored_axes(plan: &Plan) -> Vec<StoredAxis> {
    let table = plan.cells.first().map(|cell| cell.coordinates.table());
    let values = |place| table.map_or_else(Vec::new, |table| table.values(place).to_vec());
    plan.axes
        .iter()
        .enumerate()
        .map(|(place, name)| StoredAxis { name: name.clone(), values: values(place) })
        .collect()
}

fn stored_cells(plan: &Plan) -> Vec<StoredCell> {
    let places: HashMap<&Key, usize> =
        plan.jobs.iter().enumerate().map(|(place, job)| (&job.key, place)).collect();
    let cell = |cell: &PlannedCell| {
        let jobs = cell.jobs.as_ref().ok();
        StoredCell {
            at: cell.coordinates.row().to_vec(),
            metric: cell.metric,
            finetune: jobs.map(|jobs| places[&jobs.finetune]),
            pretrain: jobs
                .map_or_else(Vec::new, |jobs| jobs.pretrain.iter().map(|key| places[key]).collect()),
        }
    };
    plan.cells.iter().map(cell).collect()
}

fn stored_table(request: &TableRequest) -> StoredTable {
    let by_axis = |conditions: &[Condition]| -> BTreeMap<String, Vec<String>> {
        let texts = |condition: &Condition| condition.values.iter().map(|(text, _)| text.clone()).collect();
        conditions.iter().map(|condition| (condition.axis.clone(), texts(condition))).collect()
    };
    let baseline = by_axis(&request.baseline)
        .into_iter()
        .filter_map(|(axis, values)| values.into_iter().next().map(|value| (axis, value)))
        .collect();
    StoredTable {
        name: request.name.clone(),
        rows: request.rows.clone(),
        columns: request.columns.clone(),
        filter: by_axis(&request.filter),
        baseline,
        metric: match &request.metric {
            MetricChoice::Headline => None,
            MetricChoice::Named(name) => Some(name.clone()),
        },
    }
}
