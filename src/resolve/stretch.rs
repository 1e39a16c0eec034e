//! A stretch of a grid's points, resolved on one thread.
//!
//! What points share is made once: all that does not depend on the settings of fine-tuning
//! or the repetition ([`Family`]), checks included; and the settings of fine-tuning.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::catalogue::{Catalogue, Known, Missing};
use super::choice::{self, Choice};
use super::coordinates::Interner;
use super::expand::{Expansion, Numbering};
use super::layers::{Base, Layers};
use super::memo::Memo;
use super::work::{self, FinetuneSettings, Stages, Stock};
use super::{CellWork, checks};
use crate::settings::{Metric, PretrainWork, Shared};
use crate::spec::{AXES, AxisValue, Diagnostics, Library, Sweep};

/// What is the same for all points of a sweep.
pub(super) struct Scene<'a> {
    pub(super) sweep: &'a Sweep,
    pub(super) library: &'a Library,
    pub(super) catalogue: &'a Catalogue,
    pub(super) axes: &'a [String],
}

/// What became of a stretch.
pub(super) struct Resolved {
    pub(super) rows: Vec<Row>,
    pub(super) interner: Interner,
    pub(super) mistakes: Diagnostics,
    /// Exclude by exclude, whether a point met it.
    pub(super) used: Vec<bool>,
    /// Points that no exclude leaves out.
    pub(super) kept: usize,
}

/// A point.
pub(super) struct Row {
    /// Its numbers in the stretch's interner.
    pub(super) numbers: Arc<[u32]>,
    pub(super) metric: Metric,
    /// Nothing where something is wrong with it.
    pub(super) work: Option<Result<CellWork, Missing>>,
}

/// Which part of a point decides on a coordinate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Family,
    Finetune,
    Repetition,
}

impl Part {
    /// No check reads what is of fine-tuning or the repetition, nor does an earlier stage
    /// read the former.
    fn of(axis: &str) -> Self {
        match axis {
            "seed" => Self::Repetition,
            _ if axis.starts_with("finetune.") => Self::Finetune,
            _ => Self::Family,
        }
    }
}

/// Points that differ in the settings of fine-tuning and the repetition alone.
struct Family {
    base: Rc<Base>,
    numbers: Vec<u32>,
    metric: Metric,
    /// Nothing where something is wrong with it.
    stages: Option<Result<Stages, Missing>>,
    /// By repetition.
    pretrains: Memo<Shared<Vec<PretrainWork>>>,
}

/// What the settings of fine-tuning come to.
struct Finetune {
    /// Nothing where the task's data are not known.
    settings: Option<FinetuneSettings>,
    /// Places among the axes, with the numbers there.
    numbers: Vec<(usize, u32)>,
}

struct Stretch<'a> {
    scene: &'a Scene<'a>,
    expansion: &'a Expansion<'a>,
    by_family: Numbering,
    by_finetune: Numbering,
    by_repetition: Numbering,
    bases: Memo<Rc<Base>>,
    families: Memo<Option<Rc<Family>>>,
    finetunes: Memo<Rc<Finetune>>,
    /// Repetitions and their numbers.
    repetitions: Memo<(u64, u32)>,
    stock: Stock,
    interner: RefCell<Interner>,
    mistakes: RefCell<Diagnostics>,
}

/// Resolves the points of `range`.
pub(super) fn resolve(scene: &Scene<'_>, expansion: &Expansion<'_>, range: Range<usize>) -> Resolved {
    let numbering = |part: Part| expansion.numbering(|axis| Part::of(axis) == part);
    let stretch = Stretch {
        scene,
        expansion,
        by_family: numbering(Part::Family),
        by_finetune: numbering(Part::Finetune),
        by_repetition: numbering(Part::Repetition),
        bases: Memo::default(),
        families: Memo::default(),
        finetunes: Memo::default(),
        repetitions: Memo::default(),
        stock: Stock::default(),
        interner: RefCell::new(Interner::new(scene.axes.len())),
        mistakes: RefCell::default(),
    };
    let mut rows = Vec::with_capacity(range.len());
    let (mut used, mut kept) = (vec![false; expansion.excludes()], 0);
    for point in range {
        if !expansion.is_excluded(point, &mut used) {
            kept += 1;
            rows.extend(stretch.row(point));
        }
    }
    let Stretch { interner, mistakes, .. } = stretch;
    Resolved { rows, interner: interner.into_inner(), mistakes: mistakes.into_inner(), used, kept }
}

