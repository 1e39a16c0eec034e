//! The queue with real processes. Most tests use `queue/worker.sh`, a worker whose jobs
//! misbehave as their label says; `processes` kills whole schedulers.

mod processes;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bench::queue::{
    Device, EarlierFailures, LockedResults, Notice, Patience, Queued, ResultsFolder, RunError, Slot, SlotId,
    Summary, WorkerCommand, Workload, run,
};
use bench::record::{FORMAT, Failure, JobFolder, JobResult, Measurement, Outcome, Record, State};
use bench::settings::{Corpus, CorpusSource, Job, Key, Parents, Stage, VocabularyWork, Work};

fn key(name: &str) -> Key {
    Key(name.to_owned())
}

/// A job that does what `label` says; `parents` are its vocabulary and its encoder.
fn job(name: &str, label: &str, parents: &[&str]) -> Job {
    let work = VocabularyWork {
        corpus: Corpus {
            id: "corpus".to_owned(),
            version: 1,
            upper: true,
            source: CorpusSource::Fasta(Vec::new()),
        },
        fingerprint: String::new(),
        size: 64,
        max_token_length: 8,
        piece_length: 100,
        max_pieces: 10,
    };
    let mut parents = parents.iter().map(|parent| key(parent));
    let parents = Parents { vocabulary: parents.next(), encoder: parents.next() };
    Job { key: key(name), label: label.to_owned(), work: Work::Vocabulary(work), parents }
}

fn queued(jobs: &[Job]) -> Vec<Queued> {
    jobs.iter().map(|job| Queued { job: job.clone(), priority: 0 }).collect()
}

fn cpu_slots(count: usize) -> Vec<Slot> {
    (0..count).map(|id| Slot { id: SlotId(id), device: Device::Cpu }).collect()
}

fn record(key: Key) -> Record {
    Record {
        format: FORMAT,
        key,
        stage: Stage::Vocabulary,
        result: JobResult::default(),
        measurement: Measurement::default(),
    }
}

/// A results folder of its own, and a queue on it.
struct Queue {
    _folder: tempfile::TempDir,
    results: LockedResults,
    stop: AtomicUsize,
    slots: Vec<Slot>,
    earlier_failures: EarlierFailures,
    command: WorkerCommand,
    patience: Patience,
}

impl Queue {
    fn new(slots: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsFolder::open(folder.path()).unwrap().lock().unwrap();
        let template = serde_json::to_string(&record(key("KEY"))).unwrap();
        fs::write(folder.path().join("record.template"), template).unwrap();
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/queue/worker.sh");
        let command = WorkerCommand {
            program: PathBuf::from("/bin/sh"),
            args: vec![script.into(), folder.path().into()],
            env: vec![("FROM_CALLER".to_owned(), "yes".to_owned())],
        };
        Self {
            _folder: folder,
            results,
            stop: AtomicUsize::new(0),
            slots: cpu_slots(slots),
            earlier_failures: EarlierFailures::Keep,
            command,
            patience: Patience::default(),
        }
    }

    fn path(&self) -> &Path {
        self.results.path()
    }

    fn try_run(
        &self,
        jobs: &[Job],
        notify: &mut dyn FnMut(&Notice),
    ) -> Result<(Summary, Vec<Notice>), RunError> {
        let mut notices = Vec::new();
        let workload = Workload {
            results: &self.results,
            jobs: queued(jobs),
            earlier_failures: self.earlier_failures,
            slots: self.slots.clone(),
            worker: &|_| self.command.clone(),
            stop: &self.stop,
            patience: self.patience,
        };
        let summary = run(workload, &mut |notice| {
            notify(&notice);
            notices.push(notice);
        })?;
        for pid in worker_pids(&notices) {
            assert!(!is_alive(pid), "worker {pid} outlived the queue");
        }
        Ok((summary, notices))
    }

