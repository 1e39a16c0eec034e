//! Interrupted and gone on with equals never interrupted, bit for bit: results, weights and
//! predictions, for every system and every stage.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench::record::{Event, FORMAT, JobFolder, JobResult, Measurement, Record};
use bench::settings::{Job, Stage};
use bench::train::{Context, Said, TrainError, run};
use burn::tensor::Device;
use tempfile::TempDir;

/// Every stage has this many steps.
const STEPS: usize = 5;

/// A study of every system that the program carries: each from every start it has.
fn study(settings: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("experiments/systems");
    let mut grids = String::new();
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let system: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        grids.push_str(&format!("[[grid]]\nmodel = \"{name}\"\ninit = {}\n", system["init"]));
    }
    format!(
        "scale = \"tiny\"\ntasks = [\"synthetic/motif\"]\ncorpus = \"virus/pretrain\"\n{grids}
[[grid]]
model = \"dnabert-2\"
tokenization = \"bpe-trained\"
init = \"pretrained\"
[model]
d_model = 16
d_ff = 32
n_layers = 1
{settings}
[vocabulary]
size = 40
max_pieces = 50
[pretrain]
steps = {STEPS}
batch_size = 6
max_length = 80
held_out = 8
[finetune]
steps = {STEPS}
batch_size = 6
evaluations = 3
"
    )
}

/// The jobs of a study, parents first, and where their data are.
fn jobs(study: &str) -> (Vec<Job>, PathBuf) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("study.toml"), study).unwrap();
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("experiments/data");
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["plan", "study.toml", "--json", "--data-root"])
        .arg(&data)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut jobs: Vec<Job> = serde_json::from_value(plan["jobs"].clone()).unwrap();
    jobs.sort_by_key(|job| job.work.stage());
    (jobs, data)
}

/// One attempt at a job, told to stop after `stop_after` more steps where that is given.
fn attempt(
    job: &Job,
    results: &Path,
    data_root: &Path,
    stop_after: Option<usize>,
) -> Result<JobResult, TrainError> {
    let folder = JobFolder::new(results, &job.key);
    let attempt = folder.begin(job).unwrap();
    let attempt = folder.attempt(&attempt);
    let stop = AtomicBool::new(false);
    let mut steps = 0;
    let mut context = Context {
        results,
        data_root,
        device: &Device::flex(),
        attempt: &attempt,
        checkpoint_every: Duration::MAX,
        stop: &stop,
        tell: &mut |said| {
            steps += usize::from(matches!(said, Said::Advance(_)));
            stop.store(stop_after == Some(steps), Ordering::SeqCst);
        },
    };
    let trained = run(job, &mut context)?;
    let (stage, result) = (job.work.stage(), trained.result);
    let record = Record {
        format: FORMAT,
        key: job.key.clone(),
        stage,
        result: result.clone(),
        measurement: Measurement::default(),
    };
    attempt.finish(&record).unwrap();
    Ok(result)
}

/// Runs a job with an interruption after every `every` steps; how often there was one.
fn interrupted(job: &Job, results: &Path, data_root: &Path, every: usize) -> (JobResult, usize) {
    let mut interruptions = 0;
    loop {
        match attempt(job, results, data_root, Some(every)) {
            Ok(result) => return (result, interruptions),
            Err(TrainError::Interrupted { step }) => {
                interruptions += 1;
                assert_eq!(step, interruptions * every);
            }
            Err(error) => panic!("{}: {error}", job.label),
        }
    }
}

/// What a job left: files by name, without what differs each time.
fn left(results: &Path, job: &Job) -> BTreeMap<String, Vec<u8>> {
    let folder = JobFolder::new(results, &job.key);
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name != "events.jsonl")
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

/// Compares a study run in one go with the same interrupted after every `every` steps.
fn check(study: &str, every: usize) {
    let (jobs, data_root) = jobs(study);
    let (whole, cut) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for job in &jobs {
        let expected = attempt(job, whole.path(), &data_root, None).unwrap();
        let (found, interruptions) = interrupted(job, cut.path(), &data_root, every);
        let trains = job.work.micro_batch().is_some();
        assert_eq!(interruptions, if trains { STEPS / every } else { 0 }, "{}", job.label);
        assert_eq!(found, expected, "{}", job.label);
        assert_eq!(left(cut.path(), job), left(whole.path(), job), "{}", job.label);
    }
    for stage in Stage::ALL {
        assert!(jobs.iter().any(|job| job.work.stage() == stage), "no {}", stage.name());
    }
}

#[test]
fn every_system_goes_on_to_the_same_bits_after_every_single_step() {
    check(&study(""), 1);
}

/// burn has one random source for a whole process, and every training step of every other
/// test sets it. Jobs have a process of their own, and so has this.
#[test]
fn dropout_and_small_forward_passes_go_on_to_the_same_bits() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["resume::alone_with_dropout", "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "it must be alone in its process; the test above starts it"]
fn alone_with_dropout() {
    let study = study("dropout = 0.1\nattention_dropout = 0.1");
    check(&study.replace("[pretrain]\n", "[pretrain]\nmicro_batch = 4\n"), 2);
}

#[test]
fn a_frozen_encoder_stays_frozen_and_the_last_step_can_be_the_chosen_one() {
    let study = study("").replace("[finetune]\n", "[finetune]\nfreeze = true\nselection = \"last\"\n");
    check(&study, 2);
}

/// The last checkpoint is damaged at any place: the one before is gone on from. Both are:
/// the job begins again. Each time with the same result, and a word about it.
#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before_and_then_to_the_start() {
    let (jobs, data_root) = jobs(&study(""));
    let job = jobs.iter().find(|job| job.work.stage() == Stage::Pretrain).unwrap();
    let whole = TempDir::new().unwrap();
    let expected = attempt(job, whole.path(), &data_root, None).unwrap();
    for damaged in 1..=2 {
        let cut = TempDir::new().unwrap();
        let folder = JobFolder::new(cut.path(), &job.key);
        for _ in 0..3 {
            attempt(job, cut.path(), &data_root, Some(1)).unwrap_err();
        }
        let steps = folder.checkpoints().steps().unwrap();
        assert_eq!(steps, [3, 2]);
        for step in &steps[..damaged] {
            let path = folder.checkpoints().path().join(format!("{step:09}"));
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
        assert_eq!(attempt(job, cut.path(), &data_root, None).unwrap(), expected);
        assert_eq!(left(cut.path(), job), left(whole.path(), job));
        let history = folder.history();
        let warnings = history.iter().filter(|event| matches!(event, Event::Warning { .. })).count();
        assert_eq!(warnings, damaged, "{history:?}");
        let resumed = history.iter().filter_map(|event| match event {
            Event::Resumed { step } => Some(*step),
            _ => None,
        });
        let expected = if damaged == 1 { vec![1, 2, 2] } else { vec![1, 2] };
        assert_eq!(resumed.collect::<Vec<_>>(), expected);
    }
}
