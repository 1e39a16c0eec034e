//! `bench status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::collect::states;
use super::errors::CliError;
use super::plan::duration;
use super::stored::{StoredJob, StoredPlan, known};
use super::{VERSION, Verdict, say, say_json};
use crate::escape::line;
use crate::plan::History;
use crate::record::{Event, Failure, JobFolder, Mark, Record, State};
use crate::settings::Stage;

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
struct Standing<'a> {
    sweep: &'a str,
    stages: BTreeMap<Stage, Count>,
    /// Jobs by what became of them, `pending` and `begun` among it.
    outcomes: BTreeMap<&'static str, usize>,
    begun: Vec<Begun<'a>>,
    failed: Vec<(&'a StoredJob, Failure)>,
    remaining: Remaining,
    marks: BTreeMap<Mark, usize>,
    /// Records that another version of this program made.
    foreign: BTreeMap<String, usize>,
}

/// A job that was begun and has not ended.
struct Begun<'a> {
    job: &'a StoredJob,
    last: Event,
    /// The last step it reported.
    progress: Option<Event>,
}

/// What is left to run.
#[derive(Clone, Copy, Debug, Default)]
struct Remaining {
    jobs: usize,
    /// Slot-seconds of those whose shape a done job of this sweep has.
    slot_seconds: f64,
    /// Those of other shapes.
    unknown: usize,
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
    if names.is_empty() && !arguments.json {
        let shown = arguments.results.display();
        say(&format!("no sweep has been started in `{shown}`; start one with `bench sweep FILE`\n"))?;
    }
    let read = |name: &String| StoredPlan::read(&arguments.results, name);
    let plans: Vec<StoredPlan> = names.iter().map(read).collect::<Result<_, _>>()?;
    let standings: Vec<Standing<'_>> =
        plans.iter().map(|plan| standing(&arguments.results, plan)).collect::<Result<_, _>>()?;
    if arguments.json {
        say_json(&standings.iter().map(as_json).collect::<Vec<serde_json::Value>>())?;
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

fn standing<'a>(results: &Path, plan: &'a StoredPlan) -> Result<Standing<'a>, CliError> {
    let mut states = states(results, plan.jobs.iter().map(|job| &job.key))?;
    let mut standing = Standing {
        sweep: &plan.sweep,
        stages: BTreeMap::new(),
        outcomes: BTreeMap::new(),
        begun: Vec::new(),
        failed: Vec::new(),
        remaining: Remaining::default(),
        marks: BTreeMap::new(),
        foreign: BTreeMap::new(),
    };
    let mut history = History::default();
    let mut open = Vec::new();
    for job in &plan.jobs {
        let count = standing.stages.entry(job.stage).or_default();
        count.jobs += 1;
        let state = states.remove(&job.key);
        let outcome = match state {
            Some(State::Done(record)) => {
                count.done += 1;
                history.add(&plan.shapes[job.shape], job.steps, record.measurement.wall_seconds);
                standing.add_record(&record);
                "done"
            }
            Some(State::Failed(failure)) => {
                count.failed += 1;
                let outcome = failure.outcome.name();
                standing.failed.push((job, failure));
                outcome
            }
            // Of a job without a folder there is nothing to read.
            Some(State::Pending) => {
                open.push(job);
                let folder = JobFolder::new(results, &job.key);
                match folder.last_event() {
                    Some(last) => {
                        standing.begun.push(Begun { job, last, progress: folder.progress() });
                        "begun"
                    }
                    None => "pending",
                }
            }
            None => {
                open.push(job);
                "pending"
            }
        };
        *standing.outcomes.entry(outcome).or_default() += 1;
    }
    standing.remaining = remaining(&open, plan, &history);
    Ok(standing)
}

impl Standing<'_> {
    fn add_record(&mut self, record: &Record) {
        let version = &record.measurement.version;
        if version != VERSION {
            *self.foreign.entry(version.clone()).or_default() += 1;
        }
        for mark in &record.result.marks {
            *self.marks.entry(*mark).or_default() += 1;
        }
    }
}

