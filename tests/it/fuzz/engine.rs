//! The loop: damaged inputs into one reader until its time is over.
//!
//! There is no measure of what code was reached. What a reader says stands in for it: an
//! input with an answer that was not heard before is kept and damaged further.
//!
//! The input that a reader is at lies in `TEMP/bench-fuzz/READER.current` before the reader
//! sees it. It is left there only if the process ends: by a stack overflow, an allocation
//! beyond all bounds, or a reader that does not come back.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::memory::peak_of;
use super::mutate::{Dice, damage};

/// Time for one reader where nobody asks for more.
const SHORT: Duration = Duration::from_millis(1200);

/// Slower than this is a finding: the longest inputs here take milliseconds.
const SLOW: Duration = Duration::from_secs(4);

/// A reader that takes longer does not come back.
const HUNG: u64 = 60;

/// Inputs with new answers that are kept.
const KEPT: usize = 500;

/// Seeds up to this length are cut off at every byte.
const CUT_EVERYWHERE: usize = 1500;

/// What may be damaged, and how much a reader may take.
pub(super) struct Fuzz {
    /// As in the name of its test.
    pub(super) reader: &'static str,
    /// Whole inputs; each is read without an error.
    pub(super) seeds: Vec<Vec<u8>>,
    /// Words of the format.
    pub(super) words: &'static [&'static str],
    /// Longest damaged input in bytes, before it is packed.
    pub(super) longest: usize,
    /// Puts what was damaged into the container in which it is read.
    pub(super) pack: fn(&mut Dice, &[u8]) -> Vec<u8>,
    /// Bytes of memory per byte of the packed input.
    pub(super) multiple: usize,
    /// Bytes of memory beside that.
    pub(super) constant: usize,
}

/// No container.
pub(super) fn plain(_dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

impl Fuzz {
    /// Runs `read`, which answers what it has read, or why it has not.
    pub(super) fn run(self, mut read: impl FnMut(&[u8]) -> Result<String, String>) {
        let seed = number("BENCH_FUZZ_SEED").unwrap_or(1);
        let time = number("BENCH_FUZZ_SECONDS").map_or(SHORT, Duration::from_secs);
        let mut dice = Dice::new(seed, self.reader);
        let mut bench = Bench::new(self.reader, self.multiple, self.constant);
        let started = Instant::now();
        let mut heard = BTreeSet::new();
        for bytes in &self.seeds {
            let packed = (self.pack)(&mut dice, bytes);
            match bench.attempt(&packed, &mut read) {
                Ok(Ok(answer)) => drop(heard.insert(shape(&answer))),
                Ok(Err(refused)) => panic!("{}: a good input is refused: {refused}", self.reader),
                Err(finding) => bench.report(&packed, &finding, seed, &mut read),
            }
        }
        let mut cuts: Vec<Vec<u8>> = self.cuts();
        let mut kept: Vec<Vec<u8>> = Vec::new();
        while started.elapsed() < time || !cuts.is_empty() {
            let bytes = cuts.pop().unwrap_or_else(|| self.damaged(&kept, &mut dice));
            let packed = (self.pack)(&mut dice, &bytes);
            match bench.attempt(&packed, &mut read) {
                Err(finding) => bench.report(&packed, &finding, seed, &mut read),
                Ok(answer) => {
                    let answer = shape(&answer.unwrap_or_else(|refused| refused));
                    if kept.len() < KEPT && heard.insert(answer) {
                        kept.push(bytes);
                    }
                }
            }
        }
        bench.summary(started.elapsed(), heard.len());
    }

    /// The short seeds, cut off at every byte.
    fn cuts(&self) -> Vec<Vec<u8>> {
        let short = self.seeds.iter().filter(|seed| seed.len() <= CUT_EVERYWHERE).take(2);
        short.flat_map(|seed| (0..seed.len()).map(|end| seed[..end].to_vec())).collect()
    }

    fn damaged(&self, kept: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
        let mut any = || {
            let seeds = kept.is_empty() || dice.below(2) == 0;
            dice.pick(if seeds { &self.seeds } else { kept }).clone()
        };
        let (mut bytes, other) = (any(), any());
        damage(&mut bytes, &other, self.words, dice);
        bytes.truncate(self.longest);
        bytes
    }
}

/// A number that the environment sets.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is `{text}`; accepted is a whole number")))
}

/// An answer without its values: of which kind it is.
fn shape(answer: &str) -> String {
    let mut shape = String::new();
    for (index, part) in answer.split('`').enumerate() {
        if index % 2 == 0 {
            shape.extend(part.chars().filter(|c| !c.is_ascii_digit()).take(160));
        }
    }
    shape
}

