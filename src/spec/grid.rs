//! A `[[grid]]` block: axes, what advances together, what is left out.

use serde_json::Value as Json;

use super::AXES;
use super::diagnostic::{Diagnostic, Diagnostics, Place};
use super::library::Library;
use super::node::{Name, Node, NodeValue, Table};
use super::schema::{self, SECTIONS};
use super::system::{read_init, read_masking, read_tokenization, unknown_setting};

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
}

/// One thing that varies.
#[derive(Clone, Debug)]
pub struct Axis {
    /// One of [`AXES`] or a dotted path into the settings.
    pub name: String,
    /// Its key in the file.
    pub place: Place,
    /// Its values, in the order of the file.
    pub values: Vec<AxisValue>,
}

/// One value of an axis.
#[derive(Clone, Debug)]
pub struct AxisValue {
    /// The value, checked against what the axis takes.
    pub value: Json,
    /// Where it was typed.
    pub place: Place,
}

impl AxisValue {
    /// The value as tables show it.
    pub fn text(&self) -> String {
        text(&self.value)
    }
}

/// A value as tables and coordinates show it.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
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

/// One axis and the values meant.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The axis.
    pub axis: String,
    /// The values, as tables show them.
    pub values: Vec<String>,
    /// Where it was typed.
    pub place: Place,
}

/// Reads one grid.
pub(super) fn read_grid(node: &Node, library: &Library, out: &mut Diagnostics) -> Option<Grid> {
    let table = node.table("a table", out)?;
    let mut axes = Vec::new();
    for (name, node) in &table.entries {
        match name.text.as_str() {
            "zip" | "exclude" => {}
            section if SECTIONS.contains(&section) && matches!(node.value, NodeValue::Table(_)) => {
                axes.extend(read_dotted(section, node, library, out));
            }
            _ => axes.extend(read_axis(name, &name.text, node, library, out)),
        }
    }
    let zip = table.get("zip").map_or_else(Vec::new, |node| read_zip(node, &axes, out));
    let exclude = table.get("exclude").map_or_else(Vec::new, |node| read_excludes(node, library, out));
    Some(Grid { place: node.place.clone(), axes, zip, exclude })
}

/// `pretrain.steps = [..]` without quotes is a table in TOML.
fn read_dotted(section: &str, node: &Node, library: &Library, out: &mut Diagnostics) -> Vec<Axis> {
    let NodeValue::Table(Table { entries }) = &node.value else { return Vec::new() };
    entries
        .iter()
        .filter_map(|(name, node)| read_axis(name, &format!("{section}.{}", name.text), node, library, out))
        .collect()
}

fn read_axis(name: &Name, path: &str, node: &Node, library: &Library, out: &mut Diagnostics) -> Option<Axis> {
    if !is_axis(path, &name.place, out) {
        return None;
    }
    let items = node.one_or_more();
    if items.is_empty() {
        node.refuse("a list with at least one value", out);
    }
    let mut values: Vec<AxisValue> = Vec::new();
    for item in items {
        let Some(value) = read_axis_value(path, item, library, out) else { continue };
        if values.iter().any(|known| known.value == value) {
            let message = format!("{} stands twice on the axis `{path}`", item.describe());
            out.push(Diagnostic::new(&item.place, message, "a second time"));
            continue;
        }
        values.push(AxisValue { value, place: item.place.clone() });
    }
    (!values.is_empty()).then(|| Axis { name: path.to_owned(), place: name.place.clone(), values })
}

/// Whether a name is an axis; if not, says what would be.
pub(super) fn is_axis(path: &str, place: &Place, out: &mut Diagnostics) -> bool {
    if AXES.contains(&path) || schema::field(path).is_some() {
        return true;
    }
    let unknown = match path.split_once('.') {
        Some((section, name)) if SECTIONS.contains(&section) => unknown_setting(section, name, place),
        _ => Diagnostic::new(place, format!("unknown axis `{path}`"), "unknown axis")
            .accepted(path, AXES)
            .help("any setting is an axis too, by its dotted path: `pretrain.steps`"),
    };
    out.push(unknown);
    false
}

