//! The worker's side: takes jobs from stdin, one after another, and answers on stdout.
//!
//! What a job is, the caller's `run` knows. A worker lives no longer than its scheduler:
//! the end of stdin ends the process, also in the midst of a job.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::message::{Headline, Reply, Request, for_each_line, send};
use crate::record::{AttemptId, Failure};
use crate::settings::Job;

/// How often a worker says that it is there. A lease is many times that
/// ([`Patience::silence`](super::Patience)).
const HEARTBEAT: Duration = Duration::from_millis(500);

/// A job that a worker is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The job.
    pub job: Job,
    /// The attempt that was begun for it.
    pub attempt: AttemptId,
}

/// What a job says while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// How far it is.
    Progress(Progress),
    /// Something a person should know; one line.
    Warning(String),
}

/// How far a running job is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Optimiser steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Mean training loss of late.
    pub loss: f64,
}

/// What a finished job has to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The task's metric and its value on test, where the job has one.
    pub headline: Option<Headline>,
    /// What it took.
    pub seconds: f64,
}

/// Why a job has no record.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfinished {
    /// It stopped as it was told, and can be gone on with.
    Paused {
        /// Optimiser steps done.
        step: usize,
    },
    /// The results folder cannot be written to.
    Storage(String),
    /// It failed.
    Failed(Failure),
}

/// Serves one slot until told to leave. `run` must have published the job's record when it
/// returns [`Done`]. `device` is the name that the worker itself uses. `stop` is set while
/// the running job is to write a checkpoint and stop; others, such as handlers of signals,
/// may set it too.
///
/// The process exits at the end of stdin, whatever it does then: without destructors and
/// `atexit` handlers, in which a device's driver could hang.
///
/// # Errors
/// A scheduler that speaks another protocol, or stdout closed.
pub fn serve(
    device: &str,
    stop: &Arc<AtomicBool>,
    run: impl FnMut(Assignment, &mut dyn FnMut(Word)) -> Result<Done, Unfinished>,
) -> io::Result<()> {
    let leave = || signal_hook::low_level::exit(0);
    let output = Arc::new(Mutex::new(io::stdout()));
    let beating = Arc::clone(&output);
    thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
        // Without a reader there is nobody to reassure.
        while send(&mut *lock(&beating), &Reply::Alive).is_ok() {
            thread::sleep(HEARTBEAT);
        }
    })?;
    serve_between(io::stdin(), &output, leave, device, stop, run)
}

/// A panic elsewhere leaves at worst half a line, which the next message closes.
fn lock<W>(output: &Mutex<W>) -> MutexGuard<'_, W> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve_between(
    input: impl Read + Send + 'static,
    output: &Mutex<impl Write>,
    at_end_of_input: impl FnOnce() + Send + 'static,
    device: &str,
    stop: &Arc<AtomicBool>,
    mut run: impl FnMut(Assignment, &mut dyn FnMut(Word)) -> Result<Done, Unfinished>,
) -> io::Result<()> {
    let (sender, assignments) = mpsc::channel();
    let stopping = Arc::clone(stop);
    thread::Builder::new().name("requests".to_owned()).spawn(move || {
        read_requests(input, &stopping, &sender);
        at_end_of_input();
    })?;
    send(&mut *lock(output), &Reply::Hello { pid: std::process::id(), device: device.to_owned() })?;
    for assignment in assignments {
        let Some(assignment) = assignment? else { return Ok(()) };
        let reply = answer(assignment, output, &mut run);
        send(&mut *lock(output), &reply)?;
    }
    Ok(())
}

/// Sends on what is to be done, and nothing once it is to leave. A pause is acted on here
/// and at once: the other thread is in the midst of a job.
fn read_requests(
    input: impl Read,
    stop: &AtomicBool,
    assignments: &mpsc::Sender<io::Result<Option<Assignment>>>,
) {
    for_each_line(input, |line| {
        let assignment = match parse(&line) {
            Ok(Request::Run { job, attempt }) => {
                // Here, not where the job begins: a pause may follow before it does.
                stop.store(false, Ordering::SeqCst);
                Ok(Some(Assignment { job: *job, attempt }))
            }
            Ok(Request::Pause) => return stop.store(true, Ordering::SeqCst),
            Ok(Request::Shutdown) => Ok(None),
            Err(error) => Err(error),
        };
        // The receiver is gone only when the worker leaves anyway.
        drop(assignments.send(assignment));
    });
}

fn answer(
    assignment: Assignment,
    output: &Mutex<impl Write>,
    run: &mut impl FnMut(Assignment, &mut dyn FnMut(Word)) -> Result<Done, Unfinished>,
) -> Reply {
    let key = assignment.job.key.clone();
    let result = run(assignment, &mut |word| {
        let key = key.clone();
        let reply = match word {
            Word::Progress(Progress { step, steps, loss }) => Reply::Progress { key, step, steps, loss },
            Word::Warning(message) => Reply::Warning { key, message },
        };
        // A scheduler that is gone shows at the end of stdin; progress is worth no failure.
        drop(send(&mut *lock(output), &reply));
    });
    match result {
        Ok(Done { headline, seconds }) => Reply::Finished { key, headline, seconds },
        Err(Unfinished::Paused { step }) => Reply::Paused { key, step },
        Err(Unfinished::Storage(message)) => Reply::Storage { key, message },
        Err(Unfinished::Failed(failure)) => Reply::Failed { key, failure },
    }
}

