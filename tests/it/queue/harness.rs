//! A queue in a results folder of its own, and what tests ask of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use bench::queue::{
    Device, EarlierFailures, Limits, LockedResults, Notice, Patience, Queued, ResultsFolder, RunError, Slot,
    SlotId, Summary, WorkerCommand, Workload, run,
};
use bench::record::{FORMAT, Failure, JobFolder, JobResult, Measurement, Record, State};
use bench::settings::{
    Corpus, CorpusSource, Decay, FeedForward, Init, Job, Key, Masking, Norm, Optimisation, Parents, Position,
    PretrainWork, Pretraining, Refresh, Stage, Targets, Tokenization, VocabularyWork, Work,
};

use crate::model::small::settings;

pub(super) fn key(name: &str) -> Key {
    Key(name.to_owned())
}

/// A job that does what `label` says; `parents` are its vocabulary and its encoder.
pub(super) fn job(name: &str, label: &str, parents: &[&str]) -> Job {
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

/// A pre-training that does what `label` says, of `micro_batch` sequences at a time.
pub(super) fn pretraining(name: &str, label: &str, micro_batch: usize, dropout: f64) -> Job {
    let Work::Vocabulary(VocabularyWork { corpus, .. }) = job(name, label, &[]).work else {
        panic!("the other builder makes vocabularies")
    };
    let mut encoder = settings(Position::Learned, FeedForward::Gelu, Norm::Post);
    encoder.dropout = dropout;
    let masking =
        Masking { targets: Targets::Token, share: 0.15, mask: 0.8, random: 0.1, refresh: Refresh::Always };
    let optimisation = Optimisation {
        steps: 1,
        batch_size: 16,
        micro_batch,
        learning_rate: 1e-3,
        warmup_steps: 0,
        decay: Decay::Linear,
        weight_decay: 0.0,
        decay_all: false,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        clip_norm: 1.0,
    };
    let pretraining = Pretraining { min_length: 10, max_length: 20, attend_pads: false, held_out: 1 };
    let work = PretrainWork {
        encoder: encoder.into(),
        tokenization: Tokenization::Kmer { k: 3, stride: 1 },
        tokenizer_fingerprint: String::new().into(),
        masking,
        corpus: corpus.into(),
        fingerprint: String::new().into(),
        optimisation: optimisation.into(),
        pretraining: pretraining.into(),
        start: Init::Random,
        repetition: 1,
    };
    Job { key: key(name), label: label.to_owned(), work: Work::Pretrain(work), parents: Parents::default() }
}

pub(super) fn queued(jobs: &[Job]) -> Vec<Queued> {
    jobs.iter().map(|job| Queued { job: job.clone(), priority: 0 }).collect()
}

pub(super) fn cpu_slots(count: usize) -> Vec<Slot> {
    (0..count).map(|id| Slot { id: SlotId(id), device: Device::Cpu }).collect()
}

pub(super) fn record(key: Key) -> Record {
    Record {
        format: FORMAT,
        key,
        stage: Stage::Vocabulary,
        result: JobResult::default(),
        measurement: Measurement::default(),
    }
}

/// A results folder of its own, and a queue on it.
pub(super) struct Queue {
    _folder: tempfile::TempDir,
    results: LockedResults,
    pub(super) stop: AtomicUsize,
    pub(super) slots: Vec<Slot>,
    pub(super) earlier_failures: EarlierFailures,
    pub(super) command: WorkerCommand,
    pub(super) patience: Patience,
    pub(super) limits: Limits,
}

impl Queue {
    pub(super) fn new(slots: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsFolder::open(folder.path()).unwrap().lock(&mut |_| ()).unwrap();
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
            limits: Limits::NONE,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.results.path()
    }

    pub(super) fn try_run(
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
            limits: self.limits,
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

    pub(super) fn run(&self, jobs: &[Job]) -> (Summary, Vec<Notice>) {
        self.try_run(jobs, &mut |_| ()).unwrap()
    }

    pub(super) fn state(&self, name: &str) -> State {
        JobFolder::new(self.path(), &key(name)).peek().unwrap()
    }

    pub(super) fn is_done(&self, name: &str) -> bool {
        matches!(self.state(name), State::Done(_))
    }

    pub(super) fn failure(&self, name: &str) -> Failure {
        match self.state(name) {
            State::Failed(failure) => failure,
            other @ (State::Pending | State::Done(_)) => panic!("{name} is {other:?}"),
        }
    }

    /// How often each job was started.
    pub(super) fn executions(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(self.path().join("executions")).unwrap_or_default().lines() {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
        counts
    }
}

pub(super) fn worker_pids(notices: &[Notice]) -> Vec<u32> {
    let pid = |notice: &Notice| match notice {
        Notice::WorkerStarted { pid, .. } => Some(*pid),
        _ => None,
    };
    notices.iter().filter_map(pid).collect()
}

/// One field of `/proc/PID/stat`, counted from the state, which is 0.
pub(crate) fn stat(pid: u32, field: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(field).map(str::to_owned)
}

/// A process that only waits to be reaped by a new parent is dead.
pub(crate) fn is_alive(pid: u32) -> bool {
    stat(pid, 0).is_some_and(|state| state != "Z" && state != "X")
}

pub(super) fn count(notices: &[Notice], wanted: fn(&Notice) -> bool) -> usize {
    notices.iter().filter(|notice| wanted(notice)).count()
}

pub(super) fn summary(done: usize, failed: usize, skipped: usize, remaining: usize) -> Summary {
    Summary { done, failed, skipped, remaining, stopped: false }
}

/// Below the minute after which a test that is a worker speaks up, and dies of nobody
/// listening.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits for something that another process does.
pub(crate) fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "{what} has not happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}
