//! The command line: one file per subcommand, wiring, rendering of errors, exit codes.
//!
//! Everything may be used here, and nothing here may be used elsewhere.

mod catalogue;
mod collect;
mod completions;
mod data;
mod errors;
mod experiment;
mod gc;
mod interruption;
mod library;
mod measure;
mod plan;
mod progress;
#[doc(hidden)]
pub mod readers;
mod space;
mod status;
mod stored;
mod sweep;
mod systems;
mod table;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::escape::lines;
use errors::CliError;

/// Trains, scores and tabulates every cell of an ablation study of DNA language models.
#[derive(Parser, Debug)]
#[command(name = "bench", version = VERSION, about, long_about = LONG, max_term_width = 100)]
#[command(after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Version and revision of this program.
const VERSION: &str = env!("BENCH_VERSION");

const LONG: &str = "Trains, scores and tabulates every cell of an ablation study of DNA language models.

One TOML file says what to compare: systems, tokenizations, maskings, starts, tasks, label
fractions, seeds. Stages that cells share are computed once; a run that is stopped goes on where
it was; every number comes with its seeds and their spread.";

const EXAMPLES: &str = "Examples:
  bench plan experiments/ablation.toml        what would run, and nothing else
  bench sweep experiments/ablation.toml       run it, print the tables
  bench status ablation                       how far it is, from any terminal
  bench table ablation --format latex         a table for the paper
  bench systems dnabert-2                     what a system is made of

Exit codes: 0 everything asked for is there; 1 some job failed; 2 the input or the command
line is wrong; 4 jobs remain; 101 a bug.";

#[derive(Subcommand, Debug)]
enum Command {
    /// Plan, run what is not done, tabulate
    Sweep(sweep::Arguments),
    /// Show what a sweep would run: cells, jobs, what is shared and done; writes nothing
    Plan(plan::Arguments),
    /// Show how far a sweep is, also while another process runs it
    Status(status::Arguments),
    /// Print a table of a sweep, as far as it has come
    Table(table::Arguments),
    /// List the systems, or show one: settings, parameters, sources
    Systems(systems::Arguments),
    /// List the tasks and corpora, and what is there of their data
    Data(data::Arguments),
    /// List what no sweep needs any more, and remove it on demand
    Gc(gc::Arguments),
    /// Print a script that completes commands in a shell
    Completions(completions::Arguments),
    /// Internal: one slot's worker process
    #[command(hide = true)]
    Worker(worker::Arguments),
}

/// Where things lie.
#[derive(Args, Debug, Clone)]
struct Places {
    /// Folder of all results
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// Root of the task data; without it BENCH_DATA, then `data/` beside the experiment file
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Everything asked for is there.
    Complete,
    /// Some job failed.
    Failed,
    /// Jobs remain.
    Remaining,
}

impl Verdict {
    fn code(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Failed => 1,
            Self::Remaining => 4,
        }
    }
}

/// Runs the program on this process's arguments.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Table(arguments) => table::run(&arguments),
        Command::Systems(arguments) => systems::run(&arguments),
        Command::Data(arguments) => data::run(&arguments),
        Command::Gc(arguments) => gc::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Worker(arguments) => worker::run(&arguments),
    };
    match result {
        Ok(verdict) => ExitCode::from(verdict.code()),
        Err(error) => {
            tell(errors::render(&error).trim_end());
            ExitCode::from(error.code())
        }
    }
}

/// Writes a line to stderr, for people. Where nobody reads it any more, or its disk is full,
/// what is being done goes on.
fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes JSON to stdout; a reader that has gone is no error.
fn say_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    use std::io::{BufWriter, ErrorKind, Write, stdout};
    let mut out = BufWriter::new(stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from);
    match written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::message(format!("standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Writes text for people to stdout. Names and messages in it come from files and workers,
/// and steer nothing.
fn say(text: &str) -> Result<(), CliError> {
    say_as_is(&lines(text))
}

/// Writes to stdout what is harmless already and must stay as it is: tables, with colours
/// of our own, and JSON. A reader that has gone is no error.
fn say_as_is(text: &str) -> Result<(), CliError> {
    use std::io::{ErrorKind, Write, stdout};
    match stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::message(format!("standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}
