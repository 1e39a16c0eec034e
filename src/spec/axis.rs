//! One thing that varies, and its values.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::AXES;
use super::diagnostic::{Diagnostic, Diagnostics, Place};
use super::hint;
use super::library::{Library, LibraryKind};
use super::node::{Node, NodeValue};
use super::schema::{self, Field, Kind, SECTIONS, value_text};
use super::system::{read_init, read_masking, read_tokenization, unknown_setting};

/// One thing that varies.
#[derive(Clone, Debug)]
pub struct Axis {
    /// One of [`AXES`] or a dotted path into the settings.
    pub name: String,
    /// Its key in the file.
    pub place: Place,
    /// Its values, in the order of the file.
    pub values: Vec<AxisValue>,
    /// Whether all that was typed could be read.
    pub complete: bool,
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
        value_text(&self.value)
    }
}

/// Whether a value may stand twice on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    /// It would be the same cell twice.
    Refused,
    /// What it is zipped with tells the cells apart, or the zip reports that nothing does.
    InZip,
}

/// Most repetitions that `seed = N` may ask for.
const MAX_SEEDS: i64 = 10_000;

/// Reads the values of an axis that is known by `path`; `typed` is the key in the file.
pub(super) fn read_axis(
    path: &str,
    typed: &str,
    place: &Place,
    (node, repeats): (&Node, Repeats),
    library: &Library,
    out: &mut Diagnostics,
) -> Axis {
    let mut axis = Axis { name: path.to_owned(), place: place.clone(), values: Vec::new(), complete: true };
    if path == "seed" && !matches!(node.value, NodeValue::List(_)) {
        read_seed_count(&mut axis, node, out);
        return axis;
    }
    let items = node.one_or_more();
    if items.is_empty() {
        let message = format!("`{typed}` has no value");
        out.push(Diagnostic::new(&node.place, message, "expected at least one value"));
        axis.complete = false;
    }
    let mut known = BTreeSet::new();
    for item in items {
        let Some(value) = read_axis_value(path, item, library, out) else {
            axis.complete = false;
            continue;
        };
        let value = AxisValue { value, place: item.place.clone() };
        if known.insert(value.text()) || repeats == Repeats::InZip {
            axis.values.push(value);
        } else {
            let message = format!("`{typed}` has the value {} twice", item.describe());
            out.push(Diagnostic::new(&item.place, message, "the second; each value counts once"));
            axis.complete = false;
        }
    }
    axis
}

/// `seed = 5` is five repetitions, 1 to 5; a list names them.
fn read_seed_count(axis: &mut Axis, node: &Node, out: &mut Diagnostics) {
    match node.whole() {
        Some(n @ 1..=MAX_SEEDS) => {
            let value = |seed: i64| AxisValue { value: seed.into(), place: node.place.clone() };
            axis.values.extend((1..=n).map(value));
        }
        _ => {
            axis.complete = false;
            let message = format!("`seed` cannot be {}", node.describe());
            let expected = format!("expected a number of repetitions from 1 to {MAX_SEEDS}, or a list");
            out.push(
                Diagnostic::new(&node.place, message, expected)
                    .help("`seed = 5` is five repetitions; `seed = [1, 2, 7]` names them"),
            );
        }
    }
}

/// Whether a name is an axis; if not, says what would be.
pub(super) fn is_axis(path: &str, place: &Place, out: &mut Diagnostics) -> bool {
    is_axis_or(path, place, &[], out)
}

/// As [`is_axis`], where some other keys may stand too.
pub(super) fn is_axis_or(path: &str, place: &Place, others: &[&str], out: &mut Diagnostics) -> bool {
    if AXES.contains(&path) || schema::field(path).is_some() {
        return true;
    }
    let unknown = match path.split_once('.') {
        Some((section, name)) if SECTIONS.contains(&section) => unknown_setting(section, name, place),
        _ => Diagnostic::new(place, format!("unknown axis `{path}`"), "unknown axis")
            .maybe_help(hint::in_a_grid(path))
            .accepted(path, AXES.iter().chain(others).copied())
            .note("any setting is an axis too, by its dotted path: `pretrain.steps`"),
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
        "model" => known(node, LibraryKind::System, library, out),
        "task" => known(node, LibraryKind::Task, library, out),
        "tokenization" => read_tokenization(node, out).map(|value| Json::from(value.to_string())),
        "masking" => read_masking(node, out).map(|value| Json::from(value.to_string())),
        "init" => read_init(node, out).map(|value| Json::from(value.name())),
        "label_fraction" => read_fraction(node, out),
        "seed" => read_seed(node, out),
        _ => read_setting(schema::field(path)?, node, library, out),
    }
}

/// Reads a value of a setting; what it names, the library must know.
pub(super) fn read_setting(
    field: &Field,
    node: &Node,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<Json> {
    let value = field.read(node, out)?;
    let name = value.as_str().unwrap_or_default();
    let systems = library.names(LibraryKind::System);
    if field.kind != Kind::Start || name == "random" || systems.contains(name) {
        return Some(value);
    }
    let message = format!("`{}` cannot be {}", field.path, node.describe());
    let accepted = std::iter::once("random").chain(systems.iter().map(String::as_str));
    out.push(Diagnostic::new(&node.place, message, "no system has this name").accepted(name, accepted));
    None
}

/// A name that the library must know.
pub(super) fn known(
    node: &Node,
    kind: LibraryKind,
    library: &Library,
    out: &mut Diagnostics,
) -> Option<Json> {
    let what = kind.name();
    let names = library.names(kind);
    let NodeValue::Text(text) = &node.value else {
        let refusal = node.refusal(&format!("the name of a {what}"));
        out.push(refusal.accepted("", names.iter().map(String::as_str)));
        return None;
    };
    if names.contains(text) {
        return Some(Json::from(text.as_str()));
    }
    let (folder, file) = (kind.folder(), if text.is_empty() { "NAME" } else { text });
    let diagnostic =
        Diagnostic::new(&node.place, format!("unknown {what} `{text}`"), format!("no {what} has this name"));
    out.push(
        diagnostic
            .accepted(text, names.iter().map(String::as_str))
            .help(format!("one of your own is a file beside this one: `{folder}/{file}.toml`")),
    );
    None
}

fn read_seed(node: &Node, out: &mut Diagnostics) -> Option<Json> {
    let seed = node.whole().filter(|seed| *seed >= 0);
    if seed.is_none() {
        let message = format!("`seed` cannot be {}", node.describe());
        out.push(Diagnostic::new(
            &node.place,
            message,
            "expected a whole number from 0 to 9_223_372_036_854_775_807",
        ));
    }
    seed.map(Json::from)
}

fn read_fraction(node: &Node, out: &mut Diagnostics) -> Option<Json> {
    let fraction = node.number().filter(|fraction| *fraction > 0.0 && *fraction <= 1.0);
    if fraction.is_none() {
        let message = format!("`label_fraction` cannot be {}", node.describe());
        out.push(Diagnostic::new(
            &node.place,
            message,
            "expected a number above 0 and at most 1, such as `0.1`",
        ));
    }
    fraction.map(Json::from)
}
