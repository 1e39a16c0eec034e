//! Disks that fail: every write of a sweep fails once, with each error a disk can give, and
//! the same command afterwards ends with the same results.
//!
//! In a test run some of the writes; all of them with `BENCH_FAULTS=all`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::kills::{check_litter, products, result_columns};
use super::{Bench, add_corpus, small};

/// One job of each stage, and the floor.
const GRIDS: &str = r#"
[run]
checkpoint_seconds = 0

[[grid]]
model = "dnabert-3"
tokenization = "bpe-trained"
init = "pretrained"
masking = "token"

[[grid]]
model = "kmer-logistic"
tokenization = "3-mer"

[vocabulary]
size = 40
"#;

/// Numbers of errors, as Linux has them, and what the system calls them.
const ERRORS: [(i32, &str); 3] =
    [(28, "No space left on device"), (5, "Input/output error"), (30, "Read-only file system")];

/// How long a failure lasts.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Once,
    Lasting,
}

fn study() -> Bench {
    let bench = Bench::new(&small(GRIDS).replace("seed = 2\n", "").replace("steps = 6\n", "steps = 3\n"));
    add_corpus(bench.folder.path());
    bench
}

/// The library that makes the system fail, built by the C compiler that the program itself
/// needs.
struct Faults {
    folder: TempDir,
}

impl Faults {
    fn new() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/sweep/fault.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.path().join("fault.so"))
            .arg(source)
            .arg("-ldl")
            .status();
        built.is_ok_and(|status| status.success()).then_some(Self { folder })
    }

    /// A sweep whose write number `at` fails (none at 0), and how many there were.
    fn sweep(&self, bench: &Bench, at: u64, error: i32, fault: Fault) -> (Output, u64) {
        let counter = self.folder.path().join("counter");
        fs::write(&counter, 0_u64.to_ne_bytes()).unwrap();
        let mut command = bench.command(&["sweep", "study.toml", "--slots", "1"]);
        command
            .env("LD_PRELOAD", self.folder.path().join("fault.so"))
            .env("FAULT_UNDER", bench.results().canonicalize().unwrap_or_else(|_| bench.results()))
            .env("FAULT_COUNTER", &counter)
            .env("FAULT_AT", at.to_string())
            .env("FAULT_ERROR", error.to_string());
        if let Fault::Lasting = fault {
            command.env("FAULT_LASTS", "yes");
        }
        let output = command.output().unwrap();
        let calls = u64::from_ne_bytes(fs::read(&counter).unwrap().try_into().unwrap());
        (output, calls)
    }
}

/// The results of a sweep are those of `calm`, and nothing else lies beside them.
fn check(calm: &Bench, bench: &Bench) {
    assert_eq!(bench.records(), calm.records());
    assert_eq!(products(&bench.results()), products(&calm.results()));
    assert_eq!(result_columns(&bench.results()), result_columns(&calm.results()));
    check_litter(&bench.results());
}

#[test]
fn every_write_may_fail_and_nothing_that_was_done_is_lost() {
    let Some(faults) = Faults::new() else {
        eprintln!("SKIPPED every_write_may_fail_and_nothing_that_was_done_is_lost: no C compiler `cc`");
        return;
    };
    let calm = study();
    let (output, calls) = faults.sweep(&calm, 0, 0, Fault::Once);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(calls > 100, "{calls} calls");
    let every = if std::env::var("BENCH_FAULTS").is_ok_and(|which| which == "all") { 1 } else { calls / 16 };
    let mut stopped = 0;
    for at in (1..=calls).step_by(usize::try_from(every).unwrap()) {
        let (number, name) = ERRORS[usize::try_from(at / every).unwrap() % ERRORS.len()];
        for fault in [Fault::Once, Fault::Lasting] {
            let bench = study();
            let (output, _) = faults.sweep(&bench, at, number, fault);
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                // It hit something that only tidies up.
                Some(0) => {}
                // Before the first job, or after it.
                Some(2 | 4) => {
                    stopped += 1;
                    assert!(said.contains(name), "{at} {name} {fault:?}: {said}");
                    assert!(said.contains("results"), "{at} {name} {fault:?}: {said}");
                }
                other => panic!("{at} {name} {fault:?}: {other:?}: {said}"),
            }
            bench.expect(0, &["sweep", "study.toml", "--slots", "1"]);
            check(&calm, &bench);
        }
    }
    eprintln!("{calls} writes, each {every}th failed once and lastingly; {stopped} sweeps stopped");
    assert!(stopped > 10, "{stopped}");
}

/// A file system of its own, gone with this.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", options, "tmpfs", at.to_str().unwrap()]);
        mounted.then(|| Self(at.to_owned()))
    }

    fn remount(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}"), self.0.to_str().unwrap()]));
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str]) -> bool {
    Command::new("mount").args(arguments).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_is_named_before_the_sweep_and_during_it() {
    let calm = study();
    calm.expect(0, &["sweep", "study.toml"]);
    let bench = study();
    let Some(disk) = Tmpfs::mount(&bench.results(), "size=64k") else {
        eprintln!("SKIPPED a_full_disk_is_named_before_the_sweep_and_during_it: mounting is not allowed");
        return;
    };
    let sweep = || {
        let output = bench.run(&["sweep", "study.toml", "--slots", "1"]);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = sweep();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(" kB free, and the open jobs need about "), "{said}");
    // Room enough, and too few places for files.
    disk.remount("size=100m,nr_inodes=14");
    let (code, said) = sweep();
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("No space left on device") && said.contains("go on with: "), "{said}");
    disk.remount("size=100m,nr_inodes=1000,ro");
    let (code, said) = sweep();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("Read-only file system") && said.contains("--results DIR"), "{said}");
    disk.remount("rw");
    assert_eq!(sweep().0, Some(0));
    check(&calm, &bench);
}
