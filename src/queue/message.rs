//! What scheduler and worker say to each other: one JSON object a line, over the worker's
//! stdin and stdout.
//!
//! Only the shape of messages: when they are sent is the driver's and the worker's affair.

use std::io::{self, BufRead, BufReader, Read, Write};

use serde::{Deserialize, Deserializer, Serialize};

use crate::record::{AttemptId, Failure, or_nan};
use crate::settings::{Job, Key};

/// Longest line in bytes; a longer one is cut into lines. Far above any message.
const LONGEST_LINE: u64 = 1 << 20;

/// A metric's name and its value.
pub type Headline = (String, f64);

/// From the scheduler to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Do this job, then answer [`Reply::Finished`] or [`Reply::Failed`].
    Run {
        /// The job; its folder is there and empty of earlier failures.
        job: Box<Job>,
        /// The attempt that was begun for it.
        attempt: AttemptId,
    },
    /// Write a checkpoint of the running job, stop it, and answer [`Reply::Paused`]. A job
    /// that is about to end may end instead.
    Pause,
    /// Leave.
    Shutdown,
}

/// From a worker to the scheduler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The worker is up and takes jobs.
    Hello {
        /// Its process id.
        pid: u32,
        /// Its device, by the name it has inside the worker.
        device: String,
    },
    /// The worker is there. Said again and again, whatever it does.
    Alive,
    /// The job goes on.
    Progress {
        /// The job.
        key: Key,
        /// Optimiser steps done.
        step: usize,
        /// Steps in all.
        steps: usize,
        /// Mean training loss of late; NaN where it is not finite.
        #[serde(deserialize_with = "or_nan")]
        loss: f64,
    },
    /// Something about the job that a person should know.
    Warning {
        /// The job.
        key: Key,
        /// One line.
        message: String,
    },
    /// The job stopped as it was told, and can be gone on with.
    Paused {
        /// The job.
        key: Key,
        /// Optimiser steps done.
        step: usize,
    },
    /// The job stopped because the results folder cannot be written to.
    Storage {
        /// The job.
        key: Key,
        /// What the system said, with the path.
        message: String,
    },
    /// The job's record is published.
    Finished {
        /// The job.
        key: Key,
        /// What to show of it, where it has a score; NaN where it is undefined.
        #[serde(deserialize_with = "headline")]
        headline: Option<Headline>,
        /// What it took.
        #[serde(deserialize_with = "or_nan")]
        seconds: f64,
    },
    /// The job has no record. The worker will be replaced.
    Failed {
        /// The job.
        key: Key,
        /// Why; the scheduler adds what the worker said on stderr.
        failure: Failure,
    },
}

impl Reply {
    /// The reply that a line is, if it is one. Whatever a library prints on stdout is none.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

/// JSON has no NaN; without this, a score that is NaN would cost the whole reply.
fn headline<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Headline>, D::Error> {
    let headline = Option::<(String, Option<f64>)>::deserialize(deserializer)?;
    Ok(headline.map(|(metric, value)| (metric, value.unwrap_or(f64::NAN))))
}

/// Writes one message in one piece, on lines of its own even where something else left
/// the line before it unfinished. Empty lines mean nothing.
pub(super) fn send(output: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![b'\n'];
    serde_json::to_writer(&mut bytes, message)?;
    bytes.push(b'\n');
    output.write_all(&bytes)?;
    output.flush()
}

/// Hands over every line that is not empty, until the input ends or fails, which is the
/// same to its reader: nothing more will come.
pub(super) fn for_each_line(input: impl Read, mut take: impl FnMut(String)) {
    let mut input = BufReader::new(input);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end();
        if !line.is_empty() {
            take(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;

    fn key() -> Key {
        Key("abc".to_owned())
    }

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for_each_line(bytes, |line| lines.push(line));
        lines
    }

    fn round_trip(reply: &Reply) -> Reply {
        let mut bytes = b"half a line of something else".to_vec();
        send(&mut bytes, reply).unwrap();
        let lines = lines(&bytes);
        assert_eq!(lines.len(), 2);
        Reply::parse(&lines[1]).unwrap()
    }

    #[test]
    fn replies_survive_the_wire_beside_other_output() {
        let failure = Failure {
            outcome: Outcome::Diverged,
            message: "line\nbreak, \"quotes\", \u{1f9ec}".to_owned(),
            stderr_tail: vec!["a".to_owned()],
        };
        for reply in [
            Reply::Hello { pid: 7, device: "cuda:0".to_owned() },
            Reply::Alive,
            Reply::Progress { key: key(), step: 1, steps: 2, loss: 0.1 },
            Reply::Warning { key: key(), message: "late".to_owned() },
            Reply::Paused { key: key(), step: 3 },
            Reply::Storage { key: key(), message: "full".to_owned() },
            Reply::Finished { key: key(), headline: Some(("mcc".to_owned(), 0.3)), seconds: 0.5 },
            Reply::Finished { key: key(), headline: None, seconds: 1e300 },
            Reply::Failed { key: key(), failure },
        ] {
            assert_eq!(round_trip(&reply), reply);
        }
    }

    #[test]
    fn numbers_that_are_not_finite_cost_no_reply() {
        let loss = match round_trip(&Reply::Progress { key: key(), step: 1, steps: 2, loss: f64::INFINITY }) {
            Reply::Progress { loss, .. } => loss,
            other => panic!("{other:?}"),
        };
        assert!(loss.is_nan());
        let headline = Some(("mcc".to_owned(), f64::NAN));
        let finished = Reply::Finished { key: key(), headline, seconds: f64::NAN };
        let Reply::Finished { headline: Some((_, value)), seconds, .. } = round_trip(&finished) else {
            panic!("no headline")
        };
        assert!(value.is_nan() && seconds.is_nan());
    }

    #[test]
    fn what_is_no_reply_is_none() {
        for line in ["", "warming up", "{", "{}", "null", "\"shutdown\"", "{\"finished\":{\"key\":\"a\"}}"] {
            assert_eq!(Reply::parse(line), None, "{line}");
        }
    }

    #[test]
    fn lines_of_any_bytes_and_any_length_are_read() {
        let mut bytes = b"\xff\xfe\0\r\n\n  \nlast, unfinished".to_vec();
        assert_eq!(lines(&bytes), ["\u{fffd}\u{fffd}\0", "last, unfinished"]);
        bytes = vec![b'x'; LONGEST_LINE as usize + 3];
        assert_eq!(lines(&bytes).iter().map(String::len).collect::<Vec<_>>(), [1 << 20, 3]);
    }
}