/// Reads one value of a named axis or setting.
pub(super) fn read_axis_value(
    path: &str,
    node: &Node,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<Json> {
    match path {
        "model" => known(node, "system", library.systems.keys(), out),
        "task" => known(node, "task", library.tasks.keys(), out),
        "tokenization" => read_tokenization(node, out).map(|value| Json::from(value.to_string())),
        "masking" => read_masking(node, out).map(|value| Json::from(value.to_string())),
        "init" => read_init(node, out).map(|value| Json::from(value.name())),
        "label_fraction" => read_fraction(node, out),
        "seed" => node.integer(0, i64::MAX, out).map(Json::from),
        _ => schema::field(path)?.kind.read(node, out),
    }
}

/// A name that the library must know.
pub(super) fn known<'a>(
    node: &Node,
    what: &str,
    names: impl Iterator<Item = &'a String>,
    out: &mut Diagnostics,
) -> Option<Json> {
    let text = node.text(&format!("the name of a {what}"), out)?;
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.contains(&text) {
        return Some(Json::from(text));
    }
    let diagnostic =
        Diagnostic::new(&node.place, format!("unknown {what} `{text}`"), format!("no {what} has this name"));
    out.push(diagnostic.accepted(text, names));
    None
}

fn read_fraction(node: &Node, out: &mut Diagnostics) -> Option<Json> {
    let fraction = match node.value {
        NodeValue::Number(number) => number,
        NodeValue::Integer(integer) => integer as f64,
        _ => f64::NAN,
    };
    if fraction > 0.0 && fraction <= 1.0 {
        return Some(Json::from(fraction));
    }
    node.refuse("a label fraction above 0 and at most 1", out);
    None
}

fn read_zip(node: &Node, axes: &[Axis], out: &mut Diagnostics) -> Vec<Vec<String>> {
    let Some(items) = node.list("a list of axes that advance together", out) else { return Vec::new() };
    let nested = items.iter().any(|item| matches!(item.value, NodeValue::List(_)));
    let groups: Vec<&Node> = if nested { items.iter().collect() } else { vec![node] };
    groups.into_iter().filter_map(|group| read_zip_group(group, axes, out)).collect()
}

fn read_zip_group(node: &Node, axes: &[Axis], out: &mut Diagnostics) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut lengths = Vec::new();
    for item in node.list("a list of axes that advance together", out)? {
        let text = item.text("the name of an axis", out)?;
        let Some(axis) = axes.iter().find(|axis| axis.name == text) else {
            let message = format!("`{text}` is not an axis of this grid");
            let diagnostic = Diagnostic::new(&item.place, message, "cannot be zipped");
            out.push(diagnostic.accepted(text, axes.iter().map(|axis| axis.name.as_str())));
            return None;
        };
        names.push(text.to_owned());
        lengths.push((text.to_owned(), axis.values.len()));
    }
    if lengths.windows(2).any(|pair| pair[0].1 != pair[1].1) {
        let counts: Vec<String> = lengths.iter().map(|(name, n)| format!("`{name}` has {n}")).collect();
        let message = format!("zipped axes differ in length: {}", counts.join(", "));
        out.push(
            Diagnostic::new(&node.place, message, "these advance together")
                .help("give each the same number of values, or leave them out of `zip` to multiply them"),
        );
        return None;
    }
    (!names.is_empty()).then_some(names)
}

fn read_excludes(node: &Node, library: &Library, out: &mut Diagnostics) -> Vec<Exclude> {
    node.one_or_more()
        .iter()
        .filter_map(|item| {
            let conditions = read_conditions(item, library, out)?;
            Some(Exclude { place: item.place.clone(), conditions })
        })
        .collect()
}

/// Reads `{ model = "dnazen", seed = [1, 2] }`.
pub(super) fn read_conditions(
    node: &Node,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<Vec<Condition>> {
    let table = node.table("a table of axes and values", out)?;
    let mut conditions = Vec::new();
    for (name, value) in &table.entries {
        for (path, value) in flatten(name, value) {
            if !is_axis(&path, &name.place, out) {
                continue;
            }
            let values: Vec<String> = value
                .one_or_more()
                .iter()
                .filter_map(|item| read_axis_value(&path, item, library, out))
                .map(|value| text(&value))
                .collect();
            conditions.push(Condition { axis: path, values, place: value.place.clone() });
        }
    }
    Some(conditions)
}

fn flatten<'a>(name: &Name, node: &'a Node) -> Vec<(String, &'a Node)> {
    match &node.value {
        NodeValue::Table(table) if SECTIONS.contains(&name.text.as_str()) => table
            .entries
            .iter()
            .map(|(inner, node)| (format!("{}.{}", name.text, inner.text), node))
            .collect(),
        _ => vec![(name.text.clone(), node)],
    }
}
