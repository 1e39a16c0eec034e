//! Models against the fixtures, and what must hold of any of them.

mod counts;
mod forward;
mod gradients;
mod kmer;
mod records;
pub(crate) mod small;
mod storage;
