//! From records to a frame, to files, to tables, to text.

mod errors;
mod formats;
mod frames;
mod study;
mod tables;
