//! From a sweep and what is known of its data to cells that can run.
//!
//! Points of the grids become [`Cell`]s with every setting filled in; what only the data
//! can show to be wrong is reported here, with the carets of `spec`. Nothing of how jobs
//! are run is known.

mod catalogue;
mod checks;
mod choice;
mod expand;
mod layers;
mod start;
mod tables;
mod work;

use std::collections::BTreeSet;

pub use catalogue::{Catalogue, CorpusFacts, Known, Missing, TaskFacts};

use choice::Choice;
use layers::Layers;

use crate::settings::{Architecture, Coordinates, FinetuneWork, Metric, PretrainWork, VocabularyWork};
use crate::spec::{AXES, AxisValue, Diagnostics, Library, Scale, Sweep, System};

/// One point of a grid, with everything resolved.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its value on every axis of the sweep.
    pub coordinates: Coordinates,
    /// The headline metric of its task.
    pub metric: Metric,
    /// What is to be done, or what is missing for it.
    pub work: Result<CellWork, Missing>,
}

/// The jobs of one cell. Several cells may ask for the same.
#[derive(Clone, Debug)]
pub struct CellWork {
    /// Trains the tokenizer, for a learned tokenization.
    pub vocabulary: Option<VocabularyWork>,
    /// Trains the encoder that fine-tuning starts from; each starts from the one before it.
    pub pretrain: Vec<PretrainWork>,
    /// Trains and scores the classifier.
    pub finetune: FinetuneWork,
}

/// All cells of a sweep, each once.
#[derive(Clone, Debug)]
pub struct Cells {
    /// The axes that coordinates have, named ones first.
    pub axes: Vec<String>,
    /// The cells, in the order of the grids.
    pub cells: Vec<Cell>,
}

/// The axes of a sweep: the named ones, then the settings that some grid varies.
fn axes(sweep: &Sweep) -> Vec<String> {
    let settings: BTreeSet<&str> = sweep
        .grids
        .iter()
        .flat_map(|grid| &grid.axes)
        .map(|axis| axis.name.as_str())
        .filter(|name| !AXES.contains(name))
        .collect();
    AXES.into_iter().chain(settings).map(str::to_owned).collect()
}

/// Resolves every cell of a sweep. Mistakes go to `out`; the cells can be used only if
/// there are none.
pub fn resolve(sweep: &Sweep, library: &Library, catalogue: &Catalogue, out: &mut Diagnostics) -> Cells {
    let axes = axes(sweep);
    let mut seen = BTreeSet::new();
    let mut cells = Vec::new();
    for grid in &sweep.grids {
        for point in expand::points(sweep, grid, library, out) {
            let Some(choice) = Choice::of(sweep, library, &point) else { continue };
            let coordinates = choice.coordinates(&axes);
            let known = checks::check(&choice, sweep, library, catalogue, out);
            if seen.insert(coordinates.clone())
                && let Some(known) = known
            {
                let metric = choice.task.task.metric;
                cells.push(Cell { coordinates, metric, work: work::work(&choice, known) });
            }
        }
    }
    // Values that a broken part of the file would have given may be what a table means.
    if sweep.is_complete() && library.is_complete() {
        tables::check(&sweep.tables, &seen, out);
    }
    Cells { axes, cells }
}

/// The tasks a sweep names, each where it is named first, for who makes its catalogue.
pub fn tasks(sweep: &Sweep) -> Vec<&AxisValue> {
    let axes = sweep.grids.iter().flat_map(|grid| &grid.axes).chain(&sweep.defaults);
    let mut tasks: Vec<&AxisValue> =
        axes.filter(|axis| axis.name == "task").flat_map(|axis| &axis.values).collect();
    tasks.sort_by_key(|task| (task.text(), task.place.span.start));
    tasks.dedup_by_key(|task| task.text());
    tasks
}

/// The architecture of a system at a scale, for who shows systems.
pub fn architecture_at(system: &System, scale: &Scale) -> Option<Architecture> {
    choice::architecture(system, system.tokenization, &Layers::of_system(system, Some(scale)))
}
