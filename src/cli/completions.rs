//! `bench completions`.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::errors::CliError;
use super::{Cli, Verdict, say};

/// Arguments of `bench completions`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bench completions bash > ~/.local/share/bash-completion/completions/bench
  bench completions zsh > \"${fpath[1]}/_bench\"
  bench completions fish > ~/.config/fish/completions/bench.fish")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Cli::command(), "bench", &mut script);
    say(&String::from_utf8_lossy(&script))?;
    Ok(Verdict::Complete)
}
