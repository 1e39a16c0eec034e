//! Systems, scales, tasks and corpora of one's own, beside the experiment file.

use super::program::{Folder, bundled_data};

const SWEEP: &str = "scale = \"tiny\"\ntasks = [\"synthetic/motif\"]\n[[grid]]\nmodel = [\"mine\"]\n";

const SYSTEM: &str = r#"
title = "My own"
architecture = "encoder"
tokenization = "4-mer"
masking = "span-4"
init = ["random"]

[model]
position = "alibi"
"#;

const MOTIF: &str = r#"
version = 1
metric = "accuracy"
classes = ["without", "with"]
[motif]
motif = "ACGT"
length = 50
train = 100
dev = 100
test = 100
noise = 0
"#;

#[test]
fn a_system_of_ones_own_works_without_recompiling() {
    let folder = Folder::new();
    folder.write("my.toml", SWEEP).write("systems/mine.toml", SYSTEM);
    let said = folder.run(&["plan", "my.toml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("model: mine (1)"), "{}", said.stdout);
    assert!(said.stdout.contains("tokenization: 4-mer (1)"), "{}", said.stdout);
}

#[test]
fn tasks_scales_and_corpora_of_ones_own_work_too() {
    let folder = Folder::new();
    let sweep = r#"
scale = "nano"
tasks = ["lab/motif"]
corpus = "lab/genome"
[[grid]]
model = "dnabert-3"
"#;
    folder
        .write("my.toml", sweep)
        .write(
            "scales/nano.toml",
            "title = \"nano\"\n[model]\nd_model = 8\nn_heads = 2\n[pretrain]\nmin_length = 20\n",
        )
        .write("tasks/lab/motif.toml", MOTIF)
        .write("corpora/lab/genome.toml", "version = 1\n[fasta]\nfiles = [\"g.fasta\"]\n")
        .write("data/g.fasta", format!(">g\n{}\n", "ACGTTGCA".repeat(60)));
    let said = folder.run(&["plan", "my.toml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("task: lab/motif (1)"), "{}", said.stdout);
    assert!(said.stdout.contains("pretrain"), "{}", said.stdout);
}

/// The sweep names what is broken, and nothing is said of the sweep for that.
#[test]
fn mistakes_in_ones_own_files_are_explained() {
    let folder = Folder::new();
    let sweep = r#"
scale = "huge"
tasks = ["lab/two-sources", "lab/no-source", "lab/windows", "synthetic/motif"]
corpus = "lab/corpus"
[[grid]]
model = ["mine", "bare", "dnabert-3"]
exclude = [{ model = "bare", task = "lab/windows" }]
"#;
    let files = [
        (
            "systems/mine.toml",
            "title = \"Mine\"\narchitecture = \"decoder\"\ntokenization = \"6mer\"\nmasking = \"span\"\ninit = []\n[model]\nwidth = 5\nn_heads = \"2\"\n[pretrain]\nfreeze = true\n",
        ),
        ("systems/bare.toml", "\nsteps = 3\n"),
        ("systems/latin.toml", "title = \"caf\u{e9}\"\n"),
        ("scales/huge.toml", "title = 3\n[modle]\nd_model = 4096\n"),
        (
            "tasks/lab/two-sources.toml",
            "version = 0\nmetric = \"f1\"\nclasses = [\"a\", \"a\"]\nupper = 1\n[motif]\nmotif = \"ACGU\"\nlength = 2\ntrain = 0\ndev = 1.5\nnoise = 0.5\n[csv]\ntrain = \"/etc/passwd\"\ndev = \"../dev.csv\"\ntest = 3\nvalidation = \"x\"\n",
        ),
        (
            "tasks/lab/no-source.toml",
            "version = 1\nmetric = \"mcc\"\nclasses = [0, 1]\n[finetune]\nstep = 5\n[data]\n",
        ),
        (
            "tasks/lab/windows.toml",
            "version = 1\nmetric = \"mcc\"\nclasses = [\"a\"]\n[windows]\nmanifest = \"m.tsv\"\nlength = -1\n",
        ),
        ("corpora/lab/corpus.toml", "version = 1\n[manifest]\nmanifest = \"m.tsv\"\nsplit = \"training\"\n"),
        ("corpora/lab/fasta.toml", "version = 1\n[fasta]\nfiles = []\n"),
    ];
    folder.write("my.toml", sweep);
    for (name, text) in files {
        // One of them in another encoding.
        let bytes: Vec<u8> =
            if name.contains("latin") { text.chars().map(|c| c as u8).collect() } else { text.into() };
        folder.write(name, bytes);
    }
    insta::assert_snapshot!(folder.refused(&["plan", "my.toml"]));
}

const PRETRAINED: &str = "title = \"Mine\"\narchitecture = \"encoder\"\ntokenization = \"6-mer\"\nmasking = \"token\"\ninit = [\"pretrained\"]\n[pretrain]\n";

/// Zipped axes may have a value twice, where the others tell the cells apart.
#[test]
fn a_zip_may_repeat_a_value() {
    let folder = Folder::new();
    let grid = "[[grid]]\nmodel = [\"mine\", \"mine\", \"dnabert-3\"]\ninit = \"random\"\nmasking = [\"token\", \"span-6\", \"token\"]\nzip = [\"model\", \"masking\"]\n";
    folder.write("my.toml", format!("scale = \"tiny\"\ntasks = [\"synthetic/motif\"]\n{grid}"));
    folder.write("systems/mine.toml", SYSTEM);
    let said = folder.run(&["plan", "my.toml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("model: mine (2), dnabert-3 (1)"), "{}", said.stdout);
}

/// A circle is one mistake, from wherever it is entered.
#[test]
fn systems_that_start_from_each_other_are_told_once() {
    let folder = Folder::new();
    let data = bundled_data();
    let sweep = |models: &str| {
        format!(
            "scale = \"tiny\"\ntasks = [\"synthetic/motif\"]\ncorpus = \"virus/pretrain\"\n[[grid]]\nmodel = [{models}]\n"
        )
    };
    for (name, start) in [("into", "two"), ("one", "two"), ("two", "three"), ("three", "one")] {
        folder.write(&format!("systems/{name}.toml"), format!("{PRETRAINED}start = \"{start}\"\n"));
    }
    let plan = ["plan", "my.toml", "--data-root", data.as_str()];
    folder.write("my.toml", sweep("\"one\", \"into\", \"three\", \"two\""));
    let said = folder.refused(&plan);
    folder.write("my.toml", sweep("\"into\""));
    assert_eq!(folder.refused(&plan), said);
    insta::assert_snapshot!(said);
}

/// Of a large library, what may have been meant.
#[test]
fn a_list_of_a_thousand_names_is_cut() {
    let folder = Folder::new();
    for n in 0..1000 {
        folder.write(&format!("tasks/lab/enhancer-{n}.toml"), MOTIF);
    }
    folder.write("my.toml", SWEEP.replace("synthetic/motif", "lab/enhancr-77"));
    folder.write("systems/mine.toml", SYSTEM);
    insta::assert_snapshot!(folder.refused(&["plan", "my.toml"]));
}

/// The name of a file is as little to be trusted as what is in it.
#[cfg(unix)]
#[test]
fn odd_files_of_the_library_are_harmless() {
    let folder = Folder::new();
    folder.write("my.toml", SWEEP).write("systems/mine.toml", SYSTEM);
    folder.write("systems/a\u{1b}[31m\u{202e}b.toml", "x = 1\n");
    folder.write("systems/c\nerror: all is well.toml", [0xff]);
    for link in ["one", "two"] {
        std::os::unix::fs::symlink(".", folder.path().join("systems").join(link)).unwrap();
    }
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("systems/endless.toml")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("systems/broken.toml")).unwrap();
    let said = folder.refused(&["plan", "my.toml"]);
    assert!(!said.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{said:?}");
    assert!(!said.contains("\nerror: all is well"), "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn a_system_with_broken_toml_is_explained() {
    let folder = Folder::new();
    folder
        .write("my.toml", SWEEP)
        .write("systems/mine.toml", "title = \"Mine\narchitecture = encoder\n[model\n");
    insta::assert_snapshot!(folder.refused(&["plan", "my.toml"]));
}
