//! Checkpoints of a training that is under way: written now and then and when told to stop,
//! gone on from with equal bits.
//!
//! A checkpoint is one safetensors file: the model, the optimiser's moments, and whatever
//! else the stage keeps, with all counters as a note in JSON. No state of a random generator
//! is in it: every stream is named by (repetition, purpose, step), so the step says all.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::course::{Course, Tally};
use super::{Context, Said, TrainError};
use crate::model::{HostTensors, ModelError, decode, encode};
use crate::record::{CheckpointError, Checkpoints, Event};

/// A set of tensors of a checkpoint, by its name: `model`, `best`.
pub(super) type Part = (&'static str, HostTensors);

/// The optimiser's part.
const OPTIMISER: &str = "optimiser";

/// The counters of a checkpoint. `S` is what the stage counts beside.
#[derive(Serialize, Deserialize)]
struct Note<S> {
    tally: Tally,
    updates: usize,
    training_seconds: f64,
    stage: S,
}

/// What a checkpoint holds for the stage.
pub(super) struct Saved<S> {
    /// What the stage counts.
    pub(super) stage: S,
    tensors: HostTensors,
}

impl<S> Saved<S> {
    /// The tensors of one part, under the names they were saved with.
    pub(super) fn part(&self, name: &str) -> HostTensors {
        part(&self.tensors, name)
    }
}

/// When checkpoints are written.
pub(super) struct Keeper {
    last: Instant,
}

impl Keeper {
    pub(super) fn new() -> Self {
        Self { last: Instant::now() }
    }

    /// Writes a checkpoint where one is due, and stops the training where that was asked.
    /// Only then is `holdings` asked what the stage counts and which tensors it keeps.
    pub(super) fn after_step<S: Serialize>(
        &mut self,
        course: &Course<'_>,
        context: &Context<'_>,
        holdings: impl FnOnce() -> (S, Vec<Part>),
    ) -> Result<(), TrainError> {
        let told_to_stop = context.is_told_to_stop();
        if !told_to_stop && self.last.elapsed() < context.checkpoint_every {
            return Ok(());
        }
        let step = course.tally.step;
        let (stage, parts) = holdings();
        let payload = payload(course, &stage, parts)?;
        context.attempt.checkpoint(step, &payload).map_err(TrainError::Storage)?;
        self.last = Instant::now();
        if told_to_stop {
            context.attempt.append(&Event::Interrupted { step }).map_err(TrainError::Storage)?;
            return Err(TrainError::Interrupted { step });
        }
        Ok(())
    }
}

fn payload<S: Serialize>(course: &Course<'_>, stage: &S, parts: Vec<Part>) -> Result<Vec<u8>, TrainError> {
    let note = Note {
        tally: course.tally.clone(),
        updates: course.optimiser.updates(),
        training_seconds: course.elapsed().as_secs_f64(),
        stage,
    };
    let note = serde_json::to_string(&note).map_err(|error| ModelError::Encoding(error.to_string()))?;
    let parts = parts.into_iter().chain([(OPTIMISER, course.optimiser.state())]);
    let named = parts.flat_map(|(part, tensors)| {
        tensors.into_iter().map(move |(name, tensor)| (format!("{part}/{name}"), tensor))
    });
    Ok(encode(&named.collect(), &note)?)
}

/// Brings `course` to the last checkpoint that can be used, and gives what `restore` makes
/// of its other parts; nothing where there is none. Damaged ones are removed, and told.
pub(super) fn resume<S: DeserializeOwned, T>(
    course: &mut Course<'_>,
    context: &mut Context<'_>,
    restore: impl Fn(Saved<S>) -> Result<T, ModelError>,
) -> Result<Option<T>, TrainError> {
    let checkpoints = context.attempt.job().checkpoints();
    for step in checkpoints.steps().map_err(TrainError::Storage)? {
        match restored(&checkpoints, step, course, context, &restore) {
            Ok(restored) => {
                let resumed = Event::Resumed { step };
                context.attempt.append(&resumed).map_err(TrainError::Storage)?;
                return Ok(Some(restored));
            }
            Err(Refusal::Unreadable(error)) => return Err(TrainError::Storage(error)),
            Err(Refusal::Useless(message)) => {
                context
                    .attempt
                    .append(&Event::Warning { message: message.clone() })
                    .map_err(TrainError::Storage)?;
                (context.tell)(Said::Warning(message));
                context.attempt.remove_checkpoint(step).map_err(TrainError::Storage)?;
            }
        }
    }
    Ok(None)
}

/// Why a checkpoint was not gone on from.
enum Refusal {
    /// It never can be.
    Useless(String),
    /// The disk fails; the checkpoint may be good.
    Unreadable(std::io::Error),
}

fn restored<S: DeserializeOwned, T>(
    checkpoints: &Checkpoints,
    step: usize,
    course: &mut Course<'_>,
    context: &Context<'_>,
    restore: &impl Fn(Saved<S>) -> Result<T, ModelError>,
) -> Result<T, Refusal> {
    let payload = checkpoints.read(step).map_err(|error| match error {
        CheckpointError::Damaged { .. } => Refusal::Useless(error.to_string()),
        CheckpointError::Unreadable(error) => Refusal::Unreadable(error),
    })?;
    let refused = |error: &dyn std::error::Error| {
        Refusal::Useless(format!(
            "the checkpoint of step {step} in {} is left aside: {error}",
            checkpoints.path().display()
        ))
    };
    let (tensors, note) = decode(&payload).map_err(|error| refused(&error))?;
    let note: Note<S> = serde_json::from_str(&note).map_err(|error| refused(&error))?;
    let moments = part(&tensors, OPTIMISER);
    let restored = restore(Saved { stage: note.stage, tensors }).map_err(|error| refused(&error))?;
    course.optimiser.restore(moments, note.updates, context.device).map_err(|error| refused(&error))?;
    // A text of JSON holds nothing that is negative or not finite here, unless it was forged.
    let before = Duration::try_from_secs_f64(note.training_seconds).unwrap_or_default();
    course.resume(note.tally, before);
    Ok(restored)
}

fn part(tensors: &HostTensors, name: &str) -> HostTensors {
    let prefix = format!("{name}/");
    let of_part = tensors
        .iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor.clone())));
    of_part.collect()
}
