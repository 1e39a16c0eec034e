//! Jobs of no work through the queue: real worker processes, which are this binary again.
//!
//! What counts is the scheduler's own processor time per job, printed beside the wall time;
//! beside it what a job's files cost at least: the same bytes written and synced.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

use bench::queue::{
    Assignment, Device, Done, EarlierFailures, Limits, Patience, Queued, ResultsFolder, Slot, SlotId,
    Unfinished, WorkerCommand, Workload, run, serve,
};
use bench::record::{FORMAT, Failure, JobFolder, JobResult, Measurement, Outcome, Record, publish};
use bench::settings::{Corpus, CorpusSource, Job, Key, Parents, VocabularyWork, Work};
use divan::Bencher;
use divan::counter::ItemsCount;

/// Names the results folder, and makes this binary a worker.
const RESULTS: &str = "BENCH_QUEUEING_RESULTS";

const SLOTS: usize = 2;

/// How many jobs; issue and design speak of ten thousand.
const JOBS: [usize; 2] = [1_000, 10_000];

/// Whether this process is to be a worker.
pub(crate) fn is_worker() -> bool {
    std::env::var_os(RESULTS).is_some()
}

/// Serves a slot with jobs that only leave a record.
pub(crate) fn work() {
    let results = PathBuf::from(std::env::var_os(RESULTS).unwrap_or_default());
    let stop = Arc::new(AtomicBool::new(false));
    serve("cpu", &stop, |assignment, _| {
        nothing(&results, &assignment).map_err(|error| {
            let (outcome, message) = (Outcome::Crashed, error.to_string());
            Unfinished::Failed(Failure { outcome, message, stderr_tail: Vec::new() })
        })
    })
    .expect("the scheduler speaks this protocol");
}

fn nothing(results: &Path, Assignment { job, attempt }: &Assignment) -> io::Result<Done> {
    JobFolder::new(results, &job.key).attempt(attempt).finish(&record(job))?;
    Ok(Done { headline: None, seconds: 0.0 })
}

pub(crate) fn record(job: &Job) -> Record {
    Record {
        format: FORMAT,
        key: job.key.clone(),
        stage: job.work.stage(),
        result: JobResult::default(),
        measurement: Measurement { wall_seconds: 1.0, ..Measurement::default() },
    }
}

fn job(number: usize) -> Job {
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
    let key = Key(format!("{number:032x}"));
    Job { key, label: format!("nothing {number}"), work: Work::Vocabulary(work), parents: Parents::default() }
}

#[divan::bench(args = JOBS, sample_count = 1, sample_size = 1)]
fn jobs_of_no_work(bencher: Bencher, count: usize) {
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let (cpu, wall) = (cpu(), Instant::now());
        drain(count);
        let per_job = |time: Duration| time.as_secs_f64() * 1e3 / count as f64;
        eprintln!(
            "\n{count} jobs, {SLOTS} slots: {:.3} ms of the scheduler's processor and {:.3} ms of wall a job",
            per_job(self::cpu().saturating_sub(cpu)),
            per_job(wall.elapsed())
        );
    });
}

fn drain(count: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let results = ResultsFolder::open(folder.path()).and_then(|results| results.lock(&mut |_| ()));
    let results = results.expect("a folder of its own");
    let program = std::env::current_exe().expect("this binary");
    let environment = vec![(RESULTS.to_owned(), folder.path().display().to_string())];
    let arguments: Vec<OsString> = Vec::new();
    let worker = |_: &Slot| WorkerCommand {
        program: program.clone(),
        args: arguments.clone(),
        env: environment.clone(),
    };
    let workload = Workload {
        results: &results,
        jobs: (0..count).map(|number| Queued { job: job(number), priority: 0 }).collect(),
        earlier_failures: EarlierFailures::Keep,
        slots: (0..SLOTS).map(|id| Slot { id: SlotId(id), device: Device::Cpu }).collect(),
        worker: &worker,
        stop: &AtomicUsize::new(0),
        patience: Patience::default(),
        limits: Limits::NONE,
    };
    let summary = run(workload, &mut |_| ()).expect("a queue that runs");
    assert_eq!(summary.done, count);
}

/// What the files of a job cost without a queue: `job.json` and `record.json`, synced.
#[divan::bench(args = [1_000], sample_count = 1, sample_size = 1)]
fn floor_two_files(bencher: Bencher, count: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes = serde_json::to_vec_pretty(&job(0)).expect("settings are plain data");
    bencher.counter(ItemsCount::new(count)).bench(|| {
        for number in 0..count {
            let job = folder.path().join(number.to_string());
            std::fs::create_dir_all(&job).expect("a folder of its own");
            for name in ["job.json", "record.json"] {
                publish(&job.join(name), &bytes).expect("a folder of its own");
            }
        }
    });
}

/// Processor time of this process; its children are not in it.
fn cpu() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "getrusage fills the struct it is given; zeroes are a valid one")]
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}
