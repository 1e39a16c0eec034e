//! One thing that varies, and its values.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::AXES;
use super::diagnostic::{Diagnostic, Diagnostics, Place, did_you_mean, is_same_name, nearest, quoted};
use super::hint;
use super::library::{Library, LibraryKind};
use super::node::{Node, NodeValue, grouped};
use super::run;
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

/// What a pre-training may start from, where no shape is known yet.
pub(super) const STARTS: &str = "`random`, or another system with pre-training whose `[model]` agrees";

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
            let most = grouped(MAX_SEEDS);
            let expected = format!("expected a number of repetitions from 1 to {most}, or a list");
            let is_count = |text: &str| text.parse().is_ok_and(|n| (1..=MAX_SEEDS).contains(&n));
            out.push(
                Diagnostic::new(&node.place, message, expected)
                    .maybe_help(node.unquoted(is_count))
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
        Some((section, name)) if SECTIONS.contains(&section) => {
            unknown_setting(section, name, place, &format!("{section}."))
        }
        Some(("run", name)) => run::no_axis(name, place),
        _ => Diagnostic::new(place, format!("unknown axis `{path}`"), "unknown axis")
            .meant_or_accepted(hint::in_a_grid(path), path, AXES.iter().chain(others).copied())
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
    if field.kind != Kind::Start || name == "random" || library.names(LibraryKind::System).contains(name) {
        return Some(value);
    }
    let message = format!("`{}` cannot be {}", field.path, node.describe());
    // Which of them have the same shape is known of a point, not of a file.
    let trained = library.systems.values().filter(|system| system.is_pretrained());
    let trained: Vec<&str> = trained.map(|system| system.name.as_str()).collect();
    out.push(
        Diagnostic::new(&node.place, message, "no system has this name")
            .maybe_help(did_you_mean(name, &[trained.as_slice(), &["random"]].concat()))
            .help(format!("accepted: {STARTS}: {}", quoted(trained))),
    );
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
    let accepted: Vec<&str> = names.iter().map(String::as_str).collect();
    let NodeValue::Text(text) = &node.value else {
        let refusal = node.refusal(&format!("the name of a {what}"));
        out.push(refusal.accepted("", accepted));
        return None;
    };
    if names.contains(text) {
        return Some(Json::from(text.as_str()));
    }
    let (folder, file) = (kind.folder(), if text.is_empty() { "NAME" } else { text });
    let is_slip = nearest(text, &accepted).is_some_and(|near| is_same_name(text, near));
    let own = format!("to add your own, write `{folder}/{file}.toml` beside this file");
    let diagnostic =
        Diagnostic::new(&node.place, format!("unknown {what} `{text}`"), format!("no {what} has this name"));
    out.push(diagnostic.accepted(text, accepted).maybe_help((!is_slip).then_some(own)));
    None
}

fn read_seed(node: &Node, out: &mut Diagnostics) -> Option<Json> {
    let seed = node.whole().filter(|seed| *seed >= 0);
    if seed.is_none() {
        let message = format!("`seed` cannot be {}", node.describe());
        let expected = format!("expected a whole number from 0 to {}", grouped(i64::MAX));
        let is_seed = |text: &str| text.parse::<i64>().is_ok_and(|seed| seed >= 0);
        out.push(Diagnostic::new(&node.place, message, expected).maybe_help(node.unquoted(is_seed)));
    }
    seed.map(Json::from)
}

fn read_fraction(node: &Node, out: &mut Diagnostics) -> Option<Json> {
    let is_share = |fraction: &f64| *fraction > 0.0 && *fraction <= 1.0;
    let fraction = node.number().filter(is_share);
    if fraction.is_none() {
        let message = format!("`label_fraction` cannot be {}", node.describe());
        let expected = "expected a number above 0 and at most 1, such as `0.1`";
        let unquoted = node.unquoted(|text| text.parse().is_ok_and(|fraction| is_share(&fraction)));
        out.push(Diagnostic::new(&node.place, message, expected).maybe_help(unquoted));
    }
    fraction.map(Json::from)
}
