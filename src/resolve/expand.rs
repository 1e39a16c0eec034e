//! From a grid to its points, which are numbered and never held all at once.

use std::collections::BTreeSet;
use std::ops::Range;

use super::choice::Choice;
use crate::spec::{
    AXES, Axis, AxisValue, Condition, Diagnostic, Diagnostics, Exclude, Grid, Library, Sweep, grouped, quoted,
};

/// Most cells of one file: a million take about a gigabyte and some seconds to plan, and
/// beyond a few of them somebody has multiplied by mistake.
const MOST_CELLS: usize = 2_000_000;

/// Axes that advance together.
#[derive(Debug)]
struct Dimension {
    /// Places among the axes.
    axes: Vec<usize>,
    steps: usize,
    /// How many points have the same step before the next one comes.
    stride: usize,
}

/// All points of a grid.
#[derive(Debug)]
pub(super) struct Expansion<'a> {
    grid: &'a Grid,
    axes: Vec<&'a Axis>,
    dimensions: Vec<Dimension>,
    /// The dimension of each axis.
    of_axis: Vec<usize>,
    excludes: Vec<ExcludeTable<'a>>,
    /// How many points there are, excluded ones included.
    count: usize,
}

impl<'a> Expansion<'a> {
    /// The points of a grid; nothing where they are a guess, where something needed is
    /// missing, or where there are too many beside the `earlier` ones of this file.
    pub(super) fn of(
        sweep: &'a Sweep,
        grid: &'a Grid,
        library: &Library,
        earlier: usize,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let axes = sweep.axes_of(grid);
        if !grid.has_points || !names_the_needed(&axes, grid, out) {
            return None;
        }
        let mut dimensions = dimensions(&axes, &grid.zip);
        let count = feasible(&dimensions, grid, earlier, out)?;
        let mut of_axis = vec![0; axes.len()];
        let mut stride = count;
        for (place, dimension) in dimensions.iter_mut().enumerate() {
            stride = stride.checked_div(dimension.steps).unwrap_or(0);
            dimension.stride = stride;
            dimension.axes.iter().for_each(|axis| of_axis[*axis] = place);
        }
        let mut expansion = Self { grid, axes, dimensions, of_axis, excludes: Vec::new(), count };
        expansion.excludes =
            grid.exclude.iter().map(|exclude| ExcludeTable::of(exclude, &expansion, library)).collect();
        Some(expansion)
    }

    /// Its axes, those of the file included.
    pub(super) fn axes(&self) -> &[&'a Axis] {
        &self.axes
    }

    pub(super) fn grid(&self) -> &'a Grid {
        self.grid
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// All points in stretches of equal length, a few for each thread.
    pub(super) fn stretches(&self) -> Vec<Range<usize>> {
        const SHORTEST: usize = 1024;
        let length = (self.count / (4 * rayon::current_num_threads())).max(SHORTEST);
        (0..self.count).step_by(length).map(|start| start..(start + length).min(self.count)).collect()
    }

    /// The value of a point on each axis.
    pub(super) fn values(&self, point: usize) -> Vec<(&'a str, &'a AxisValue)> {
        let value = |(axis, dimension): (&&'a Axis, &usize)| {
            (axis.name.as_str(), &axis.values[self.step(point, *dimension)])
        };
        self.axes.iter().zip(&self.of_axis).map(value).collect()
    }

    /// Numbers that are equal for two points that have equal values on the axes of which
    /// `counts` holds.
    pub(super) fn numbering(&self, counts: impl Fn(&str) -> bool) -> Numbering {
        let mut parts = Vec::new();
        let mut size = 1;
        for dimension in &self.dimensions {
            if dimension.axes.iter().any(|axis| counts(&self.axes[*axis].name)) {
                parts.push(Part { stride: dimension.stride, steps: dimension.steps, size });
                size *= dimension.steps;
            }
        }
        Numbering(parts)
    }

    fn step(&self, point: usize, dimension: usize) -> usize {
        let Dimension { stride, steps, .. } = self.dimensions[dimension];
        point / stride % steps
    }

    /// Which excludes a point meets, noted in `used`; whether it meets any.
    pub(super) fn is_excluded(&self, point: usize, used: &mut [bool]) -> bool {
        let mut excluded = false;
        for (exclude, used) in self.excludes.iter().zip(used) {
            let meets = exclude.conditions.iter().all(|condition| condition.is_met(point, self));
            *used |= meets;
            excluded |= meets;
        }
        excluded
    }

    pub(super) fn excludes(&self) -> usize {
        self.excludes.len()
    }

    /// Reports excludes that no point meets, and grids of which nothing is `kept`.
    pub(super) fn report(&self, used: &[bool], kept: usize, out: &mut Diagnostics) {
        if self.axes.iter().any(|axis| !axis.complete) {
            return;
        }
        for (exclude, _) in self.excludes.iter().zip(used).filter(|(_, used)| !**used) {
            let message = "this exclude matches no cell of its grid";
            out.push(
                Diagnostic::new(&exclude.exclude.place, message, "matches nothing").help(exclude.advice()),
            );
        }
        if kept == 0 && used.contains(&true) {
            let message = "every cell of this grid is excluded";
            let advice = "leave the grid out, or exclude less";
            out.push(Diagnostic::new(&self.grid.place, message, "nothing is left to run").help(advice));
        }
    }
}

/// See [`Expansion::numbering`].
#[derive(Debug)]
pub(super) struct Numbering(Vec<Part>);

#[derive(Debug)]
struct Part {
    stride: usize,
    steps: usize,
    size: usize,
}

