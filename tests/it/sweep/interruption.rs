//! A sweep that is asked to stop, waited for, held by another, or woken too late.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bench::queue::message::{Reply, Request};
use bench::record::{Event, JobFolder};
use bench::settings::{Job, Key};

use super::{Bench, add_corpus, small};
use crate::queue::harness::eventually;

/// One slow pre-training and what builds on it.
fn slow() -> Bench {
    let grids = "[[grid]]\nmodel = \"dnabert-3\"\ninit = \"pretrained\"\n";
    let study = small(grids).replace("seed = 2\n", "").replace("steps = 4\n", "steps = 4000\n");
    let bench = Bench::new(&study);
    add_corpus(bench.folder.path());
    bench
}

fn start(bench: &Bench, arguments: &[&str]) -> Child {
    bench
        .command(&["sweep", "study.toml", "--slots", "1"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(status.success(), "{name} to {pid}");
}

/// The only job that has begun, once it has.
fn running(results: &Path) -> JobFolder {
    let mut found = None;
    eventually("a job's first steps", || {
        let folders = fs::read_dir(results.join("jobs")).into_iter().flatten();
        found = folders
            .map(|entry| Key(entry.unwrap().file_name().into_string().unwrap()))
            .map(|key| JobFolder::new(results, &key))
            .find(|folder| folder.progress().is_some());
        found.is_some()
    });
    found.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn one_request_to_stop_pauses_with_a_checkpoint_and_says_how_to_go_on() {
    for name in ["INT", "TERM", "USR1"] {
        let bench = slow();
        let sweep = start(&bench, &[]);
        let job = running(&bench.results());
        signal(name, sweep.id());
        let output = sweep.wait_with_output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(4), "{name}: {said}");
        assert!(said.contains("paused after step "), "{said}");
        assert!(said.contains("2 jobs remain; go on with: "), "{said}");
        assert!(said.contains("bench sweep study.toml --slots 1\n"), "{said}");
        let history = job.history();
        let Some(Event::Interrupted { step }) = history.last() else { panic!("{history:?}") };
        assert_eq!(job.checkpoints().steps().unwrap(), [*step]);
        // Going on goes on from there.
        let sweep = start(&bench, &[]);
        eventually("the next attempt", || job.history().contains(&Event::Resumed { step: *step }));
        signal(name, sweep.id());
        assert_eq!(sweep.wait_with_output().unwrap().status.code(), Some(4));
    }
}

#[test]
fn a_device_that_is_not_there_is_refused_in_one_line() {
    let bench = slow();
    let output = start(&bench, &["--devices", "cuda:0"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
    assert!(said(&output).contains("`cuda:0`"), "{}", said(&output));
    assert!(!bench.results().exists());
}

/// `bench sweep FILE 2>&1 | tee log`, and Ctrl-C ends the reader too.
#[test]
fn a_sweep_whose_words_nobody_reads_stops_in_order() {
    let bench = slow();
    let mut sweep = start(&bench, &[]);
    drop((sweep.stdout.take(), sweep.stderr.take()));
    let job = running(&bench.results());
    signal("INT", sweep.id());
    assert_eq!(sweep.wait().unwrap().code(), Some(4));
    assert!(matches!(job.history().last(), Some(Event::Interrupted { .. })), "{:?}", job.history());
}

#[test]
fn what_failed_does_not_hide_what_remains() {
    let bench = slow();
    let study = fs::read_to_string(bench.folder.path().join("study.toml")).unwrap();
    // So many words cannot be learnt from so small a corpus.
    let failing = "[[grid]]\nmodel = \"dnabert-2\"\ntokenization = \"bpe-trained\"\ninit = \"pretrained\"\n";
    let study = format!(
        "{}\n[vocabulary]\nsize = 4000\n",
        study.replacen("[[grid]]", &format!("{failing}[[grid]]"), 1)
    );
    fs::write(bench.folder.path().join("study.toml"), study).unwrap();
    let sweep = start(&bench, &[]);
    running(&bench.results());
    signal("TERM", sweep.id());
    let output = sweep.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("1 jobs failed, 2 were skipped") && said.contains("2 jobs remain; go on with: "),
        "{said}"
    );
}

#[test]
fn two_requests_stop_at_once() {
    let bench = slow();
    let sweep = start(&bench, &[]);
    running(&bench.results());
    let began = Instant::now();
    signal("INT", sweep.id());
    signal("INT", sweep.id());
    let output = sweep.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_worker_that_is_asked_by_itself_goes_on() {
    let bench = slow();
    let mut sweep = start(&bench, &[]);
    let job = running(&bench.results());
    let worker = job.history().iter().find_map(|event| match event {
        Event::Started { pid, .. } => Some(*pid),
        _ => None,
    });
    signal("TERM", worker.unwrap());
    eventually("the next attempt", || {
        job.history().iter().any(|event| matches!(event, Event::Resumed { .. }))
    });
    assert!(sweep.try_wait().unwrap().is_none());
    sweep.kill().unwrap();
    sweep.wait().unwrap();
}

#[test]
fn a_second_sweep_is_told_who_is_there_or_waits() {
    let bench = slow();
    let first = start(&bench, &[]);
    running(&bench.results());
    let refused = start(&bench, &[]).wait_with_output().unwrap();
    let holder = format!("is in use by process {} on ", first.id());
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains(&holder) && said(&refused).contains("--wait"), "{}", said(&refused));
    // The second waits until the first is gone, and then goes on with its job.
    let second = start(&bench, &["--wait"]);
    std::thread::sleep(Duration::from_millis(500));
    signal("TERM", first.id());
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(4));
    let job = running(&bench.results());
    eventually("the second", || job.history().iter().any(|event| matches!(event, Event::Resumed { .. })));
    signal("TERM", second.id());
    let output = second.wait_with_output().unwrap();
    assert!(said(&output).contains("waiting for process "), "{}", said(&output));
}

#[test]
fn a_lock_of_a_dead_process_is_taken_over_and_one_of_another_host_never_is() {
    let bench = Bench::new(&small("[[grid]]\nmodel = \"kmer-logistic\"\ntokenization = \"3-mer\"\n"));
    add_corpus(bench.folder.path());
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    fs::create_dir_all(bench.results()).unwrap();
    let lock = |host: &str| {
        let text = format!("{{\"pid\":4294967295,\"host\":\"{host}\",\"boot\":\"\",\"born\":1,\"since\":1}}");
        fs::write(bench.results().join(".lock"), text).unwrap();
    };
    lock("somewhere-else");
    for wait in [&["--wait"][..], &[]] {
        let output = start(&bench, wait).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = said(&output);
        assert!(
            said.contains("process 4294967295 on somewhere-else since 1970-01-01 00:00:01 UTC"),
            "{said}"
        );
        assert!(said.contains("remove results/.lock"), "{said}");
    }
    lock(host.trim());
    let output = start(&bench, &[]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("ended without releasing it; it was taken over"), "{}", said(&output));
    assert_eq!(fs::read(bench.results().join(".lock")).unwrap(), b"");
}

/// A worker whose scheduler cannot end it, as on another host, is stopped in the midst of a
/// step. Another runs the job to its end; then the first goes on.
#[test]
fn a_worker_that_wakes_too_late_publishes_nothing() {
    let grids = "[[grid]]\nmodel = \"dnabert-3\"\ninit = \"random\"\n";
    let study = small(grids).replace("seed = 2\n", "").replace("steps = 6\n", "steps = 300\n");
    let bench = Bench::new(&format!("{study}\n[run]\ncheckpoint_seconds = 0\n"));
    add_corpus(bench.folder.path());
    let plan: serde_json::Value =
        serde_json::from_str(&bench.expect(0, &["plan", "study.toml", "--json"])).unwrap();
    let job: Job = serde_json::from_value(plan["jobs"][0].clone()).unwrap();
    let folder = JobFolder::new(&bench.results(), &job.key);
    let attempt = folder.begin(&job).unwrap();
    let mut sleeper = bench
        .command(&["worker", "--device", "cpu", "--results", "results", "--data-root", "data"])
        .args(["--checkpoint-seconds", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = Request::Run { job: Box::new(job), attempt };
    let mut input = sleeper.stdin.take().unwrap();
    writeln!(input, "{}", serde_json::to_string(&request).unwrap()).unwrap();
    eventually("the first steps", || folder.checkpoints().steps().unwrap().len() == 2);
    signal("STOP", sleeper.id());
    let output = start(&bench, &[]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let files = || {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<(String, Vec<u8>)> = entries
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    signal("CONT", sleeper.id());
    let replies = BufReader::new(sleeper.stdout.take().unwrap()).lines().map_while(Result::ok);
    let last = replies.filter_map(|line| Reply::parse(&line)).find_map(|reply| match reply {
        Reply::Storage { message, .. } => Some(message),
        _ => None,
    });
    assert!(last.unwrap().contains("another attempt at this job has begun"));
    drop(input);
    sleeper.wait().unwrap();
    assert_eq!(files(), before);
}

#[test]
fn a_job_past_its_limit_times_out_and_a_retry_goes_on_from_its_checkpoint() {
    let bench = slow();
    let study = fs::read_to_string(bench.folder.path().join("study.toml")).unwrap();
    let limited = format!("{study}\n[run]\nwarn_seconds = 0.2\ntimeout_seconds = 1\n");
    fs::write(bench.folder.path().join("study.toml"), limited).unwrap();
    let output = start(&bench, &[]).wait_with_output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("warning: pretrain dnabert-3") && text.contains("takes longer than 0.2 s"),
        "{text}"
    );
    assert!(text.contains("timed-out: it ran past its limit of 1 s; it stopped at step "), "{text}");
    // What has failed is not tried again by itself, and what waits for it is skipped.
    let again = start(&bench, &[]).wait_with_output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    let job = running(&bench.results());
    let resumed = || job.history().iter().any(|event| matches!(event, Event::Resumed { .. }));
    assert!(!resumed());
    fs::write(bench.folder.path().join("study.toml"), study).unwrap();
    let sweep = start(&bench, &["--retry-failed"]);
    eventually("the next attempt", resumed);
    signal("TERM", sweep.id());
    sweep.wait_with_output().unwrap();
}
