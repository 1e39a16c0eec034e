//! Data that are there and wrong, found before anything runs.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::program::Folder;

const TASK: &str = r#"
version = 1
metric = "mcc"
classes = ["0", "1"]
[csv]
train = "train.csv"
dev = "dev.csv"
test = "test.csv"
"#;

const CORPUS: &str = "version = 1\n[fasta]\nfiles = [\"genome.fasta\"]\n";

const GOOD: &str = "sequence,label\nACGTACGTACGT,0\nTTGACCATTGAC,1\n";

/// A sweep over one task and one corpus, with good data.
fn folder() -> Folder {
    let folder = Folder::new();
    let sweep =
        "scale = \"tiny\"\ntasks = [\"lab/csv\"]\ncorpus = \"lab/fasta\"\n[[grid]]\nmodel = \"dnabert-3\"\n";
    folder.write("my.toml", sweep).write("tasks/lab/csv.toml", TASK).write("corpora/lab/fasta.toml", CORPUS);
    for split in ["train", "dev", "test"] {
        folder.write(&format!("elsewhere/{split}.csv"), GOOD);
    }
    folder.write("elsewhere/genome.fasta", format!(">g one\n{}\n", "ACGTTGCA".repeat(200)));
    folder
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const PLAN: [&str; 4] = ["plan", "my.toml", "--data-root", "elsewhere"];

#[test]
fn good_data_are_planned() {
    let said = folder().run(&PLAN);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

#[test]
fn each_kind_of_damage_is_explained() {
    let noise: Vec<u8> = (0..2000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let zipped = gzip(&GOOD.repeat(200));
    let damages: Vec<(&str, &str, Vec<u8>)> = vec![
        ("no header", "train.csv", "ACGT,0\nTTGA,1\n".into()),
        ("another header", "train.csv", "seq;label\nACGT;0\n".into()),
        ("a ragged row", "train.csv", "sequence,label\nACGT,0\nTTGA,1,extra\n".into()),
        ("an unknown label", "train.csv", "sequence,label\nACGT,0\nTTGA,promoter\n".into()),
        ("an empty sequence", "dev.csv", "sequence,label\nACGT,0\n,1\n".into()),
        ("a gap", "dev.csv", "sequence,label\nACGT,0\nAC-GT,1\n".into()),
        ("nothing in it", "test.csv", Vec::new()),
        ("a header alone", "test.csv", "sequence,label\n".into()),
        ("binary", "train.csv", noise.clone()),
        ("truncated gzip", "train.csv", zipped[..zipped.len() / 2].to_vec()),
        ("one class in train", "train.csv", "sequence,label\nACGT,0\nTTGA,0\n".into()),
        ("FASTA without >", "genome.fasta", "ACGTACGT\nACGT\n".into()),
        ("FASTA without sequence", "genome.fasta", ">a\n>b\nACGT\n".into()),
        ("empty FASTA", "genome.fasta", Vec::new()),
        ("binary FASTA", "genome.fasta", noise),
        ("a short corpus", "genome.fasta", ">a\nACGTACGTACGT\n".into()),
    ];
    let mut said = String::new();
    for (name, file, content) in damages {
        let folder = folder();
        folder.write(&format!("elsewhere/{file}"), content);
        said.push_str(&format!("## {name}\n{}\n", folder.refused(&PLAN)));
    }
    insta::assert_snapshot!(said);
}

/// Damaged data hide no mistake of the file, and no other damage.
#[test]
fn damage_and_mistakes_are_reported_together() {
    let folder = folder();
    folder.write("elsewhere/train.csv", "ACGT,0\n").write("elsewhere/genome.fasta", "ACGT\n");
    let sweep = "scale = \"tiny\"\ntasks = [\"lab/csv\", \"synthetic/motif\"]\ncorpus = \"lab/fasta\"\n[[grid]]\nmodel = [\"dnabert-3\", \"dnabert-9\"]\nlabel_fraction = [0.0001]\n[pretrain]\nstep = 1\n";
    folder.write("my.toml", sweep);
    insta::assert_snapshot!(folder.refused(&PLAN));
}

#[test]
fn missing_data_are_shown_by_plan_and_refused_by_sweep() {
    let folder = folder();
    std::fs::remove_file(folder.path().join("elsewhere/dev.csv")).unwrap();
    let said = folder.run(&PLAN);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("missing data: task `lab/csv`"), "{}", said.stdout);
    insta::assert_snapshot!(folder.refused(&["sweep", "my.toml", "--data-root", "elsewhere"]));
}

#[test]
fn a_data_root_that_is_none_is_named() {
    let folder = folder();
    let said = ["nowhere", "my.toml"].map(|root| folder.refused(&["plan", "my.toml", "--data-root", root]));
    insta::assert_snapshot!(said.concat());
}