/// One reader, watched.
struct Bench {
    reader: &'static str,
    multiple: usize,
    constant: usize,
    path: PathBuf,
    current: File,
    runs: u64,
    /// The largest part of the memory it may take that an input took.
    share: f64,
    slowest: Duration,
    watch: Arc<AtomicU64>,
}

impl Bench {
    fn new(reader: &'static str, multiple: usize, constant: usize) -> Self {
        let folder = std::env::temp_dir().join("bench-fuzz");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{reader}.current"));
        let current = File::create(&path).unwrap();
        let watch = Arc::new(AtomicU64::new(0));
        let bench = Self {
            reader,
            multiple,
            constant,
            path,
            current,
            runs: 0,
            share: 0.0,
            slowest: Duration::ZERO,
            watch,
        };
        bench.guard();
        bench
    }

    /// Ends the process where the same input is read for too long.
    fn guard(&self) {
        let (watch, path, reader) = (Arc::downgrade(&self.watch), self.path.clone(), self.reader);
        std::thread::spawn(move || {
            let mut since = (0, Instant::now());
            while let Some(watch) = watch.upgrade() {
                let run = watch.load(Ordering::Relaxed);
                if run != since.0 {
                    since = (run, Instant::now());
                } else if since.1.elapsed() > Duration::from_secs(HUNG) {
                    let message = format!("{reader} does not come back from {}\n", path.display());
                    // Not by a macro: the test harness would keep it to itself.
                    drop(std::io::stderr().write_all(message.as_bytes()));
                    std::process::abort();
                }
                drop(watch);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
    }

    /// Has one input read: the answer, or how the reader broke its promises.
    fn attempt(
        &mut self,
        bytes: &[u8],
        read: &mut impl FnMut(&[u8]) -> Result<String, String>,
    ) -> Result<Result<String, String>, String> {
        self.current.set_len(0).and_then(|()| self.current.rewind()).unwrap();
        self.current.write_all(bytes).unwrap();
        self.runs += 1;
        self.watch.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let (answer, peak) = peak_of(|| catch_unwind(AssertUnwindSafe(|| read(bytes))));
        let took = started.elapsed();
        let answer = answer.map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            format!("panicked: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?"))
        })?;
        let most = self.constant + self.multiple * bytes.len();
        if peak > most {
            return Err(format!("took {peak} bytes of memory for {} of input; at most {most}", bytes.len()));
        }
        if took > SLOW {
            return Err(format!("took {took:?}"));
        }
        self.share = self.share.max(peak as f64 / most as f64);
        self.slowest = self.slowest.max(took);
        Ok(answer)
    }

    /// Fails the test with the smallest input found that still does it.
    fn report(
        &mut self,
        bytes: &[u8],
        finding: &str,
        seed: u64,
        read: &mut impl FnMut(&[u8]) -> Result<String, String>,
    ) -> ! {
        let kind = shape(finding);
        let smallest = self.minimised(bytes, &kind, read);
        let digest: String = blake3::hash(&smallest).to_hex().chars().take(12).collect();
        let path = self.path.with_file_name(format!("{}-{digest}.input", self.reader));
        fs::write(&path, &smallest).unwrap();
        let start = String::from_utf8_lossy(&smallest[..smallest.len().min(300)]).into_owned();
        panic!(
            "{} {finding}\nseed {seed}, input {} of {} bytes: {start:?}\nin {}",
            self.reader,
            self.runs,
            smallest.len(),
            path.display()
        );
    }

    fn minimised(
        &mut self,
        bytes: &[u8],
        kind: &str,
        read: &mut impl FnMut(&[u8]) -> Result<String, String>,
    ) -> Vec<u8> {
        let (mut smallest, started) = (bytes.to_vec(), Instant::now());
        let mut step = smallest.len() / 2;
        while step > 0 && started.elapsed() < Duration::from_secs(5) {
            let mut at = 0;
            while at < smallest.len() && started.elapsed() < Duration::from_secs(5) {
                let mut less = smallest.clone();
                drop(less.drain(at..(at + step).min(less.len())));
                match self.attempt(&less, read) {
                    Err(finding) if shape(&finding) == kind => smallest = less,
                    Ok(_) | Err(_) => at += step,
                }
            }
            step /= 2;
        }
        smallest
    }

    fn summary(self, took: Duration, answers: usize) {
        let rate = self.runs as f64 / took.as_secs_f64();
        eprintln!(
            "fuzz {:18}{:>9} inputs, {rate:>7.0} a second, {answers:>4} answers, slowest {:>6.1} ms, memory {:>3.0} % of its bound",
            self.reader,
            self.runs,
            self.slowest.as_secs_f64() * 1e3,
            self.share * 100.0
        );
        drop(fs::remove_file(&self.path));
    }
}

/// A folder for inputs that are read from disk, in memory where the system has such a place.
pub(super) fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
