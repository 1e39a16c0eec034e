//! How a metric is named and written, and which way it is better.

/// How a metric is named and written.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricStyle {
    /// Its name for people, with its unit.
    pub label: String,
    /// Factor from the frame's value to the one shown: 100 for per cent.
    pub factor: f64,
    /// Digits after the point.
    pub decimals: usize,
    /// Which way it is better.
    pub better: Better,
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Scores.
    Higher,
    /// Losses and errors.
    Lower,
    /// What describes and does not judge.
    Neither,
}

impl MetricStyle {
    /// The style of a metric by its name in the frame.
    pub fn of(metric: &str) -> Self {
        let (label, better) = match metric {
            "mcc" => ("MCC".to_owned(), Better::Higher),
            // GenomeNet's papers give it in per cent (DESIGN 5, Metrics).
            "macro_recall" => return Self::per_cent("macro recall (%)"),
            "macro_f1" => ("macro F1".to_owned(), Better::Higher),
            "auroc" => ("AUROC".to_owned(), Better::Higher),
            "auroc_ovr" => ("AUROC, one against rest".to_owned(), Better::Higher),
            "auroc_ovo" => ("AUROC, one against one".to_owned(), Better::Higher),
            "log_loss" => ("log loss (nats)".to_owned(), Better::Lower),
            "brier" => ("Brier score".to_owned(), Better::Lower),
            "ece" => ("expected calibration error".to_owned(), Better::Lower),
            "train_loss" => ("training loss (nats)".to_owned(), Better::Lower),
            "held_out_loss" => ("held-out loss (nats per token)".to_owned(), Better::Lower),
            "unigram_loss" => ("unigram loss (nats per token)".to_owned(), Better::Neither),
            _ => Self::of_class(metric),
        };
        Self { label, factor: 1.0, decimals: 3, better }
    }

    fn per_cent(label: &str) -> Self {
        Self { label: label.to_owned(), factor: 100.0, decimals: 1, better: Better::Higher }
    }

    /// Names such as `recall/1`, and whatever else: a score, with spaces for underscores.
    fn of_class(metric: &str) -> (String, Better) {
        match metric.split_once('/') {
            Some(("predicted_share", class)) => {
                (format!("share predicted as class {class}"), Better::Neither)
            }
            Some((score, class)) => (format!("{} of class {class}", score.replace('_', " ")), Better::Higher),
            None => (metric.replace('_', " "), Better::Higher),
        }
    }

    /// A value as it is shown. Zero has no sign.
    pub fn number(&self, value: f64) -> String {
        let text = format!("{:.*}", self.decimals, value * self.factor);
        let is_zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
        if is_zero { text.trim_start_matches('-').to_owned() } else { text }
    }

    /// A difference as it is shown: with its sign, unless it is shown as zero.
    pub fn difference(&self, value: f64) -> String {
        let text = self.number(value);
        let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
        if is_zero || text.starts_with('-') { text } else { format!("+{text}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_metrics_unit_and_digits() {
        assert_eq!(MetricStyle::of("mcc").number(0.71249), "0.712");
        assert_eq!(MetricStyle::of("macro_recall").number(0.71249), "71.2");
        assert_eq!(MetricStyle::of("macro_f1").number(1.0), "1.000");
        assert_eq!(MetricStyle::of("mcc").number(-0.0001), "0.000");
        assert_eq!(MetricStyle::of("mcc").difference(0.021), "+0.021");
        assert_eq!(MetricStyle::of("mcc").difference(-0.021), "-0.021");
        assert_eq!(MetricStyle::of("mcc").difference(-1e-9), "0.000");
    }

    #[test]
    fn labels_and_directions() {
        let of = |metric: &str| (MetricStyle::of(metric).label, MetricStyle::of(metric).better);
        assert_eq!(of("recall/1"), ("recall of class 1".to_owned(), Better::Higher));
        assert_eq!(of("predicted_share/0"), ("share predicted as class 0".to_owned(), Better::Neither));
        assert_eq!(of("balanced_accuracy"), ("balanced accuracy".to_owned(), Better::Higher));
        assert_eq!(of("ece").1, Better::Lower);
    }
}
