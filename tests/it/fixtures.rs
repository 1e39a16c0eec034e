//! Where expected values and shared data lie.

use std::path::PathBuf;

/// `tests/fixtures/NAME`: an unchanged copy of a folder of the project's fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The expected values of a fixture.
pub(crate) fn expected(name: &str) -> serde_json::Value {
    let path = fixture(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The shared data folder, where there is one. A test that gets `None` returns at once; the
/// line on stderr says what was not tested.
pub(crate) fn shared_data(test: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED {test}: the shared data folder is not on this machine");
    None
}
