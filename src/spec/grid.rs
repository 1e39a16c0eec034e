//! A `[[grid]]` block: axes, what advances together, what is left out.

use std::collections::BTreeMap;

use super::axis::{Axis, AxisValue, Repeats, is_axis_or, read_axis};
use super::condition::{Condition, flatten, read_conditions};
use super::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use super::library::Library;
use super::node::{Node, NodeValue, Table};
use super::system::is_said_before;

/// One `[[grid]]` block.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The block.
    pub place: Place,
    /// What varies, in the order of the file.
    pub axes: Vec<Axis>,
    /// Groups of axes that advance together instead of multiplying.
    pub zip: Vec<Vec<String>>,
    /// Points that are left out.
    pub exclude: Vec<Exclude>,
    /// Whether its points are known: no axis is misspelt, and `zip` and `exclude` could be
    /// read. Of a grid whose points are a guess, `resolve` says nothing.
    pub has_points: bool,
}

impl Grid {
    /// Whether all of it could be read.
    pub fn is_complete(&self) -> bool {
        self.has_points && self.axes.iter().all(|axis| axis.complete)
    }
}

/// Points to leave out: those that meet every condition.
#[derive(Clone, Debug)]
pub struct Exclude {
    /// The entry.
    pub place: Place,
    /// Axis by axis, the values meant.
    pub conditions: Vec<Condition>,
}

/// Keys of a grid that are no axes.
const OTHERS: [&str; 2] = ["zip", "exclude"];

/// Reads one grid.
pub(super) fn read_grid(node: &Node, library: &Library, out: &mut Diagnostics) -> Option<Grid> {
    let table = node.table("a table `[[grid]]` with `model = [..]`", out)?;
    let mut grid = Grid {
        place: node.place.clone(),
        axes: Vec::new(),
        zip: Vec::new(),
        exclude: Vec::new(),
        has_points: true,
    };
    let axes = table.entries.iter().filter(|(name, _)| !OTHERS.contains(&name.text.as_str()));
    let mut axes: Vec<_> = axes.flat_map(|(name, node)| flatten(name, node)).collect();
    // Settings of one section may stand apart, with other axes between them.
    axes.sort_by_key(|(_, place, _)| place.span.start);
    for (path, place, node) in axes {
        let known = is_axis_or(&path, place, &OTHERS, out) && is_new(&path, place, &grid, out);
        if known {
            let repeats = if is_zipped(&path, table) { Repeats::InZip } else { Repeats::Refused };
            grid.axes.push(read_axis(&path, &path, place, (node, repeats), library, out));
        } else {
            grid.has_points = false;
        }
    }
    if let Some(node) = table.get("zip") {
        read_zip(node, &mut grid, out);
    }
    if let Some(node) = table.get("exclude") {
        read_excludes(node, &mut grid, library, out);
    }
    Some(grid)
}

/// Whether a grid does not have the axis yet, neither quoted nor unquoted nor by the other way
/// to say it.
fn is_new(path: &str, place: &Place, grid: &Grid, out: &mut Diagnostics) -> bool {
    if let Some(first) = grid.axes.iter().find(|axis| axis.name == path) {
        let help = format!("the first is in line {}: keep one of them", first.place.line());
        out.push(Diagnostic::new(place, format!("`{path}` is there twice"), "the second").help(help));
        return false;
    }
    !is_said_before(path, place, grid.axes.iter().map(|axis| (axis.name.as_str(), &axis.place)), out)
}

/// Whether `zip` names an axis.
fn is_zipped(path: &str, grid: &Table) -> bool {
    let items = grid.get("zip").map_or(&[] as &[Node], Node::one_or_more);
    let mut names = items.iter().flat_map(Node::one_or_more);
    names.any(|name| matches!(&name.value, NodeValue::Text(text) if text == path))
}

const ZIP: &str = "a list of axes that advance together, `[\"model\", \"masking\"]`";

