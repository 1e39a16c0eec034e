//! Results folders that take no results.

use super::program::Folder;

const SWEEP: &str =
    "scale = \"tiny\"\ntasks = [\"synthetic/motif\"]\n[[grid]]\nmodel = \"dnabert-3\"\ninit = \"random\"\n";

#[test]
fn what_is_no_folder_for_results_is_refused() {
    let folder = Folder::new();
    folder.write("my.toml", SWEEP).write("results", "not a folder");
    let said = [
        folder.refused(&["sweep", "my.toml"]),
        folder.refused(&["sweep", "my.toml", "--results", "results/inside"]),
        folder.refused(&["sweep", "my.toml", "--results", ""]),
    ];
    assert_eq!(std::fs::read_to_string(folder.path().join("results")).unwrap(), "not a folder");
    insta::assert_snapshot!(said.concat());
}

/// Planning writes nothing, so it needs no folder, but a file in its place is a mistake.
#[test]
fn plan_needs_no_results_folder() {
    let folder = Folder::new();
    folder.write("my.toml", SWEEP);
    let said = folder.run(&["plan", "my.toml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(!folder.path().join("results").exists());
    folder.write("results", "not a folder");
    insta::assert_snapshot!(folder.refused(&["plan", "my.toml"]), @"error: results is not a folder; results need one: name another with --results DIR");
}

/// A folder in which nobody, the superuser included, can make a file.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_of_the_system_is_refused() {
    let folder = Folder::new();
    folder.write("my.toml", SWEEP);
    let said = folder.refused(&["sweep", "my.toml", "--results", "/proc/self/task"]);
    insta::assert_snapshot!(said);
}

/// A folder without the right to write. The superuser may write everywhere, so the test is
/// of who is not.
#[cfg(unix)]
#[test]
fn a_read_only_folder_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.write("my.toml", SWEEP);
    let results = folder.path().join("results");
    std::fs::create_dir(&results).unwrap();
    std::fs::set_permissions(&results, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(results.join("probe"), "").is_ok() {
        eprintln!("SKIPPED a_read_only_folder_is_refused: this user may write everywhere");
        return;
    }
    let said = folder.refused(&["sweep", "my.toml"]);
    insta::assert_snapshot!(said, @"error: the results folder results cannot be written to: Permission denied (os error 13); name another with --results DIR");
}
