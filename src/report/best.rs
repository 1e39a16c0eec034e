//! Which cells are the best of those they can be compared with.

use std::collections::BTreeMap;

use super::{BestOf, Better, Cell, Table};

/// What a model is given: scores under different ones are not compared.
const CONDITIONS: [&str; 2] = ["task", "label_fraction"];

/// A row or column, and what its models are given.
type Contest = (usize, Vec<String>);

/// Row and column of a cell.
type Place = (usize, usize);

/// Marks the best cells of each row, or of each column where columns are what models are
/// given. Cells are compared with those of equal task, label fraction and metric; nothing
/// is marked unless there are two or more and all their seeds are there. Those that show
/// the same number are best together.
pub(super) fn mark_best(table: &mut Table) {
    let of = if table.column_axes.iter().all(|axis| CONDITIONS.contains(&axis.as_str())) {
        BestOf::Column
    } else {
        BestOf::Row
    };
    let mut contests: BTreeMap<Contest, Vec<Place>> = BTreeMap::new();
    for (i, row) in table.cells.iter().enumerate() {
        for (j, cell) in row.iter().enumerate().filter(|(_, cell)| cell.is_wanted()) {
            let (line, mut given) = match of {
                BestOf::Row => (i, conditions(&table.column_axes, &table.columns[j])),
                BestOf::Column => (j, conditions(&table.row_axes, &table.row_headers[i])),
            };
            given.extend(cell.metric.clone());
            contests.entry((line, given)).or_default().push((i, j));
        }
    }
    for places in contests.values() {
        for (i, j) in winners(&table.cells, places) {
            table.cells[i][j].best = true;
            table.best_of = Some(of);
        }
    }
}

fn conditions(axes: &[String], values: &[String]) -> Vec<String> {
    let given = axes.iter().zip(values).filter(|(axis, _)| CONDITIONS.contains(&axis.as_str()));
    given.map(|(_, value)| value.clone()).collect()
}

fn winners(cells: &[Vec<Cell>], places: &[Place]) -> Vec<Place> {
    let cell = |place: &Place| &cells[place.0][place.1];
    if places.len() < 2 || !places.iter().all(|place| cell(place).is_complete()) {
        return Vec::new();
    }
    let style = cell(&places[0]).style();
    let means = places.iter().filter_map(|place| cell(place).mean);
    let best = match style.better {
        Better::Higher => means.max_by(f64::total_cmp),
        Better::Lower => means.min_by(f64::total_cmp),
        Better::Neither => None,
    };
    let shown = best.map(|best| style.number(best));
    let is_best = |place: &&(usize, usize)| cell(place).mean.map(|mean| style.number(mean)) == shown;
    if shown.is_none() { Vec::new() } else { places.iter().filter(is_best).copied().collect() }
}
