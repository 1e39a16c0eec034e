//! From a grid to its points.

use std::collections::BTreeSet;

use super::choice::Choice;
use crate::spec::{
    AXES, Axis, AxisValue, Condition, Diagnostic, Diagnostics, Exclude, Grid, Library, Sweep, quoted,
};

/// Most cells of one grid: beyond it somebody has multiplied by mistake.
const MOST_CELLS: usize = 100_000;

/// One point: a value on each axis that the grid or the sweep gives.
#[derive(Clone, Debug)]
pub(super) struct Point<'a> {
    pub(super) grid: &'a Grid,
    pub(super) values: Vec<(&'a str, &'a AxisValue)>,
}

impl<'a> Point<'a> {
    pub(super) fn get(&self, axis: &str) -> Option<&'a AxisValue> {
        self.values.iter().find(|(name, _)| *name == axis).map(|(_, value)| *value)
    }
}

/// All points of a grid that are not excluded.
pub(super) fn points<'a>(
    sweep: &'a Sweep,
    grid: &'a Grid,
    library: &Library,
    out: &mut Diagnostics,
) -> Vec<Point<'a>> {
    let axes = sweep.axes_of(grid);
    // Of a grid whose points are a guess, nothing is said.
    if !grid.has_points || !names_the_needed(&axes, grid, out) {
        return Vec::new();
    }
    let dimensions = dimensions(&axes, &grid.zip);
    if !is_feasible(&dimensions, grid, out) {
        return Vec::new();
    }
    let mut tally: Vec<Tally> = grid.exclude.iter().map(Tally::of).collect();
    let all = product(&dimensions).into_iter().map(|values| Point { grid, values });
    let kept: Vec<Point<'a>> =
        all.filter(|point| !is_excluded(point, &grid.exclude, library, &mut tally)).collect();
    if axes.iter().all(|axis| axis.complete) {
        report_excludes(grid, &tally, kept.len(), out);
    }
    kept
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

/// Axes that advance together, each as a list of steps.
type Dimension<'a> = Vec<Vec<(&'a str, &'a AxisValue)>>;

fn dimensions<'a>(axes: &[&'a Axis], zips: &[Vec<String>]) -> Vec<Dimension<'a>> {
    let mut dimensions = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for axis in axes {
        if done.contains(&axis.name.as_str()) {
            continue;
        }
        let group: Vec<&'a Axis> = match zips.iter().find(|zip| zip.contains(&axis.name)) {
            Some(zip) => axes.iter().copied().filter(|other| zip.contains(&other.name)).collect(),
            None => vec![*axis],
        };
        done.extend(group.iter().map(|axis| axis.name.as_str()));
        let steps = group.iter().map(|axis| axis.values.len()).min().unwrap_or(0);
        dimensions.push(
            (0..steps)
                .map(|step| group.iter().map(|axis| (axis.name.as_str(), &axis.values[step])).collect())
                .collect(),
        );
    }
    dimensions
}

fn is_feasible(dimensions: &[Dimension<'_>], grid: &Grid, out: &mut Diagnostics) -> bool {
    let sizes = dimensions.iter().map(Vec::len);
    let cells = sizes.clone().try_fold(1_usize, usize::checked_mul);
    if cells.is_some_and(|cells| cells <= MOST_CELLS) || sizes.clone().any(|size| size == 0) {
        return true;
    }
    let factors: Vec<String> = sizes.filter(|size| *size > 1).map(|size| size.to_string()).collect();
    let message = format!("this grid has {} cells", factors.join(" x "));
    out.push(
        Diagnostic::new(&grid.place, message, format!("expected at most {MOST_CELLS} cells"))
            .help("axes multiply; `zip` lets some advance together, and several grids may share a file"),
    );
    false
}

fn product<'a>(dimensions: &[Dimension<'a>]) -> Vec<Vec<(&'a str, &'a AxisValue)>> {
    dimensions.iter().fold(vec![Vec::new()], |points, dimension| {
        points
            .iter()
            .flat_map(|point| {
                dimension.iter().map(move |step| point.iter().chain(step).copied().collect::<Vec<_>>())
            })
            .collect()
    })
}

/// What became of one exclude.
struct Tally {
    /// Whether some point met all conditions.
    used: bool,
    /// Condition by condition: whether some point met it, and the values that points have.
    conditions: Vec<(bool, BTreeSet<String>)>,
}

impl Tally {
    fn of(exclude: &Exclude) -> Self {
        Self { used: false, conditions: vec![(false, BTreeSet::new()); exclude.conditions.len()] }
    }

    fn excludes(&mut self, exclude: &Exclude, point: &Point<'_>, library: &Library) -> bool {
        let mut all = true;
        for (condition, (met, values)) in exclude.conditions.iter().zip(&mut self.conditions) {
            let text = value(point, condition, library);
            let meets = text.as_ref().is_some_and(|text| condition.has(text));
            *met |= meets;
            all &= meets;
            values.extend(text);
        }
        self.used |= all;
        all
    }
}

fn is_excluded(point: &Point<'_>, excludes: &[Exclude], library: &Library, tally: &mut [Tally]) -> bool {
    excludes
        .iter()
        .zip(tally)
        .fold(false, |excluded, (exclude, tally)| tally.excludes(exclude, point, library) || excluded)
}

/// The value of a point on a condition's axis; where the grid leaves the axis out, what the
/// point has by default.
fn value(point: &Point<'_>, condition: &Condition, library: &Library) -> Option<String> {
    match point.get(&condition.axis) {
        Some(value) => Some(value.text()),
        None if AXES.contains(&condition.axis.as_str()) => {
            Choice::default_on(&condition.axis, point, library)
        }
        None => None,
    }
}

fn report_excludes(grid: &Grid, tally: &[Tally], kept: usize, out: &mut Diagnostics) {
    for (exclude, tally) in grid.exclude.iter().zip(tally).filter(|(_, tally)| !tally.used) {
        let message = "this exclude matches no cell of its grid";
        let unmet = exclude.conditions.iter().zip(&tally.conditions).find(|(_, (met, _))| !met);
        let advice = match unmet {
            Some((condition, (_, values))) if values.is_empty() => {
                format!("the grid does not vary `{}`", condition.axis)
            }
            Some((condition, (_, values))) => {
                format!("`{}` is {} in this grid", condition.axis, quoted(values))
            }
            None => "each of its conditions holds somewhere in the grid, but never all at once".to_owned(),
        };
        out.push(Diagnostic::new(&exclude.place, message, "matches nothing").help(advice));
    }
    if kept == 0 && tally.iter().any(|tally| tally.used) {
        let message = "every cell of this grid is excluded";
        let advice = "leave the grid out, or exclude less";
        out.push(Diagnostic::new(&grid.place, message, "nothing is left to run").help(advice));
    }
}
