//! Why a worker is gone, from its exit status and its last words.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::record::{Failure, Outcome};

/// What allocators, the kernel and the drivers of devices write when memory is short, in
/// lower case.
const OUT_OF_MEMORY: [&str; 6] = [
    "memory allocation of",
    "out of memory",
    "out_of_memory",
    "outofmemory",
    "cannot allocate memory",
    "std::bad_alloc",
];

/// The failure of the job that a worker ran when it went. `oom_killed` answers whether there
/// is a kill for memory that nobody has asked about; it is asked only where that would be the
/// reason. A SIGKILL alone is no sign of it: people and batch systems send it too.
pub(super) fn explain(
    status: ExitStatus,
    stderr_tail: Vec<String>,
    oom_killed: impl FnOnce() -> bool,
) -> Failure {
    let (outcome, message) = if let Some(line) = memory_line(&stderr_tail).filter(|_| !status.success()) {
        (Outcome::OutOfMemory, format!("{}: {line}", how(status)))
    } else if status.signal() == Some(libc::SIGKILL) && oom_killed() {
        (Outcome::OutOfMemory, format!("{} by the kernel, which was out of memory", how(status)))
    } else if let Some(panic) = panic_in(&stderr_tail) {
        (Outcome::Crashed, panic)
    } else {
        let last = stderr_tail.last().map(|line| format!(": {line}")).unwrap_or_default();
        (Outcome::Crashed, format!("{}{last}", how(status)))
    };
    Failure { outcome, message, stderr_tail }
}

/// `the worker was killed by SIGSEGV`, `the worker left with exit status 3`.
pub(super) fn how(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("the worker was killed by {name}"),
            None => format!("the worker was killed by signal {signal}"),
        },
        (None, Some(code)) => format!("the worker left with exit status {code}"),
        (None, None) => "the worker left".to_owned(),
    }
}

fn memory_line(tail: &[String]) -> Option<&String> {
    tail.iter().rev().find(|line| {
        let line = line.to_lowercase();
        OUT_OF_MEMORY.iter().any(|sign| line.contains(sign))
    })
}

/// `panicked at src/x.rs:1:2: message`, from the two lines that Rust's hook writes.
fn panic_in(tail: &[String]) -> Option<String> {
    let at = tail.iter().rposition(|line| line.contains(" panicked at "))?;
    let (_, place) = tail[at].split_once(" panicked at ")?;
    let message = tail.get(at + 1).filter(|line| !line.starts_with("note: "));
    let message = message.map(|line| format!(" {line}")).unwrap_or_default();
    Some(format!("the worker panicked at {place}{message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: i32, tail: &[&str], oom_killed: bool, outcome: Outcome, message: &str) {
        let tail: Vec<String> = tail.iter().map(|&line| line.to_owned()).collect();
        let failure = explain(ExitStatus::from_raw(raw), tail.clone(), || oom_killed);
        assert_eq!(failure, Failure { outcome, message: message.to_owned(), stderr_tail: tail });
    }

    /// The raw status of `exit(code)`.
    fn code(code: i32) -> i32 {
        code << 8
    }

    #[test]
    fn a_signal_is_named_and_sigkill_alone_is_no_want_of_memory() {
        check(libc::SIGSEGV, &[], false, Outcome::Crashed, "the worker was killed by SIGSEGV");
        check(libc::SIGSEGV, &[], true, Outcome::Crashed, "the worker was killed by SIGSEGV");
        check(libc::SIGKILL, &["last"], false, Outcome::Crashed, "the worker was killed by SIGKILL: last");
        check(
            libc::SIGKILL,
            &["last"],
            true,
            Outcome::OutOfMemory,
            "the worker was killed by SIGKILL by the kernel, which was out of memory",
        );
    }

    #[test]
    fn a_failed_allocation_is_out_of_memory() {
        let rust = "memory allocation of 137438953472 bytes failed";
        let message = format!("the worker was killed by SIGABRT: {rust}");
        check(libc::SIGABRT, &["before", rust], false, Outcome::OutOfMemory, &message);
        let cuda = "CUDA_ERROR_OUT_OF_MEMORY";
        let message = format!("the worker left with exit status 101: {cuda}");
        check(
            code(101),
            &["thread 'main' panicked at a.rs:1:2:", cuda],
            false,
            Outcome::OutOfMemory,
            &message,
        );
        // A warning of a worker that then left in peace is not what ended it.
        check(0, &[rust], false, Outcome::Crashed, &format!("the worker left with exit status 0: {rust}"));
    }

    #[test]
    fn a_panic_is_told_with_its_place() {
        let tail = [
            "thread 'main' (12) panicked at src/train/mod.rs:3:9:",
            "index out of bounds",
            "note: run with `RUST_BACKTRACE=1`",
        ];
        let message = "the worker panicked at src/train/mod.rs:3:9: index out of bounds";
        check(code(101), &tail, false, Outcome::Crashed, message);
        check(libc::SIGABRT, &tail[..2], false, Outcome::Crashed, message);
        check(code(101), &tail[..1], false, Outcome::Crashed, "the worker panicked at src/train/mod.rs:3:9:");
    }

    #[test]
    fn an_exit_is_told_with_the_last_line() {
        check(code(3), &[], false, Outcome::Crashed, "the worker left with exit status 3");
        check(code(3), &["a", "b"], false, Outcome::Crashed, "the worker left with exit status 3: b");
    }
}
