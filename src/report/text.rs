//! What a cell says, before a renderer dresses it.

use super::query::{MARKS, UNDEFINED};
use super::{Cell, Difference, MetricStyle, Table};
use crate::record::Mark;

/// What stands in a cell that the sweep does not have.
const ABSENT: &str = "–";

/// The parts of a cell's text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct CellText {
    /// `0.712 ± 0.013`.
    pub(super) score: Option<String>,
    /// `c`, `u`, `2c`; empty without marks.
    pub(super) marks: String,
    /// `4/5, 1 diverged`, `pending`, `n=3`; none where there is nothing to say.
    pub(super) status: Option<String>,
    /// `+0.021 ± 0.008`.
    pub(super) difference: Option<String>,
}

impl CellText {
    /// The parts of a cell of a table.
    pub(super) fn of(cell: &Cell, table: &Table) -> Self {
        if !cell.is_wanted() {
            return Self { status: Some(ABSENT.to_owned()), ..Self::default() };
        }
        let style = cell.style();
        Self {
            score: cell.mean.map(|mean| with_spread(style.number(mean), cell.sd, &style)),
            marks: marks(cell),
            status: status(cell, table.shared_n),
            difference: cell.difference.map(|difference| difference_text(&difference, cell, &style)),
        }
    }

    /// The line of the score: `0.712 ± 0.013 c (4/5, 1 diverged)`, or the status alone.
    /// `score` dresses the number, `words` makes everything else harmless.
    pub(super) fn line(&self, score: impl Fn(&str) -> String, words: impl Fn(&str) -> String) -> String {
        let marks = (!self.marks.is_empty()).then(|| words(&self.marks));
        let status = self.status.as_deref().map(|status| match &self.score {
            Some(_) => format!("({})", words(status)),
            None => words(status),
        });
        let parts = [self.score.as_deref().map(score), marks, status];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

fn with_spread(number: String, sd: Option<f64>, style: &MetricStyle) -> String {
    match sd {
        Some(sd) => format!("{number} ± {}", style.number(sd)),
        None => number,
    }
}

fn difference_text(difference: &Difference, cell: &Cell, style: &MetricStyle) -> String {
    let text = with_spread(style.difference(difference.mean), difference.sd, style);
    if difference.n == cell.n {
        return text;
    }
    let pairs = if difference.n == 1 { "pair" } else { "pairs" };
    format!("{text} ({} {pairs})", difference.n)
}

/// The symbol of a mark.
pub(super) fn symbol(mark: Mark) -> char {
    match mark {
        Mark::Collapsed => 'c',
        Mark::Untrained => 'u',
    }
}

/// Seeds with a record, those without a value included.
pub(super) fn finished(cell: &Cell) -> usize {
    cell.n + cell.outcomes.get(UNDEFINED).copied().unwrap_or_default()
}

fn marks(cell: &Cell) -> String {
    let finished = finished(cell);
    let shown = MARKS.into_iter().filter_map(|mark| {
        let count = *cell.marks.get(mark.name())?;
        let symbol = symbol(mark);
        Some(if count == finished { symbol.to_string() } else { format!("{count}{symbol}") })
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn status(cell: &Cell, shared_n: Option<usize>) -> Option<String> {
    if cell.is_complete() {
        return (shared_n != Some(cell.n)).then(|| format!("n={}", cell.n));
    }
    let pending = cell.pending();
    if pending == cell.wanted {
        return Some("pending".to_owned());
    }
    let mut parts = vec![format!("{}/{}", cell.n, cell.wanted)];
    parts.extend(cell.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")));
    if pending > 0 && !cell.outcomes.is_empty() {
        parts.push(format!("{pending} pending"));
    }
    Some(parts.join(", "))
}
