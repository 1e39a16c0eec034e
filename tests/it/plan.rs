//! From experiment files to cells, jobs and keys, without any data: what is known of them is
//! made by hand.

mod golden;
mod grids;
mod keys;
mod settings;
mod size;
pub(crate) mod study;
