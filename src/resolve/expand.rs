//! From a grid to its points.

use crate::settings::Init;
use crate::spec::{
    Axis, AxisValue, Condition, Diagnostic, Diagnostics, Exclude, Grid, Library, Sweep, System,
};

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
    let inherited = sweep.defaults.iter().filter(|axis| grid.axes.iter().all(|own| own.name != axis.name));
    let axes: Vec<&Axis> = grid.axes.iter().chain(inherited).collect();
    for needed in ["model", "task"] {
        if axes.iter().all(|axis| axis.name != needed) {
            let message = format!("this grid names no {needed}");
            let advice = match needed {
                "model" => "add `model = [..]` to the grid",
                _ => "add `task = [..]` to the grid, or `tasks = [..]` at the top of the file",
            };
            out.push(Diagnostic::new(&grid.place, message, "in this grid").help(advice));
            return Vec::new();
        }
    }
    let mut used = vec![false; grid.exclude.len()];
    let mut kept = Vec::new();
    for values in product(&dimensions(&axes, &grid.zip)) {
        let point = Point { grid, values };
        if !is_excluded(&point, &grid.exclude, library, &mut used) {
            kept.push(point);
        }
    }
    for (exclude, _) in grid.exclude.iter().zip(&used).filter(|(_, used)| !**used) {
        let message = "this exclude matches no cell of its grid";
        out.push(Diagnostic::new(&exclude.place, message, "matches nothing"));
    }
    kept
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

fn is_excluded(point: &Point<'_>, excludes: &[Exclude], library: &Library, used: &mut [bool]) -> bool {
    let mut excluded = false;
    for (exclude, used) in excludes.iter().zip(used) {
        if exclude.conditions.iter().all(|condition| meets(point, condition, library)) {
            *used = true;
            excluded = true;
        }
    }
    excluded
}

/// Whether a point meets a condition; where the grid leaves an axis out, its default counts.
fn meets(point: &Point<'_>, condition: &Condition, library: &Library) -> bool {
    let text = match point.get(&condition.axis) {
        Some(value) => value.text(),
        None => match (system(point, library), condition.axis.as_str()) {
            (Some(system), "tokenization") => system.tokenization.to_string(),
            (Some(system), "masking") => system.masking.to_string(),
            (Some(system), "init") => system.init.first().copied().unwrap_or(Init::Random).name().to_owned(),
            (_, "label_fraction") => "1".to_owned(),
            _ => return false,
        },
    };
    condition.values.contains(&text)
}

/// The system of a point.
pub(super) fn system<'l>(point: &Point<'_>, library: &'l Library) -> Option<&'l System> {
    library.systems.get(point.get("model")?.value.as_str()?)
}
