//! WIP
mod machine;
mod slots;
pub use machine::*;
pub use slots::*;
