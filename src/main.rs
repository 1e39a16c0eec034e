//! The program `bench`; all it does is in the library.

use std::process::ExitCode;

/// Training allocates and frees large buffers all the time; mimalloc alone is worth 20 % of
/// its speed (burn.md 5.3).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bench::cli::main()
}
