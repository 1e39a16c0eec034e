//! `bench plan`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::collect::states;
use super::errors::CliError;
use super::experiment::{Experiment, load};
use super::systems::parameters_of_job;
use super::{Places, Verdict, say, say_json};
use crate::plan::{CellJobs, Estimate, History, Plan, PlannedCell, Shape, estimate};
use crate::queue::{Host, slots};
use crate::record::{JobFolder, State};
use crate::resolve::{Missing, SharedCoordinates};
use crate::settings::{Job, Key, Stage};

/// Arguments of `bench plan`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bench plan experiments/ablation.toml
  bench plan experiments/study.toml --json | jq .jobs
  bench plan my.toml --data-root /data/GUE-layout")]
pub(super) struct Arguments {
    /// The experiment file
    file: PathBuf,
    /// For a script
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: Places,
}

/// How the jobs of one stage stand.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    jobs: usize,
    unshared: usize,
    done: usize,
    failed: usize,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let experiment = load(&arguments.file, &arguments.places)?;
    let results = &arguments.places.results;
    let states = states(results, experiment.plan.jobs.iter().map(|job| &job.key))?;
    let counts = counts(&experiment, &states);
    let is_open = |key: &Key| !matches!(states.get(key), Some(State::Done(_)));
    let estimate = estimate(&experiment.plan, &history(results), &parameters_of_job, &is_open);
    if arguments.json {
        say_json(&Shown::of(&experiment, &counts, &estimate))?;
    } else {
        say(&as_text(&experiment, &counts, &estimate))?;
    }
    // The process ends with this command, and a million cells take a second to be freed.
    std::mem::forget(experiment);
    Ok(Verdict::Complete)
}

fn counts(experiment: &Experiment, states: &BTreeMap<Key, State>) -> BTreeMap<Stage, Count> {
    let unshared = experiment.plan.unshared();
    let mut counts: BTreeMap<Stage, Count> = BTreeMap::new();
    for job in &experiment.plan.jobs {
        let count = counts.entry(job.work.stage()).or_default();
        count.jobs += 1;
        match states.get(&job.key) {
            Some(State::Done(_)) => count.done += 1,
            Some(State::Failed(_)) => count.failed += 1,
            Some(State::Pending) | None => {}
        }
    }
    for (stage, count) in &mut counts {
        count.unshared = unshared.get(stage).copied().unwrap_or(0);
    }
    counts
}

/// What finished jobs took, of this sweep and all others in the results folder.
fn history(results: &Path) -> History {
    let mut history = History::default();
    let Ok(entries) = std::fs::read_dir(results.join("jobs")) else { return history };
    let mut folders: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    folders.sort();
    let took: Vec<Option<(Shape, usize, f64)>> =
        folders.par_iter().map(|folder| took(results, folder)).collect();
    for (shape, steps, seconds) in took.into_iter().flatten() {
        history.add(&shape, steps, seconds);
    }
    history
}

/// The shape, the steps and the seconds of a job, if it is done.
fn took(results: &Path, folder: &Path) -> Option<(Shape, usize, f64)> {
    let text = std::fs::read_to_string(folder.join("job.json")).ok()?;
    let job = serde_json::from_str::<Job>(&text).ok()?;
    let State::Done(record) = JobFolder::new(results, &job.key).peek().ok()? else { return None };
    let (shape, steps) = Shape::of(&job);
    Some((shape, steps, record.measurement.wall_seconds))
}

fn as_text(experiment: &Experiment, counts: &BTreeMap<Stage, Count>, estimate: &Estimate) -> String {
    let cells = &experiment.plan.cells;
    let mut text = format!(
        "{}\n{} cells at scale `{}` over {} grids\n\n",
        experiment.sweep.title,
        cells.len(),
        experiment.sweep.scale,
        experiment.sweep.grids.len()
    );
    let _ =
        writeln!(text, "{:12}{:>8}{:>18}{:>8}{:>8}", "stage", "jobs", "without sharing", "done", "failed");
    for (stage, count) in counts {
        let Count { jobs, unshared, done, failed } = count;
        let _ = writeln!(text, "{:12}{jobs:>8}{unshared:>18}{done:>8}{failed:>8}", stage.name());
    }
    text.push('\n');
    text.push_str(&axes_text(experiment));
    let open: usize = counts.values().map(|count| count.jobs - count.done).sum();
    match open {
        0 => text.push_str("all jobs are done\n"),
        _ => text.push_str(&estimate_text(estimate)),
    }
    text.push_str(&missing_text(experiment));
    text
}

