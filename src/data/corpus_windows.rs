//! Windows of a corpus, for pre-training and for measuring it.
//!
//! Half of the windows are `max_length` long, half have a length drawn uniformly from
//! `min_length` to `max_length` (models.md 2.4). A genome is chosen in proportion to its
//! length, then a start within it. The last twentieth of every genome is reserved for
//! held-out windows and never trained on. Where a region is shorter than the window drawn,
//! the window is the whole region.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::corpus::corpus_fingerprint;
use super::nucleotides::is_clean;
use super::{DataError, Genome};
use crate::seed::{Purpose, stream};
use crate::settings::{Corpus, HELD_OUT, Pretraining};

/// The longest window that can be held out of a corpus whose longest sequence has `longest`
/// nucleotides.
pub fn longest_held_out(longest: usize) -> usize {
    longest / HELD_OUT
}

/// Draws of one window before the corpus is given up as too ambiguous.
const TRIES: usize = 1000;

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusWindow {
    /// Where it was cut: `GENOME:START+LENGTH`, by the genome's place in the corpus. Equal
    /// windows have equal subjects, so it names the stream of masks that are drawn once.
    pub subject: String,
    /// Its nucleotides.
    pub sequence: String,
}

/// A corpus that gives windows.
#[derive(Debug)]
pub struct CorpusWindows {
    id: String,
    version: String,
    fingerprint: String,
    genomes: Vec<Genome>,
    training: Regions,
    held_out: Regions,
    lengths: Pretraining,
}

/// A part of one genome.
#[derive(Clone, Copy, Debug)]
struct Region {
    genome: usize,
    start: usize,
    length: usize,
}

/// Regions to draw from, and their length together.
#[derive(Debug)]
struct Regions {
    regions: Vec<Region>,
    total: usize,
}

impl Regions {
    /// Those at least `shortest` long.
    fn of(regions: impl Iterator<Item = Region>, shortest: usize) -> Self {
        let regions: Vec<Region> = regions.filter(|region| region.length >= shortest).collect();
        let total = regions.iter().map(|region| region.length).sum();
        Self { regions, total }
    }

    /// One of them, in proportion to length.
    fn choose(&self, stream: &mut ChaCha8Rng) -> Option<Region> {
        let mut position = stream.random_range(0..self.total.max(1));
        for region in &self.regions {
            if position < region.length {
                return Some(*region);
            }
            position -= region.length;
        }
        None
    }
}

impl CorpusWindows {
    /// Prepares windows of the lengths that `pretraining` asks for.
    ///
    /// # Errors
    /// The lengths are 0 or in the wrong order, or no genome is long enough.
    pub fn new(corpus: &Corpus, genomes: Vec<Genome>, pretraining: &Pretraining) -> Result<Self, DataError> {
        let shortest = pretraining.min_length;
        if shortest == 0 || shortest > pretraining.max_length {
            return Err(DataError::Setting {
                origin: corpus.id.clone(),
                setting: "min_length",
                value: shortest.to_string(),
                accepted: "a whole number from 1 to max_length",
            });
        }
        let sizes = || genomes.iter().map(|genome| genome.sequence.len()).enumerate();
        let training =
            sizes().map(|(genome, size)| Region { genome, start: 0, length: size - size / HELD_OUT });
        let held_out = sizes().map(|(genome, size)| Region {
            genome,
            start: size - size / HELD_OUT,
            length: size / HELD_OUT,
        });
        let (training, held_out) = (Regions::of(training, shortest), Regions::of(held_out, shortest));
        let short =
            |region| DataError::CorpusTooShort { corpus: corpus.id.clone(), region, length: shortest };
        if training.regions.is_empty() {
            return Err(short("training"));
        }
        if pretraining.held_out > 0 && held_out.regions.is_empty() {
            return Err(short("held-out"));
        }
        Ok(Self {
            id: corpus.id.clone(),
            version: corpus.version.to_string(),
            fingerprint: corpus_fingerprint(&genomes),
            genomes,
            training,
            held_out,
            lengths: pretraining.clone(),
        })
    }

    /// Content hash of the corpus: 32 hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The training window of one place in the stream of a repetition.
    ///
    /// # Errors
    /// The corpus is full of ambiguous letters.
    pub fn window(&self, repetition: u64, index: u64) -> Result<CorpusWindow, DataError> {
        let mut stream = self.stream(repetition, "train", index);
        self.draw(&self.training, &mut stream)
    }

    /// The held-out windows, the same for every repetition.
    ///
    /// # Errors
    /// The corpus is full of ambiguous letters.
    pub fn held_out(&self) -> Result<Vec<CorpusWindow>, DataError> {
        (0..self.lengths.held_out as u64)
            .map(|index| self.draw(&self.held_out, &mut self.stream(0, "held-out", index)))
            .collect()
    }

    fn stream(&self, repetition: u64, what: &str, index: u64) -> ChaCha8Rng {
        let subject = [self.fingerprint.as_str(), self.version.as_str(), what, &index.to_string()];
        stream(repetition, Purpose::Windows, &subject)
    }

    fn draw(&self, regions: &Regions, stream: &mut ChaCha8Rng) -> Result<CorpusWindow, DataError> {
        (0..TRIES)
            .filter_map(|_| self.any_window(regions, stream))
            .find(|window| is_clean(&window.sequence))
            .ok_or_else(|| DataError::NoCleanWindow { origin: self.id.clone(), tries: TRIES })
    }

    fn any_window(&self, regions: &Regions, stream: &mut ChaCha8Rng) -> Option<CorpusWindow> {
        let Pretraining { min_length, max_length, .. } = self.lengths;
        let drawn =
            if stream.random_bool(0.5) { stream.random_range(min_length..=max_length) } else { max_length };
        let region = regions.choose(stream)?;
        let length = drawn.min(region.length);
        let start = region.start + stream.random_range(0..=region.length - length);
        let sequence = self.genomes.get(region.genome)?.sequence.get(start..start + length)?;
        Some(CorpusWindow {
            subject: format!("{}:{start}+{length}", region.genome),
            sequence: sequence.to_owned(),
        })
    }
}
