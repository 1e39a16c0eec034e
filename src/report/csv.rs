//! A table as CSV: one line per cell, numbers in the frame's units and full precision.

use super::{Cell, Table};
use crate::escape;
use crate::stats::t_interval;

/// What a cell's line holds, after the values of its axes.
const COLUMNS: [&str; 14] = [
    "metric",
    "split",
    "mean",
    "sd",
    "ci95_low",
    "ci95_high",
    "n",
    "wanted",
    "outcomes",
    "marks",
    "best",
    "difference",
    "difference_sd",
    "difference_n",
];

/// One line per cell that the sweep has: `table`, the row axes, the column axes, then
/// metric, split, mean, sd, the 95 % t interval over seeds, n, wanted, outcomes, marks, best and the difference to the
/// baseline. Text that a spreadsheet would take for a formula starts with an apostrophe.
pub fn csv(table: &Table) -> String {
    let mut text = line(["table".to_owned()].into_iter().chain(header(table)));
    for (i, row) in table.cells.iter().enumerate() {
        for (j, cell) in row.iter().enumerate().filter(|(_, cell)| cell.is_wanted()) {
            let place = table.row_headers[i].iter().chain(&table.columns[j]);
            let names = [&table.title].into_iter().chain(place).map(|text| escape::csv(text));
            text.push_str(&line(names.chain(values(cell, table))));
        }
    }
    text
}

fn header(table: &Table) -> impl Iterator<Item = String> {
    let axes = table.row_axes.iter().chain(&table.column_axes).map(|axis| escape::csv(axis));
    axes.chain(COLUMNS.map(ToOwned::to_owned))
}

fn values(cell: &Cell, table: &Table) -> [String; COLUMNS.len()] {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let counts = |counts: &std::collections::BTreeMap<String, usize>| {
        let pairs: Vec<String> = counts.iter().map(|(name, count)| format!("{name}:{count}")).collect();
        escape::csv(&pairs.join(" "))
    };
    let mut outcomes = cell.outcomes.clone();
    if cell.pending() > 0 {
        outcomes.insert("pending".to_owned(), cell.pending());
    }
    let interval = cell.mean.zip(cell.sd).and_then(|(mean, sd)| t_interval(mean, sd, cell.n, 0.95));
    let (low, high) = interval.unzip();
    [
        escape::csv(cell.metric.as_deref().unwrap_or_default()),
        escape::csv(&table.split),
        number(cell.mean),
        number(cell.sd),
        number(low),
        number(high),
        cell.n.to_string(),
        cell.wanted.to_string(),
        counts(&outcomes),
        counts(&cell.marks),
        cell.best.to_string(),
        number(cell.difference.map(|difference| difference.mean)),
        number(cell.difference.and_then(|difference| difference.sd)),
        cell.difference.map_or_else(String::new, |difference| difference.n.to_string()),
    ]
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let quoted = fields.map(|field| {
        // Some spreadsheets part fields at semicolons, and would find a formula behind one.
        if field.contains([',', '"', ';']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    });
    format!("{}\n", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_and_quotes_are_quoted() {
        assert_eq!(
            line(["a,b".to_owned(), "c\"d".to_owned(), "e;=f".to_owned()].into_iter()),
            "\"a,b\",\"c\"\"d\",\"e;=f\"\n"
        );
    }
}
