//! `bench worker`: does the jobs of one slot and leaves their records.

use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Device;
use clap::Args;

use super::errors::CliError;
use super::measure::{Usage, unix_time};
use super::{VERSION, Verdict};
use crate::queue::{Done, Progress, host_name, serve};
use crate::record::{Event, FORMAT, Failure, JobFolder, Measurement, Outcome, Record};
use crate::settings::Job;
use crate::train::{self, Advance, Context, TrainError, Trained};

/// Arguments of `bench worker`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// `cpu` or `cuda:N`
    #[arg(long)]
    device: String,
    /// Folder of all results
    #[arg(long)]
    results: PathBuf,
    /// Root of the task data
    #[arg(long)]
    data_root: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let device = train::device(&arguments.device)?;
    serve(&arguments.device, |job, progress| {
        do_job(&job, arguments, &device, progress).map_err(|error| failure(&error))
    })?;
    Ok(Verdict::Complete)
}

fn do_job(
    job: &Job,
    arguments: &Arguments,
    device: &Device,
    progress: &mut dyn FnMut(Progress),
) -> Result<Done, TrainError> {
    let folder = JobFolder::new(&arguments.results, &job.key);
    let file = |source| TrainError::File { path: folder.path().to_owned(), source };
    let (started, started_at, before) = (Instant::now(), unix_time(), Usage::now());
    let event = Event::Started { pid: std::process::id(), device: arguments.device.clone(), at: started_at };
    folder.append(&event).map_err(file)?;
    let trained = train::run(
        job,
        &mut Context {
            results: &arguments.results,
            data_root: &arguments.data_root,
            device,
            advance: &mut |Advance { step, steps, loss }| progress(Progress { step, steps, loss }),
        },
    )?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let after = Usage::now();
    let measurement = Measurement {
        wall_seconds,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        tokens_per_second: tokens_per_second(&trained),
        peak_memory_bytes: after.peak_memory_bytes,
        device: arguments.device.clone(),
        host: host_name(),
        version: VERSION.to_owned(),
        started_at,
    };
    let Trained { result, headline, .. } = trained;
    let record =
        Record { format: FORMAT, key: job.key.clone(), stage: job.work.stage(), result, measurement };
    folder.finish(&record).map_err(file)?;
    Ok(Done { headline, seconds: wall_seconds })
}

fn tokens_per_second(trained: &Trained) -> f64 {
    if trained.training_seconds > 0.0 {
        trained.result.tokens_seen as f64 / trained.training_seconds
    } else {
        0.0
    }
}

fn failure(error: &TrainError) -> Failure {
    let outcome = match error {
        TrainError::Diverged { .. } => Outcome::Diverged,
        TrainError::Data(_)
        | TrainError::Token(_)
        | TrainError::Model(_)
        | TrainError::File { .. }
        | TrainError::NoParent(_)
        | TrainError::DataChanged { .. }
        | TrainError::Device(_) => Outcome::Crashed,
    };
    Failure { outcome, message: error.to_string(), stderr_tail: Vec::new() }
}
