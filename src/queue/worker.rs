//! The worker's side: takes jobs from stdin, one after another, and answers on stdout.
//!
//! What a job is, the caller's `run` knows. A worker lives no longer than its scheduler:
//! the end of stdin ends the process, also in the midst of a job.

use std::io::{self, Read, Write};
use std::sync::mpsc;
use std::thread;

use super::message::{Headline, Reply, Request, for_each_line, send};
use crate::record::Failure;
use crate::settings::Job;

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

/// Serves one slot until told to leave. `run` must have published the job's record when it
/// returns [`Done`]. `device` is the name that the worker itself uses.
///
/// The process exits at the end of stdin, whatever it does then: without destructors and
/// `atexit` handlers, in which a device's driver could hang.
///
/// # Errors
/// A scheduler that speaks another protocol, or stdout closed.
pub fn serve(
    device: &str,
    run: impl FnMut(Job, &mut dyn FnMut(Progress)) -> Result<Done, Failure>,
) -> io::Result<()> {
    let leave = || signal_hook::low_level::exit(0);
    serve_between(io::stdin(), io::stdout(), leave, device, run)
}

fn serve_between(
    input: impl Read + Send + 'static,
    mut output: impl Write,
    at_end_of_input: impl FnOnce() + Send + 'static,
    device: &str,
    mut run: impl FnMut(Job, &mut dyn FnMut(Progress)) -> Result<Done, Failure>,
) -> io::Result<()> {
    let (sender, requests) = mpsc::channel();
    thread::Builder::new().name("requests".to_owned()).spawn(move || {
        // The receiver is gone only when the worker leaves anyway.
        for_each_line(input, |line| drop(sender.send(line)));
        at_end_of_input();
    })?;
    send(&mut output, &Reply::Hello { pid: std::process::id(), device: device.to_owned() })?;
    for line in requests {
        match parse(&line)? {
            Request::Shutdown => return Ok(()),
            Request::Run { job } => {
                let reply = answer(*job, &mut output, &mut run);
                send(&mut output, &reply)?;
            }
        }
    }
    Ok(())
}

fn answer(
    job: Job,
    output: &mut impl Write,
    run: &mut impl FnMut(Job, &mut dyn FnMut(Progress)) -> Result<Done, Failure>,
) -> Reply {
    let key = job.key.clone();
    let result = run(job, &mut |Progress { step, steps, loss }| {
        // A scheduler that is gone shows at the end of stdin; progress is worth no failure.
        drop(send(output, &Reply::Progress { key: key.clone(), step, steps, loss }));
    });
    match result {
        Ok(Done { headline, seconds }) => Reply::Finished { key, headline, seconds },
        Err(failure) => Reply::Failed { key, failure },
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::queue::tests::job;
    use crate::record::Outcome;

    /// What a worker answers to `requests`, without its hello, and how it ends.
    fn talk(
        requests: &[u8],
        run: impl FnMut(Job, &mut dyn FnMut(Progress)) -> Result<Done, Failure>,
    ) -> (Vec<Reply>, io::Result<()>) {
        let mut output = Vec::new();
        let ended = serve_between(io::Cursor::new(requests.to_vec()), &mut output, || (), "cpu", run);
        let mut replies = Vec::new();
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
        Request::Run { job: Box::new(job(name, &[])) }
    }

    #[test]
    fn jobs_are_answered_in_order_until_shutdown() {
        let failure =
            Failure { outcome: Outcome::Diverged, message: "step 3".to_owned(), stderr_tail: Vec::new() };
        let asked = requests(&[run_job("a"), run_job("b"), Request::Shutdown, run_job("c")]);
        let (replies, ended) = talk(&asked, |job, progress| {
            progress(Progress { step: 1, steps: 2, loss: 0.5 });
            if job.key.0 == "a" { Ok(Done { headline: None, seconds: 1.0 }) } else { Err(failure.clone()) }
        });
        let key = |name: &str| job(name, &[]).key;
        let progress = |name| Reply::Progress { key: key(name), step: 1, steps: 2, loss: 0.5 };
        let expected = [
            progress("a"),
            Reply::Finished { key: key("a"), headline: None, seconds: 1.0 },
            progress("b"),
            Reply::Failed { key: key("b"), failure: failure.clone() },
        ];
        assert_eq!(replies, expected);
        ended.unwrap();
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
        serve_between(reader, Vec::new(), at_end, "cpu", |_, _| {
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
