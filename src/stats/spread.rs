//! The mean of repetitions, their spread, and what is known of the mean behind them.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanInterval {
    /// Number of values.
    pub n: usize,
    /// Their mean; `None` of nothing.
    pub mean: Option<f64>,
    /// Their sample standard deviation; `None` of fewer than two.
    pub sd: Option<f64>,
    /// Standard error of the mean, `sd / sqrt(n)`.
    pub se: Option<f64>,
    /// Lower end of the interval for the mean behind them.
    pub low: Option<f64>,
    /// Upper end of that interval.
    pub high: Option<f64>,
}

/// The mean of finite values; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let rough = values.iter().sum::<f64>() / n;
    // The second pass takes back the rounding of the first; equal values give themselves.
    Some(rough + values.iter().map(|value| value - rough).sum::<f64>() / n)
}

/// The sample standard deviation (n - 1) of finite values; `None` of fewer than two.
pub fn sample_sd(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The t interval for the mean behind the values, `mean -+ t(n-1, (1+level)/2) se`.
///
/// `level` is two-sided and lies in (0, 1); outside, and below two values, there is no
/// interval. Values without spread give an interval of width 0.
pub fn mean_ci(values: &[f64], level: f64) -> MeanInterval {
    let (mean, sd, n) = (mean(values), sample_sd(values), values.len());
    let se = sd.map(|sd| sd / (n as f64).sqrt());
    let interval = mean.zip(sd).and_then(|(mean, sd)| t_interval(mean, sd, n, level));
    let (low, high) = interval.unzip();
    MeanInterval { n, mean, sd, se, low, high }
}

/// The t interval for the mean behind `n` values of which only the mean and the sample
/// standard deviation are known; nothing where [`mean_ci`] has none.
pub fn t_interval(mean: f64, sd: f64, n: usize, level: f64) -> Option<(f64, f64)> {
    let degrees = n.checked_sub(1)?;
    let half = sd / (n as f64).sqrt() * t_quantile(degrees, f64::midpoint(1.0, level))?;
    Some((mean - half, mean + half))
}

/// Quantile of Student's t; `None` unless `0.5 < probability < 1` and there is a degree of
/// freedom.
fn t_quantile(degrees: usize, probability: f64) -> Option<f64> {
    if !(probability > 0.5 && probability < 1.0) {
        return None;
    }
    let t = StudentsT::new(0.0, 1.0, degrees as f64).ok()?;
    Some(t.inverse_cdf(probability))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_no_spread_at_all() {
        for value in [0.1, 0.7, 1e9 / 3.0] {
            for n in 2..12 {
                let values = vec![value; n];
                assert_eq!((mean(&values), sample_sd(&values)), (Some(value), Some(0.0)));
            }
        }
    }

    #[test]
    fn a_level_that_is_none_gives_no_interval() {
        for level in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
            let interval = mean_ci(&[1.0, 2.0], level);
            assert_eq!((interval.mean, interval.low, interval.high), (Some(1.5), None, None), "{level}");
        }
    }
}