    fn run(&self, jobs: &[Job]) -> (Summary, Vec<Notice>) {
        self.try_run(jobs, &mut |_| ()).unwrap()
    }

    fn state(&self, name: &str) -> State {
        JobFolder::new(self.path(), &key(name)).peek().unwrap()
    }

    fn is_done(&self, name: &str) -> bool {
        matches!(self.state(name), State::Done(_))
    }

    fn failure(&self, name: &str) -> Failure {
        match self.state(name) {
            State::Failed(failure) => failure,
            other @ (State::Pending | State::Done(_)) => panic!("{name} is {other:?}"),
        }
    }

    /// How often each job was started.
    fn executions(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(self.path().join("executions")).unwrap_or_default().lines() {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
        counts
    }
}

fn worker_pids(notices: &[Notice]) -> Vec<u32> {
    let pid = |notice: &Notice| match notice {
        Notice::WorkerStarted { pid, .. } => Some(*pid),
        _ => None,
    };
    notices.iter().filter_map(pid).collect()
}

/// One field of `/proc/PID/stat`, counted from the state, which is 0.
fn stat(pid: u32, field: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(field).map(str::to_owned)
}

/// A process that only waits to be reaped by a new parent is dead.
fn is_alive(pid: u32) -> bool {
    stat(pid, 0).is_some_and(|state| state != "Z" && state != "X")
}

fn count(notices: &[Notice], wanted: fn(&Notice) -> bool) -> usize {
    notices.iter().filter(|notice| wanted(notice)).count()
}

fn summary(done: usize, failed: usize, skipped: usize, remaining: usize) -> Summary {
    Summary { done, failed, skipped, remaining, stopped: false }
}

#[test]
fn two_slots_run_at_the_same_time() {
    let queue = Queue::new(2);
    // Each waits for the other.
    let (ended, _) = queue.run(&[job("a", "meet", &[]), job("b", "meet", &[])]);
    assert_eq!(ended, summary(2, 0, 0, 0));
}

#[test]
fn one_worker_takes_job_after_job_parents_first() {
    let queue = Queue::new(1);
    let jobs = [job("c", "good", &["a", "b"]), job("b", "good", &["a"]), job("a", "good", &[])];
    let (ended, notices) = queue.run(&jobs);
    assert_eq!(ended, summary(3, 0, 0, 0));
    assert_eq!(fs::read_to_string(queue.path().join("executions")).unwrap(), "a\nb\nc\n");
    assert_eq!(worker_pids(&notices).len(), 1);
    assert!(notices.iter().any(|notice| matches!(notice, Notice::Progress { step: 1, steps: 2, .. })));
    let headline = |notice: &Notice| match notice {
        Notice::JobFinished { headline, .. } => headline.clone(),
        _ => None,
    };
    assert_eq!(notices.iter().filter_map(headline).next(), Some(("mcc".to_owned(), 0.5)));
    // A second queue finds all done and starts nobody.
    let (ended, notices) = queue.run(&jobs);
    assert_eq!((ended, notices), (summary(3, 0, 0, 0), Vec::new()));
}

#[test]
fn a_crash_costs_its_dependents_and_a_worker_and_the_queue_goes_on() {
    let queue = Queue::new(1);
    let jobs = [
        job("killed", "killed", &[]),
        job("child", "good", &["killed"]),
        job("grandchild", "good", &["child"]),
        job("segfault", "segfault", &[]),
        job("exit", "exit", &[]),
        job("panic", "panic", &[]),
        job("allocation", "allocation", &[]),
        job("good", "good", &[]),
    ];
    let (ended, notices) = queue.run(&jobs);
    assert_eq!(ended, summary(1, 5, 2, 0));
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::WorkerReplaced { .. })), 5);
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::JobSkipped { .. })), 2);
    let ended_as = |name: &str| {
        let failure = queue.failure(name);
        (failure.outcome, failure.message)
    };
    for (name, outcome, message) in [
        ("killed", Outcome::Crashed, "the worker was killed by SIGKILL: about to be killed"),
        ("child", Outcome::Skipped, "it builds on killed (killed), which failed"),
        ("grandchild", Outcome::Skipped, "it builds on killed (killed), which failed"),
        ("segfault", Outcome::Crashed, "the worker was killed by SIGSEGV"),
        ("exit", Outcome::Crashed, "the worker left with exit status 3: line 22"),
        ("panic", Outcome::Crashed, "the worker panicked at src/train/mod.rs:1:2: shapes differ"),
    ] {
        assert_eq!(ended_as(name), (outcome, message.to_owned()));
    }
    assert_eq!(ended_as("allocation").0, Outcome::OutOfMemory);
    let tail: Vec<String> = (3..=22).map(|number| format!("line {number}")).collect();
    assert_eq!(queue.failure("exit").stderr_tail, tail);
}

