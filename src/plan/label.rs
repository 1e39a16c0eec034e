//! What people call a job. Labels are not in keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::resolve::Cells;
use crate::settings::{Coordinates, Init};

/// The axes that every label names anyway.
const NAMED: [&str; 5] = ["model", "init", "task", "label_fraction", "seed"];

/// Makes the labels of one plan.
pub(super) struct Labels {
    /// Further axes on which cells differ that would have one label otherwise.
    telling: Vec<String>,
}

impl Labels {
    pub(super) fn of(cells: &Cells) -> Self {
        let further = cells.axes.iter().filter(|axis| !NAMED.contains(&axis.as_str()));
        Self { telling: further.filter(|axis| tells_apart(axis, cells)).cloned().collect() }
    }

    /// `before` is how many pre-trainings of a chain come after this one.
    pub(super) fn pretrain(&self, coordinates: &Coordinates, before: usize) -> String {
        let which = if before == 0 { String::new() } else { format!(" ({before} before it)") };
        let (model, seed) = (&coordinates["model"], &coordinates["seed"]);
        // A setting of fine-tuning would name one of the cells that share the job.
        let details = self.details(coordinates, |axis| !axis.starts_with("finetune."));
        format!("pretrain {model}{details}{which}, seed {seed}")
    }

    pub(super) fn finetune(&self, coordinates: &Coordinates, init: Init) -> String {
        let [model, task, fraction, seed] =
            ["model", "task", "label_fraction", "seed"].map(|axis| coordinates[axis].as_str());
        let details = self.details(coordinates, |_| true);
        format!("finetune {model}{details} ({}) on {task}, labels {fraction}, seed {seed}", init.name())
    }

    fn details(&self, coordinates: &Coordinates, counts: impl Fn(&str) -> bool) -> String {
        let axes = self.telling.iter().filter(|axis| counts(axis));
        axes.map(|axis| match axis.as_str() {
            "tokenization" | "masking" => format!(" {}", coordinates[axis]),
            setting => format!(" {setting}={}", coordinates[setting]),
        })
        .collect()
    }
}

/// Whether cells that agree on the named axes differ on this one.
fn tells_apart(axis: &str, cells: &Cells) -> bool {
    let mut values: BTreeMap<[&str; 5], BTreeSet<&str>> = BTreeMap::new();
    for cell in &cells.cells {
        let named = NAMED.map(|named| cell.coordinates[named].as_str());
        values.entry(named).or_default().insert(&cell.coordinates[axis]);
    }
    values.values().any(|values| values.len() > 1)
}
