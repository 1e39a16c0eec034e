//! Who waits for whom.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::record::Outcome;
use crate::settings::Key;

/// A job, as the machine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The job.
    pub key: Key,
    /// The jobs it builds on; each is in the list too, before or after it.
    pub parents: Vec<Key>,
    /// Among ready jobs the largest goes first; equal ones in the order of the list.
    pub priority: u64,
    /// How earlier sweeps left it.
    pub state: Initial,
}

/// How earlier sweeps left a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// It has a record, and does not run, whatever its parents are.
    Done,
    /// It failed and is not to be tried again. [`Outcome::Skipped`] is no failure of its
    /// own: such a job runs as if it were pending, once its parents are done.
    Failed(Outcome),
    /// It is to run.
    Pending,
}

/// The jobs do not form a graph that can be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two jobs share a key.
    #[error("job {0} is in the list twice; each job must be there once")]
    Duplicate(Key),
    /// A parent is missing.
    #[error("job {key} builds on {parent}, which is not in the list")]
    UnknownParent {
        /// The job.
        key: Key,
        /// The parent it names.
        parent: Key,
    },
    /// A job waits for itself.
    #[error("job {0} builds, through others, on itself")]
    Cycle(Key),
}

/// Keys, edges and priorities; a job is its index in the list. Never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Graph {
    keys: Vec<Key>,
    index: BTreeMap<Key, usize>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    priorities: Vec<u64>,
}

impl Graph {
    pub(super) fn new(nodes: &[Node]) -> Result<Self, GraphError> {
        let mut index = BTreeMap::new();
        for (job, node) in nodes.iter().enumerate() {
            if index.insert(node.key.clone(), job).is_some() {
                return Err(GraphError::Duplicate(node.key.clone()));
            }
        }
        let parents = nodes.iter().map(|node| parents_of(node, &index)).collect::<Result<Vec<_>, _>>()?;
        let mut children = vec![Vec::new(); nodes.len()];
        for (job, parents) in parents.iter().enumerate() {
            for &parent in parents {
                children[parent].push(job);
            }
        }
        let keys = nodes.iter().map(|node| node.key.clone()).collect();
        let priorities = nodes.iter().map(|node| node.priority).collect();
        let graph = Self { keys, index, parents, children, priorities };
        graph.refuse_cycles()?;
        Ok(graph)
    }

    /// Takes away jobs without parents until none is left; what stays is on a cycle, or
    /// behind one.
    fn refuse_cycles(&self) -> Result<(), GraphError> {
        let mut waiting: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut free: Vec<usize> = self.jobs().filter(|&job| waiting[job] == 0).collect();
        while let Some(job) = free.pop() {
            for &child in &self.children[job] {
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    free.push(child);
                }
            }
        }
        match waiting.iter().position(|&parents| parents > 0) {
            Some(job) => Err(GraphError::Cycle(self.keys[job].clone())),
            None => Ok(()),
        }
    }

    pub(super) fn jobs(&self) -> std::ops::Range<usize> {
        0..self.keys.len()
    }

    pub(super) fn key(&self, job: usize) -> &Key {
        &self.keys[job]
    }

    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        self.index.get(key).copied()
    }

    pub(super) fn parents(&self, job: usize) -> &[usize] {
        &self.parents[job]
    }

    pub(super) fn children(&self, job: usize) -> &[usize] {
        &self.children[job]
    }

    /// The first job to run has the smallest turn.
    pub(super) fn turn(&self, job: usize) -> (Reverse<u64>, usize) {
        (Reverse(self.priorities[job]), job)
    }
}

/// Each parent once, even where the node names it twice.
fn parents_of(node: &Node, index: &BTreeMap<Key, usize>) -> Result<Vec<usize>, GraphError> {
    let mut parents = Vec::new();
    for parent in &node.parents {
        let Some(&job) = index.get(parent) else {
            return Err(GraphError::UnknownParent { key: node.key.clone(), parent: parent.clone() });
        };
        if !parents.contains(&job) {
            parents.push(job);
        }
    }
    Ok(parents)
}