fn parse(line: &str) -> io::Result<Request> {
    serde_json::from_str(line).map_err(|error| {
        let start: String = line.chars().take(80).collect();
        let message = format!("`{start}` is no request of a scheduler of this version: {error}");
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::job;
    use crate::record::Outcome;

    /// What a worker answers to `requests`, without its hello, and how it ends.
    fn talk(
        requests: &[u8],
        run: impl FnMut(Assignment, &mut dyn FnMut(Word)) -> Result<Done, Unfinished>,
    ) -> (Vec<Reply>, io::Result<()>) {
        let output = Mutex::new(Vec::new());
        let input = io::Cursor::new(requests.to_vec());
        let ended = serve_between(input, &output, || (), "cpu", &Arc::default(), run);
        let mut replies = Vec::new();
        let output = output.into_inner().unwrap();
        for_each_line(output.as_slice(), |line| replies.push(Reply::parse(&line).unwrap()));
        let hello = Reply::Hello { pid: std::process::id(), device: "cpu".to_owned() };
        assert_eq!(replies.remove(0), hello);
        (replies, ended)
    }

    fn requests(requests: &[Request]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for request in requests {
            send(&mut bytes, request).unwrap();
        }
        bytes
    }

    fn run_job(name: &str) -> Request {
        Request::Run { job: Box::new(job(name, &[])), attempt: AttemptId::unique() }
    }

    #[test]
    fn jobs_are_answered_in_order_until_shutdown() {
        let failure =
            Failure { outcome: Outcome::Diverged, message: "step 3".to_owned(), stderr_tail: Vec::new() };
        let names = ["a", "b", "c", "d"];
        let asked = names.iter().map(|name| run_job(name)).chain([Request::Shutdown, run_job("e")]);
        let (replies, ended) = talk(&requests(&asked.collect::<Vec<_>>()), |assignment, tell| {
            tell(Word::Progress(Progress { step: 1, steps: 2, loss: 0.5 }));
            match assignment.job.key.0.as_str() {
                "a" => Ok(Done { headline: None, seconds: 1.0 }),
                "b" => Err(Unfinished::Failed(failure.clone())),
                "c" => Err(Unfinished::Paused { step: 1 }),
                _ => {
                    tell(Word::Warning("nearly full".to_owned()));
                    Err(Unfinished::Storage("full".to_owned()))
                }
            }
        });
        let key = |name: &str| job(name, &[]).key;
        let progress = |name| Reply::Progress { key: key(name), step: 1, steps: 2, loss: 0.5 };
        let expected = [
            progress("a"),
            Reply::Finished { key: key("a"), headline: None, seconds: 1.0 },
            progress("b"),
            Reply::Failed { key: key("b"), failure: failure.clone() },
            progress("c"),
            Reply::Paused { key: key("c"), step: 1 },
            progress("d"),
            Reply::Warning { key: key("d"), message: "nearly full".to_owned() },
            Reply::Storage { key: key("d"), message: "full".to_owned() },
        ];
        assert_eq!(replies, expected);
        ended.unwrap();
    }

    #[test]
    fn a_pause_reaches_the_running_job_and_the_next_job_knows_nothing_of_it() {
        let (reader, mut writer) = io::pipe().unwrap();
        send(&mut writer, &run_job("a")).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let output = Mutex::new(Vec::new());
        let mut writer = Some(writer);
        serve_between(
            reader,
            &output,
            || (),
            "cpu",
            &stop,
            |assignment, _| {
                if assignment.job.key.0 == "b" {
                    assert!(!stop.load(Ordering::SeqCst));
                    return Ok(Done { headline: None, seconds: 0.0 });
                }
                let mut writer = writer.take().unwrap();
                send(&mut writer, &Request::Pause).unwrap();
                while !stop.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                send(&mut writer, &run_job("b")).unwrap();
                Err(Unfinished::Paused { step: 7 })
            },
        )
        .unwrap();
        let output = String::from_utf8(output.into_inner().unwrap()).unwrap();
        assert!(output.contains("paused") && output.contains("finished"), "{output}");
    }

    #[test]
    fn another_protocol_is_an_error() {
        let (replies, ended) = talk(b"{\"walk\":{}}\n", |_, _| panic!("nothing to run"));
        assert_eq!(replies, []);
        assert!(ended.unwrap_err().to_string().starts_with("`{\"walk\":{}}` is no request"));
    }

    #[test]
    fn the_end_of_input_is_seen_while_a_job_runs() {
        let (reader, mut writer) = io::pipe().unwrap();
        send(&mut writer, &run_job("a")).unwrap();
        let left = Arc::new(AtomicBool::new(false));
        let leaving = Arc::clone(&left);
        let mut writer = Some(writer);
        let at_end = move || leaving.store(true, Ordering::SeqCst);
        let output = Mutex::new(Vec::new());
        serve_between(reader, &output, at_end, "cpu", &Arc::default(), |_, _| {
            // The scheduler goes; this job would run for ever.
            drop(writer.take());
            while !left.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            Ok(Done { headline: None, seconds: 0.0 })
        })
        .unwrap();
    }
}
