//! The queue with real processes. Most tests use `queue/worker.sh`, a worker whose jobs
//! misbehave as their label says: here what becomes of jobs, in `workers` what becomes of
//! workers. `processes` kills whole schedulers.

pub(crate) mod harness;
mod processes;
mod workers;

use std::fs;

use bench::queue::{EarlierFailures, Notice};
use bench::record::{Failure, JobFolder, Outcome};

use harness::{Queue, count, job, key, record, summary, worker_pids};

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
    assert_eq!(notices.iter().find_map(headline), Some(("mcc".to_owned(), 0.5)));
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
fn what_a_worker_said_in_an_earlier_job_is_no_sign_in_a_later_one() {
    let queue = Queue::new(1);
    let (ended, notices) = queue.run(&[job("a", "warns", &[]), job("b", "panic", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    assert_eq!(worker_pids(&notices).len(), 1);
    assert_eq!(queue.failure("b").outcome, Outcome::Crashed);
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
    // Its cause is mended, and somebody ran it.
    let parent = JobFolder::new(queue.path(), &key("a"));
    let attempt = parent.begin(&family[0]).unwrap();
    parent.attempt(&attempt).finish(&record(key("a"))).unwrap();
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
fn a_killed_publication_leaves_no_litter() {
    let mut queue = Queue::new(1);
    queue.run(&[job("a", "litter", &[])]);
    let litter = |queue: &Queue| {
        let entries = fs::read_dir(queue.path().join("jobs/a")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with('.')).count()
    };
    assert_eq!(litter(&queue), 0);
    queue.earlier_failures = EarlierFailures::Retry;
    queue.run(&[job("a", "good", &[])]);
    assert!(queue.is_done("a"));
    assert_eq!(litter(&queue), 0);
}
