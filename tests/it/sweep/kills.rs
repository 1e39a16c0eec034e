//! The kill test: scheduler, workers, or both are killed at random moments, again and again,
//! and the sweep ends with the same results as one that nobody disturbed.
//!
//! 50 kills in a test run; `BENCH_KILLS=1000` for more, `BENCH_KILL_SEED=N` for others
//! (docs/reliability.md has the output of a long run).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bench::record::{Event, JobFolder};
use bench::settings::Key;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Bench, add_corpus, small};
use crate::queue::harness::{eventually, is_alive, stat};

/// A checkpoint after every step: the strictest bound on what a kill may cost.
const STUDY: &str = r#"
[run]
checkpoint_seconds = 0

[[grid]]
model = ["dnabert-3", "dnabert-4", "deepgene"]
init = ["random", "pretrained"]

[[grid]]
model = "dnabert-2"
tokenization = "bpe-trained"
init = "pretrained"

[[grid]]
model = "kmer-logistic"
tokenization = "3-mer"

[vocabulary]
size = 40
"#;

const LEAST_JOBS: usize = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kill {
    Scheduler,
    Worker,
    Both,
}

struct Killed {
    kills: BTreeMap<Kill, usize>,
    schedulers: usize,
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a whole number"))
}

fn start(bench: &Bench) -> Child {
    bench
        .command(&["sweep", "study.toml", "--slots", "2", "--retry-failed"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The children of a process.
fn children(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|&pid| stat(pid, 1).is_some_and(|ppid| ppid == parent.to_string())).collect()
}

fn kill(pid: u32) {
    // It may be gone already.
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Kills `wanted` times.
fn kill_at_random(bench: &Bench, wanted: usize, random: &mut ChaCha8Rng) -> Killed {
    let mut killed = Killed { kills: BTreeMap::new(), schedulers: 0 };
    let mut scheduler = None;
    while killed.kills.values().sum::<usize>() < wanted {
        let mut running = scheduler.take().unwrap_or_else(|| {
            killed.schedulers += 1;
            start(bench)
        });
        sleep(Duration::from_millis(random.random_range(20..500)));
        if running.try_wait().unwrap().is_some() {
            continue;
        }
        let workers = children(running.id());
        // Moments between jobs have their turn too, yet not as often as there are of them.
        if workers.is_empty() && random.random_bool(0.7) {
            scheduler = Some(running);
            continue;
        }
        let kind = [Kill::Scheduler, Kill::Worker, Kill::Both][random.random_range(0..3)];
        match kind {
            Kill::Scheduler => running.kill().unwrap(),
            Kill::Worker if workers.is_empty() => {
                scheduler = Some(running);
                continue;
            }
            Kill::Worker => kill(workers[random.random_range(0..workers.len())]),
            Kill::Both => {
                running.kill().unwrap();
                workers.iter().copied().for_each(kill);
            }
        }
        *killed.kills.entry(kind).or_default() += 1;
        if kind == Kill::Worker {
            scheduler = Some(running);
        } else {
            running.wait().unwrap();
            eventually("the workers' end", || !workers.iter().copied().any(is_alive));
        }
    }
    if let Some(mut running) = scheduler {
        running.wait().unwrap();
    }
    killed
}

/// Steps run by all attempts, and those among them that no later attempt went on from.
#[derive(Debug, Default)]
struct Steps {
    run: usize,
    lost: usize,
    most_lost_at_once: usize,
    attempts: usize,
}

impl Steps {
    fn lose(&mut self, lost: usize) {
        self.lost += lost;
        self.most_lost_at_once = self.most_lost_at_once.max(lost);
    }
}

/// What the events of one job say. Panics where an attempt began before the last checkpoint
/// that was announced, or a job was finished twice.
fn count(steps: &mut Steps, key: &str, history: &[Event]) {
    let (mut reached, mut checkpoint, mut finished) = (0_usize, 0, 0);
    // Whether an attempt has begun and not said from where: then it begins at 0.
    let mut begins = false;
    for event in history {
        match event {
            Event::Started { .. } => {
                steps.attempts += 1;
                begins = true;
            }
            Event::Resumed { step } => {
                assert!(*step >= checkpoint, "{key} went back to {step} from the checkpoint of {checkpoint}");
                steps.lose(reached.saturating_sub(*step));
                (reached, begins) = (*step, false);
            }
            Event::Progress { step, .. } => {
                if begins {
                    assert_eq!(checkpoint, 0, "{key} began again in spite of a checkpoint");
                    steps.lose(reached);
                }
                (reached, begins) = (*step, false);
                steps.run += 1;
            }
            Event::Checkpointed { step } => checkpoint = *step,
            Event::Finished => finished += 1,
            Event::Interrupted { .. } | Event::Warning { .. } | Event::Evaluated { .. } => {}
        }
    }
    assert!(finished <= 1, "{key} was finished {finished} times");
}

fn keys(results: &Path) -> Vec<Key> {
    let folders = fs::read_dir(results.join("jobs")).unwrap();
    folders.map(|entry| Key(entry.unwrap().file_name().into_string().unwrap())).collect()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Nothing that only a sweep under way has.
pub(super) fn check_litter(results: &Path) {
    for file in files(results) {
        let name = file.strip_prefix(results).unwrap().to_str().unwrap();
        let is_hidden = name.split('/').any(|part| part.starts_with('.'));
        let is_litter = (is_hidden && name != ".lock") || name.contains("/checkpoint/");
        assert!(!is_litter && !name.ends_with("failure.json"), "{name}");
    }
}

/// Weights, vocabularies and predictions, by path.
pub(super) fn products(results: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let is_product = |path: &PathBuf| {
        ["predictions.csv", "model.safetensors", "tokenizer.json"].iter().any(|name| path.ends_with(name))
    };
    let products = files(results).into_iter().filter(is_product);
    products.map(|path| (path.strip_prefix(results).unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

/// The result columns of a frame: all before those of measurements.
pub(super) fn result_columns(results: &Path) -> Vec<String> {
    let text = fs::read_to_string(results.join("study/results.csv")).unwrap();
    let columns = text.lines().next().unwrap().split(',').position(|name| name == "wall_seconds").unwrap();
    text.lines().map(|line| line.split(',').take(columns).collect::<Vec<_>>().join(",")).collect()
}

#[test]
fn a_sweep_that_is_killed_again_and_again_ends_with_the_same_results() {
    let wanted = usize::try_from(number("BENCH_KILLS", 50)).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(number("BENCH_KILL_SEED", 1));
    // More work for more kills, so that there is always some to disturb.
    let (steps, seeds) = (99, 5 * wanted.div_ceil(50));
    let study = small(STUDY)
        .replace("seed = 2\n", &format!("seed = {seeds}\n"))
        .replace("steps = 4\n", &format!("steps = {steps}\n"))
        .replace("steps = 6\n", &format!("steps = {steps}\nevaluations = 3\n"));
    let (calm, killed) = (Bench::new(&study), Bench::new(&study));
    add_corpus(calm.folder.path());
    add_corpus(killed.folder.path());
    let began = Instant::now();
    calm.expect(0, &["sweep", "study.toml", "--slots", "2"]);
    let undisturbed = began.elapsed();

    let began = Instant::now();
    let Killed { kills, schedulers } = kill_at_random(&killed, wanted, &mut random);
    let left = killed.run(&["sweep", "study.toml", "--slots", "2", "--retry-failed"]);
    assert_eq!(left.status.code(), Some(0), "{}", String::from_utf8_lossy(&left.stderr));

    let results = killed.results();
    let expected = calm.records();
    assert!(expected.len() >= LEAST_JOBS, "{} jobs", expected.len());
    assert_eq!(killed.records(), expected);
    assert_eq!(products(&results), products(&calm.results()));
    assert_eq!(result_columns(&results), result_columns(&calm.results()));
    check_litter(&results);
    let mut counted = Steps::default();
    for key in keys(&results) {
        count(&mut counted, &key.0, &JobFolder::new(&results, &key).history());
    }
    let bound = 1;
    assert!(counted.most_lost_at_once <= bound, "{counted:?}");
    eprintln!(
        "{} jobs of {steps} steps, {wanted} kills {kills:?}, {schedulers} schedulers, {} attempts: {} steps run, {} of them lost, at most {} at once; {:.0} s, undisturbed {:.0} s; results, weights and predictions equal",
        expected.len(),
        counted.attempts,
        counted.run,
        counted.lost,
        counted.most_lost_at_once,
        began.elapsed().as_secs_f64(),
        undisturbed.as_secs_f64()
    );
}
