//! One worker process: started, spoken to, watched and ended.
//!
//! It knows no jobs and decides nothing: the driver does. Its two readers send each line
//! of stdout and stderr into the driver's one channel.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use super::clock::{Due, JobClock, Limits};
use super::exit;
use super::message::{Request, for_each_line, send};
use super::slots::Device;
use crate::record::{Failure, Outcome};

/// Lines of stderr kept for a failure.
const TAIL_LINES: usize = 20;

/// Characters kept of each.
const TAIL_WIDTH: usize = 500;

/// How long to wait for the last lines of a process that is gone: some child of its own may
/// hold its streams open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a worker is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Added to the environment of this process and to what the slot's device asks for.
    pub env: Vec<(String, String)>,
}

/// Tells one worker process from all others of this run, its successors on the slot too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorkerId(pub(super) u64);

/// One line of a worker, or the end of a stream.
pub(super) struct Output {
    pub(super) worker: WorkerId,
    pub(super) stream: Stream,
    /// Nothing at the end.
    pub(super) line: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// Until when something must have happened, and what is said if it has not.
struct Deadline {
    at: Instant,
    reason: &'static str,
}

/// A running worker. Dropping it kills it.
pub(super) struct Process {
    id: WorkerId,
    child: Child,
    stdin: Option<ChildStdin>,
    tail: VecDeque<String>,
    open_streams: usize,
    deadline: Option<Deadline>,
    /// Of the job it was given last, and since when.
    clock: Option<(JobClock, Instant)>,
    /// What has to be said of its job, which is past its limit and was told to stop.
    overdue: Option<Failure>,
    silence: Silence,
    ended: Option<(ExitStatus, Instant)>,
    /// Why it was given up before it ended.
    verdict: Option<Failure>,
    /// Whether the last job could not be handed to it.
    is_untaken: bool,
}

/// How long a worker has said nothing, as far as this process was awake to hear it.
struct Silence {
    lasted: Duration,
    looked: Instant,
}

impl Silence {
    /// A look counts for no more than this: time in which the scheduler was stopped is no
    /// fault of the worker.
    const LONGEST_LOOK: Duration = Duration::from_millis(250);

    fn look(&mut self, now: Instant) -> Duration {
        self.lasted += now.duration_since(self.looked).min(Self::LONGEST_LOOK);
        self.looked = now;
        self.lasted
    }
}

impl Process {
    /// Starts a worker, which must say hello within `patience`.
    pub(super) fn start(
        command: &WorkerCommand,
        device: &Device,
        id: WorkerId,
        outputs: &Sender<Output>,
        patience: Duration,
    ) -> io::Result<Self> {
        let (variable, value) = device.environment();
        let mut child = Command::new(&command.program)
            .args(&command.args)
            .env(variable, value)
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            // Its own group: Ctrl-C at the terminal reaches the scheduler alone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut process = Self {
            id,
            child,
            stdin,
            tail: VecDeque::new(),
            open_streams: 2,
            deadline: None,
            clock: None,
            overdue: None,
            silence: Silence { lasted: Duration::ZERO, looked: Instant::now() },
            ended: None,
            verdict: None,
            is_untaken: false,
        };
        process.expect_within(patience, "the worker did not say hello in time");
        // From here on an error drops, and so kills, the process.
        read_lines(stdout.expect("stdout was piped"), Stream::Stdout, id, outputs)?;
        read_lines(stderr.expect("stderr was piped"), Stream::Stderr, id, outputs)?;
        Ok(process)
    }

    pub(super) fn id(&self) -> WorkerId {
        self.id
    }

    /// The worker is up: what it says from here on belongs to the jobs it runs.
    pub(super) fn said_hello(&mut self) {
        self.deadline = None;
    }

    /// It said something.
    pub(super) fn was_heard(&mut self) {
        self.silence.lasted = Duration::ZERO;
    }

    /// Hands over a job.
    pub(super) fn run(&mut self, request: &Request, limits: Limits, patience: Duration) {
        self.tail.clear();
        self.clock = Some((JobClock::new(limits), Instant::now()));
        self.overdue = None;
        self.is_untaken = !self.ask(request, patience);
    }

    /// Whether the job that was handed over last never reached it: it was gone before.
    pub(super) fn is_untaken(&self) -> bool {
        self.is_untaken
    }

    /// Tells it to write a checkpoint of its job and stop.
    pub(super) fn pause(&mut self, patience: Duration) {
        self.ask(&Request::Pause, patience);
    }

    /// Its job is over.
    pub(super) fn ended_job(&mut self) {
        self.clock = None;
    }

