//! `bench status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::collect::states;
use super::errors::CliError;
use super::stored::{StoredPlan, known};
use super::{VERSION, Verdict, say, say_as_is};
use crate::escape::line;
use crate::record::{Event, JobFolder, Mark, State};
use crate::settings::{Job, Stage};

/// Arguments of `bench status`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bench status                  all sweeps in the results folder
  bench status ablation         one of them, with running and failed jobs
  bench status ablation --json  for a script")]
pub(super) struct Arguments {
    /// A sweep, by its name or its experiment file; all of them without it
    sweep: Option<String>,
    /// For a script
    #[arg(long)]
    json: bool,
    /// Folder of all results
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

/// How one sweep stands.
struct Standing {
    sweep: String,
    stages: BTreeMap<Stage, Count>,
    begun: Vec<(String, String)>,
    failed: Vec<(String, String)>,
    marks: BTreeMap<Mark, usize>,
    /// Records that another version of this program made.
    foreign: BTreeMap<String, usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    jobs: usize,
    done: usize,
    failed: usize,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let names = match &arguments.sweep {
        Some(name) => vec![name.clone()],
        None => known(&arguments.results).into_iter().collect(),
    };
    if names.is_empty() {
        let shown = arguments.results.display();
        say(&format!("no sweep has been started in `{shown}`; start one with `bench sweep FILE`\n"))?;
    }
    let mut standings = Vec::new();
    for name in names {
        standings.push(standing(arguments, &StoredPlan::read(&arguments.results, &name)?)?);
    }
    if arguments.json {
        let all: Vec<serde_json::Value> = standings.iter().map(as_json).collect();
        say_as_is(&format!("{:#}\n", serde_json::Value::from(all)))?;
    } else {
        for standing in &standings {
            say(&as_text(standing))?;
        }
    }
    let failed = standings.iter().any(|standing| !standing.failed.is_empty());
    let open = standings
        .iter()
        .flat_map(|standing| standing.stages.values())
        .any(|count| count.done + count.failed < count.jobs);
    Ok(match (failed, open) {
        (true, _) => Verdict::Failed,
        (false, true) => Verdict::Remaining,
        (false, false) => Verdict::Complete,
    })
}

fn standing(arguments: &Arguments, plan: &StoredPlan) -> Result<Standing, CliError> {
    let states = states(&arguments.results, &plan.jobs)?;
    let mut standing = Standing {
        sweep: plan.sweep.clone(),
        stages: BTreeMap::new(),
        begun: Vec::new(),
        failed: Vec::new(),
        marks: BTreeMap::new(),
        foreign: BTreeMap::new(),
    };
    for job in &plan.jobs {
        let count = standing.stages.entry(job.work.stage()).or_default();
        count.jobs += 1;
        match states.get(&job.key) {
            Some(State::Done(record)) => {
                count.done += 1;
                let version = &record.measurement.version;
                if version != VERSION {
                    *standing.foreign.entry(version.clone()).or_default() += 1;
                }
                for mark in &record.result.marks {
                    *standing.marks.entry(*mark).or_default() += 1;
                }
            }
            Some(State::Failed(failure)) => {
                count.failed += 1;
                let why = format!("{}: {}", failure.outcome.name(), failure.message);
                standing.failed.push((job.label.clone(), why));
            }
            Some(State::Pending) | None => standing.begun.extend(begun(arguments, job)),
        }
    }
    Ok(standing)
}

/// A job that was begun and has not ended, and how far its last event says it is.
fn begun(arguments: &Arguments, job: &Job) -> Option<(String, String)> {
    let event = JobFolder::new(&arguments.results, &job.key).last_event()?;
    let text = match event {
        Event::Started { .. } => "started".to_owned(),
        Event::Progress { step, steps, loss } => format!("step {step} of {steps}, loss {loss:.3}"),
        Event::Evaluated { step, metric, value } => format!("step {step}, {metric} {value:.3} on dev"),
    };
    Some((job.label.clone(), text))
}

fn as_text(standing: &Standing) -> String {
    let mut text = format!("{}\n", standing.sweep);
    for (stage, Count { jobs, done, failed }) in &standing.stages {
        let _ = write!(text, "  {:12}{done:>6} of {jobs} done", stage.name());
        if *failed > 0 {
            let _ = write!(text, ", {failed} without a score");
        }
        text.push('\n');
    }
    for (label, how) in &standing.begun {
        let _ = writeln!(text, "  begun: {}: {}", line(label), line(how));
    }
    for (label, why) in &standing.failed {
        let _ = writeln!(text, "  failed: {}: {}", line(label), line(why));
    }
    for (mark, count) in &standing.marks {
        let _ = writeln!(text, "  marked {}: {count} jobs", mark.name());
    }
    for (version, count) in &standing.foreign {
        let _ =
            writeln!(text, "  made by version {}, not by this one ({VERSION}): {count} jobs", line(version));
    }
    text
}

fn as_json(standing: &Standing) -> serde_json::Value {
    let stages: BTreeMap<&str, serde_json::Value> = standing
        .stages
        .iter()
        .map(|(stage, count)| {
            (stage.name(), json!({ "jobs": count.jobs, "done": count.done, "failed": count.failed }))
        })
        .collect();
    let pairs = |pairs: &[(String, String)]| -> Vec<serde_json::Value> {
        pairs.iter().map(|(job, what)| json!({ "job": job, "what": what })).collect()
    };
    let marks: BTreeMap<&str, usize> =
        standing.marks.iter().map(|(mark, count)| (mark.name(), *count)).collect();
    json!({
        "sweep": standing.sweep,
        "stages": stages,
        "begun": pairs(&standing.begun),
        "failed": pairs(&standing.failed),
        "marks": marks,
        "made_by_other_versions": standing.foreign,
    })
}
