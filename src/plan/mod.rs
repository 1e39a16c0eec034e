//! The job graph: which jobs the cells need, each once, under content keys.
//!
//! Nothing of how jobs are run is known.

mod estimate;
mod key;
mod label;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use estimate::{Estimate, History, Shape, Shapes, estimate, steps};
pub use key::key;
use rayon::prelude::*;

use key::Keys;
use label::Labels;

use crate::resolve::{Cell, CellWork, Cells, Missing, SharedCoordinates};
use crate::settings::{Job, Key, Metric, Parents, PretrainWork, Shared, Stage, Work};

/// What a sweep needs done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Every job once, parents before children.
    pub jobs: Vec<Job>,
    /// Every cell, in the order of the sweep.
    pub cells: Vec<PlannedCell>,
    /// The axes that coordinates have.
    pub axes: Vec<String>,
}

/// A cell and the jobs it stands on.
#[derive(Clone, Debug)]
pub struct PlannedCell {
    /// Its value on every axis of the sweep.
    pub coordinates: SharedCoordinates,
    /// The headline metric of its task.
    pub metric: Metric,
    /// Its jobs, or what is missing for them.
    pub jobs: Result<CellJobs, Missing>,
}

/// The jobs of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellJobs {
    /// Gives its score.
    pub finetune: Key,
    /// The last gives its encoder; each starts from the one before it.
    pub pretrain: Shared<Vec<Key>>,
    /// Gives its tokenizer, where it is learned.
    pub vocabulary: Option<Key>,
}

impl Plan {
    /// How many jobs there would be if every cell ran its own.
    pub fn unshared(&self) -> BTreeMap<Stage, usize> {
        let mut counts = BTreeMap::new();
        for jobs in self.cells.iter().filter_map(|cell| cell.jobs.as_ref().ok()) {
            *counts.entry(Stage::Finetune).or_default() += 1;
            *counts.entry(Stage::Pretrain).or_default() += jobs.pretrain.len();
            *counts.entry(Stage::Vocabulary).or_default() += usize::from(jobs.vocabulary.is_some());
        }
        counts
    }
}

/// Plans the cells: keys, graph, sharing.
pub fn plan(cells: &Cells) -> Plan {
    let mut graph = Graph { labels: Labels::of(cells), jobs: Vec::new(), known: HashSet::new() };
    let mut planned = Vec::with_capacity(cells.cells.len());
    // Long stretches, since cells beside each other share most settings.
    let length = cells.cells.len().div_ceil(4 * rayon::current_num_threads()).max(256);
    let keys: Vec<Vec<Result<CellJobs, Missing>>> = cells.cells.par_chunks(length).map(keys_of).collect();
    graph.jobs.reserve(cells.cells.len());
    for (cell, jobs) in cells.cells.iter().zip(keys.into_iter().flatten()) {
        if let (Ok(work), Ok(jobs)) = (&cell.work, &jobs) {
            graph.add_cell(cell, work, jobs);
        }
        planned.push(PlannedCell { coordinates: cell.coordinates.clone(), metric: cell.metric, jobs });
    }
    graph.jobs.shrink_to_fit();
    Plan { jobs: graph.jobs, cells: planned, axes: cells.axes.clone() }
}

/// The keys of some cells, or what is missing for them.
fn keys_of(cells: &[Cell]) -> Vec<Result<CellJobs, Missing>> {
    let mut shared = SharedKeys::default();
    cells
        .iter()
        .map(|cell| match &cell.work {
            Ok(work) => Ok(shared.of(work)),
            Err(missing) => Err(missing.clone()),
        })
        .collect()
}

/// Keys of stages that cells share.
#[derive(Default)]
struct SharedKeys<'a> {
    keys: Keys<'a>,
    /// By the address of the work.
    vocabularies: HashMap<usize, Key>,
    /// By the address of the chain; its vocabulary is always the same.
    chains: HashMap<usize, Shared<Vec<Key>>>,
}

impl<'a> SharedKeys<'a> {
    fn of(&mut self, work: &'a CellWork) -> CellJobs {
        let Self { keys, vocabularies, chains } = self;
        let vocabulary = work
            .vocabulary
            .as_ref()
            .map(|work| vocabularies.entry(work.address()).or_insert_with(|| key::vocabulary(work)).clone());
        let chain = &work.pretrain;
        let pretrain = chains
            .entry(chain.address())
            .or_insert_with(|| chain_keys(keys, chain, vocabulary.as_ref()).into())
            .clone();
        let parents = Parents { vocabulary: vocabulary.clone(), encoder: pretrain.last().cloned() };
        CellJobs { finetune: keys.finetune(&work.finetune, &parents), pretrain, vocabulary }
    }
}

fn chain_keys<'a>(
    keys: &mut Keys<'a>,
    chain: &'a Shared<Vec<PretrainWork>>,
    vocabulary: Option<&Key>,
) -> Vec<Key> {
    let mut known: Vec<Key> = Vec::new();
    for work in chain.iter() {
        let parents = Parents { vocabulary: vocabulary.cloned(), encoder: known.last().cloned() };
        known.push(keys.pretrain(work, &parents));
    }
    known
}

struct Graph {
    labels: Labels,
    jobs: Vec<Job>,
    known: HashSet<Digits>,
}

/// The digits of a key, as a number.
#[derive(PartialEq, Eq, Hash)]
struct Digits(u128);

impl Graph {
    /// Adds the jobs of a cell that are not there yet, parents first.
    fn add_cell(&mut self, cell: &Cell, work: &CellWork, jobs: &CellJobs) {
        let CellJobs { finetune, pretrain, vocabulary } = jobs;
        let parents =
            |encoder: Option<&Key>| Parents { vocabulary: vocabulary.clone(), encoder: encoder.cloned() };
        if let (Some(key), Some(work)) = (vocabulary, &work.vocabulary)
            && self.is_new(key)
        {
            let label = format!("vocabulary {}", work.corpus.id);
            self.add(key, label, Work::Vocabulary((**work).clone()), Parents::default());
        }
        for (place, (key, stage)) in pretrain.iter().zip(work.pretrain.iter()).enumerate() {
            if self.is_new(key) {
                let label = self.labels.pretrain(&cell.coordinates, pretrain.len() - 1 - place);
                let before = place.checked_sub(1).map(|before| &pretrain[before]);
                self.add(key, label, Work::Pretrain(stage.clone()), parents(before));
            }
        }
        if self.is_new(finetune) {
            let label = self.labels.finetune(&cell.coordinates, work.finetune.init);
            self.add(finetune, label, Work::Finetune(work.finetune.clone()), parents(pretrain.last()));
        }
    }

    fn is_new(&mut self, key: &Key) -> bool {
        self.known.insert(Digits(u128::from_str_radix(&key.0, 16).expect("a key is 32 hexadecimal digits")))
    }

    fn add(&mut self, key: &Key, label: String, work: Work, parents: Parents) {
        self.jobs.push(Job { key: key.clone(), label, work, parents });
    }
}
