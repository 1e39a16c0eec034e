//! `bench worker`: does the jobs of one slot and leaves their records.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use clap::Args;
use signal_hook::consts::{SIGTERM, SIGUSR1};

use super::errors::{CliError, with_causes};
use super::measure::{Usage, unix_time};
use super::{VERSION, Verdict};
use crate::queue::{Assignment, Done, Progress, Unfinished, Word, host_name, serve};
use crate::record::{Attempt, Event, FORMAT, Failure, JobFolder, Measurement, Outcome, Record};
use crate::settings::Job;
use crate::train::{self, Advance, Context, Said, TrainError, Trained};

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
    /// Longest time of training without a checkpoint, in seconds
    #[arg(long)]
    checkpoint_seconds: f64,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGUSR1] {
        // Batch systems send these to every process of a job, not to the scheduler alone.
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let device = train::device(&arguments.device)?;
    let worker = Worker { arguments, device, stop: Arc::clone(&stop) };
    serve(&arguments.device, &stop, |assignment, tell| {
        worker.run(&assignment, tell).map_err(|error| unfinished(&error))
    })?;
    Ok(Verdict::Complete)
}

struct Worker<'a> {
    arguments: &'a Arguments,
    device: Device,
    stop: Arc<AtomicBool>,
}

impl Worker<'_> {
    fn run(&self, assignment: &Assignment, tell: &mut dyn FnMut(Word)) -> Result<Done, TrainError> {
        let Assignment { job, attempt } = assignment;
        let attempt = JobFolder::new(&self.arguments.results, &job.key).attempt(attempt);
        let (started, started_at, before) = (Instant::now(), unix_time(), Usage::now());
        let device = self.arguments.device.clone();
        let event = Event::Started { pid: std::process::id(), device: device.clone(), at: started_at };
        attempt.append(&event).map_err(TrainError::Storage)?;
        let trained = self.train(job, &attempt, tell)?;
        let wall_seconds = started.elapsed().as_secs_f64();
        let after = Usage::now();
        let measurement = Measurement {
            wall_seconds,
            cpu_seconds: after.cpu_seconds - before.cpu_seconds,
            tokens_per_second: tokens_per_second(&trained),
            peak_memory_bytes: after.peak_memory_bytes,
            device,
            host: host_name(),
            version: VERSION.to_owned(),
            started_at,
            resumed_from: trained.resumed_from,
            micro_batch: job.work.micro_batch(),
        };
        let Trained { result, headline, .. } = trained;
        let record =
            Record { format: FORMAT, key: job.key.clone(), stage: job.work.stage(), result, measurement };
        attempt.finish(&record).map_err(TrainError::Storage)?;
        Ok(Done { headline, seconds: wall_seconds })
    }

    fn train(&self, job: &Job, attempt: &Attempt, tell: &mut dyn FnMut(Word)) -> Result<Trained, TrainError> {
        let mut context = Context {
            results: &self.arguments.results,
            data_root: &self.arguments.data_root,
            device: &self.device,
            attempt,
            checkpoint_every: Duration::try_from_secs_f64(self.arguments.checkpoint_seconds)
                .unwrap_or(Duration::MAX),
            stop: &self.stop,
            tell: &mut |said| {
                tell(match said {
                    Said::Advance(Advance { step, steps, loss }) => {
                        Word::Progress(Progress { step, steps, loss })
                    }
                    Said::Warning(message) => Word::Warning(message),
                });
            },
        };
        train::run(job, &mut context)
    }
}

fn tokens_per_second(trained: &Trained) -> f64 {
    if trained.training_seconds > 0.0 {
        trained.result.tokens_seen as f64 / trained.training_seconds
    } else {
        0.0
    }
}

fn unfinished(error: &TrainError) -> Unfinished {
    let outcome = match error {
        TrainError::Interrupted { step } => return Unfinished::Paused { step: *step },
        TrainError::Storage(error) => return Unfinished::Storage(error.to_string()),
        // What a parent left is there and cannot be read: a disk that fails, and no job.
        TrainError::File { source, .. } if source.kind() != ErrorKind::NotFound => {
            return Unfinished::Storage(error.to_string());
        }
        TrainError::Diverged { .. } => Outcome::Diverged,
        TrainError::Data(_)
        | TrainError::Token(_)
        | TrainError::Tokenizer { .. }
        | TrainError::Vocabulary { .. }
        | TrainError::Model(_)
        | TrainError::File { .. }
        | TrainError::NoParent(_)
        | TrainError::DataChanged { .. }
        | TrainError::Device(_) => Outcome::Crashed,
    };
    // With its causes, which nobody could ask for later.
    let message = with_causes(error);
    Unfinished::Failed(Failure { outcome, message, stderr_tail: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Tokenizer;

    #[test]
    fn a_failure_is_told_with_its_causes() {
        let path = PathBuf::from("jobs/v/tokenizer.json");
        let source = Tokenizer::from_json("[").unwrap_err();
        let Unfinished::Failed(failure) = unfinished(&TrainError::Tokenizer { path, source }) else {
            panic!("a failure");
        };
        assert_eq!(
            failure.message,
            "jobs/v/tokenizer.json: not a tokenizer of Hugging Face's tokenizers: EOF while parsing a list at line \
             1 column 1"
        );
    }
}
