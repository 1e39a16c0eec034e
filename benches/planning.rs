//! From the text of an experiment to its job graph, in cells per second.
//!
//! Beside it: writing the jobs as JSON and hashing them, which content keys need at least.

use bench::plan::plan;
use bench::resolve::{Catalogue, Cells};
use bench::spec::{Library, Sweep};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::experiment::{catalogue, cells, library, read};

const CELLS: [usize; 2] = [1_000, 10_000];

/// An experiment of so many cells: 5 models, of which 2 read BPE, from scratch and
/// pre-trained, on 4 tasks with 5 label fractions, repeated.
struct Study {
    library: Library,
    catalogue: Catalogue,
    text: String,
}

impl Study {
    fn new(cells: usize) -> Self {
        let seeds = cells / (5 * 2 * 4 * 5);
        let text = format!(
            r#"
            title = "A study"
            scale = "tiny"
            tasks = ["gue/mouse/2", "gue/prom/prom_300_tata", "virus/phage-150", "synthetic/motif"]
            corpus = "virus/pretrain"
            seed = {seeds}

            [[grid]]
            model = ["dnabert-6", "dnabert-2", "deepgene", "genomenet-bert", "genomenet-bert-stride3"]
            init = ["random", "pretrained"]
            label_fraction = [1, 0.5, 0.2, 0.1, 0.05]

            [[table]]
            name = "models"
            rows = ["task", "label_fraction"]
            columns = ["model", "init"]
            "#
        );
        let library = library();
        let catalogue = catalogue(&library);
        Self { library, catalogue, text }
    }

    fn sweep(&self) -> Sweep {
        read(&self.text, &self.library)
    }

    fn cells(&self, sweep: &Sweep) -> Cells {
        cells(sweep, &self.library, &self.catalogue)
    }
}

#[divan::bench(args = CELLS, max_time = 5)]
fn whole(bencher: Bencher, count: usize) {
    let study = Study::new(count);
    bencher.counter(ItemsCount::new(count)).bench(|| plan(&study.cells(&study.sweep())));
}

#[divan::bench(args = CELLS, max_time = 2)]
fn stage_1_read(bencher: Bencher, count: usize) {
    let study = Study::new(count);
    bencher.counter(ItemsCount::new(count)).bench(|| study.sweep());
}

#[divan::bench(args = CELLS, max_time = 5)]
fn stage_2_resolve(bencher: Bencher, count: usize) {
    let study = Study::new(count);
    let sweep = study.sweep();
    bencher.counter(ItemsCount::new(count)).bench(|| study.cells(&sweep));
}

#[divan::bench(args = CELLS, max_time = 5)]
fn stage_3_plan(bencher: Bencher, count: usize) {
    let study = Study::new(count);
    let cells = study.cells(&study.sweep());
    assert_eq!(cells.cells.len(), count);
    bencher.counter(ItemsCount::new(count)).bench(|| plan(&cells));
}

#[divan::bench(args = CELLS, max_time = 5)]
fn floor_json_and_hash(bencher: Bencher, count: usize) {
    let study = Study::new(count);
    let jobs = plan(&study.cells(&study.sweep())).jobs;
    let hash = || -> Vec<blake3::Hash> {
        let bytes = jobs.iter().map(|job| serde_json::to_vec(&job.work).expect("settings are plain data"));
        bytes.map(|bytes| blake3::hash(&bytes)).collect()
    };
    bencher.counter(ItemsCount::new(count)).bench(hash);
}

/// A grid of dotted settings, as a search over rates is: a million cells, planned once.
fn search(cells: usize) -> Study {
    let rates: Vec<f64> = (1..=100).map(|n| f64::from(n) * 1e-5).collect();
    let decays: Vec<f64> = (0..10).map(|n| f64::from(n) * 1e-3).collect();
    let seeds = cells / (5 * 2 * 100 * 10);
    let text = format!(
        r#"
        scale = "tiny"
        tasks = "gue/mouse/2"
        corpus = "virus/pretrain"
        seed = {seeds}

        [[grid]]
        model = ["dnabert-6", "dnabert-2", "deepgene", "genomenet-bert", "genomenet-bert-stride3"]
        init = ["random", "pretrained"]
        finetune.learning_rate = {rates:?}
        finetune.weight_decay = {decays:?}
        "#
    );
    Study { text, ..Study::new(200) }
}

/// The program uses all cores; `RAYON_NUM_THREADS=2 cargo bench -- planning` two of them here.
#[divan::bench(args = [1_000_000], sample_count = 3, sample_size = 1)]
fn whole_of_dotted_settings(bencher: Bencher, count: usize) {
    let study = search(count);
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let plan = plan(&study.cells(&study.sweep()));
        assert_eq!(plan.cells.len(), count);
        plan
    });
}
