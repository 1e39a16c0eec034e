//! Speed, shown beside a named alternative in the same run; nothing here is a test of time.
//!
//! `cargo bench` runs all, `cargo bench -- tokenizing` one subject, `cargo bench -- --test`
//! each once. The data are those in `experiments/data`. Tensors use one thread, as in a
//! worker on a CPU slot; polars uses what it finds.
#![recursion_limit = "256"]
#![expect(clippy::print_stderr, reason = "what divan does not measure is said beside it")]

mod evaluating;
mod experiment;
mod masking;
mod planning;
mod queueing;
mod sequences;
mod status;
mod systems;
mod tabulating;
mod tokenizing;
mod training;

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if queueing::is_worker() {
        return queueing::work();
    }
    // RAYON_NUM_THREADS is read when the pool is built: what a person sets there counts.
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
        pool.expect("nothing has used the pool yet");
    }
    divan::main();
}
