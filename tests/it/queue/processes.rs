//! Schedulers that are killed. Scheduler and workers are this test binary, started again:
//! the two ignored tests are their `main`, and real `serve` and `run` do the work. They are
//! ignored because they test nothing by themselves: the tests below start them with
//! `--ignored`, and would fail without them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::sleep;
use std::time::Duration;

use bench::queue::{
    Assignment, Done, EarlierFailures, Limits, Patience, Progress, ResultsFolder, Unfinished, Word,
    WorkerCommand, Workload, run, serve,
};
use bench::record::{Event, JobFolder, State};
use bench::settings::{Job, Key};

use super::harness::{cpu_slots, eventually, is_alive, job, queued, record};

/// Names the results folder to a process that is to be a scheduler or a worker.
const RESULTS: &str = "BENCH_TEST_QUEUE_RESULTS";

/// What the jobs of [`jobs`] take.
const STEPS: usize = 8;
const STEP: Duration = Duration::from_millis(10);

/// A file in the results folder that makes a step longer than any test waits.
const ENDLESS: &str = "endless";

/// Three families of one parent and four children each.
fn jobs() -> Vec<Job> {
    let family = |parent: &'static str| {
        let child = move |number| job(&format!("{parent}-{number}"), "child", &[parent]);
        std::iter::once(job(parent, "parent", &[])).chain((0..4).map(child))
    };
    ["x", "y", "z"].into_iter().flat_map(family).collect()
}

fn command(test: &str, results: &Path) -> WorkerCommand {
    let args =
        [format!("queue::processes::{test}"), "--exact".into(), "--ignored".into(), "--nocapture".into()];
    WorkerCommand {
        program: std::env::current_exe().unwrap(),
        args: args.into_iter().map(Into::into).collect(),
        env: vec![(RESULTS.to_owned(), results.to_str().unwrap().to_owned())],
    }
}

fn spawn_scheduler(results: &Path) -> Child {
    let WorkerCommand { program, args, env } = command("as_scheduler", results);
    Command::new(program)
        .args(args)
        .envs(env)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "the main function of a scheduler that other tests start"]
fn as_scheduler() {
    let Ok(results) = std::env::var(RESULTS) else { return };
    let results = ResultsFolder::open(Path::new(&results)).and_then(|folder| folder.lock(&mut |_| ()));
    let results = results.unwrap_or_else(|error| panic!("refused: {error}"));
    let workload = Workload {
        results: &results,
        jobs: queued(&jobs()),
        earlier_failures: EarlierFailures::Retry,
        slots: cpu_slots(2),
        worker: &|_| command("as_worker", results.path()),
        stop: &AtomicUsize::new(0),
        patience: Patience::default(),
        limits: Limits::NONE,
    };
    let summary = run(workload, &mut |_| ()).unwrap();
    std::process::exit(i32::from(summary.done < jobs().len()));
}

#[test]
#[ignore = "the main function of a worker that other tests start"]
fn as_worker() {
    let Ok(results) = std::env::var(RESULTS) else { return };
    serve("cpu", &Arc::default(), |assignment, tell| work(Path::new(&results), &assignment, tell)).unwrap();
}

fn work(results: &Path, assignment: &Assignment, tell: &mut dyn FnMut(Word)) -> Result<Done, Unfinished> {
    let storage = |error: std::io::Error| Unfinished::Storage(error.to_string());
    let Assignment { job, attempt } = assignment;
    let attempt = JobFolder::new(results, &job.key).attempt(attempt);
    let started = Event::Started { pid: std::process::id(), device: "cpu".to_owned(), at: 0 };
    attempt.append(&started).map_err(storage)?;
    log(results, "starts", &job.key);
    for parent in job.parents.keys() {
        let state = JobFolder::new(results, parent).peek().map_err(storage)?;
        assert!(matches!(state, State::Done(_)), "{} runs before {parent} is done", job.key);
    }
    let step_time = if results.join(ENDLESS).exists() { Duration::from_hours(1) } else { STEP };
    for step in 1..=STEPS {
        sleep(step_time);
        tell(Word::Progress(Progress { step, steps: STEPS, loss: f64::NAN }));
        attempt.append(&Event::Progress { step, steps: STEPS, loss: f64::NAN }).map_err(storage)?;
    }
    attempt.finish(&record(job.key.clone())).map_err(storage)?;
    log(results, "commits", &job.key);
    Ok(Done { headline: None, seconds: 0.0 })
}

