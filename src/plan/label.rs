//! What people call a job. Labels are not in keys.

use std::collections::HashMap;

use crate::resolve::{Cells, SharedCoordinates};
use crate::settings::Init;

/// The axes that every label names anyway.
const NAMED: [&str; 5] = ["model", "init", "task", "label_fraction", "seed"];

/// Makes the labels of one plan.
pub(super) struct Labels {
    /// Further axes on which cells differ that would have one label otherwise.
    telling: Vec<String>,
}

impl Labels {
    pub(super) fn of(cells: &Cells) -> Self {
        let telling = tells_apart(cells);
        let further = cells.axes.iter().zip(telling).filter(|(axis, _)| !NAMED.contains(&axis.as_str()));
        Self { telling: further.filter(|(_, tells)| *tells).map(|(axis, _)| axis.clone()).collect() }
    }

    /// `before` is how many pre-trainings of a chain come after this one.
    pub(super) fn pretrain(&self, coordinates: &SharedCoordinates, before: usize) -> String {
        let which = if before == 0 { String::new() } else { format!(" ({before} before it)") };
        let (model, seed) = (&coordinates["model"], &coordinates["seed"]);
        // A setting of fine-tuning would name one of the cells that share the job.
        let details = self.details(coordinates, |axis| !axis.starts_with("finetune."));
        format!("pretrain {model}{details}{which}, seed {seed}")
    }

    pub(super) fn finetune(&self, coordinates: &SharedCoordinates, init: Init) -> String {
        let [model, task, fraction, seed] =
            ["model", "task", "label_fraction", "seed"].map(|axis| &coordinates[axis]);
        let details = self.details(coordinates, |_| true);
        format!("finetune {model}{details} ({}) on {task}, labels {fraction}, seed {seed}", init.name())
    }

    fn details(&self, coordinates: &SharedCoordinates, counts: impl Fn(&str) -> bool) -> String {
        let axes = self.telling.iter().filter(|axis| counts(axis));
        axes.map(|axis| match axis.as_str() {
            named @ ("tokenization" | "masking") => format!(" {}", &coordinates[named]),
            setting => format!(" {setting}={}", &coordinates[setting]),
        })
        .collect()
    }
}

/// Axis by axis, whether cells that agree on the named axes differ on it.
fn tells_apart(cells: &Cells) -> Vec<bool> {
    let mut telling = vec![false; cells.axes.len()];
    let places: Vec<usize> =
        NAMED.iter().filter_map(|named| cells.axes.iter().position(|axis| axis == named)).collect();
    let mut first: HashMap<Vec<u32>, &[u32]> = HashMap::new();
    for cell in &cells.cells {
        let row = cell.coordinates.row();
        let named = places.iter().map(|place| row[*place]).collect();
        let first = first.entry(named).or_insert(row);
        for ((tells, own), other) in telling.iter_mut().zip(row).zip(*first) {
            *tells |= own != other;
        }
    }
    telling
}
