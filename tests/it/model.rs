//! Models against the fixtures, and what must hold of any of them.

mod properties;
mod records;
