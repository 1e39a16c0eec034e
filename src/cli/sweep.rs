//! `bench sweep`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::collect::{collect, states};
use super::errors::CliError;
use super::experiment::{Experiment, load};
use super::interruption::{hold, stop_counter, this_command};
use super::plan::duration;
use super::progress::Progress;
use super::space::{bytes, check_space};
use super::stored::StoredPlan;
use super::table::{Format, specs, styling, width};
use super::{Places, Verdict, say_as_is, tell};
use crate::plan::Plan;
use crate::queue::{
    EarlierFailures, Host, Limits, LockedResults, Notice, Patience, Queued, RunError, Slot, Summary,
    WorkerCommand, Workload, free_bytes, run as run_queue, slots,
};
use crate::record::{State, publish, remove_litter};
use crate::report::{Styling, tabulate};
use crate::results::{write_csv, write_parquet};
use crate::settings::{Key, Run, Stage};
use crate::train::device_is_there;

/// Arguments of `bench sweep`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bench sweep experiments/ablation.toml
  bench sweep experiments/ablation.toml --only model=dnabert-2,seed=1
  bench sweep my.toml --data-root /data/GUE-layout --slots 8
  bench sweep my.toml --devices cuda:0,cuda:1 --slots 2

Ctrl-C once (also SIGTERM, SIGUSR1): running jobs write a checkpoint and stop; twice stops now. The
same command goes on where it was, in the midst of a job: what is done is never done again.")]
pub(super) struct Arguments {
    /// The experiment file
    file: PathBuf,
    /// Where jobs run: `cpu`, `cuda:0,cuda:1`
    #[arg(long, value_name = "LIST")]
    devices: Option<String>,
    /// Jobs at once on each device; on the CPU one per core without it
    #[arg(long, value_name = "N")]
    slots: Option<usize>,
    /// Only cells with these values
    #[arg(long, value_name = "AXIS=VALUE", value_delimiter = ',')]
    only: Vec<String>,
    /// Stop at the first failure
    #[arg(long)]
    fail_fast: bool,
    /// Try again what failed before
    #[arg(long)]
    retry_failed: bool,
    /// Wait while another process uses the results folder
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    places: Places,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let experiment = load(&arguments.file, &arguments.places)?;
    let slots = slots(arguments.devices.as_deref(), arguments.slots, &Host::here())?;
    for slot in &slots {
        device_is_there(&slot.device.to_string())?;
    }
    refuse_missing_data(&experiment)?;
    let wanted = wanted(&experiment.plan, &arguments.only)?;
    let results = hold(&arguments.places.results, arguments.wait)?;
    let stored = StoredPlan::of(&experiment);
    remove_litter_of(results.path(), &stored.sweep)?;
    let jobs = queued(&experiment, &wanted);
    let open = without_record(results.path(), jobs.iter().map(|queued| &queued.job.key))?;
    check_space(&experiment, &jobs, &open, slots.len(), results.path())?;
    stored.write(results.path())?;
    let summary = work(arguments, &experiment, jobs, &open, slots, &results)?;
    conclude(&stored, results.path(), arguments).map_err(|error| match error {
        // Where the disk is full, the tables wait too.
        CliError::Message(text) => cut_short(&text, results.path()),
        CliError::Mistakes(_) | CliError::Interrupted(_) => error,
    })?;
    let partial = wanted.len() < experiment.plan.jobs.len();
    let left_out = partial
        && !without_record(results.path(), experiment.plan.jobs.iter().map(|job| &job.key))?.is_empty();
    let verdict = match summary {
        // Whoever stopped it goes on with it; what failed is told all the same.
        Summary { stopped: true, remaining, .. } if remaining > 0 && !arguments.fail_fast => {
            Verdict::Remaining
        }
        Summary { failed, skipped, .. } if failed + skipped > 0 => Verdict::Failed,
        Summary { remaining, .. } if remaining > 0 || left_out => Verdict::Remaining,
        Summary { .. } => Verdict::Complete,
    };
    tell_what_is_left(verdict, &summary, &arguments.file);
    Ok(verdict)
}

/// Temporary files that a sweep left when it was killed while it wrote its tables.
fn remove_litter_of(results: &Path, sweep: &str) -> Result<(), CliError> {
    let folder = results.join(sweep);
    for folder in [folder.join("tables"), folder] {
        if folder.is_dir() {
            remove_litter(&folder)?;
        }
    }
    Ok(())
}

