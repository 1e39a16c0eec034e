//! Predictions of a classifier, their scores, and the file they are written to.

use std::fmt::Write as _;

use super::TrainError;
use super::rows::Rows;
use crate::data::Example;
use crate::escape;
use crate::metrics::{self, Scores, argmax};
use crate::model::{Classifier, softmax};
use crate::settings::{Metric, Split};

/// Rows of one forward pass without gradients.
const ROWS: usize = 64;

/// Class probabilities `[rows][classes]` of one split.
#[derive(Clone, Debug, Default)]
pub(super) struct Predictions {
    pub(super) probabilities: Vec<Vec<f64>>,
}

impl Predictions {
    /// Of a classifier without autodiff.
    pub(super) fn of(model: &Classifier, rows: &Rows) -> Result<Self, TrainError> {
        let mut probabilities = Vec::with_capacity(rows.ids.len());
        for ids in rows.ids.chunks(ROWS) {
            let batch = model.batch(ids)?;
            let data = softmax(model.logits(&batch)).into_data();
            let values: Vec<f64> = data.iter::<f64>().collect();
            probabilities.extend(values.chunks(model.classes()).map(<[f64]>::to_vec));
        }
        Ok(Self { probabilities })
    }

    /// Scores against the labels of the same rows.
    pub(super) fn scores(&self, classes: usize, examples: &[Example]) -> Scores {
        let truth: Vec<i64> = examples.iter().map(|example| example.label as i64).collect();
        let predicted: Vec<usize> = self.probabilities.iter().map(|row| argmax(row)).collect();
        metrics::score(classes, &truth, &predicted, Some(&self.probabilities))
    }

    /// Whether one class is predicted for all rows.
    pub(super) fn is_collapsed(&self) -> bool {
        let mut predicted = self.probabilities.iter().map(|row| argmax(row));
        let first = predicted.next();
        first.is_some() && predicted.all(|class| Some(class) == first)
    }
}

/// What selection looks at: larger is better.
pub(super) fn headline(scores: &Scores, metric: Metric) -> f64 {
    // Undefined on dev, for example with one class only: as bad as can be.
    scores.named().get(metric.name()).copied().flatten().unwrap_or(f64::NEG_INFINITY)
}

/// One split as it is written down.
pub(super) struct Written<'a> {
    pub(super) split: Split,
    pub(super) examples: &'a [Example],
    pub(super) predictions: &'a Predictions,
}

/// The text of `predictions.csv`: one row per example, scores in shortest round-trip form.
pub(super) fn to_csv(classes: usize, splits: &[Written<'_>]) -> String {
    let mut text = String::from("split,index,group,label");
    for class in 0..classes {
        let _ = write!(text, ",score_{class}");
    }
    text.push('\n');
    for written in splits {
        let rows = written.examples.iter().zip(&written.predictions.probabilities);
        for (index, (example, scores)) in rows.enumerate() {
            let group = quoted(&escape::csv(example.group.as_deref().unwrap_or_default()));
            let _ = write!(text, "{},{index},{group},{}", written.split.name(), example.label);
            for score in scores {
                let _ = write!(text, ",{score}");
            }
            text.push('\n');
        }
    }
    text
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
