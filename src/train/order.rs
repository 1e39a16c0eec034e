//! The order in which training rows are met.

use rand::seq::SliceRandom;

use crate::seed::{Purpose, stream};

/// An endless stream of row numbers: one shuffled pass after another. A batch may reach
/// from one pass into the next, so every batch is full and the number of steps is the same
/// for every label fraction.
pub(super) struct Order<'a> {
    rows: usize,
    repetition: u64,
    subject: &'a str,
    epoch: u64,
    rest: Vec<usize>,
}

impl<'a> Order<'a> {
    /// Over `rows` rows; `subject` is what they belong to.
    pub(super) fn new(rows: usize, repetition: u64, subject: &'a str) -> Self {
        Self { rows, repetition, subject, epoch: 0, rest: Vec::new() }
    }

    /// Passes over the next `count` row numbers.
    pub(super) fn skip(&mut self, count: usize) {
        let within_pass = count.min(self.rest.len());
        drop(self.take(within_pass));
        let left = count - within_pass;
        if let Some(passes) = left.checked_div(self.rows) {
            self.epoch += passes as u64;
            drop(self.take(left - passes * self.rows));
        }
    }

    /// The next `count` row numbers.
    pub(super) fn take(&mut self, count: usize) -> Vec<usize> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count && self.rows > 0 {
            if self.rest.is_empty() {
                self.rest = self.shuffled();
            }
            let missing = count - taken.len();
            let from = self.rest.len().saturating_sub(missing);
            taken.extend(self.rest.drain(from..).rev());
        }
        taken
    }

    fn shuffled(&mut self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.rows).collect();
        let epoch = self.epoch.to_string();
        rows.shuffle(&mut stream(self.repetition, Purpose::DataOrder, &[self.subject, &epoch]));
        self.epoch += 1;
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pass_meets_every_row_once() {
        let mut order = Order::new(10, 1, "task");
        let taken = order.take(4);
        let all = [taken, order.take(16)].concat();
        for pass in all.chunks(10) {
            let mut sorted = pass.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(all[..10], all[10..]);
    }

    #[test]
    fn what_is_skipped_is_what_would_have_been_taken() {
        for skipped in 0..30 {
            for taken in [0, 3, 7, 9] {
                let (mut whole, mut cut) = (Order::new(7, 3, "task"), Order::new(7, 3, "task"));
                whole.take(taken + skipped);
                cut.take(taken);
                cut.skip(skipped);
                assert_eq!(cut.take(10), whole.take(10), "{taken} and {skipped}");
            }
        }
    }

    #[test]
    fn the_batch_size_does_not_change_the_order() {
        let draw = |size: usize| {
            let mut order = Order::new(7, 3, "task");
            (0..42 / size).flat_map(|_| order.take(size)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(6));
    }
}
