//! What stops a sweep and what takes it up: signals, the lock of the results folder, the
//! command to go on with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use super::errors::CliError;
use super::tell;
use crate::queue::{LockedResults, ResultsError, ResultsFolder};

/// Counts how often this process was asked to stop: by Ctrl-C, by SIGTERM, and by SIGUSR1,
/// which batch systems send some time before they kill.
pub(super) fn stop_counter() -> Result<Arc<AtomicUsize>, CliError> {
    let stop = Arc::new(AtomicUsize::new(0));
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1])?;
    let counted = Arc::clone(&stop);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    })?;
    Ok(stop)
}

/// The results folder, for this process alone. `wait`: until whoever has it is done.
pub(super) fn hold(path: &Path, wait: bool) -> Result<LockedResults, CliError> {
    const LOOK: Duration = Duration::from_secs(1);
    let mut told = None;
    loop {
        let locked = ResultsFolder::open(path)?.lock(&mut |warning| tell(&format!("warning: {warning}")));
        match locked {
            Err(ResultsError::InUse { path, holder }) if wait => {
                if told.as_ref() != Some(&holder) {
                    tell(&format!("waiting for {holder}, which uses {}", path.display()));
                    told = Some(holder);
                }
                sleep(LOOK);
            }
            locked => return Ok(locked?),
        }
    }
}

/// This process's command line, as a person would type it again.
pub(super) fn this_command() -> String {
    let arguments = std::env::args_os().map(|argument| quoted(&argument.to_string_lossy()));
    arguments.collect::<Vec<_>>().join(" ")
}

/// For a POSIX shell.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_where_a_shell_would_read_them_otherwise() {
        for (argument, typed) in [
            ("sweep", "sweep"),
            ("a/b-c_d.toml", "a/b-c_d.toml"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(argument), typed);
        }
    }
}
