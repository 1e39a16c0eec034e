//! What a labelled dataset and a corpus are, before any of their data is read.

use serde::{Deserialize, Serialize};

/// A labelled dataset with train, dev and test splits and one headline metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Folder path of its file: `gue/mouse/2`.
    pub id: String,
    /// Bumped by hand when the data it means change.
    pub version: u32,
    /// The metric its tables show.
    pub metric: Metric,
    /// Label names, in class order.
    pub classes: Vec<String>,
    /// Whether sequences are upper-cased when read.
    pub upper: bool,
    /// Where rows come from.
    pub source: TaskSource,
}

/// Where a task's rows come from. Paths are relative to the data root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskSource {
    /// One CSV per split, plain or `.gz`, with columns `sequence` and `label`.
    Csv(CsvSplits),
    /// Windows cut inside genomes, split by cluster.
    Windows(Windows),
    /// A planted motif in random sequence: a task whose best score is known.
    Motif(Motif),
}

/// One CSV per split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CsvSplits {
    /// Training rows.
    pub train: String,
    /// Rows for selection.
    pub dev: String,
    /// Rows read once, at the end.
    pub test: String,
}

/// Windows cut inside genomes listed by a manifest.
///
/// The manifest is tab-separated with a header that names at least `file`, `class`,
/// `cluster` and `split`; files are FASTA, plain or `.gz`, beside the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    /// The manifest.
    pub manifest: String,
    /// Nucleotides per window.
    pub length: usize,
    /// Training windows, all classes together, drawn anew for each repetition.
    pub train: usize,
    /// Most dev windows, all classes together; fixed by the task's version.
    pub dev: usize,
    /// Most test windows, all classes together; fixed by the task's version.
    pub test: usize,
    /// Most dev or test windows from one genome.
    pub max_per_genome: usize,
}

/// Random sequences, a share of which carries a motif.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Motif {
    /// The planted word; class 1 has it.
    pub motif: String,
    /// Nucleotides per sequence.
    pub length: usize,
    /// Training rows.
    pub train: usize,
    /// Dev rows.
    pub dev: usize,
    /// Test rows.
    pub test: usize,
    /// Share of rows whose label is flipped; the best accuracy is 1 minus this.
    pub noise: f64,
}

/// Sequences to pre-train on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corpus {
    /// Folder path of its file: `virus/pretrain`.
    pub id: String,
    /// Bumped by hand when the data it means change.
    pub version: u32,
    /// Whether sequences are upper-cased when read.
    pub upper: bool,
    /// Where sequences come from.
    pub source: CorpusSource,
}

/// Where a corpus comes from. Paths are relative to the data root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorpusSource {
    /// The genomes of one split of a manifest (see [`Windows`]).
    Manifest(ManifestSplit),
    /// FASTA files, plain or `.gz`.
    Fasta(Vec<String>),
}

/// The genomes of one split of a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestSplit {
    /// The manifest.
    pub manifest: String,
    /// The split whose genomes are meant, usually `train`.
    pub split: String,
}

/// The metric a task's tables show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Matthews' correlation, multi-class R_K.
    Mcc,
    /// F1, mean over classes.
    MacroF1,
    /// Recall, mean over classes.
    MacroRecall,
    /// Share of correct predictions.
    Accuracy,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mcc, Self::MacroF1, Self::MacroRecall, Self::Accuracy];

    /// The name in files and frames, snake case as in `metrics::Scores`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mcc => "mcc",
            Self::MacroF1 => "macro_f1",
            Self::MacroRecall => "macro_recall",
            Self::Accuracy => "accuracy",
        }
    }
}

/// Rows of one split of a task, or the windows of a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// What a model learns from.
    Train,
    /// What a checkpoint is chosen on.
    Dev,
    /// What is read once.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Dev, Self::Test];

    /// The name in files and frames.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }
}