/// One line in one write, so that workers do not mix.
fn log(results: &Path, name: &str, key: &Key) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(results.join(name)).unwrap();
    file.write_all(format!("{key} {}\n", std::process::id()).as_bytes()).unwrap();
}

/// Pairs of a key and a worker's process id.
fn logged(results: &Path, name: &str) -> Vec<(String, u32)> {
    let text = fs::read_to_string(results.join(name)).unwrap_or_default();
    let pair = |line: &str| {
        let (key, pid) = line.split_once(' ').unwrap();
        (key.to_owned(), pid.parse().unwrap())
    };
    text.lines().map(pair).collect()
}

fn kill(pid: u32) {
    // It may be gone already.
    let _ = Command::new("/bin/sh").arg("-c").arg(format!("kill -9 {pid}")).stderr(Stdio::null()).status();
}

fn done(results: &Path) -> usize {
    // Read by another process, in the midst of all the killing.
    let states = jobs().into_iter().map(|job| JobFolder::new(results, &job.key).peek().unwrap());
    states.filter(|state| matches!(state, State::Done(_))).count()
}

#[test]
fn workers_die_with_a_scheduler_that_is_killed_in_the_midst_of_jobs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(ENDLESS), "").unwrap();
    let mut scheduler = spawn_scheduler(folder.path());
    eventually("a job's start", || !logged(folder.path(), "starts").is_empty());
    scheduler.kill().unwrap();
    scheduler.wait().unwrap();
    eventually("the workers' end", || {
        logged(folder.path(), "starts").into_iter().all(|(_, pid)| !is_alive(pid))
    });
    assert_eq!(done(folder.path()), 0);
}

#[test]
fn a_second_scheduler_is_refused_and_told_who_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = spawn_scheduler(folder.path());
    eventually("a job's start", || !logged(folder.path(), "starts").is_empty());
    let second = spawn_scheduler(folder.path()).wait_with_output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains(&format!("is in use by process {}", first.id())), "{said}");
    // It has not harmed the first.
    assert!(first.wait().unwrap().success());
    assert_eq!(done(folder.path()), jobs().len());
}

#[test]
fn a_sweep_survives_any_killing_and_commits_each_job_once() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path();
    let mut finished = false;
    // Each scheduler lives a little longer, so that it ends in any case.
    for round in 1..100 {
        let mut scheduler = spawn_scheduler(results);
        sleep(Duration::from_millis(40 * round));
        if round % 2 == 0
            && let Some((_, pid)) = logged(results, "starts").pop()
        {
            kill(pid);
            sleep(Duration::from_millis(20));
        }
        done(results);
        if let Some(status) = scheduler.try_wait().unwrap() {
            finished = status.success();
            if finished {
                break;
            }
        } else {
            scheduler.kill().unwrap();
            scheduler.wait().unwrap();
        }
    }
    assert!(finished, "no scheduler came to its end");
    assert_eq!(done(results), jobs().len());
    check_commits(results);
    check_litter(results);
    eventually("the workers' end", || logged(results, "starts").into_iter().all(|(_, pid)| !is_alive(pid)));
}

/// A worker that is killed between publishing and logging is not in the log: at most once.
fn check_commits(results: &Path) {
    let commits = logged(results, "commits");
    for job in jobs() {
        let count = commits.iter().filter(|(key, _)| *key == job.key.0).count();
        assert!(count <= 1, "{} was committed {count} times", job.key);
    }
    assert!(commits.len() + 3 >= jobs().len(), "{commits:?}");
}

fn check_litter(results: &Path) {
    for job in jobs() {
        for entry in fs::read_dir(JobFolder::new(results, &job.key).path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.starts_with('.') && name != "failure.json", "{}: {name}", job.key);
        }
    }
}
