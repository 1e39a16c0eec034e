//! From a sweep and what is known of its data to cells that can run.
//!
//! Points of the grids become [`Cell`]s with every setting filled in; what only the data
//! can show to be wrong is reported here, with the carets of `spec`. Nothing of how jobs
//! are run is known.

mod catalogue;
mod expand;
mod layers;
mod work;

use std::collections::BTreeSet;

pub use catalogue::{Catalogue, CorpusFacts, Known, Missing, TaskFacts};
pub use work::{PretrainRequest, VocabularyRequest, architecture_at};

use crate::settings::{Coordinates, FinetuneWork, Metric};
use crate::spec::{AXES, Diagnostics, Library, Sweep};

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
    pub vocabulary: Option<VocabularyRequest>,
    /// Trains the encoder that fine-tuning starts from.
    pub pretrain: Option<PretrainRequest>,
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
            let cell = work::cell(sweep, library, catalogue, &axes, &point, out);
            if let Some(cell) = cell
                && seen.insert(cell.coordinates.clone())
            {
                cells.push(cell);
            }
        }
    }
    Cells { axes, cells }
}

/// The tasks a sweep names, for who makes its catalogue.
pub fn tasks(sweep: &Sweep) -> BTreeSet<String> {
    let grid_axes = sweep.grids.iter().flat_map(|grid| &grid.axes);
    grid_axes
        .chain(&sweep.defaults)
        .filter(|axis| axis.name == "task")
        .flat_map(|axis| axis.values.iter().map(crate::spec::AxisValue::text))
        .collect()
}
