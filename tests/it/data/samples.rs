//! Small data on disk, and the task files as they are in the repository.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bench::settings::{
    Corpus, CorpusSource, CsvSplits, ManifestSplit, Metric, Motif, Task, TaskSource, Windows,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tempfile::TempDir;

/// A folder of data that goes when the test ends.
pub(super) struct DataFolder(TempDir);

impl DataFolder {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A message with this folder's path replaced: its name differs each time.
    pub(super) fn message(&self, error: &bench::data::DataError) -> String {
        error.to_string().replace(&format!("{}/", self.path().display()), "")
    }
}

pub(super) fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A task of three CSV files, `train.csv`, `dev.csv` and `test.csv`, with classes `0`, `1`.
pub(super) fn csv_task() -> Task {
    let file = |split: &str| format!("{split}.csv");
    let source = TaskSource::Csv(CsvSplits { train: file("train"), dev: file("dev"), test: file("test") });
    Task {
        id: "sample/csv".into(),
        version: 1,
        metric: Metric::Mcc,
        classes: vec!["0".into(), "1".into()],
        upper: true,
        source,
    }
}

/// CSV text of rows that all differ, with the labels given.
pub(super) fn csv_rows(seed: u64, labels: &[usize]) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut text = "sequence,label\n".to_owned();
    for label in labels {
        writeln!(text, "{},{label}", sequence(&mut random, 30)).unwrap();
    }
    text
}

pub(super) fn sequence(random: &mut ChaCha8Rng, length: usize) -> String {
    (0..length).map(|_| ['A', 'C', 'G', 'T'][random.random_range(0..4)]).collect()
}

/// One genome of a sample manifest.
pub(super) struct SampleGenome {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) cluster: String,
    pub(super) split: &'static str,
    pub(super) sequence: String,
}

/// Genomes of both classes in all splits: `clusters` clusters each, whose sizes differ.
pub(super) fn sample_genomes(clusters: usize) -> Vec<SampleGenome> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut genomes = Vec::new();
    for class in ["other", "phage"] {
        for split in ["train", "dev", "test"] {
            for cluster in 0..clusters {
                for copy in 0..=cluster % 2 {
                    let length = 400 + random.random_range(0..1600);
                    genomes.push(SampleGenome {
                        name: format!("{class}-{split}-{cluster}-{copy}"),
                        class,
                        cluster: format!("{class}-{split}-{cluster}"),
                        split,
                        sequence: sequence(&mut random, length),
                    });
                }
            }
        }
    }
    genomes
}

/// Writes genomes and `virus/manifest.tsv`, columns in no special order.
pub(super) fn write_genomes(folder: &DataFolder, genomes: &[SampleGenome]) {
    let mut manifest = "split\tnote\tfile\tcluster\tclass\n".to_owned();
    for SampleGenome { name, class, cluster, split, sequence } in genomes {
        writeln!(manifest, "{split}\t\"5' end\t{class}/{name}.fasta\t{cluster}\t{class}").unwrap();
        let lines: Vec<&str> =
            sequence.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        folder.write(
            &format!("virus/{class}/{name}.fasta"),
            format!(">{name} a sample\n{}\n", lines.join("\n")),
        );
    }
    folder.write("virus/manifest.tsv", manifest);
}

/// Windows of 50 nt out of [`write_genomes`]' genomes.
pub(super) fn windows_task() -> Task {
    let windows = Windows {
        manifest: "virus/manifest.tsv".into(),
        length: 50,
        train: 301,
        dev: 60,
        test: 120,
        max_per_genome: 9,
    };
    Task {
        id: "sample/windows".into(),
        metric: Metric::MacroRecall,
        classes: vec!["other".into(), "phage".into()],
        source: TaskSource::Windows(windows),
        ..csv_task()
    }
}

pub(super) fn motif_task(noise: f64) -> Task {
    let motif = Motif { motif: "ACGT".into(), length: 40, train: 600, dev: 300, test: 500, noise };
    Task { id: "sample/motif".into(), source: TaskSource::Motif(motif), ..csv_task() }
}

/// A task file as people write it; the spec module reads it in its own way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskFile {
    version: u32,
    title: String,
    metric: Metric,
    classes: Vec<String>,
    upper: bool,
    #[serde(rename = "source_note")]
    _source_note: Option<String>,
    csv: Option<CsvSplits>,
    windows: Option<Windows>,
    motif: Option<Motif>,
    /// Settings of models, no data.
    #[serde(rename = "finetune")]
    _finetune: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorpusFile {
    version: u32,
    title: String,
    upper: bool,
    #[serde(rename = "source_note")]
    _source_note: Option<String>,
    manifest: Option<ManifestSplit>,
    fasta: Option<FastaFiles>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FastaFiles {
    files: Vec<String>,
}

/// `experiments/` of the repository.
pub(super) fn experiments() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("experiments")
}

/// All task files of the repository by id.
pub(super) fn tasks() -> BTreeMap<String, Task> {
    toml_files(&experiments().join("tasks"))
        .into_iter()
        .map(|(id, text)| {
            let file: TaskFile = toml::from_str(&text).unwrap_or_else(|error| panic!("{id}: {error}"));
            assert!(!file.title.is_empty(), "{id}");
            let sources = [
                file.csv.map(TaskSource::Csv),
                file.windows.map(TaskSource::Windows),
                file.motif.map(TaskSource::Motif),
            ];
            let [source] = <[TaskSource; 1]>::try_from(sources.into_iter().flatten().collect::<Vec<_>>())
                .unwrap_or_else(|found| panic!("{id}: {} sources", found.len()));
            let TaskFile { version, metric, classes, upper, .. } = file;
            (id.clone(), Task { id, version, metric, classes, upper, source })
        })
        .collect()
}

/// All corpus files of the repository by id.
pub(super) fn corpora() -> BTreeMap<String, Corpus> {
    toml_files(&experiments().join("corpora"))
        .into_iter()
        .map(|(id, text)| {
            let file: CorpusFile = toml::from_str(&text).unwrap_or_else(|error| panic!("{id}: {error}"));
            assert!(!file.title.is_empty(), "{id}");
            let source = match (file.manifest, file.fasta) {
                (Some(split), None) => CorpusSource::Manifest(split),
                (None, Some(fasta)) => CorpusSource::Fasta(fasta.files),
                (both, _) => panic!("{id}: {} sources", if both.is_some() { 2 } else { 0 }),
            };
            (id.clone(), Corpus { id, version: file.version, upper: file.upper, source })
        })
        .collect()
}

fn toml_files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let id = path.strip_prefix(folder).unwrap().with_extension("");
                found.push((id.to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}
