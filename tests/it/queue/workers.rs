//! Stopping, and workers that do not start, do not leave, or must not outlive the queue.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bench::queue::{Device, Notice, Slot, SlotId, Summary};
use bench::record::State;

use super::harness::{Queue, count, is_alive, job, stat, summary, worker_pids};

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
