//! What a reader allocates: a global allocator that counts, thread by thread.
//!
//! Counters belong to a thread, so that tests beside each other do not see each other. What
//! a reader allocates on threads of its own is not counted; none of those here has any.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes above which a watched thread gets no memory: the process ends, as it would where
/// there is no more, instead of taking the machine with it.
const MOST: isize = 3 << 30;

thread_local! {
    static CURRENT: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// The allocator of the system, and a count of what it gives to each thread.
pub(crate) struct Counting;

// SAFETY: every call goes to the system's allocator as it came; counting neither allocates
// nor unwinds, since the counters need no initialiser and no destructor.
#[expect(unsafe_code, reason = "a global allocator cannot be written without it")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !admits(layout.size()) {
            return std::ptr::null_mut();
        }
        count(layout.size() as isize);
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !admits(layout.size()) {
            return std::ptr::null_mut();
        }
        count(layout.size() as isize);
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: `memory` came from `System` with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !admits(size) {
            return std::ptr::null_mut();
        }
        // Old and new exist side by side while one is copied into the other.
        count(size as isize);
        // SAFETY: the caller's promises about `memory`, `layout` and `size` are handed on.
        let moved = unsafe { System.realloc(memory, layout, size) };
        count(-(layout.size() as isize));
        moved
    }
}

fn admits(size: usize) -> bool {
    let is_too_much = WATCHED.get() && (size as isize).saturating_add(CURRENT.get()) > MOST;
    !is_too_much
}

fn count(change: isize) {
    let now = CURRENT.get() + change;
    CURRENT.set(now);
    if now > PEAK.get() {
        PEAK.set(now);
    }
}

/// The most bytes that `work` held at any time, beyond what was held before it.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    /// Ends the watch also where `work` unwinds.
    struct Watch;
    impl Drop for Watch {
        fn drop(&mut self) {
            WATCHED.set(false);
        }
    }
    let before = CURRENT.get();
    PEAK.set(before);
    WATCHED.set(true);
    let watch = Watch;
    let result = work();
    drop(watch);
    (result, usize::try_from(PEAK.get() - before).unwrap_or(0))
}

#[test]
fn the_peak_of_a_thread_is_counted() {
    let (kept, peak) = peak_of(|| {
        drop(vec![1_u8; 1 << 20]);
        vec![1_u8; 1 << 10]
    });
    assert!((1 << 20..(1 << 20) + 4096).contains(&peak), "{peak}");
    assert_eq!(peak_of(|| drop(kept)).1, 0);
}
