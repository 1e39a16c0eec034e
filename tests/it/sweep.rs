//! The program as a person runs it: from a file to tables, with real worker processes.

mod faults;
mod interruption;
mod kills;
mod memory;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder of its own with an experiment file, seen through the program alone.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(sweep: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("study.toml"), sweep).unwrap();
        Self { folder }
    }

    /// The program, about to be run in its folder.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("BENCH_DATA").env("NO_COLOR", "1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs, and gives stdout if the exit code is the one expected.
    fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// The result columns of every record, by key.
    fn records(&self) -> BTreeMap<String, serde_json::Value> {
        let folders = fs::read_dir(self.results().join("jobs")).unwrap();
        folders
            .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("record.json")).ok())
            .map(|text| {
                let record: serde_json::Value = serde_json::from_str(&text).unwrap();
                (record["key"].as_str().unwrap().to_owned(), record["result"].clone())
            })
            .collect()
    }
}

/// Small enough for a test: width 16, a few steps.
const SMALL: &str = r"
[model]
d_model = 16
d_ff = 32
n_layers = 1

[pretrain]
steps = 4
batch_size = 8
max_length = 80
held_out = 8

[finetune]
steps = 6
batch_size = 8
";

fn small(grids: &str) -> String {
    format!(
        "title = \"A test\"\nscale = \"tiny\"\ntasks = [\"synthetic/motif\"]\ncorpus = \"test/genomes\"\nseed = 2\n{grids}\n{SMALL}"
    )
}

/// A corpus beside the sweep: what a user adds without recompiling.
fn add_corpus(folder: &Path) {
    fs::create_dir_all(folder.join("corpora/test")).unwrap();
    fs::create_dir_all(folder.join("data")).unwrap();
    fs::write(
        folder.join("corpora/test/genomes.toml"),
        "version = 1\ntitle = \"A test\"\n[fasta]\nfiles = [\"genome.fasta\"]\n",
    )
    .unwrap();
    let unit = "ACGTTGCATGCCGATAGGCTTACCGATCGATTTAGCGCGATATCCGGATTACGCAGTTGCA";
    let genome: String = (0..120).map(|i| format!("{}\n", &unit[i % 50..])).collect();
    fs::write(folder.join("data/genome.fasta"), format!(">one\n{genome}")).unwrap();
}

const GRIDS: &str = r#"
[[grid]]
model = ["dnabert-3", "deepgene"]
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

#[test]
fn a_sweep_runs_shares_and_is_done_only_once() {
    let bench = Bench::new(&small(GRIDS));
    add_corpus(bench.folder.path());

    let planned = bench.expect(0, &["plan", "study.toml"]);
    assert!(planned.contains("12 cells"), "{planned}");
    assert!(!bench.results().exists(), "`plan` writes nothing");

    let first = bench.expect(0, &["sweep", "study.toml", "--slots", "2"]);
    // One vocabulary for both seeds; a pre-training for each system and seed.
    let stages: Vec<String> = fs::read_dir(bench.results().join("jobs"))
        .unwrap()
        .map(|entry| {
            let text = fs::read_to_string(entry.unwrap().path().join("record.json")).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["stage"].as_str().unwrap().to_owned()
        })
        .collect();
    let count = |stage: &str| stages.iter().filter(|name| *name == stage).count();
    assert_eq!((count("vocabulary"), count("pretrain"), count("finetune")), (1, 6, 12));

    let times = |bench: &Bench| -> Vec<std::time::SystemTime> {
        let jobs = fs::read_dir(bench.results().join("jobs")).unwrap();
        jobs.map(|entry| entry.unwrap().path().join("record.json").metadata().unwrap().modified().unwrap())
            .collect()
    };
    let before = times(&bench);
    let second = bench.expect(0, &["sweep", "study.toml"]);
    assert_eq!(first, second, "the same tables");
    assert_eq!(before, times(&bench), "and no job a second time");

    let status = bench.expect(0, &["status", "study"]);
    assert!(status.contains("12 of 12 done"), "{status}");
    let latex = bench.expect(0, &["table", "study", "--format", "latex"]);
    assert!(latex.contains("\\toprule"), "{latex}");
    for file in ["plan.json", "results.parquet", "results.csv", "tables/results.md", "tables/results.tex"] {
        assert!(bench.results().join("study").join(file).is_file(), "{file}");
    }
}

#[test]
fn results_are_equal_bits_whatever_the_slots_and_however_often_it_was_interrupted() {
    let grids = "[[grid]]\nmodel = [\"dnabert-3\", \"deepgene\"]\ninit = [\"random\", \"pretrained\"]\n";
    let (one, two) = (Bench::new(&small(grids)), Bench::new(&small(grids)));
    add_corpus(one.folder.path());
    add_corpus(two.folder.path());
    one.expect(0, &["sweep", "study.toml", "--slots", "1"]);
    // Part of it first, then the rest: 4 says that jobs remain.
    two.expect(4, &["sweep", "study.toml", "--slots", "2", "--only", "model=deepgene"]);
    two.expect(0, &["sweep", "study.toml", "--slots", "2"]);
    assert_eq!(one.records(), two.records());
}

