//! The table `[run]` of an experiment file: how its jobs are run, whatever they compute.

use super::diagnostic::{Diagnostic, Diagnostics, Place};
use super::node::{Node, NodeValue, Table, nowhere};
use super::schema::{Field, Kind, Value};
use crate::settings::Run;

/// The longest limit: a year. What is more is a slip of the keyboard.
const YEAR: f64 = 365.0 * 86_400.0;

const FIELDS: [Field; 4] = [
    field("run.checkpoint_seconds", 0.0, "longest time of training without a checkpoint; 0 is every step"),
    field("run.warn_seconds", 0.001, "after this a job is called slow"),
    field("run.timeout_seconds", 0.001, "after this a job stops with a checkpoint, and has timed out"),
    field(
        "run.grace_seconds",
        0.0,
        "after a timeout, seconds a job has to write its checkpoint before it is killed",
    ),
];

const fn field(path: &'static str, min: f64, doc: &'static str) -> Field {
    Field { path, kind: Kind::Number { min, max: YEAR }, default: Value::Unset, doc }
}

/// Reads `[run]` where it is there.
pub(super) fn read_run(node: Option<&Node>, out: &mut Diagnostics) -> Run {
    let mut run = Run::default();
    let Some(node) = node else { return run };
    let NodeValue::Table(table) = &node.value else {
        node.refuse("a table `[run]`", out);
        return run;
    };
    let names = FIELDS.map(|field| name(&field));
    table.only(&names, nowhere, out);
    let mut read = |index: usize| number(&FIELDS[index], table, out);
    run.checkpoint_seconds = read(0).unwrap_or(run.checkpoint_seconds);
    run.warn_seconds = read(1);
    run.timeout_seconds = read(2);
    run.grace_seconds = read(3).unwrap_or(run.grace_seconds);
    run
}

/// For an axis of this name: what changes no result is none.
pub(super) fn no_axis(setting: &str, place: &Place) -> Diagnostic {
    let names = FIELDS.map(|field| name(&field));
    if names.contains(&setting) {
        let message = format!("`run.{setting}` cannot vary: it changes no result");
        return Diagnostic::new(place, message, "no axis").help("give it once, in a table `[run]`");
    }
    Diagnostic::new(place, format!("unknown setting `run.{setting}`"), "unknown setting")
        .accepted(setting, names)
        .help("these are given once, in a table `[run]`, and cannot vary")
}

fn number(field: &Field, table: &Table, out: &mut Diagnostics) -> Option<f64> {
    field.read(table.get(name(field))?, out)?.as_f64()
}

/// The key of a field in its table.
fn name(field: &Field) -> &'static str {
    field.path.split_once('.').map_or(field.path, |(_, name)| name)
}
