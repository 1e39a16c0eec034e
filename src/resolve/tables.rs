//! Whether there is something to show in each table.

use std::collections::BTreeSet;

use crate::settings::Coordinates;
use crate::spec::{Condition, Diagnostic, Diagnostics, TableRequest, quoted};

/// Reports values in `where` and `baseline` that no cell has, and tables of no cell.
pub(super) fn check(tables: &[TableRequest], cells: &BTreeSet<Coordinates>, out: &mut Diagnostics) {
    if cells.is_empty() {
        return;
    }
    for table in tables {
        let known = has_known_values(&table.filter, "no cell of this sweep has", cells, out);
        let shown: Vec<&Coordinates> = cells.iter().filter(|cell| meets(cell, &table.filter)).collect();
        if known && shown.is_empty() {
            let message = format!("no cell is left for table `{}`", table.name);
            out.push(
                Diagnostic::new(&table.place, message, "nothing to show")
                    .help("each condition of its `where` holds for some cell, but never all at once"),
            );
        } else if known && !shown.iter().any(|cell| meets(cell, &table.baseline)) {
            check_baseline(table, &shown, out);
        }
    }
}

fn check_baseline(table: &TableRequest, shown: &[&Coordinates], out: &mut Diagnostics) {
    let cells: BTreeSet<Coordinates> = shown.iter().map(|cell| (*cell).clone()).collect();
    if has_known_values(&table.baseline, "this table shows no cell that has", &cells, out)
        && let Some(condition) = table.baseline.first()
    {
        let message = format!("table `{}` shows no cell that is its baseline", table.name);
        out.push(
            Diagnostic::new(&condition.place, message, "nothing to compare with")
                .help("each of its conditions holds for some cell, but never all at once"),
        );
    }
}

fn meets(cell: &Coordinates, conditions: &[Condition]) -> bool {
    conditions.iter().all(|condition| cell.get(&condition.axis).is_some_and(|value| condition.has(value)))
}

/// Whether some cell has each value of each condition; `none_has` begins the message.
fn has_known_values(
    conditions: &[Condition],
    none_has: &str,
    cells: &BTreeSet<Coordinates>,
    out: &mut Diagnostics,
) -> bool {
    let mut known = true;
    for Condition { axis, values, .. } in conditions {
        let there: BTreeSet<&str> =
            cells.iter().filter_map(|cell| cell.get(axis)).map(String::as_str).collect();
        for (value, place) in values.iter().filter(|(value, _)| !there.contains(value.as_str())) {
            let message = format!("{none_has} `{axis}` = `{value}`");
            out.push(
                Diagnostic::new(place, message, "matches nothing")
                    .help(format!("`{axis}` is {}", quoted(&there))),
            );
            known = false;
        }
    }
    known
}