#[test]
fn garbage_on_stdout_costs_nothing() {
    let queue = Queue::new(1);
    let (ended, notices) = queue.run(&[job("a", "garbage", &[]), job("b", "good", &[])]);
    assert_eq!(ended, summary(2, 0, 0, 0));
    assert_eq!(worker_pids(&notices).len(), 1);
    assert!(
        !notices.iter().any(|notice| matches!(notice, Notice::Progress { key, .. } if key.0 == "another"))
    );
}

#[test]
fn a_failure_that_the_worker_tells_keeps_its_outcome_and_gets_the_last_words() {
    let queue = Queue::new(1);
    let (ended, notices) = queue.run(&[job("a", "diverged", &[]), job("b", "good", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    let failure = Failure {
        outcome: Outcome::Diverged,
        message: "at step 3".to_owned(),
        stderr_tail: vec!["loss is NaN".to_owned()],
    };
    assert_eq!(queue.failure("a"), failure);
    // A poisoned device must not touch the next job.
    assert_eq!(worker_pids(&notices).len(), 2);
}

#[test]
fn finished_is_believed_only_with_a_record() {
    let queue = Queue::new(1);
    let jobs = [job("liar", "liar", &[]), job("half", "half", &[]), job("foreign", "foreign", &[])];
    let (ended, notices) = queue.run(&jobs);
    assert_eq!(ended, summary(0, 3, 0, 0));
    for name in ["liar", "half"] {
        let expected = "the worker said finished, and there is no readable record";
        assert_eq!(queue.failure(name).message, expected);
    }
    assert!(queue.failure("foreign").message.contains("the job another, which it was not given"));
    assert!(queue.path().join("jobs/half/record.json.damaged").exists());
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::Warning(_))), 1);
}

#[test]
fn a_record_counts_whatever_became_of_its_worker() {
    let queue = Queue::new(1);
    let (ended, notices) = queue.run(&[job("a", "last-words", &[]), job("b", "good", &["a"])]);
    assert_eq!(ended, summary(2, 0, 0, 0));
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::JobFinished { .. })), 2);
    assert_eq!(queue.executions()["a"], 1);
}

#[test]
fn failures_stay_until_retried_and_skipped_jobs_come_back() {
    let mut queue = Queue::new(1);
    let family = |label: &str| [job("a", label, &[]), job("b", "good", &["a"]), job("c", "good", &["b"])];
    assert_eq!(queue.run(&family("killed")).0, summary(0, 1, 2, 0));
    // Its cause is mended, yet resuming is not retrying.
    let (ended, notices) = queue.run(&family("good"));
    assert_eq!(ended, summary(0, 1, 2, 0));
    assert_eq!(worker_pids(&notices), [0; 0]);
    queue.earlier_failures = EarlierFailures::Retry;
    assert_eq!(queue.run(&family("good")).0, summary(3, 0, 0, 0));
    for name in ["a", "b", "c"] {
        assert!(!queue.path().join("jobs").join(name).join("failure.json").exists());
    }
    assert_eq!(queue.executions().into_values().collect::<Vec<_>>(), [2, 1, 1]);
}

