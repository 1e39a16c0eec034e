//! From a sweep and what is known of its data to cells that can run.
//!
//! Points of the grids become [`Cell`]s with every setting filled in; what only the data
//! can show to be wrong is reported here, with the carets of `spec`. Nothing of how jobs
//! are run is known.

mod catalogue;
mod checks;
mod choice;
mod coordinates;
mod expand;
mod layers;
mod memo;
mod start;
mod stretch;
mod tables;
mod work;

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;
use std::sync::Arc;

pub use catalogue::{Catalogue, CorpusFacts, Known, Missing, TaskFacts};
pub use coordinates::{AxisTable, SharedCoordinates};
use rayon::prelude::*;

use coordinates::Interner;
use expand::Expansion;
use layers::{Base, Layers};
use stretch::{Resolved, Row, Scene};

use crate::settings::{Architecture, FinetuneWork, Metric, PretrainWork, Shared, VocabularyWork};
use crate::spec::{AXES, AxisValue, Diagnostics, Library, Scale, Sweep, System};

/// One point of a grid, with everything resolved.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its value on every axis of the sweep.
    pub coordinates: SharedCoordinates,
    /// The headline metric of its task.
    pub metric: Metric,
    /// What is to be done, or what is missing for it.
    pub work: Result<CellWork, Missing>,
}

/// The jobs of one cell. Several cells may ask for the same.
#[derive(Clone, Debug)]
pub struct CellWork {
    /// Trains the tokenizer, for a learned tokenization.
    pub vocabulary: Option<Shared<VocabularyWork>>,
    /// Trains the encoder that fine-tuning starts from; each starts from the one before it.
    pub pretrain: Shared<Vec<PretrainWork>>,
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
    let scene = Scene { sweep, library, catalogue, axes: &axes };
    let mut gathered = Gathered::new(axes.len());
    let mut points = 0;
    for grid in &sweep.grids {
        // Of a grid whose points are a guess, nothing is said.
        let Some(expansion) = Expansion::of(sweep, grid, library, points, out) else { continue };
        points += expansion.count();
        let stretches: Vec<Resolved> = expansion
            .stretches()
            .into_par_iter()
            .map(|range| stretch::resolve(&scene, &expansion, range))
            .collect();
        report_excludes(&expansion, &stretches, out);
        for stretch in stretches {
            gathered.add(stretch, out);
        }
    }
    // Values that a broken part of the file would have given may be what a table means.
    if sweep.is_complete() && library.is_complete() {
        tables::check(&sweep.tables, &gathered.points(&axes), out);
    }
    gathered.into_cells(axes)
}

fn report_excludes(expansion: &Expansion<'_>, stretches: &[Resolved], out: &mut Diagnostics) {
    let mut used = vec![false; expansion.excludes()];
    for stretch in stretches {
        used.iter_mut().zip(&stretch.used).for_each(|(used, here)| *used |= here);
    }
    expansion.report(&used, stretches.iter().map(|stretch| stretch.kept).sum(), out);
}

/// Distinct points of all grids.
struct Gathered {
    interner: Interner,
    seen: HashSet<Arc<[u32]>>,
    /// In the order of the grids, those with mistakes too.
    rows: Vec<Row>,
}

impl Gathered {
    fn new(axes: usize) -> Self {
        Self { interner: Interner::new(axes), seen: HashSet::new(), rows: Vec::new() }
    }

    fn add(&mut self, stretch: Resolved, out: &mut Diagnostics) {
        let Resolved { rows, interner, mistakes, .. } = stretch;
        out.extend(mistakes);
        let renumbered: Vec<Vec<u32>> = interner
            .into_values()
            .into_iter()
            .enumerate()
            .map(|(place, values)| {
                values.into_iter().map(|value| self.interner.number(place, value)).collect()
            })
            .collect();
        self.rows.reserve(rows.len());
        self.seen.reserve(rows.len());
        for mut row in rows {
            let numbers = Arc::get_mut(&mut row.numbers).expect("nobody else has it yet");
            numbers.iter_mut().zip(&renumbered).for_each(|(number, new)| *number = new[*number as usize]);
            if self.seen.insert(Arc::clone(&row.numbers)) {
                self.rows.push(row);
            }
        }
    }

    fn points<'a>(&'a self, axes: &'a [String]) -> tables::Points<'a> {
        let rows = self.rows.iter().map(|row| &*row.numbers).collect();
        tables::Points { axes, interner: &self.interner, rows }
    }

    fn into_cells(self, axes: Vec<String>) -> Cells {
        let Self { interner, seen, rows } = self;
        drop(seen);
        let table = coordinates::table(&axes, interner);
        let cell = |Row { numbers, metric, work }| {
            Some(Cell { coordinates: coordinates::shared(&table, numbers), metric, work: work? })
        };
        Cells { axes, cells: rows.into_iter().filter_map(cell).collect() }
    }
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
    let base = Rc::new(Base::of(system, Some(scale), &[]));
    choice::architecture(system, system.tokenization, &Layers::over(base, &[]))
}
