//! A table before it is text.

use std::collections::BTreeMap;

use super::MetricStyle;

/// A table before it is text. Lists of cells are `[rows][columns]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// The split its scores are of.
    pub split: String,
    /// Axes of the rows, those that were added because they vary included.
    pub row_axes: Vec<String>,
    /// The values of `row_axes`, for each row.
    pub row_headers: Vec<Vec<String>>,
    /// Axes of the columns.
    pub column_axes: Vec<String>,
    /// The values of `column_axes`, for each column.
    pub columns: Vec<Vec<String>>,
    /// What stands in it.
    pub cells: Vec<Vec<Cell>>,
    /// Where metrics are named.
    pub metric_place: MetricPlace,
    /// The number of seeds behind every complete cell, where it is the same for all.
    pub shared_n: Option<usize>,
    /// Among what `best` was chosen; none where nothing was.
    pub best_of: Option<BestOf>,
    /// What a reader must know, one sentence or two each; the first is the caption.
    pub notes: Vec<String>,
}

/// One place of a table: the repetitions of one cell of the study.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// The metric by its name in the frame; none where no cell of the task is finished.
    pub metric: Option<String>,
    /// Mean over seeds.
    pub mean: Option<f64>,
    /// Sample standard deviation over seeds; none of one.
    pub sd: Option<f64>,
    /// Seeds with a score.
    pub n: usize,
    /// Seeds asked for; 0 where the sweep does not have this combination.
    pub wanted: usize,
    /// Seeds that ended without a score, by outcome.
    pub outcomes: BTreeMap<String, usize>,
    /// Seeds with a mark, by mark.
    pub marks: BTreeMap<String, usize>,
    /// Whether it is the best of those it is compared with.
    pub best: bool,
    /// How far it is from the baseline.
    pub difference: Option<Difference>,
}

/// A difference to the baseline, over the seeds that both have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Mean of the differences.
    pub mean: f64,
    /// Their sample standard deviation; none of one.
    pub sd: Option<f64>,
    /// Pairs.
    pub n: usize,
}

/// Where metrics are named. A table never mixes metrics without saying which is which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricPlace {
    /// One metric for all, in the caption.
    Caption,
    /// One for each row.
    Row,
    /// One for each column.
    Column,
}

/// Among what the best was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BestOf {
    /// The cells of a row.
    Row,
    /// The cells of a column.
    Column,
}

impl BestOf {
    /// In words, to follow how the best is marked: `Bold: best of its row.`
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Row => "best of its row",
            Self::Column => "best of its column",
        }
    }
}

impl Cell {
    /// Whether the sweep has this combination at all.
    pub fn is_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// Whether every seed asked for has a score.
    pub fn is_complete(&self) -> bool {
        self.is_wanted() && self.n == self.wanted
    }

    /// Seeds that have not ended.
    pub fn pending(&self) -> usize {
        self.wanted.saturating_sub(self.n + self.outcomes.values().sum::<usize>())
    }

    /// How its metric is written.
    pub(super) fn style(&self) -> MetricStyle {
        MetricStyle::of(self.metric.as_deref().unwrap_or_default())
    }
}

impl Table {
    /// Titles of the columns that hold row headers.
    pub(super) fn row_titles(&self) -> Vec<String> {
        let metric = (self.metric_place == MetricPlace::Row).then(|| "metric".to_owned());
        self.row_axes.iter().cloned().chain(metric).collect()
    }

    /// The header of a row: its values, and its metric where rows differ in it.
    pub(super) fn row_header(&self, row: usize) -> Vec<String> {
        let metric = (self.metric_place == MetricPlace::Row).then(|| label(self.cells[row].iter()));
        self.row_headers[row].iter().cloned().chain(metric).collect()
    }

    /// The header of a column: its values, and its metric where columns differ in it.
    pub(super) fn column_header(&self, column: usize) -> Vec<String> {
        let of_column = self.cells.iter().map(|row| &row[column]);
        let metric = (self.metric_place == MetricPlace::Column).then(|| label(of_column));
        self.columns[column].iter().cloned().chain(metric).collect()
    }
}

/// The label of the one metric of some cells; a dash where none of them is finished.
fn label<'a>(mut cells: impl Iterator<Item = &'a Cell>) -> String {
    let metric = cells.find_map(|cell| cell.metric.as_deref());
    metric.map_or_else(|| "–".to_owned(), |metric| MetricStyle::of(metric).label)
}