#[test]
fn the_micro_batch_changes_neither_keys_nor_scores() {
    let grids = "[[grid]]\nmodel = \"dnabert-3\"\ninit = \"pretrained\"\n";
    let whole = Bench::new(&small(grids));
    // DNABERT attends to padding, which ties the batch to the key; here it does not.
    let text = small(grids).replace("held_out = 8", "held_out = 8\nattend_pads = false");
    fs::write(whole.folder.path().join("study.toml"), &text).unwrap();
    let parts = Bench::new(&text.replace("batch_size = 8", "batch_size = 8\nmicro_batch = 3"));
    add_corpus(whole.folder.path());
    add_corpus(parts.folder.path());
    whole.expect(0, &["sweep", "study.toml"]);
    parts.expect(0, &["sweep", "study.toml"]);
    let (whole, parts) = (whole.records(), parts.records());
    assert!(whole.keys().eq(parts.keys()));
    for (key, result) in &whole {
        let loss = |result: &serde_json::Value| result["train_loss"].as_f64().unwrap();
        let (a, b) = (loss(result), loss(&parts[key]));
        assert!((a - b).abs() < 1e-4, "{key}: {a} and {b}");
    }
}

#[test]
fn a_frozen_encoder_stays_as_it_was_and_the_head_learns() {
    // With the encoder frozen only the pooler and the classifier move: the score still
    // depends on the seed of the head, and the cell has a key of its own.
    let grids = "[[grid]]\nmodel = \"dnabert-3\"\ninit = \"random\"\nfinetune.freeze = [true, false]\n";
    let bench = Bench::new(&small(grids));
    add_corpus(bench.folder.path());
    bench.expect(0, &["sweep", "study.toml"]);
    let csv = fs::read_to_string(bench.results().join("study/results.csv")).unwrap();
    assert!(csv.lines().next().unwrap().contains("finetune.freeze"), "{csv}");
    assert_eq!(bench.records().len(), 4);
}

#[test]
fn a_planted_motif_is_learnt() {
    // 3-mers see a motif of six letters as four words in a row; a k-mer count of six sees it
    // whole, so the floor must come close to the best possible score.
    let bench = Bench::new(
        "title = \"Motif\"\nscale = \"tiny\"\ntasks = [\"synthetic/motif\"]\n[[grid]]\nmodel = \"kmer-logistic\"\ntokenization = \"6-mer\"\n",
    );
    bench.expect(0, &["sweep", "study.toml"]);
    let accuracy = bench.records().values().next().unwrap()["scores"]["test"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.85, "accuracy {accuracy}");
}

#[test]
fn a_job_that_cannot_run_is_a_failure_and_the_others_go_on() {
    // The corpus is far too small for so many words: the vocabulary fails, what builds on it
    // is skipped, and the rest is done.
    let grids = GRIDS.replace("size = 40", "size = 4000");
    let bench = Bench::new(&small(&grids));
    add_corpus(bench.folder.path());
    let output = bench.run(&["sweep", "study.toml"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("--retry-failed"), "{stderr}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("skipped"), "{table}");
    let status = bench.expect(1, &["status", "study"]);
    assert!(status.contains("failed: vocabulary test/genomes: crashed"), "{status}");
    assert_eq!(bench.records().len(), 4 + 8 + 2, "everything else is done");
}

/// A system of a user's own: DNABERT-3, pre-trained on from where another system ended.
fn add_system(folder: &Path, start: &str) {
    fs::create_dir_all(folder.join("systems")).unwrap();
    let carried = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/systems/dnabert-3.toml");
    let text = fs::read_to_string(carried).unwrap();
    let own = text.replace("[pretrain]", &format!("[pretrain]\nstart = \"{start}\"\n#"));
    fs::write(folder.join("systems/further.toml"), own).unwrap();
}

#[test]
fn a_pretraining_may_build_on_a_pretraining() {
    let bench = Bench::new(&small("[[grid]]\nmodel = [\"dnabert-3\", \"further\"]\ninit = \"pretrained\"\n"));
    add_corpus(bench.folder.path());
    add_system(bench.folder.path(), "dnabert-3");
    bench.expect(0, &["sweep", "study.toml"]);
    let jobs: Vec<serde_json::Value> = fs::read_dir(bench.results().join("jobs"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path().join("job.json")).unwrap())
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect();
    let pretrainings: Vec<&serde_json::Value> =
        jobs.iter().filter(|job| job["work"]["pretrain"].is_object()).collect();
    // For each seed: DNABERT's own, which both systems need, and the one on top of it.
    assert_eq!(pretrainings.len(), 4);
    let on_top: Vec<&&serde_json::Value> =
        pretrainings.iter().filter(|job| job["work"]["pretrain"]["start"] == "pretrained").collect();
    assert_eq!(on_top.len(), 2);
    for job in on_top {
        let parent = &job["parents"]["encoder"];
        assert!(pretrainings.iter().any(|other| other["key"] == *parent), "{job}");
    }
}

#[test]
fn a_pretraining_that_comes_back_to_itself_or_has_another_shape_is_refused() {
    let refused = |start: &str| {
        let bench = Bench::new(&small("[[grid]]\nmodel = \"further\"\ninit = \"pretrained\"\n"));
        add_corpus(bench.folder.path());
        add_system(bench.folder.path(), start);
        let output = bench.run(&["plan", "study.toml"]);
        assert_eq!(output.status.code(), Some(2), "{start}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("further").contains("`further` would start from its own pre-training"));
    let shape = refused("dnabert-2");
    assert!(
        shape.contains("cannot take over weights of `dnabert-2`: position, max_tokens, feed_forward"),
        "{shape}"
    );
    let unknown = refused("dnabert3");
    assert!(unknown.contains("did you mean `dnabert-3`?"), "{unknown}");
}
