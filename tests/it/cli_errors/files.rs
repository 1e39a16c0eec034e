//! Files that are no text, no TOML, or far too much of it.

use std::time::{Duration, Instant};

use super::program::Folder;

/// What `plan` says of a file with this content.
fn planned(content: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    folder.write("my.toml", content);
    folder.refused(&["plan", "my.toml"])
}

#[test]
fn what_is_no_file_of_text_is_named() {
    let folder = Folder::new();
    folder.write("folder.toml/inside", "");
    folder.write("latin.toml", b"scale = \"tiny\"\ntitle = \"caf\xe9\"\n");
    folder.write("binary.toml", [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0x90]);
    folder.write("jobs.toml", "");
    let said =
        ["missing.toml", "folder.toml", "latin.toml", "binary.toml", "missing/my.toml", "jobs.toml", ""]
            .map(|file| folder.refused(&["plan", file]));
    insta::assert_snapshot!(said.concat());
}

#[test]
fn a_file_of_fifty_megabytes_is_not_read() {
    insta::assert_snapshot!(planned(vec![b'#'; 50_000_000]), @"error: my.toml: 50.0 MB; expected a TOML file of at most 1.0 MB");
}

#[test]
fn nesting_is_bounded() {
    const DEEP: usize = 10_000;
    let deep = [
        format!("a = {}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
        format!("a = {}", "[".repeat(DEEP)),
        format!("a = {}1{}", "{a=".repeat(DEEP), "}".repeat(DEEP)),
        format!("a = {}", "{a=".repeat(DEEP)),
        format!("{}a = 1", "a.".repeat(DEEP)),
        format!("[{}a]", "a.".repeat(DEEP)),
        format!("[[grid]]\nexclude = {}{}", "[{a = ".repeat(DEEP), "}]".repeat(DEEP)),
        "[[grid]]\n[grid.grid]\n".repeat(DEEP),
    ];
    for text in deep {
        let said = planned(&text);
        assert!(said.contains("mistake"), "{said}");
    }
    insta::assert_snapshot!(planned(
        "scale = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
    ));
}

/// The largest files that are read, full of mistakes.
#[test]
fn a_flood_of_mistakes_is_cut_and_takes_no_time() {
    let start = Instant::now();
    let mut last = String::new();
    for (unit, count) in [("a{} = 1\n", 60_000), ("[[grid]]\n", 100_000), ("a{} = tiny\n", 60_000)] {
        let text: String = (0..count).map(|n| unit.replace("{}", &n.to_string())).collect();
        last = planned(&text);
        assert!(last.matches("error: ").count() <= 50, "{unit}");
    }
    assert!(
        last.ends_with(
            "more than 10000 mistakes, of which the first 50 are shown; nothing was run or written\n"
        ),
        "{last}"
    );
    let long = format!("scale = \"tiny\"\ntasks = [{}]\n", "\"nobody\", ".repeat(90_000));
    assert!(planned(&long).contains("unknown task `nobody`"));
    let values: Vec<String> = (0..120_000).map(|seed| seed.to_string()).collect();
    let seeds = format!("scale = \"tiny\"\nseed = [{}]\ntasks = 1\n[[grid]]\n", values.join(","));
    assert!(planned(&seeds).contains("this grid names no model"));
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
}

/// A name, a key, a text or a line of nearly a megabyte is not a message of a megabyte.
#[test]
fn what_is_too_long_is_cut() {
    const HEAD: &str = "scale = \"tiny\"\ntasks = [\"synthetic/motif\"]\n[[grid]]\nmodel = [\"dnabert-6\"]\n";
    let long = "x".repeat(900_000);
    let texts = [
        format!("{HEAD}init = \"{long}\"\n"),
        format!("{HEAD}init = \"random\"\n{long} = 1\n"),
        format!("{HEAD}init = \"random\" # {long}\ntask = \"nobody\"\n"),
        format!("{HEAD}init = \"random\"\n\"finetune.steps\" = [10, {} -1, 20]\n", " ".repeat(900_000)),
        format!("{HEAD}init = \"\"\"{}\"\"\"\n", "y\n".repeat(450_000)),
        format!("{HEAD}init = {}\n", "1 ".repeat(450_000)),
        format!("{HEAD}init = \"{}\"\n", "`".repeat(900_000)),
        format!("{HEAD}init = \"random\"\nexclude = {{ seed = 20000 }}\nseed = 10000\n"),
        format!("{HEAD}\n[pretrain]\n\nsteps{} = 1\n", ".a".repeat(400_000)),
    ];
    let said = texts.map(planned);
    for text in &said {
        assert!(text.len() < 12_000, "{} bytes: {}", text.len(), &text[..2000]);
    }
    insta::assert_snapshot!(said.join("----\n"));
}

/// What never ends is not read.
#[cfg(unix)]
#[test]
fn a_device_is_no_file() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("endless.toml")).unwrap();
    insta::assert_snapshot!(folder.refused(&["plan", "endless.toml"]), @"error: endless.toml: this is a pipe or a device; expected a TOML file");
}

