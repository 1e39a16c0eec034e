//! How long a job may take, and what is due when.

use std::time::Duration;

/// Limits on the time of one attempt at a job. Without one, a job takes what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// After this a person is told.
    pub warn: Option<Duration>,
    /// After this the job is told to write a checkpoint and stop; it has then timed out.
    pub stop: Option<Duration>,
    /// What it gets for that before it is killed.
    pub grace: Duration,
}

impl Limits {
    /// No limit.
    pub const NONE: Self = Self { warn: None, stop: None, grace: Duration::from_secs(30) };
}

/// What is due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Warn,
    Stop,
    Kill,
}

/// The clock of one attempt: says each thing once.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobClock {
    limits: Limits,
    is_warned: bool,
    /// When it was told to stop.
    stopped: Option<Duration>,
}

impl JobClock {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, is_warned: false, stopped: None }
    }

    /// What is due after `elapsed` of the attempt.
    pub(super) fn due(&mut self, elapsed: Duration) -> Due {
        let Limits { warn, stop, grace } = self.limits;
        let is_past = |limit: Option<Duration>| limit.is_some_and(|limit| elapsed >= limit);
        // From when it was told, which may be later: this process may have been stopped itself.
        if is_past(self.stopped.map(|told| told + grace)) {
            Due::Kill
        } else if is_past(stop) && self.stopped.is_none() {
            self.stopped = Some(elapsed);
            Due::Stop
        } else if is_past(warn) && !self.is_warned {
            self.is_warned = true;
            Due::Warn
        } else {
            Due::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(limits: Limits, seconds: &[u64]) -> Vec<Due> {
        let mut clock = JobClock::new(limits);
        seconds.iter().map(|&second| clock.due(Duration::from_secs(second))).collect()
    }

    #[test]
    fn each_is_said_once_and_in_order() {
        let second = Duration::from_secs;
        let limits = Limits { warn: Some(second(2)), stop: Some(second(4)), grace: second(3) };
        let found = dues(limits, &[0, 1, 2, 3, 4, 5, 6, 7]);
        let expected = [
            Due::Nothing,
            Due::Nothing,
            Due::Warn,
            Due::Nothing,
            Due::Stop,
            Due::Nothing,
            Due::Nothing,
            Due::Kill,
        ];
        assert_eq!(found, expected);
        // After a long sleep of the scheduler a job still gets all its grace.
        let woken = [Due::Nothing, Due::Stop, Due::Warn, Due::Nothing, Due::Kill];
        assert_eq!(dues(limits, &[0, 100, 101, 102, 103]), woken);
        assert_eq!(dues(Limits::NONE, &[0, 1_000_000]), [Due::Nothing, Due::Nothing]);
    }
}
