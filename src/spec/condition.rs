//! Conditions on axes, as `exclude`, `where` and `baseline` write them.

use super::axis::{is_axis, read_axis_value};
use super::diagnostic::{Diagnostics, Place};
use super::library::Library;
use super::node::{Name, Node, NodeValue, Table};
use super::schema::{SECTIONS, value_text};

/// One axis and the values meant.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The axis.
    pub axis: String,
    /// The values, as tables show them, each with its place.
    pub values: Vec<(String, Place)>,
    /// Where the axis was typed.
    pub place: Place,
}

impl Condition {
    /// Whether a value, as tables show it, is meant.
    pub fn has(&self, text: &str) -> bool {
        self.values.iter().any(|(value, _)| value == text)
    }
}

/// Reads `{ model = "dnazen", seed = [1, 2] }`. Nothing where any of it is wrong.
pub(super) fn read_conditions(
    node: &Node,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<Vec<Condition>> {
    let table = node.table("a table of axes and values, `{ model = \"..\" }`", out)?;
    if table.entries.is_empty() {
        node.refuse("a condition: name at least one axis and its value", out);
        return None;
    }
    let mut conditions = Vec::new();
    let mut complete = true;
    for (name, value) in &table.entries {
        for (path, place, value) in flatten(name, value) {
            match read_condition(&path, place, value, library, out) {
                Some(condition) => conditions.push(condition),
                None => complete = false,
            }
        }
    }
    complete.then_some(conditions)
}

fn read_condition(
    path: &str,
    place: &Place,
    node: &Node,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<Condition> {
    if !is_axis(path, place, out) {
        return None;
    }
    let items = node.one_or_more();
    if items.is_empty() {
        node.refuse(&format!("a value of `{path}`"), out);
        return None;
    }
    let read =
        |item: &Node| Some((value_text(&read_axis_value(path, item, library, out)?), item.place.clone()));
    let values: Vec<Option<(String, Place)>> = items.iter().map(read).collect();
    let values = values.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Condition { axis: path.to_owned(), values, place: place.clone() })
}

/// `pretrain.steps = 5` without quotes is a table in TOML, and so is `run.warn_seconds = 5`,
/// which is no axis.
pub(super) fn flatten<'a>(name: &'a Name, node: &'a Node) -> Vec<(String, &'a Place, &'a Node)> {
    let is_section = |table: &Table| {
        SECTIONS.contains(&name.text.as_str()) || name.text == "run" && !table.entries.is_empty()
    };
    match &node.value {
        NodeValue::Table(table) if is_section(table) => table
            .entries
            .iter()
            .map(|(inner, node)| (format!("{}.{}", name.text, inner.text), &inner.place, node))
            .collect(),
        _ => vec![(name.text.clone(), &name.place, node)],
    }
}
