//! `bench`: one declarative TOML file in; every cell of an ablation study of DNA language
//! models trained, scored, tabulated with its uncertainty and held against the published
//! numbers out.
//!
//! One direction of data, a new type at each step; ARCHITECTURE.md says what each module
//! does and what it must never know.
#![recursion_limit = "256"]

pub mod cli;
pub mod data;
pub mod escape;
pub mod mask;
pub mod metrics;
pub mod model;
pub mod plan;
pub mod queue;
pub mod record;
pub mod report;
pub mod resolve;
pub mod results;
pub mod seed;
pub mod settings;
pub mod spec;
pub mod stats;
pub mod token;
pub mod train;