/// Most values of an axis that are listed.
const LISTED: usize = 12;

fn axes_text(experiment: &Experiment) -> String {
    let Plan { axes, cells, .. } = &experiment.plan;
    let mut text = String::new();
    for (place, axis) in axes.iter().enumerate() {
        let mut counts: Vec<usize> = Vec::new();
        for cell in cells {
            let number = cell.coordinates.row()[place] as usize;
            counts.resize(counts.len().max(number + 1), 0);
            counts[number] += 1;
        }
        // In the order of the file, which is that of the numbers.
        let values = cells.first().map_or(&[][..], |cell| cell.coordinates.table().values(place));
        let listed: Vec<String> =
            values.iter().zip(counts).take(LISTED).map(|(value, n)| format!("{value} ({n})")).collect();
        let more = match values.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(text, "{axis}: {}{more}", listed.join(", "));
    }
    text.push('\n');
    text
}

fn estimate_text(estimate: &Estimate) -> String {
    let slots = slots(None, None, &Host::here()).map_or(1, |slots| slots.len());
    let known = duration(estimate.slot_seconds / slots as f64);
    let time = match (estimate.unknown, estimate.slot_seconds > 0.0) {
        (0, _) => format!("about {known} on {slots} CPU slots, from finished jobs of the same shape"),
        (unknown, true) => format!(
            "about {known} on {slots} CPU slots for the jobs whose shape has been run before, and {unknown} jobs of shapes that have not"
        ),
        (unknown, false) => {
            format!("not known: none of the {unknown} open jobs has a shape that has been run before")
        }
    };
    format!("time: {time}\ndisk: about {:.1} MB for the open jobs\n", estimate.disk_bytes as f64 / 1e6)
}

fn missing_text(experiment: &Experiment) -> String {
    let mut missing: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for cell in &experiment.plan.cells {
        if let Err(Missing { of, absent, advice, .. }) = &cell.jobs {
            *missing.entry((of, absent, advice)).or_default() += 1;
        }
    }
    let mut text = String::new();
    for ((of, absent, advice), cells) in missing {
        let _ = writeln!(text, "\nmissing data: {of} ({cells} cells, keys pending): {absent}\n  {advice}");
    }
    text
}

/// Seconds as a person says them.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The plan for a script. It is written as it is read, since a million cells are gigabytes.
#[derive(Serialize)]
struct Shown<'a> {
    cells: Vec<ShownCell<'a>>,
    estimate: serde_json::Value,
    jobs: &'a [Job],
    scale: &'a str,
    stages: BTreeMap<&'a str, serde_json::Value>,
    sweep: &'a str,
    title: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ShownCell<'a> {
    Planned {
        coordinates: &'a SharedCoordinates,
        finetune: &'a Key,
        pretrain: &'a [Key],
        vocabulary: Option<&'a Key>,
    },
    Missing {
        coordinates: &'a SharedCoordinates,
        missing: &'a str,
    },
}

impl<'a> Shown<'a> {
    fn of(experiment: &'a Experiment, counts: &BTreeMap<Stage, Count>, estimate: &Estimate) -> Self {
        let stage = |(stage, count): (&Stage, &Count)| {
            let Count { jobs, unshared, done, failed } = count;
            (stage.name(), json!({ "jobs": jobs, "unshared": unshared, "done": done, "failed": failed }))
        };
        Self {
            cells: experiment.plan.cells.iter().map(shown_cell).collect(),
            estimate: json!({
                "slot_seconds": estimate.slot_seconds,
                "jobs_of_unknown_shape": estimate.unknown,
                "disk_bytes": estimate.disk_bytes,
            }),
            jobs: &experiment.plan.jobs,
            scale: &experiment.sweep.scale,
            stages: counts.iter().map(stage).collect(),
            sweep: &experiment.sweep.name,
            title: &experiment.sweep.title,
        }
    }
}

fn shown_cell(cell: &PlannedCell) -> ShownCell<'_> {
    let coordinates = &cell.coordinates;
    match &cell.jobs {
        Ok(CellJobs { finetune, pretrain, vocabulary }) => {
            ShownCell::Planned { coordinates, finetune, pretrain, vocabulary: vocabulary.as_ref() }
        }
        Err(missing) => ShownCell::Missing { coordinates, missing: &missing.what },
    }
}
