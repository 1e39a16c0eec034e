//! The job graph: which jobs the cells need, each once, under content keys.
//!
//! Nothing of how jobs are run is known.

mod estimate;
mod key;
mod label;

use std::collections::{BTreeMap, BTreeSet};

pub use estimate::{Estimate, History, Shape, estimate};
pub use key::key;

use label::Labels;

use crate::resolve::{Cell, CellWork, Cells, Missing};
use crate::settings::{Coordinates, Job, Key, Metric, Parents, Stage, Work};

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
    pub coordinates: Coordinates,
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
    pub pretrain: Vec<Key>,
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
    let mut graph = Graph { labels: Labels::of(cells), jobs: Vec::new(), known: BTreeSet::new() };
    let planned = cells
        .cells
        .iter()
        .map(|cell| PlannedCell {
            coordinates: cell.coordinates.clone(),
            metric: cell.metric,
            jobs: match &cell.work {
                Ok(work) => Ok(graph.add_cell(cell, work)),
                Err(missing) => Err(missing.clone()),
            },
        })
        .collect();
    Plan { jobs: graph.jobs, cells: planned, axes: cells.axes.clone() }
}

struct Graph {
    labels: Labels,
    jobs: Vec<Job>,
    known: BTreeSet<Key>,
}

impl Graph {
    fn add_cell(&mut self, cell: &Cell, work: &CellWork) -> CellJobs {
        let vocabulary = work.vocabulary.as_ref().map(|vocabulary| {
            let label = format!("vocabulary {}", vocabulary.corpus.id);
            self.add(Work::Vocabulary(vocabulary.clone()), Parents::default(), label)
        });
        let mut pretrain: Vec<Key> = Vec::new();
        for (place, stage) in work.pretrain.iter().enumerate() {
            let parents = Parents { vocabulary: vocabulary.clone(), encoder: pretrain.last().cloned() };
            let before = work.pretrain.len() - 1 - place;
            let label = self.labels.pretrain(&cell.coordinates, before);
            pretrain.push(self.add(Work::Pretrain(stage.clone()), parents, label));
        }
        let parents = Parents { vocabulary: vocabulary.clone(), encoder: pretrain.last().cloned() };
        let label = self.labels.finetune(&cell.coordinates, work.finetune.init);
        let finetune = self.add(Work::Finetune(work.finetune.clone()), parents, label);
        CellJobs { finetune, pretrain, vocabulary }
    }

    fn add(&mut self, work: Work, parents: Parents, label: String) -> Key {
        let key = key(&work, &parents);
        if self.known.insert(key.clone()) {
            self.jobs.push(Job { key: key.clone(), label, work, parents });
        }
        key
    }
}
