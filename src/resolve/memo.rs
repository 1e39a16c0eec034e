//! What was made once is not made again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by two numbers, or by the addresses of what they were made of, which must then
/// outlive it.
#[derive(Debug)]
pub(super) struct Memo<T, K = [usize; 2]>(RefCell<HashMap<K, T>>);

impl<T, K> Default for Memo<T, K> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T: Clone, K: Eq + Hash> Memo<T, K> {
    /// The value of `key`, made now if it is new.
    pub(super) fn get(&self, key: K, make: impl FnOnce() -> T) -> T {
        if let Some(known) = self.0.borrow().get(&key) {
            return known.clone();
        }
        let made = make();
        self.0.borrow_mut().insert(key, made.clone());
        made
    }
}
