//! What a running job writes down: the lines of `events.jsonl`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::number::or_nan;

/// One line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A worker took the job.
    Started {
        /// Its process id.
        pid: u32,
        /// Its device.
        device: String,
        /// Unix time, in seconds.
        at: u64,
    },
    /// Training went on.
    Progress {
        /// Optimiser steps done.
        step: usize,
        /// Steps in all.
        steps: usize,
        /// Mean training loss since the last such line; NaN where it was not finite.
        #[serde(deserialize_with = "or_nan")]
        loss: f64,
    },
    /// A checkpoint was written.
    Checkpointed {
        /// Optimiser steps done.
        step: usize,
    },
    /// The job goes on from a checkpoint.
    Resumed {
        /// Optimiser steps done.
        step: usize,
    },
    /// The job was told to stop, and did.
    Interrupted {
        /// Optimiser steps done.
        step: usize,
    },
    /// The record was published.
    Finished,
    /// Something a person should know; one line.
    Warning {
        /// What.
        message: String,
    },
    /// A look at dev, or at the held-out windows.
    Evaluated {
        /// Optimiser steps done.
        step: usize,
        /// What selection looks at.
        metric: String,
        /// Its value; NaN where it was not finite.
        #[serde(deserialize_with = "or_nan")]
        value: f64,
    },
}

/// Appends one line to `path`. A torn last line, which a killed worker leaves, is closed
/// first, so that it takes no later line with it.
pub(super) fn append(path: &Path, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    if ends_torn(&mut file)? {
        line.insert(0, b'\n');
    }
    file.write_all(&line)
}

fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}
