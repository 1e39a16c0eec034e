//! Reading data, drawing rows and windows, fingerprints and the bundled data.

mod bundle;
mod corpora;
mod motif;
mod rows;
mod samples;
mod sha256;
mod shared;
mod windows;
mod wrong_input;
