//! Dev and test windows of a set of genomes.
//!
//! Nothing is random: they are fixed by the genomes and the task's settings. A genome is
//! cut into non-overlapping windows from its start; those of a genome that are used are
//! spread evenly over it. Classes get equally many, clusters of a class as equally many as
//! their genomes allow, and so do the genomes of a cluster.

use super::genomes::LabelledGenome;
use super::identity::Identity;
use super::nucleotides::is_clean;
use super::{DataError, Example};
use crate::settings::{Split, Windows};

/// A window's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    record: usize,
    start: usize,
}

/// The usable windows of one genome.
#[derive(Debug)]
struct Slots<'a> {
    genome: &'a LabelledGenome,
    places: Vec<Place>,
    /// Windows it may give: all of them, or `max_per_genome`.
    capacity: usize,
}

/// The genomes of one cluster in one class.
#[derive(Debug)]
struct Cluster<'a> {
    name: &'a str,
    genomes: Vec<Slots<'a>>,
}

impl Cluster<'_> {
    fn capacity(&self) -> usize {
        self.genomes.iter().map(|slots| slots.capacity).sum()
    }
}

/// The windows of dev or test, class by class, in the manifest's order: at most `limit`.
///
/// # Errors
/// A class has no genome with a usable window.
pub(super) fn fixed_windows(
    identity: &Identity,
    genomes: &[LabelledGenome],
    split: Split,
    windows: &Windows,
) -> Result<Vec<Example>, DataError> {
    let limit = match split {
        Split::Train => windows.train,
        Split::Dev => windows.dev,
        Split::Test => windows.test,
    };
    let mut classes = Vec::new();
    for label in 0..identity.classes.len() {
        let of_class = genomes.iter().filter(|genome| genome.split == split && genome.label == label);
        let clusters = clusters(of_class, windows);
        if clusters.is_empty() {
            return Err(DataError::NoWindow {
                task: identity.task.clone(),
                class: identity.class(label).to_owned(),
                split: split.name(),
                length: windows.length,
            });
        }
        classes.push(clusters);
    }
    let capacities = classes.iter().map(|clusters| clusters.iter().map(Cluster::capacity).sum());
    let per_class = capacities.min().unwrap_or(0).min(limit / classes.len().max(1));
    Ok(classes.iter().flat_map(|clusters| cut(clusters, per_class, windows.length)).collect())
}

/// Groups genomes that have a usable window, in order of first appearance.
fn clusters<'a>(genomes: impl Iterator<Item = &'a LabelledGenome>, windows: &Windows) -> Vec<Cluster<'a>> {
    let mut clusters: Vec<Cluster<'a>> = Vec::new();
    for genome in genomes {
        let places = places(genome, windows.length);
        let capacity = places.len().min(windows.max_per_genome);
        if capacity == 0 {
            continue;
        }
        let slots = Slots { genome, places, capacity };
        match clusters.iter_mut().find(|cluster| cluster.name == genome.cluster) {
            Some(cluster) => cluster.genomes.push(slots),
            None => clusters.push(Cluster { name: &genome.cluster, genomes: vec![slots] }),
        }
    }
    clusters
}

/// All non-overlapping windows of a genome with few enough ambiguous letters.
fn places(genome: &LabelledGenome, length: usize) -> Vec<Place> {
    let mut places = Vec::new();
    for (record, sequence) in genome.records.iter().map(|record| &record.sequence).enumerate() {
        let starts = (0..sequence.len() / length).map(|slot| slot * length);
        let clean = starts.filter(|&start| sequence.get(start..start + length).is_some_and(is_clean));
        places.extend(clean.map(|start| Place { record, start }));
    }
    places
}

fn cut(clusters: &[Cluster<'_>], total: usize, length: usize) -> Vec<Example> {
    let capacities: Vec<usize> = clusters.iter().map(Cluster::capacity).collect();
    let mut examples = Vec::with_capacity(total);
    for (cluster, share) in clusters.iter().zip(share_out(&capacities, total)) {
        let capacities: Vec<usize> = cluster.genomes.iter().map(|slots| slots.capacity).collect();
        for (slots, share) in cluster.genomes.iter().zip(share_out(&capacities, share)) {
            examples.extend(spread(&slots.places, share).map(|place| example(slots.genome, place, length)));
        }
    }
    examples
}

/// `total` in shares as equal as the capacities allow; earlier ones get what does not
/// divide. Less than `total` where the capacities are less.
fn share_out(capacities: &[usize], total: usize) -> Vec<usize> {
    let mut shares = vec![0; capacities.len()];
    let mut left = total.min(capacities.iter().sum());
    while left > 0 {
        for (share, capacity) in shares.iter_mut().zip(capacities) {
            if left > 0 && *share < *capacity {
                *share += 1;
                left -= 1;
            }
        }
    }
    shares
}

/// `count` of the places, evenly.
fn spread(places: &[Place], count: usize) -> impl Iterator<Item = Place> {
    (0..count).filter_map(move |nth| places.get(nth * places.len() / count).copied())
}

fn example(genome: &LabelledGenome, place: Place, length: usize) -> Example {
    let sequence = genome.records.get(place.record).map_or("", |record| record.sequence.as_str());
    let window = sequence.get(place.start..place.start + length).unwrap_or_default();
    Example { sequence: window.to_owned(), label: genome.label, group: Some(genome.cluster.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_equal_up_to_the_capacities() {
        assert_eq!(share_out(&[5, 5, 5], 9), [3, 3, 3]);
        assert_eq!(share_out(&[5, 5, 5], 10), [4, 3, 3]);
        assert_eq!(share_out(&[1, 9, 2], 9), [1, 6, 2]);
        assert_eq!(share_out(&[1, 2], 9), [1, 2]);
        assert_eq!(share_out(&[], 9), Vec::<usize>::new());
    }

    #[test]
    fn places_are_spread_from_the_first_to_the_last_part() {
        let places: Vec<Place> = (0..10).map(|start| Place { record: 0, start }).collect();
        let starts = |count| spread(&places, count).map(|place| place.start).collect::<Vec<_>>();
        assert_eq!(starts(3), [0, 3, 6]);
        assert_eq!(starts(10), (0..10).collect::<Vec<_>>());
        assert!(starts(0).is_empty());
    }
}
