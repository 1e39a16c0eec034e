//! Statistics of plain slices: means, spreads, intervals.
//!
//! The standard deviation always has n - 1 and sums are two-pass, so that a large common
//! offset costs no digits. What is undefined is `None`, never NaN. This module must never
//! know dataframes, records, or what the numbers mean.

mod spread;

pub use spread::{MeanInterval, mean, mean_ci, sample_sd, t_interval};