impl Stretch<'_> {
    /// Nothing where a name is known of which nothing else is known.
    fn row(&self, point: usize) -> Option<Row> {
        let family = self.families.get([self.by_family.of(point), 0], || self.family(point).map(Rc::new))?;
        let key = [Rc::as_ptr(&family.base).addr(), self.by_finetune.of(point)];
        let finetune = self.finetunes.get(key, || Rc::new(self.finetune(point, &family.base)));
        let (repetition, number) = self.repetitions.get([self.by_repetition.of(point), 0], || {
            let repetition = repetition(&self.expansion.values(point));
            (repetition, self.numbers(Part::Repetition, |_| repetition.to_string())[0].1)
        });
        let mut numbers: Arc<[u32]> = family.numbers.as_slice().into();
        let row = Arc::get_mut(&mut numbers)?;
        for (place, number) in &finetune.numbers {
            row[*place] = *number;
        }
        row[SEED] = number;
        let work = match (&family.stages, &finetune.settings) {
            (None, _) | (Some(Ok(_)), None) => None,
            (Some(Err(missing)), _) => Some(Err(missing.clone())),
            (Some(Ok(stages)), Some(settings)) => {
                let pretrain =
                    family.pretrains.get([repetition as usize, 0], || stages.pretrains(repetition).into());
                Some(Ok(stages.cell(pretrain, settings, repetition)))
            }
        };
        Some(Row { numbers, metric: family.metric, work })
    }

    /// The numbers of a point on the axes of one part.
    fn numbers(&self, part: Part, text: impl Fn(&str) -> String) -> Vec<(usize, u32)> {
        let mut interner = self.interner.borrow_mut();
        let axes = self.scene.axes.iter().enumerate().filter(|(_, axis)| Part::of(axis) == part);
        axes.map(|(place, axis)| (place, interner.number(place, text(axis)))).collect()
    }

    fn family(&self, point: usize) -> Option<Family> {
        let Scene { sweep, library, catalogue, axes } = self.scene;
        let values = self.expansion.values(point);
        let (system, task) = Choice::named(&values, library)?;
        let key = [std::ptr::from_ref(system).addr(), std::ptr::from_ref(task).addr()];
        let base = self.bases.get(key, || Rc::new(choice::base(system, task, sweep, library)));
        let layers = Layers::over(Rc::clone(&base), &values);
        let choice = Choice::of(system, task, self.expansion, &values, layers)?;
        let sound = checks::check(&choice, sweep, library, catalogue, &mut self.mistakes.borrow_mut());
        let mut numbers = vec![0; axes.len()];
        for (place, number) in self.numbers(Part::Family, |axis| choice.coordinate(axis)) {
            numbers[place] = number;
        }
        Some(Family {
            base,
            numbers,
            metric: choice.task.task.metric,
            stages: sound.map(|sound| work::stages(&choice, sound, &self.stock)),
            pretrains: Memo::default(),
        })
    }

    fn finetune(&self, point: usize, base: &Rc<Base>) -> Finetune {
        let Scene { library, catalogue, .. } = self.scene;
        let values = self.expansion.values(point);
        let layers = Layers::over(Rc::clone(base), &values);
        let facts = Choice::named(&values, library).and_then(|(_, task)| catalogue.tasks.get(&task.task.id));
        let settings = match facts {
            Some(Known::Present(facts)) => Some(work::finetune_settings(&layers, facts)),
            Some(Known::Missing(_)) | None => None,
        };
        Finetune { settings, numbers: self.numbers(Part::Finetune, |axis| layers.coordinate(axis)) }
    }
}

/// The place of `seed` among the axes.
const SEED: usize = AXES.len() - 1;

fn repetition(values: &[(&str, &AxisValue)]) -> u64 {
    let seed = values.iter().find(|(axis, _)| *axis == AXES[SEED]);
    seed.and_then(|(_, value)| value.value.as_u64()).unwrap_or(1)
}
