//! The program in a folder of its own, as a person would run it there.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An empty folder to run in, gone when the test ends.
pub(super) struct Folder(TempDir);

/// What a run said.
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Folder {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Runs `bench` here, in a clean environment.
    pub(super) fn run(&self, arguments: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_bench"))
            .args(arguments)
            .current_dir(self.path())
            .env_remove("BENCH_DATA")
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program speaks UTF-8");
        Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// All files and folders here, by their relative paths, sorted.
    pub(super) fn entries(&self) -> Vec<PathBuf> {
        let mut entries = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                entries.push(path.strip_prefix(self.path()).unwrap().to_owned());
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
            }
        }
        entries.sort();
        entries
    }

    /// What a run that must be refused says: exit 2, nothing on stdout, nothing written,
    /// no panic.
    pub(super) fn refused(&self, arguments: &[&str]) -> String {
        let before = self.entries();
        let said = self.run(arguments);
        let Said { code, stdout, stderr } = &said;
        assert_eq!(*code, Some(2), "{arguments:?}\n{stdout}{stderr}");
        assert_eq!(stdout, "", "{arguments:?}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert_eq!(self.entries(), before, "{arguments:?} wrote something");
        let place = self.path().display().to_string();
        stderr.replace(&place, "HERE").replace(env!("CARGO_MANIFEST_DIR"), "REPOSITORY")
    }
}

/// The data that lie in the repository.
pub(super) fn bundled_data() -> String {
    format!("{}/experiments/data", env!("CARGO_MANIFEST_DIR"))
}