/// Control characters of a file never reach the terminal, and carets stand right whatever
/// the width of characters and the end of lines.
#[test]
fn odd_characters_are_harmless() {
    let texts = [
        "scale = \"ti\0ny\"\nx = 1\n",
        "\u{1b}[31m = 2\nscale = \"tiny\u{1b}[31m\"",
        "\"a\\u001b[31mb\\u202Ec\" = 1\nscale = \"\\u001b]0;title\\u0007\"",
        "scale = \"tinny\"\rtasks = 1\r",
        "scale = \"\"\"\ntinny\"\"\"\ntasks = ['''\r\n🧬''']\n",
        "\u{feff}scale = \"tinny\"",
        "scale = \"\u{9b}31m\u{85}\u{2028}\u{202e}ynit\"",
        "scale = \"🧬🧬\"\t\t= \"🧬\"",
        "scale = '",
        "=",
        "[",
        "[[grid]]\nmodel = \"🧬",
        "\r\n\r\n\r\n",
        "\t",
    ];
    let said: Vec<String> = texts.map(planned).to_vec();
    for text in &said {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    insta::assert_snapshot!(said.join("----\n"));
}

mod any_text {
    use bench::spec::{Diagnostics, Library, Source, read_sweep};
    use proptest::prelude::*;

    /// Pieces of experiment files, and what people do to them.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "scale",
            "model",
            "tasks",
            "seed",
            "zip",
            "exclude",
            "where",
            "baseline",
            "[[grid]]\n",
            "[grid]\n",
            "[[table]]\n",
            "[pretrain]\n",
            "pretrain.steps",
            "\"model.n_heads\"",
            " = ",
            "=",
            "[",
            "]",
            "{",
            "}",
            ",",
            "\n",
            "\r\n",
            "\"tiny\"",
            "\"",
            "'",
            "'''",
            "\"\"\"",
            "1",
            "-1",
            "1e400",
            "nan",
            "5",
            "true",
            "é",
            "🧬",
            "\t",
            "#",
            ".",
            "\\",
            "\u{0}",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever the text, places lie in it, between characters, and the same text says
        /// the same.
        #[test]
        fn gives_places_inside_it(text in pieces()) {
            let read = || {
                let source = Source::new("any.toml", text.clone());
                let mut out = Diagnostics::default();
                let _ = read_sweep("any", &source, &Library::default(), &mut out);
                out.sorted()
            };
            let found = read();
            // No library knows `tiny`.
            prop_assert!(!found.is_empty());
            for diagnostic in &found {
                prop_assert!(text.get(diagnostic.place.span.clone()).is_some(), "{:?}", diagnostic);
                prop_assert!(!diagnostic.message.is_empty() && !diagnostic.label.is_empty());
            }
            let again: Vec<String> = read().iter().map(|diagnostic| format!("{diagnostic:?}")).collect();
            let first: Vec<String> = found.iter().map(|diagnostic| format!("{diagnostic:?}")).collect();
            prop_assert_eq!(first, again);
        }
    }
}