    /// What is due by the limits of its job.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        match &mut self.clock {
            Some((clock, since)) if self.verdict.is_none() => clock.due(now.duration_since(*since)),
            Some(_) | None => Due::Nothing,
        }
    }

    /// Its job has timed out: it is to write a checkpoint and stop.
    pub(super) fn time_out(&mut self, failure: Failure, patience: Duration) {
        self.overdue = Some(failure);
        self.pause(patience);
    }

    /// What has to be said of its job, which has timed out.
    pub(super) fn take_overdue(&mut self) -> Option<Failure> {
        self.overdue.take()
    }

    /// Kills it for `failure`.
    pub(super) fn kill(&mut self, failure: Failure) -> io::Result<()> {
        let failure = self.overdue.take().unwrap_or(failure);
        self.verdict.get_or_insert(failure);
        self.child.kill()
    }

    /// Whether it could be asked.
    fn ask(&mut self, request: &Request, patience: Duration) -> bool {
        let sent = match &mut self.stdin {
            Some(stdin) => send(stdin, request),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        if sent.is_err() {
            // It is gone, which shows in a moment, or must go.
            self.expect_within(patience, "the worker closed its stdin");
        }
        sent.is_ok()
    }

    /// Keeps a line for the failure that may come.
    pub(super) fn keep(&mut self, line: &str) {
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line.chars().take(TAIL_WIDTH).collect());
    }

    /// One of its streams has ended. Without stdout it can answer no more.
    pub(super) fn stream_ended(&mut self, stream: Stream, patience: Duration) {
        self.open_streams -= 1;
        match stream {
            Stream::Stdout => self.expect_within(patience, "the worker closed its stdout"),
            Stream::Stderr => {}
        }
    }

    /// Takes nothing from it any more: it is to leave, and `failure` says why.
    pub(super) fn give_up(&mut self, failure: Failure, patience: Duration) {
        self.verdict = Some(failure);
        self.stdin = None;
        self.expect_within(patience, "the worker did not leave when it was given up");
    }

    /// Whether [`give_up`](Self::give_up) was called.
    pub(super) fn is_given_up(&self) -> bool {
        self.verdict.is_some()
    }

    /// Tells it to leave.
    pub(super) fn dismiss(&mut self, patience: Duration) {
        if let Some(mut stdin) = self.stdin.take() {
            // The end of stdin says it too.
            drop(send(&mut stdin, &Request::Shutdown));
        }
        self.expect_within(patience, "the worker did not leave when it was told to");
    }

    /// How it ended, once it has and all that it said is read. A deadline that has passed
    /// kills it, and so does silence past `lease`.
    pub(super) fn poll(&mut self, now: Instant, lease: Duration) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?.map(|status| (status, now));
        }
        match self.ended {
            Some((status, since)) => {
                let all_read = self.open_streams == 0 || now.duration_since(since) > LAST_WORDS;
                Ok(all_read.then_some(status))
            }
            None => {
                self.enforce_deadline(now)?;
                self.enforce_lease(now, lease)?;
                Ok(None)
            }
        }
    }

    fn enforce_deadline(&mut self, now: Instant) -> io::Result<()> {
        match self.deadline.take_if(|deadline| deadline.at <= now) {
            Some(deadline) => self.kill(crashed(deadline.reason)),
            None => Ok(()),
        }
    }

    /// A worker that is stopped, or hangs with all its threads, holds its slot no longer.
    fn enforce_lease(&mut self, now: Instant, lease: Duration) -> io::Result<()> {
        // Before its hello, and once it is to leave, it has a deadline of its own.
        if self.silence.look(now) < lease || self.deadline.is_some() || self.verdict.is_some() {
            return Ok(());
        }
        self.kill(crashed(format!("the worker said nothing for {} s, and was killed", lease.as_secs())))
    }

    /// Why the process, which ended with `status`, is gone.
    pub(super) fn into_failure(mut self, status: ExitStatus, oom_killed: impl FnOnce() -> bool) -> Failure {
        let tail = Vec::from(std::mem::take(&mut self.tail));
        match self.verdict.take() {
            Some(failure) if failure.stderr_tail.is_empty() => Failure { stderr_tail: tail, ..failure },
            Some(failure) => failure,
            None => exit::explain(status, tail, oom_killed),
        }
    }

    fn expect_within(&mut self, patience: Duration, reason: &'static str) {
        self.deadline = Some(Deadline { at: Instant::now() + patience, reason });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // It fails only where the process has just ended by itself.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// A crash that the scheduler found.
pub(super) fn crashed(message: impl Into<String>) -> Failure {
    Failure { outcome: Outcome::Crashed, message: message.into(), stderr_tail: Vec::new() }
}

/// The thread ends with the stream.
fn read_lines(
    input: impl Read + Send + 'static,
    stream: Stream,
    worker: WorkerId,
    outputs: &Sender<Output>,
) -> io::Result<()> {
    let outputs = outputs.clone();
    let read = move || {
        // Where the driver is gone, so is the interest in what the worker says.
        for_each_line(input, |line| drop(outputs.send(Output { worker, stream, line: Some(line) })));
        drop(outputs.send(Output { worker, stream, line: None }));
    };
    thread::Builder::new().name(format!("worker {} {stream:?}", worker.0)).spawn(read).map(drop)
}