fn read_zip(node: &Node, grid: &mut Grid, out: &mut Diagnostics) {
    let Some(items) = node.list(ZIP, out) else {
        grid.has_points = false;
        return;
    };
    // An empty list is no zip at all, as in `zip = []`.
    let nested = items.iter().any(|item| matches!(item.value, NodeValue::List(_)));
    let groups: Vec<&Node> = match (nested, items.is_empty()) {
        (true, _) => items.iter().collect(),
        (false, true) => Vec::new(),
        (false, false) => vec![node],
    };
    for group in groups {
        match read_zip_group(group, grid, out) {
            Some(names) => grid.zip.push(names),
            None => grid.has_points = false,
        }
    }
}

fn read_zip_group(node: &Node, grid: &Grid, out: &mut Diagnostics) -> Option<Vec<String>> {
    let mut axes: Vec<&Axis> = Vec::new();
    for item in node.list(ZIP, out)? {
        let axis = zipped_axis(item, grid, out)?;
        let is_taken = axes.iter().any(|known| known.name == axis.name)
            || grid.zip.iter().any(|group| group.contains(&axis.name));
        if is_taken {
            let message = format!("`{}` is zipped twice", axis.name);
            out.push(Diagnostic::new(&item.place, message, "the second").help("accepted: each axis once"));
            return None;
        }
        axes.push(axis);
    }
    if axes.len() < 2 {
        node.refuse("at least two axes, which advance together", out);
        return None;
    }
    if axes.iter().any(|axis| !axis.complete) {
        // What advances with what is a guess, and the lengths say nothing.
        return None;
    }
    if axes.windows(2).any(|pair| pair[0].values.len() != pair[1].values.len()) {
        let counts: Vec<String> =
            axes.iter().map(|axis| format!("`{}` has {}", axis.name, axis.values.len())).collect();
        let message = format!("zipped axes differ in length: {}", counts.join(", "));
        out.push(
            Diagnostic::new(&node.place, message, "these advance together")
                .help("give each the same number of values, or leave them out of `zip` to multiply them"),
        );
        return None;
    }
    has_distinct_steps(&axes, out).then(|| axes.iter().map(|axis| axis.name.clone()).collect())
}

/// Whether no two steps of a zip have the same value on each axis.
fn has_distinct_steps(axes: &[&Axis], out: &mut Diagnostics) -> bool {
    let mut known: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let steps = axes.first().map_or(0, |axis| axis.values.len());
    for step in 0..steps {
        let values: Vec<&AxisValue> = axes.iter().map(|axis| &axis.values[step]).collect();
        let texts: Vec<String> = values.iter().map(|value| value.text()).collect();
        if let Some(first) = known.insert(texts.clone(), step + 1)
            && let Some(value) = values.first()
        {
            let message =
                format!("step {} of this zip has the values of step {first}: {}", step + 1, quoted(texts));
            out.push(Diagnostic::new(&value.place, message, "the second; each step counts once"));
            return false;
        }
    }
    true
}

fn zipped_axis<'a>(item: &Node, grid: &'a Grid, out: &mut Diagnostics) -> Option<&'a Axis> {
    let text = item.text("the name of an axis", out)?;
    let found = grid.axes.iter().find(|axis| axis.name == text);
    if found.is_none() {
        let message = format!("`{text}` is not an axis of this grid");
        let diagnostic = Diagnostic::new(&item.place, message, "cannot be zipped");
        let inherited = ["task", "seed"].contains(&text).then(|| {
            format!(
                "the file's `{text}` values multiply; to zip them, list them in this grid: `{text} = [..]`"
            )
        });
        let accepted = grid.axes.iter().map(|axis| axis.name.as_str());
        out.push(diagnostic.maybe_help(inherited).accepted(text, accepted));
    }
    found
}

fn read_excludes(node: &Node, grid: &mut Grid, library: &Library, out: &mut Diagnostics) {
    for item in node.one_or_more() {
        match read_conditions(item, library, out) {
            Some(conditions) => grid.exclude.push(Exclude { place: item.place.clone(), conditions }),
            None => grid.has_points = false,
        }
    }
}