#[test]
fn a_skipped_job_comes_back_by_itself_once_its_parent_is_done() {
    let queue = Queue::new(1);
    let family = [job("a", "killed", &[]), job("b", "good", &["a"])];
    queue.run(&family);
    assert_eq!(queue.failure("b").outcome, Outcome::Skipped);
    JobFolder::new(queue.path(), &key("a")).finish(&record(key("a"))).unwrap();
    assert_eq!(queue.run(&family).0, summary(2, 0, 0, 0));
}

#[test]
fn a_damaged_record_is_set_aside_once_with_a_warning_and_the_job_runs_again() {
    let queue = Queue::new(1);
    let jobs = [job("a", "good", &[])];
    queue.run(&jobs);
    let path = queue.path().join("jobs/a/record.json");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let (ended, notices) = queue.run(&jobs);
    assert_eq!(ended, summary(1, 0, 0, 0));
    let warning = notices.iter().find_map(|notice| match notice {
        Notice::Warning(warning) => Some(warning.clone()),
        _ => None,
    });
    assert!(warning.unwrap().contains("jobs/a/record.json: set aside as record.json.damaged"));
    assert!(queue.path().join("jobs/a/record.json.damaged").exists());
    assert_eq!(queue.executions()["a"], 2);
    assert_eq!(count(&queue.run(&jobs).1, |notice| matches!(notice, Notice::Warning(_))), 0);
}

#[test]
fn a_killed_publication_leaves_no_litter_once_the_job_has_run_again() {
    let mut queue = Queue::new(1);
    queue.run(&[job("a", "litter", &[])]);
    let litter = |queue: &Queue| {
        let entries = fs::read_dir(queue.path().join("jobs/a")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".tmp")).count()
    };
    assert_eq!(litter(&queue), 1);
    queue.earlier_failures = EarlierFailures::Retry;
    queue.run(&[job("a", "good", &[])]);
    assert!(queue.is_done("a"));
    assert_eq!(litter(&queue), 0);
}

#[test]
fn a_first_stop_lets_running_jobs_end() {
    let queue = Queue::new(1);
    let jobs = [job("a", "wait", &[]), job("b", "good", &["a"]), job("c", "good", &[])];
    let (ended, notices) = queue
        .try_run(&jobs, &mut |notice| match notice {
            Notice::JobStarted { .. } => queue.stop.store(1, Ordering::SeqCst),
            Notice::Stopping { running } => {
                assert_eq!(*running, 1);
                fs::write(queue.path().join("go"), "").unwrap();
            }
            _ => {}
        })
        .unwrap();
    assert_eq!(ended, Summary { stopped: true, ..summary(1, 0, 0, 2) });
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::Stopping { .. })), 1);
    assert!(queue.is_done("a"));
}

#[test]
fn a_second_stop_kills_and_what_ran_is_pending() {
    let queue = Queue::new(2);
    let jobs = [job("a", "wait", &[]), job("b", "wait", &[]), job("c", "good", &["a"])];
    let mut started = 0;
    let (ended, notices) = queue
        .try_run(&jobs, &mut |notice| {
            started += usize::from(matches!(notice, Notice::JobStarted { .. }));
            queue.stop.store(if started == 2 { 2 } else { 0 }, Ordering::SeqCst);
        })
        .unwrap();
    assert_eq!(ended, Summary { stopped: true, ..summary(0, 0, 0, 3) });
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::Killing)), 1);
    assert_eq!((queue.state("a"), queue.state("b")), (State::Pending, State::Pending));
}

#[test]
fn a_stop_asked_for_at_a_failure_comes_before_the_next_job() {
    let queue = Queue::new(1);
    let jobs = [job("a", "killed", &[]), job("b", "good", &[])];
    let (ended, notices) = queue
        .try_run(&jobs, &mut |notice| {
            if matches!(notice, Notice::JobFailed { .. }) {
                queue.stop.store(1, Ordering::SeqCst);
            }
        })
        .unwrap();
    assert_eq!(ended, Summary { stopped: true, ..summary(0, 1, 0, 1) });
    assert_eq!(worker_pids(&notices).len(), 1);
}