fn remaining(open: &[&StoredJob], plan: &StoredPlan, history: &History) -> Remaining {
    let seconds: Vec<Option<f64>> = plan.shapes.iter().map(|shape| history.seconds_per_step(shape)).collect();
    let mut remaining = Remaining { jobs: open.len(), ..Remaining::default() };
    for job in open {
        match seconds[job.shape] {
            Some(seconds) => remaining.slot_seconds += seconds * job.steps as f64,
            None => remaining.unknown += 1,
        }
    }
    remaining
}

fn as_text(standing: &Standing<'_>) -> String {
    let mut text = format!("{}\n", standing.sweep);
    for (stage, Count { jobs, done, failed }) in &standing.stages {
        let _ = write!(text, "  {:12}{done:>6} of {jobs} done", stage.name());
        if *failed > 0 {
            let _ = write!(text, ", {failed} without a score");
        }
        text.push('\n');
    }
    for Begun { job, last, .. } in &standing.begun {
        let _ = writeln!(text, "  begun: {}: {}", line(&job.label), line(&how_far(last)));
    }
    let Remaining { jobs, slot_seconds, unknown } = standing.remaining;
    if jobs > unknown {
        let more =
            if unknown > 0 { format!(", and {unknown} jobs of shapes not run yet") } else { String::new() };
        let _ = writeln!(text, "  remaining: about {} on one slot{more}", duration(slot_seconds));
    }
    for (job, failure) in &standing.failed {
        let _ = writeln!(
            text,
            "  failed: {}: {}: {}",
            line(&job.label),
            failure.outcome.name(),
            line(&failure.message)
        );
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

fn as_json(standing: &Standing<'_>) -> serde_json::Value {
    let stages: BTreeMap<&str, serde_json::Value> = standing
        .stages
        .iter()
        .map(|(stage, count)| {
            (stage.name(), json!({ "jobs": count.jobs, "done": count.done, "failed": count.failed }))
        })
        .collect();
    let begun: Vec<serde_json::Value> = standing.begun.iter().map(begun_as_json).collect();
    let failures = standing.failed.iter().map(|(job, failure)| {
        json!({
            "key": job.key,
            "label": job.label,
            "stage": job.stage,
            "outcome": failure.outcome.name(),
            "message": failure.message,
        })
    });
    let marks: BTreeMap<&str, usize> =
        standing.marks.iter().map(|(mark, count)| (mark.name(), *count)).collect();
    let Remaining { jobs, slot_seconds, unknown } = standing.remaining;
    json!({
        "sweep": standing.sweep,
        "jobs": standing.stages.values().map(|count| count.jobs).sum::<usize>(),
        "outcomes": standing.outcomes,
        "stages": stages,
        "begun": begun,
        "remaining": { "jobs": jobs, "slot_seconds": slot_seconds, "jobs_of_unknown_shape": unknown },
        "failures": failures.collect::<Vec<_>>(),
        "marks": marks,
        "made_by_other_versions": standing.foreign,
    })
}

fn begun_as_json(Begun { job, last, progress }: &Begun<'_>) -> serde_json::Value {
    let (step, loss) = match progress {
        Some(Event::Progress { step, loss, .. }) => (*step, Some(*loss)),
        Some(_) | None => (0, None),
    };
    json!({
        "key": job.key,
        "label": job.label,
        "stage": job.stage,
        "step": step,
        "steps": job.steps,
        "loss": loss,
        "interrupted": matches!(last, Event::Interrupted { .. }),
        "last": how_far(last),
    })
}

/// How far the last event of a job says it is.
fn how_far(last: &Event) -> String {
    match last {
        Event::Started { .. } => "started".to_owned(),
        Event::Progress { step, steps, loss } => format!("step {step} of {steps}, loss {loss:.3}"),
        Event::Evaluated { step, metric, value } => format!("step {step}, {metric} {value:.3} on dev"),
        Event::Checkpointed { step } => format!("step {step}, with a checkpoint"),
        Event::Resumed { step } => format!("went on from the checkpoint of step {step}"),
        Event::Interrupted { step } => format!("stopped after step {step}, with a checkpoint"),
        Event::Warning { message } => message.clone(),
        Event::Finished => "finished".to_owned(),
    }
}
