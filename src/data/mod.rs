//! Sequences from files: tasks with their splits and label fractions, corpora with their
//! windows, fingerprints of both, and a catalogue of what is at hand.
//!
//! [`load_task`] gives dev and test rows, which never depend on the repetition, and draws
//! training rows for a label fraction and a repetition. [`load_corpus`] and
//! [`CorpusWindows`] give what pre-training reads. [`catalogue`] says what is there, or what
//! is missing and how to get it.
//!
//! It must never know tokens, tensors or models: a subset of labels is shared by all of
//! them, so that their scores can be paired.

mod catalogue;
mod corpus;
mod corpus_windows;
mod error;
mod fasta;
mod files;
mod fingerprint;
mod fixed_windows;
mod genomes;
mod identity;
mod labelled_csv;
mod manifest;
mod motif;
mod nucleotides;
mod root;
mod subset;
mod table;
mod task;
mod train_windows;

pub use catalogue::{Duplicates, Entry, Found, Lengths, Missing, SplitEntry, catalogue};
pub use corpus::{CorpusEntry, catalogue_corpus, corpus_fingerprint, load_corpus};
pub use corpus_windows::{CorpusWindow, CorpusWindows, longest_held_out};
pub use error::DataError;
pub use fasta::Genome;
pub use root::data_root;
pub use task::{Example, TaskData, load_task};
