//! Damaged input for every reader: no panic, no overflow of the stack, no reader that does
//! not come back, and no more memory than a small multiple of the input and a constant.
//!
//! Each reader gets about a second. For more, and one reader at a time:
//! `BENCH_FUZZ_SECONDS=600 BENCH_FUZZ_SEED=7 cargo test --release --test it fuzz:: -- --nocapture --test-threads 2`
//!
//! The bounds stand beside each reader. A `multiple` is of the input as it lies on disk,
//! but for gzip, where it is of what may come out of it (`data::files`).

mod data;
mod engine;
pub(crate) mod jobs;
pub(crate) mod memory;
mod mutate;
mod texts;
mod weights;

use engine::{Fuzz, folder, plain};