fn tell_what_is_left(verdict: Verdict, summary: &Summary, file: &Path) {
    let Summary { failed, skipped, remaining, .. } = summary;
    if failed + skipped > 0 {
        tell(&format!("{failed} jobs failed, {skipped} were skipped; try them again with --retry-failed"));
    }
    if *remaining > 0 {
        tell(&format!("{remaining} jobs remain; go on with: {}", this_command()));
    } else if verdict == Verdict::Remaining {
        tell(&format!("jobs that --only left out remain; go on with: bench sweep {}", file.display()));
    }
}

fn refuse_missing_data(experiment: &Experiment) -> Result<(), CliError> {
    let missing: BTreeSet<String> = experiment
        .plan
        .cells
        .iter()
        .filter_map(|cell| cell.jobs.as_ref().err())
        .map(|missing| {
            format!("the data of {} are missing: {}\nhelp: {}", missing.of, missing.absent, missing.advice)
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(CliError::message(missing.into_iter().collect::<Vec<_>>().join("\nerror: ")))
}

/// The jobs of the cells that `--only` lets through.
fn wanted(plan: &Plan, only: &[String]) -> Result<BTreeSet<Key>, CliError> {
    let mut conditions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in only {
        let Some((axis, value)) =
            text.split_once('=').filter(|(axis, _)| plan.axes.iter().any(|known| known == axis))
        else {
            let accepted: Vec<String> = plan.axes.iter().map(|axis| format!("{axis}=VALUE")).collect();
            return Err(CliError::message(format!(
                "--only `{text}`: expected one of {}",
                accepted.join(", ")
            )));
        };
        conditions.entry(axis).or_default().push(value);
    }
    let cells = plan
        .cells
        .iter()
        .filter(|cell| conditions.iter().all(|(axis, values)| values.contains(&&cell.coordinates[*axis])));
    let mut keys = BTreeSet::new();
    for jobs in cells.filter_map(|cell| cell.jobs.as_ref().ok()) {
        keys.insert(jobs.finetune.clone());
        keys.extend(jobs.pretrain.iter().cloned());
        keys.extend(jobs.vocabulary.clone());
    }
    if keys.is_empty() {
        return Err(CliError::message(format!("--only {}: no cell has these values", only.join(","))));
    }
    Ok(keys)
}

fn work(
    arguments: &Arguments,
    experiment: &Experiment,
    jobs: Vec<Queued>,
    open: &BTreeSet<Key>,
    slots: Vec<Slot>,
    results: &LockedResults,
) -> Result<Summary, CliError> {
    let stop = stop_counter()?;
    tell(&format!(
        "{}: {} cells, {} jobs, {} of them done; {} slots",
        experiment.sweep.name,
        experiment.plan.cells.len(),
        jobs.len(),
        jobs.len() - open.len(),
        slots.len()
    ));
    let to_run = jobs.iter().map(|queued| &queued.job).filter(|job| open.contains(&job.key));
    let mut progress = Progress::new(to_run, &slots);
    let program = std::env::current_exe()?;
    let worker = |slot: &Slot| worker_command(&program, slot, results.path(), experiment);
    let workload = Workload {
        results,
        jobs,
        earlier_failures: if arguments.retry_failed { EarlierFailures::Retry } else { EarlierFailures::Keep },
        slots,
        worker: &worker,
        stop: &stop,
        patience: Patience::default(),
        limits: limits(experiment.sweep.run),
    };
    let summary = run_queue(workload, &mut |notice| {
        if arguments.fail_fast && matches!(notice, Notice::JobFailed { .. }) {
            stop.fetch_max(1, Ordering::SeqCst);
        }
        progress.show(&notice);
    });
    let elapsed = progress.elapsed();
    progress.close();
    let summary = summary.map_err(|error| match error {
        RunError::Folder(error) => cut_short(&error.to_string(), results.path()),
        RunError::Watch(_) | RunError::NoWorker { .. } => CliError::Interrupted(format!(
            "{error}\nhelp: what is done stays done; once this is mended, go on with: {}",
            this_command()
        )),
        RunError::Graph(_) => error.into(),
    })?;
    tell(&format!("{} jobs done in all; this took {}", summary.done, duration(elapsed.as_secs_f64())));
    Ok(summary)
}

/// Nothing that was done is lost where the queue cannot go on; the same command goes on.
fn cut_short(error: &str, results: &Path) -> CliError {
    let space = free_bytes(results).map_or_else(String::new, |free| format!(" ({} free there)", bytes(free)));
    CliError::Interrupted(format!(
        "{error}{space}\nhelp: what is done stays done; once this is mended, go on with: {}",
        this_command()
    ))
}

fn limits(run: Run) -> Limits {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    Limits {
        warn: run.warn_seconds.map(seconds),
        stop: run.timeout_seconds.map(seconds),
        grace: seconds(run.grace_seconds),
    }
}

/// Jobs in the order in which they tell something soonest: floors and first repetitions
/// first, and parents before what waits for them.
fn queued(experiment: &Experiment, wanted: &BTreeSet<Key>) -> Vec<Queued> {
    let priority = |stage: Stage| match stage {
        Stage::Vocabulary => 2,
        Stage::Finetune => 1,
        Stage::Pretrain => 0,
    };
    let mut repetition: BTreeMap<&Key, u64> = BTreeMap::new();
    for cell in &experiment.plan.cells {
        let Ok(jobs) = &cell.jobs else { continue };
        let seed = cell.coordinates["seed"].parse().unwrap_or(u64::MAX);
        for key in std::iter::once(&jobs.finetune).chain(jobs.pretrain.iter()).chain(&jobs.vocabulary) {
            let least = repetition.entry(key).or_insert(seed);
            *least = seed.min(*least);
        }
    }
    let jobs = experiment.plan.jobs.iter().filter(|job| wanted.contains(&job.key));
    jobs.map(|job| {
        let later = repetition.get(&job.key).copied().unwrap_or(u64::MAX).min(1 << 32);
        Queued { job: job.clone(), priority: (((1 << 32) - later) << 2) + priority(job.work.stage()) }
    })
    .collect()
}

fn worker_command(program: &Path, slot: &Slot, results: &Path, experiment: &Experiment) -> WorkerCommand {
    let data_root = &experiment.data_root;
    let checkpoint_seconds = experiment.sweep.run.checkpoint_seconds.to_string();
    let mut args: Vec<OsString> = vec!["worker".into(), "--device".into(), slot.device.in_worker().into()];
    args.extend(["--results".into(), results.into(), "--data-root".into(), data_root.into()]);
    args.extend(["--checkpoint-seconds".into(), checkpoint_seconds.into()]);
    WorkerCommand { program: program.to_owned(), args, env: Vec::new() }
}

/// Writes frames and tables, prints the tables, and says where everything lies.
fn conclude(stored: &StoredPlan, results: &Path, arguments: &Arguments) -> Result<(), CliError> {
    let folder = results.join(&stored.sweep);
    let mut frame = collect(results, stored)?;
    write_parquet(&mut frame, &folder.join("results.parquet"))?;
    write_csv(&mut frame, &folder.join("results.csv"))?;
    let tables = folder.join("tables");
    fs::create_dir_all(&tables)
        .map_err(|error| CliError::message(format!("{}: {error}", tables.display())))?;
    for spec in specs(stored, &frame)? {
        let table = tabulate(&frame, &spec)?;
        for format in [Format::Terminal, Format::Markdown, Format::Latex, Format::Csv] {
            let file = tables.join(format!("{}.{}", spec.name, format.ending()));
            publish(&file, format.render(&table, 200, Styling::Plain).as_bytes())?;
        }
        say_as_is(&format!("{}\n", Format::Terminal.render(&table, width(), styling())))?;
    }
    tell(&format!(
        "results: {0}/results.parquet and .csv; tables: {0}/tables/; jobs: {1}/jobs/\nagain: bench table {2}; what ran: bench plan {3}",
        folder.display(),
        results.display(),
        stored.sweep,
        arguments.file.display()
    ));
    Ok(())
}

/// The jobs among these that have no record.
fn without_record<'a>(
    results: &Path,
    jobs: impl Iterator<Item = &'a Key> + Clone,
) -> Result<BTreeSet<Key>, CliError> {
    let states = states(results, jobs.clone())?;
    let is_open = |key: &&Key| !matches!(states.get(*key), Some(State::Done(_)));
    Ok(jobs.filter(is_open).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::AXES;

    #[test]
    fn only_takes_every_named_axis() {
        // `--only` messages list the axes a plan has; the named ones are always among them.
        let plan = Plan { jobs: Vec::new(), cells: Vec::new(), axes: AXES.map(str::to_owned).to_vec() };
        let error = wanted(&plan, &["modle=x".to_owned()]).unwrap_err();
        let CliError::Message(text) = error else { panic!("a message") };
        for axis in AXES {
            assert!(text.contains(&format!("{axis}=VALUE")), "{text}");
        }
    }
}