#[test]
fn a_worker_that_cannot_start_is_told_and_not_tried_for_ever() {
    let mut queue = Queue::new(2);
    queue.patience.hello = Duration::from_millis(100);
    let program = |name: &str| PathBuf::from(name);
    for (name, args, reason) in [
        ("/nowhere/worker", vec![], "/nowhere/worker: No such file or directory"),
        ("/bin/sh", vec!["-c", "echo no such device >&2; exit 4"], "exit status 4: no such device"),
        ("/bin/sh", vec!["-c", "exec sleep 30"], "the worker did not say hello in time"),
    ] {
        queue.command.program = program(name);
        queue.command.args = args.into_iter().map(Into::into).collect();
        let error = queue.try_run(&[job("a", "good", &[])], &mut |_| ()).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(queue.state("a"), State::Pending);
    }
}

#[test]
fn a_worker_that_is_gone_is_noticed_though_its_child_holds_the_streams() {
    let queue = Queue::new(1);
    let (ended, _) = queue.run(&[job("a", "heir", &[]), job("b", "good", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    let heir = fs::read_to_string(queue.path().join("heir")).unwrap();
    std::process::Command::new("kill").arg(heir.trim()).status().unwrap();
}

#[test]
fn a_worker_that_can_answer_no_more_is_killed() {
    let mut queue = Queue::new(1);
    queue.patience.leave = Duration::from_millis(100);
    let (ended, _) = queue.run(&[job("a", "deaf", &[]), job("b", "good", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    assert_eq!(queue.failure("a").message, "the worker closed its stdout");
}

#[test]
fn no_worker_outlives_a_scheduler_that_panics() {
    let queue = Queue::new(2);
    let mut pids = Vec::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        queue.try_run(&[job("a", "wait", &[]), job("b", "wait", &[])], &mut |notice| match notice {
            Notice::WorkerStarted { pid, .. } => pids.push(*pid),
            Notice::JobStarted { .. } if pids.len() == 2 => panic!("a bug of the terminal"),
            _ => {}
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(pids.len(), 2);
    assert!(!pids.into_iter().any(is_alive));
}

#[test]
fn a_worker_is_kept_to_its_device_and_its_own_process_group() {
    let mut queue = Queue::new(0);
    let cuda = Device::Cuda { index: 1, visible: "GPU-7".to_owned() };
    queue.slots = vec![Slot { id: SlotId(0), device: Device::Cpu }, Slot { id: SlotId(1), device: cuda }];
    // A job that waits keeps the first slot busy.
    let jobs = [job("a", "environment", &[]), job("b", "wait", &["a"]), job("c", "environment", &["a"])];
    let mut groups = Vec::new();
    queue
        .try_run(&jobs, &mut |notice| match notice {
            Notice::WorkerStarted { pid, .. } => groups.push((*pid, stat(*pid, 2))),
            Notice::JobFinished { key, .. } if key.0 == "c" => {
                fs::write(queue.path().join("go"), "").unwrap();
            }
            _ => {}
        })
        .unwrap();
    for (pid, group) in groups {
        assert_eq!(group, Some(pid.to_string()));
    }
    let environment = |name: &str| {
        let text = fs::read_to_string(queue.path().join(format!("environment.{name}"))).unwrap();
        text.trim().to_owned()
    };
    let here = |variable: &str| std::env::var(variable).unwrap_or_default();
    assert_eq!(environment("a"), format!("1 {} yes", here("CUDA_VISIBLE_DEVICES")));
    assert_eq!(environment("c"), format!("{} GPU-7 yes", here("RAYON_NUM_THREADS")).trim());
}

/// Waits for something that another process does.
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} has not happened in a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}
