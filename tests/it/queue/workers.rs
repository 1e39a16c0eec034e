//! Stopping, and workers that do not start, do not leave, or must not outlive the queue.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bench::queue::{Device, Limits, Notice, Slot, SlotId, Summary};
use bench::record::{Outcome, State};

use super::harness::{Queue, count, is_alive, job, pretraining, stat, summary, worker_pids};

#[test]
fn a_first_stop_lets_jobs_end_that_cannot_pause() {
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
fn a_first_stop_pauses_jobs_that_can_and_they_go_on_later() {
    let queue = Queue::new(2);
    let jobs = [job("a", "pausable", &[]), job("b", "pausable", &[]), job("c", "good", &["a"])];
    let mut started = 0;
    let (ended, notices) = queue
        .try_run(&jobs, &mut |notice| {
            started += usize::from(matches!(notice, Notice::JobStarted { .. }));
            queue.stop.store(usize::from(started == 2), Ordering::SeqCst);
        })
        .unwrap();
    assert_eq!(ended, Summary { stopped: true, ..summary(0, 0, 0, 3) });
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::JobPaused { step: 7, .. })), 2);
    assert_eq!((queue.state("a"), queue.state("b")), (State::Pending, State::Pending));
    queue.stop.store(0, Ordering::SeqCst);
    let jobs = [job("a", "good", &[]), job("b", "good", &[]), job("c", "good", &["a"])];
    assert_eq!(queue.run(&jobs).0, summary(3, 0, 0, 0));
}

#[test]
fn a_job_past_its_limit_is_told_warned_of_and_stopped_with_a_checkpoint() {
    let mut queue = Queue::new(1);
    let limit = Duration::from_millis(200);
    queue.limits = Limits { warn: Some(limit / 4), stop: Some(limit), grace: Duration::from_secs(30) };
    let (ended, notices) = queue.run(&[job("a", "pausable", &[]), job("b", "good", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::JobSlow { .. })), 1);
    let failure = queue.failure("a");
    assert_eq!(failure.outcome, Outcome::TimedOut);
    let said = "it ran past its limit of 0.2 s; it stopped at step 7, from where --retry-failed goes on";
    assert_eq!(failure.message, said);
}

#[test]
fn a_job_that_does_not_stop_in_its_grace_is_killed() {
    let mut queue = Queue::new(1);
    let moment = Duration::from_millis(100);
    queue.limits = Limits { warn: None, stop: Some(moment), grace: moment };
    let (ended, _) = queue.run(&[job("a", "stubborn", &[]), job("b", "good", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    let failure = queue.failure("a");
    assert_eq!(failure.outcome, Outcome::TimedOut);
    assert_eq!(failure.message, "it ran past its limit of 0.1 s");
}

#[test]
fn a_worker_that_is_stopped_past_its_lease_loses_its_job() {
    let mut queue = Queue::new(1);
    queue.patience.silence = Duration::from_secs(1);
    let (ended, _) = queue.run(&[job("a", "sleeper", &[]), job("b", "good", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    assert_eq!(queue.failure("a").message, "the worker said nothing for 1 s, and was killed");
}

#[test]
fn a_full_disk_stops_the_queue_and_costs_no_job() {
    let queue = Queue::new(1);
    let (ended, notices) = queue.run(&[job("a", "full", &[]), job("b", "good", &[])]);
    assert_eq!(ended, Summary { stopped: true, ..summary(0, 0, 0, 2) });
    assert_eq!(queue.state("a"), State::Pending);
    let said = notices.iter().find_map(|notice| match notice {
        Notice::StorageFailed { message } => Some(message.as_str()),
        _ => None,
    });
    assert_eq!(said, Some("record.json: No space left on device"));
}

/// Two sequences at a time fit; the first job finds that out for all of its shape.
#[test]
fn want_of_memory_halves_the_forward_pass_and_is_remembered() {
    let queue = Queue::new(1);
    let jobs = ["a", "b"].map(|name| pretraining(name, "memory", 16, 0.0));
    let (ended, notices) = queue.run(&jobs);
    assert_eq!(ended, summary(2, 0, 0, 0));
    assert_eq!(fs::read_to_string(queue.path().join("rows")).unwrap(), "a 16\na 8\na 4\na 2\nb 2\n");
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::JobRetried { .. })), 3);
}

/// All run out at once, each with 16: that says no more than that 16 are too many.
#[test]
fn want_of_memory_of_many_workers_at_once_counts_once() {
    let queue = Queue::new(6);
    let jobs: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|name| pretraining(name, "memory", 16, 0.0)).into();
    assert_eq!(queue.run(&jobs).0, summary(6, 0, 0, 0));
    let rows = fs::read_to_string(queue.path().join("rows")).unwrap();
    assert!(!rows.lines().any(|line| line.ends_with(" 1")), "{rows}");
}

/// With dropout the micro-batch decides which numbers are drawn.
#[test]
fn want_of_memory_is_an_outcome_where_a_smaller_forward_pass_changes_the_result() {
    let queue = Queue::new(1);
    let (ended, _) = queue.run(&[pretraining("a", "memory", 16, 0.1), job("b", "good", &[])]);
    assert_eq!(ended, summary(1, 1, 0, 0));
    assert_eq!(queue.failure("a").outcome, Outcome::OutOfMemory);
    assert_eq!(fs::read_to_string(queue.path().join("rows")).unwrap(), "a 16\n");
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
    assert_eq!(count(&notices, |notice| matches!(notice, Notice::WorkerReplaced { .. })), 0);
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
