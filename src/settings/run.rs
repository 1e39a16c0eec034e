//! How a sweep is run: nothing here changes a result, and nothing of it is in a key.

/// Limits of a sweep's jobs, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// The longest time of training without a checkpoint; 0 is one after every step.
    pub checkpoint_seconds: f64,
    /// After this a person is told that a job is slow.
    pub warn_seconds: Option<f64>,
    /// After this a job is told to write a checkpoint and stop, and has timed out.
    pub timeout_seconds: Option<f64>,
    /// What it gets for that before it is killed.
    pub grace_seconds: f64,
}

impl Default for Run {
    fn default() -> Self {
        Self { checkpoint_seconds: 60.0, warn_seconds: None, timeout_seconds: None, grace_seconds: 30.0 }
    }
}
