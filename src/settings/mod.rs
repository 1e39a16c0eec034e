//! The words of the program as plain types: tokenizations, maskings, architectures,
//! optimisations, tasks, jobs.
//!
//! Everything here is data that a person could have typed, after all defaults are filled
//! in. It does nothing: no files, no tensors, no clocks. Every other module may use it,
//! and it uses none of them.

mod architecture;
mod job;
mod masking;
mod run;
mod shared;
mod task;
mod tokenization;
mod training;

pub use architecture::{Architecture, Encoder, FeedForward, Head, KmerLogistic, Layout, Norm, Position};
pub use job::{
    Coordinates, FinetuneWork, Init, Job, Key, Parents, PretrainWork, Stage, VocabularyWork, Work,
};
pub use masking::{Masking, Refresh, Targets, UnknownMasking};
pub use run::Run;
pub use shared::Shared;
pub use task::{
    Corpus, CorpusSource, CsvSplits, ManifestSplit, Metric, Motif, Split, Task, TaskSource, Windows,
};
pub use tokenization::{Tokenization, UnknownTokenization};
pub use training::{Decay, Finetuning, HELD_OUT, Optimisation, Pretraining, Selection};
