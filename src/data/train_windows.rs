//! Training windows of a set of genomes, drawn anew for each label fraction and repetition.
//!
//! A label fraction keeps a share of the genome *files* of each class, as GenomeNet-BERT
//! does (models.md 7.4); the number of windows stays. Classes are balanced, clusters of a
//! class equally likely, and so is every start within a cluster.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::genomes::LabelledGenome;
use super::identity::Identity;
use super::nucleotides::is_clean;
use super::subset::{ranked, share};
use super::{DataError, Example};
use crate::seed::Purpose;

/// Draws of one window before the genomes are given up as too ambiguous.
const TRIES: usize = 1000;

/// What training windows are cut from.
#[derive(Debug)]
pub(super) struct TrainWindows {
    /// The genomes of the training split, in the manifest's order.
    pub(super) genomes: Vec<LabelledGenome>,
    /// Nucleotides per window.
    pub(super) length: usize,
    /// Windows, all classes together.
    pub(super) count: usize,
}

/// One cluster's sequences that hold a window, each with the number of possible starts.
struct Cluster<'a> {
    name: &'a str,
    sequences: Vec<(&'a str, usize)>,
}

impl TrainWindows {
    /// `count` windows, classes taking turns.
    ///
    /// # Errors
    /// The fraction keeps no file of some class, or a class has only ambiguous windows.
    pub(super) fn draw(
        &self,
        identity: &Identity,
        fraction: f64,
        repetition: u64,
    ) -> Result<Vec<Example>, DataError> {
        let kept = self.kept_files(identity, fraction, repetition)?;
        let classes: Vec<Vec<Cluster<'_>>> = kept.iter().map(|files| self.clusters(files)).collect();
        let (length, subset) = (self.length.to_string(), fraction.to_string());
        let what = ["train", length.as_str(), subset.as_str()];
        let mut stream = identity.stream(repetition, Purpose::Windows, &what);
        let mut examples = Vec::with_capacity(self.count);
        for (label, clusters) in classes.iter().enumerate().cycle().take(self.count) {
            let (sequence, cluster) = clean_window(clusters, self.length, &mut stream).ok_or_else(|| {
                let origin = format!("{}, class `{}`", identity.task, identity.class(label));
                DataError::NoCleanWindow { origin, tries: TRIES }
            })?;
            examples.push(Example { sequence: sequence.to_owned(), label, group: Some(cluster.to_owned()) });
        }
        Ok(examples)
    }

    /// The class of each genome file that holds a window.
    pub(super) fn usable_labels(&self) -> impl Iterator<Item = usize> {
        self.genomes.iter().filter(|genome| self.holds_window(genome)).map(|genome| genome.label)
    }

    /// Indices of the genomes kept, class by class. The order in which a fraction takes
    /// files does not depend on the window length, so 150 nt and 1,000 nt share subsets.
    fn kept_files(
        &self,
        identity: &Identity,
        fraction: f64,
        repetition: u64,
    ) -> Result<Vec<Vec<usize>>, DataError> {
        let labels = self.genomes.iter().map(|genome| genome.label);
        let mut classes = ranked(identity, labels, repetition, "train");
        for (label, files) in classes.iter_mut().enumerate() {
            files.retain(|&file| self.genomes.get(file).is_some_and(|genome| self.holds_window(genome)));
            let available = files.len();
            let class = identity.class(label).to_owned();
            let task = identity.task.clone();
            if available == 0 {
                return Err(DataError::NoWindow { task, class, split: "train", length: self.length });
            }
            files.truncate(share(fraction, available));
            if files.is_empty() {
                return Err(DataError::NoneKept { task, fraction, available, unit: "genome files", class });
            }
        }
        Ok(classes)
    }

    fn holds_window(&self, genome: &LabelledGenome) -> bool {
        genome.records.iter().any(|record| record.sequence.len() >= self.length)
    }

    /// In order of their names, so that the order of `files` does not matter.
    fn clusters(&self, files: &[usize]) -> Vec<Cluster<'_>> {
        let mut files = files.to_vec();
        files.sort_unstable();
        let mut clusters: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for genome in files.iter().filter_map(|&file| self.genomes.get(file)) {
            let sequences = genome.records.iter().map(|record| record.sequence.as_str());
            let usable = sequences.filter(|sequence| sequence.len() >= self.length);
            clusters
                .entry(&genome.cluster)
                .or_default()
                .extend(usable.map(|sequence| (sequence, sequence.len() - self.length + 1)));
        }
        clusters.into_iter().map(|(name, sequences)| Cluster { name, sequences }).collect()
    }
}

fn clean_window<'a>(
    clusters: &[Cluster<'a>],
    length: usize,
    stream: &mut ChaCha8Rng,
) -> Option<(&'a str, &'a str)> {
    (0..TRIES).filter_map(|_| any_window(clusters, length, stream)).find(|(window, _)| is_clean(window))
}

/// A uniform cluster, then a uniform start among all those of its sequences.
fn any_window<'a>(
    clusters: &[Cluster<'a>],
    length: usize,
    stream: &mut ChaCha8Rng,
) -> Option<(&'a str, &'a str)> {
    let cluster = clusters.get(stream.random_range(0..clusters.len().max(1)))?;
    let starts: usize = cluster.sequences.iter().map(|(_, starts)| starts).sum();
    let mut start = stream.random_range(0..starts.max(1));
    for &(sequence, starts) in &cluster.sequences {
        if start < starts {
            return Some((sequence.get(start..start + length)?, cluster.name));
        }
        start -= starts;
    }
    None
}
