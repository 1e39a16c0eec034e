//! Whether there is something to show in each table.

use std::collections::BTreeSet;

use super::coordinates::Interner;
use crate::spec::{Condition, Diagnostic, Diagnostics, TableRequest, quoted};

/// The distinct points of a sweep, as rows of numbers.
pub(super) struct Points<'a> {
    pub(super) axes: &'a [String],
    pub(super) interner: &'a Interner,
    pub(super) rows: Vec<&'a [u32]>,
}

impl<'a> Points<'a> {
    fn place(&self, axis: &str) -> Option<usize> {
        self.axes.iter().position(|name| name == axis)
    }

    /// The values that points have on an axis.
    fn values(&self, axis: &str) -> BTreeSet<&'a str> {
        let Some(place) = self.place(axis) else { return BTreeSet::new() };
        let numbers: BTreeSet<u32> = self.rows.iter().map(|row| row[place]).collect();
        let values = self.interner.values(place);
        numbers.into_iter().map(|number| values[number as usize].as_str()).collect()
    }

    /// The points that meet all conditions.
    fn that_meet(&self, conditions: &[Condition]) -> Points<'a> {
        let tests: Vec<(Option<usize>, Vec<bool>)> = conditions
            .iter()
            .map(|condition| {
                let place = self.place(&condition.axis);
                let values = place.map_or(&[][..], |place| self.interner.values(place));
                (place, values.iter().map(|value| condition.has(value)).collect())
            })
            .collect();
        let meets = |row: &&[u32]| {
            tests.iter().all(|(place, met)| place.is_some_and(|place| met[row[place] as usize]))
        };
        let rows = self.rows.iter().copied().filter(meets).collect();
        Points { axes: self.axes, interner: self.interner, rows }
    }
}

/// Reports values in `where` and `baseline` that no cell has, and tables of no cell.
pub(super) fn check(tables: &[TableRequest], cells: &Points<'_>, out: &mut Diagnostics) {
    if cells.rows.is_empty() {
        return;
    }
    for table in tables {
        let known = has_known_values(&table.filter, "no cell of this sweep has", cells, out);
        let shown = cells.that_meet(&table.filter);
        if known && shown.rows.is_empty() {
            let message = format!("no cell is left for table `{}`", table.name);
            out.push(
                Diagnostic::new(&table.place, message, "nothing to show")
                    .help("each condition of its `where` holds for some cell, but never all at once"),
            );
        } else if known && shown.that_meet(&table.baseline).rows.is_empty() {
            check_baseline(table, &shown, out);
        }
    }
}

fn check_baseline(table: &TableRequest, shown: &Points<'_>, out: &mut Diagnostics) {
    if has_known_values(&table.baseline, "this table shows no cell that has", shown, out)
        && let Some(place) = &table.baseline_place
    {
        let message = format!("table `{}` shows no cell that is its baseline", table.name);
        out.push(
            Diagnostic::new(place, message, "nothing to compare with")
                .help("each of its conditions holds for some cell, but never all at once"),
        );
    }
}

/// Whether some cell has each value of each condition; `none_has` begins the message.
fn has_known_values(
    conditions: &[Condition],
    none_has: &str,
    cells: &Points<'_>,
    out: &mut Diagnostics,
) -> bool {
    let mut known = true;
    for Condition { axis, values, .. } in conditions {
        let there = cells.values(axis);
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