impl Numbering {
    pub(super) fn of(&self, point: usize) -> usize {
        self.0.iter().map(|part| point / part.stride % part.steps * part.size).sum()
    }
}

fn names_the_needed(axes: &[&Axis], grid: &Grid, out: &mut Diagnostics) -> bool {
    let advice = |needed: &str| match needed {
        "model" => "add `model = [..]` to the grid; `bench systems` lists what there is",
        _ => {
            "add `task = [..]` to the grid, or `tasks = [..]` at the top; `bench data list` lists what there is"
        }
    };
    let mut complete = true;
    for needed in ["model", "task"] {
        if axes.iter().all(|axis| axis.name != needed) {
            let message = format!("this grid names no {needed}");
            out.push(Diagnostic::new(&grid.place, message, "in this grid").help(advice(needed)));
            complete = false;
        }
    }
    complete
}

fn dimensions(axes: &[&Axis], zips: &[Vec<String>]) -> Vec<Dimension> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    for (place, axis) in axes.iter().enumerate() {
        if dimensions.iter().any(|dimension| dimension.axes.contains(&place)) {
            continue;
        }
        let group: Vec<usize> = match zips.iter().find(|zip| zip.contains(&axis.name)) {
            Some(zip) => (0..axes.len()).filter(|other| zip.contains(&axes[*other].name)).collect(),
            None => vec![place],
        };
        let steps = group.iter().map(|axis| axes[*axis].values.len()).min().unwrap_or(0);
        dimensions.push(Dimension { axes: group, steps, stride: 0 });
    }
    dimensions
}

/// The number of points, if there are not too many.
fn feasible(dimensions: &[Dimension], grid: &Grid, earlier: usize, out: &mut Diagnostics) -> Option<usize> {
    let sizes = dimensions.iter().map(|dimension| dimension.steps);
    if sizes.clone().any(|size| size == 0) {
        return Some(0);
    }
    let cells = sizes.clone().try_fold(1_usize, usize::checked_mul);
    if let Some(cells) = cells.filter(|cells| cells.saturating_add(earlier) <= MOST_CELLS) {
        return Some(cells);
    }
    let counted = |count: usize| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let factors: Vec<String> = sizes.filter(|size| *size > 1).map(counted).collect();
    let product = match cells {
        Some(cells) if factors.len() > 1 => format!(" = {}", counted(cells)),
        Some(_) | None => String::new(),
    };
    let before =
        if earlier > 0 { format!(", and those before it {}", counted(earlier)) } else { String::new() };
    let message = format!("this grid has {}{product} cells{before}", factors.join(" x "));
    let label = format!("expected at most {} cells", counted(MOST_CELLS));
    out.push(Diagnostic::new(&grid.place, message, label).help(
        "axes multiply; `zip` lets some advance together, and several files may share one results folder",
    ));
    None
}

/// An exclude with its conditions looked up for every step.
#[derive(Debug)]
struct ExcludeTable<'a> {
    exclude: &'a Exclude,
    conditions: Vec<ConditionTable>,
}

/// Where a condition holds.
#[derive(Debug)]
struct ConditionTable {
    /// The dimension that decides; none where points have no such value.
    dimension: Option<usize>,
    /// Step by step, whether the condition holds.
    met: Vec<bool>,
    /// The values that points have.
    values: BTreeSet<String>,
}

impl<'a> ExcludeTable<'a> {
    fn of(exclude: &'a Exclude, expansion: &Expansion<'_>, library: &Library) -> Self {
        let tables = exclude.conditions.iter();
        let conditions = tables.map(|condition| ConditionTable::of(condition, expansion, library)).collect();
        Self { exclude, conditions }
    }

    fn advice(&self) -> String {
        let conditions = self.exclude.conditions.iter().zip(&self.conditions);
        match conditions.into_iter().find(|(_, table)| !table.met.contains(&true)) {
            Some((condition, table)) if table.values.is_empty() => {
                format!("the grid does not vary `{}`", condition.axis)
            }
            Some((condition, table)) => {
                format!("`{}` is {} in this grid", condition.axis, quoted(&table.values))
            }
            None => "each of its conditions holds somewhere in the grid, but never all at once".to_owned(),
        }
    }
}

impl ConditionTable {
    /// Where the grid leaves the axis out, points have what their model has by default.
    fn of(condition: &Condition, expansion: &Expansion<'_>, library: &Library) -> Self {
        let find = |name: &str| expansion.axes.iter().position(|axis| axis.name == name);
        let is_named = AXES.contains(&condition.axis.as_str());
        let (axis, texts): (Option<usize>, Vec<Option<String>>) = match find(&condition.axis) {
            Some(axis) => (Some(axis), expansion.axes[axis].values.iter().map(|v| Some(v.text())).collect()),
            None if is_named => match find("model") {
                Some(axis) => {
                    let default = |model| Choice::default_on(&condition.axis, model, library);
                    (Some(axis), expansion.axes[axis].values.iter().map(default).collect())
                }
                None => (None, Vec::new()),
            },
            None => (None, Vec::new()),
        };
        let dimension = axis.map(|axis| expansion.of_axis[axis]);
        let steps = match dimension {
            Some(dimension) if expansion.count > 0 => expansion.dimensions[dimension].steps,
            Some(_) | None => 0,
        };
        let texts = &texts[..steps];
        Self {
            dimension,
            met: texts.iter().map(|t| t.as_ref().is_some_and(|t| condition.has(t))).collect(),
            values: texts.iter().flatten().cloned().collect(),
        }
    }

    fn is_met(&self, point: usize, expansion: &Expansion<'_>) -> bool {
        self.dimension.is_some_and(|dimension| self.met[expansion.step(point, dimension)])
    }
}
