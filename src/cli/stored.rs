//! `results/NAME/plan.json`: what a sweep asked for, for whoever looks at it later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::errors::CliError;
use super::experiment::{Experiment, sweep_name};
use crate::record::publish;
use crate::report::TableSpec;
use crate::settings::{Coordinates, Job, Key, Metric};
use crate::spec::{Condition, MetricChoice, TableRequest};

/// Bumped when a plan written before can no longer be read.
const FORMAT: u32 = 2;

/// A sweep as it was planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredPlan {
    format: u32,
    pub(super) sweep: String,
    pub(super) scale: String,
    pub(super) jobs: Vec<Job>,
    pub(super) cells: Vec<StoredCell>,
    tables: Vec<StoredTable>,
}

/// What a plan of any format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// A cell and its jobs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredCell {
    pub(super) coordinates: Coordinates,
    pub(super) metric: Metric,
    /// None while data are missing.
    pub(super) finetune: Option<Key>,
    /// The last gives its encoder; each starts from the one before it.
    pub(super) pretrain: Vec<Key>,
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
        let cells = plan
            .cells
            .iter()
            .map(|cell| StoredCell {
                coordinates: cell.coordinates.clone(),
                metric: cell.metric,
                finetune: cell.jobs.as_ref().ok().map(|jobs| jobs.finetune.clone()),
                pretrain: cell.jobs.as_ref().map_or_else(|_| Vec::new(), |jobs| jobs.pretrain.clone()),
            })
            .collect();
        Self {
            format: FORMAT,
            sweep: sweep.name.clone(),
            scale: sweep.scale.clone(),
            jobs: plan.jobs.clone(),
            cells,
            tables: sweep.tables.iter().map(stored_table).collect(),
        }
    }

    pub(super) fn write(&self, results: &Path) -> Result<(), CliError> {
        let folder = results.join(&self.sweep);
        let named = |error: std::io::Error| CliError::message(format!("{}: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(named)?;
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        publish(&folder.join("plan.json"), &bytes).map_err(named)
    }

    /// Reads the plan of a sweep, named or by its experiment file.
    pub(super) fn read(results: &Path, sweep: &str) -> Result<Self, CliError> {
        let name = name_of(sweep)?;
        let path = results.join(&name).join("plan.json");
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
        serde_json::from_str(&text).map_err(unreadable)
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
fn name_of(sweep: &str) -> Result<String, CliError> {
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
