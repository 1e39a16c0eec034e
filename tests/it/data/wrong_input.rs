//! Everything a person can get wrong gives one clear message and no panic.

use bench::data::{catalogue, catalogue_corpus, data_root, load_corpus, load_task};
use bench::settings::{Corpus, CorpusSource, ManifestSplit, TaskSource};
use insta::assert_snapshot;
use proptest::prelude::*;

use super::samples::{DataFolder, csv_rows, csv_task, gzip, motif_task, windows_task};

/// The message for a train file with this content, beside good dev and test files.
fn train_file(content: impl AsRef<[u8]>) -> String {
    train_file_named("train.csv", content)
}

fn train_file_named(name: &str, content: impl AsRef<[u8]>) -> String {
    let folder = DataFolder::new();
    for split in ["dev", "test"] {
        folder.write(&format!("{split}.csv"), csv_rows(1, &[0, 1]));
    }
    folder.write(name, content);
    let error = load_task(&csv_task(), folder.path()).unwrap_err();
    folder.message(&error)
}

/// The message for a FASTA file with this content.
fn fasta_file(content: impl AsRef<[u8]>) -> String {
    let folder = DataFolder::new();
    folder.write("genome.fasta", content);
    folder.message(&load_corpus(&fasta_corpus(), folder.path()).unwrap_err())
}

fn fasta_corpus() -> Corpus {
    let source = CorpusSource::Fasta(vec!["genome.fasta".into()]);
    Corpus { id: "sample/fasta".into(), version: 1, upper: true, source }
}

/// The message for this manifest, beside good FASTA files `a.fasta` to `d.fasta`.
fn manifest_file(content: &str) -> String {
    let folder = DataFolder::new();
    folder.write("virus/manifest.tsv", content);
    for name in ["a", "b", "c", "d"] {
        folder.write(&format!("virus/{name}.fasta"), format!(">{name}\n{}\n", "ACGT".repeat(50)));
    }
    let error = load_task(&windows_task(), folder.path()).unwrap_err();
    folder.message(&error)
}

#[test]
fn csv_files() {
    assert_snapshot!(train_file_named("other.csv", "sequence,label\nACGT,0\n"), @"train.csv: no such file, nor train.csv.gz");
    assert_snapshot!(train_file(""), @"train.csv: holds nothing; accepted is CSV text with a header line, plain or .gz");
    assert_snapshot!(train_file("\n \r\n"), @"train.csv: holds nothing; accepted is CSV text with a header line, plain or .gz");
    assert_snapshot!(train_file("sequence,label\n"), @"train.csv: holds nothing; accepted is a header line and at least one row");
    assert_snapshot!(train_file(b"sequence,label\nAC\0GT,0\n"), @"train.csv:2: a zero byte: binary data; accepted is CSV text with a header line, plain or .gz");
    assert_snapshot!(train_file(b"sequence,label\nACGT,0\nAC\xffGT,1\n"), @"train.csv:3: byte 0xff is not UTF-8; accepted is UTF-8 text");
    assert_snapshot!(train_file("ACGT,0\nACGG,1\n"), @"train.csv:1: no column `sequence`; found `ACGT`, `0`; accepted is a header line with `sequence`, `label`, separated by commas");
    assert_snapshot!(train_file("sequence,promoter_presence\nACGT,0\n"), @"train.csv:1: no column `label`; found `sequence`, `promoter_presence`; accepted is a header line with `sequence`, `label`, separated by commas");
    assert_snapshot!(train_file(format!("{},0\n", "ACGT".repeat(99))), @"train.csv:1: no column `sequence`; found `ACGTACGTACGTACGTACGTACGTACGTACGTACGTACGT...`, `0`; accepted is a header line with `sequence`, `label`, separated by commas");
    assert_snapshot!(train_file("sequence,label\nACGT,0\nACGG\n"), @"train.csv:3: 1 field, but the header has 2");
    assert_snapshot!(train_file("sequence,label\r\nACGT,0,1\r\n"), @"train.csv:2: 3 fields, but the header has 2");
    assert_snapshot!(train_file("sequence,label\r\n\r\nACGT,0\r\nACGT,0,1\r\n"), @"train.csv:4: 3 fields, but the header has 2");
    assert_snapshot!(train_file("sequence,label\n\nACGT,0\n\nACGT,x\n"), @"train.csv:5: label `x` is unknown; accepted are `0`, `1`");
    assert_snapshot!(train_file("sequence,label\nACGT,0\n\"ACGG,1\n"), @"train.csv:3: 1 field, but the header has 2");
    assert_snapshot!(train_file("sequence,label\nACGT,0\nACGG,2\n"), @"train.csv:3: label `2` is unknown; accepted are `0`, `1`");
    assert_snapshot!(train_file("sequence,label\nACGT,\n"), @"train.csv:2: label `` is unknown; accepted are `0`, `1`");
    assert_snapshot!(train_file("sequence,label\nACGT,0\n,1\n"), @"train.csv:3: sequence is empty; accepted is at least one nucleotide");
    assert_snapshot!(train_file("sequence,label\nAC GT,0\n"), @"train.csv:2: ` ` in a sequence; accepted are A, C, G, T, N and other IUPAC letters, upper or lower case");
    assert_snapshot!(train_file("sequence,label\nACGT,0\n\"AC\nGT\",1\n"), @r"train.csv:3: `\n` in a sequence; accepted are A, C, G, T, N and other IUPAC letters, upper or lower case");
}

#[test]
fn gzipped_files() {
    let whole = gzip(csv_rows(1, &[0, 1, 0, 1]));
    assert_snapshot!(train_file_named("train.csv.gz", &whole[..whole.len() / 2]), @"train.csv.gz: the gzip stream is cut off or damaged (incomplete deflate stream); copy the file again");
    assert_snapshot!(train_file_named("train.csv.gz", &whole[..5]), @"train.csv.gz: the gzip stream is cut off or damaged (unexpected end of file); copy the file again");
    assert_snapshot!(train_file_named("train.csv.gz", gzip("")), @"train.csv.gz: holds nothing; accepted is CSV text with a header line, plain or .gz");
    assert_snapshot!(train_file_named("train.csv.gz", csv_rows(1, &[0, 1])), @"train.csv.gz: named .gz, but not gzip; accepted is a gzip file, or plain text without .gz");
    let mut damaged = whole;
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    assert_snapshot!(train_file(damaged), @"train.csv: the gzip stream is cut off or damaged (corrupt gzip stream does not have a matching checksum); copy the file again");
}

#[test]
fn a_folder_is_no_file() {
    let folder = DataFolder::new();
    folder.write("train.csv/train.csv", csv_rows(1, &[0, 1]));
    folder.write("genome.fasta/genome.fasta", ">a\nACGT\n");
    let task = load_task(&csv_task(), folder.path()).unwrap_err();
    assert_snapshot!(folder.message(&task), @"train.csv: is a folder; accepted is a file, plain or .gz");
    let corpus = load_corpus(&fasta_corpus(), folder.path()).unwrap_err();
    assert_snapshot!(folder.message(&corpus), @"genome.fasta: is a folder; accepted is a file, plain or .gz");
}

#[test]
fn fasta_files() {
    assert_snapshot!(fasta_file(""), @"genome.fasta: holds nothing; accepted is FASTA text, plain or .gz");
    assert_snapshot!(fasta_file("ACGTACGT\n"), @"genome.fasta:1: starts with `ACGTACGT`; accepted is FASTA, whose records start with `>`");
    assert_snapshot!(fasta_file("\n>a\nACGT\n"), @"genome.fasta:1: starts with an empty line; accepted is FASTA, whose records start with `>`");
    assert_snapshot!(fasta_file("@a\nACGT\n+\nIIII\n"), @"genome.fasta:1: starts with `@a`; accepted is FASTA, whose records start with `>`");
    assert_snapshot!(fasta_file(">"), @"genome.fasta:1: ends inside a record; accepted is FASTA: a line `>NAME`, then lines of sequence");
    assert_snapshot!(fasta_file(">a\n"), @"genome.fasta:1: ends inside a record; accepted is FASTA: a line `>NAME`, then lines of sequence");
    assert_snapshot!(fasta_file(">a\nACGT\n>b\n>c\nACGT\n"), @"genome.fasta:3: record `b` has no sequence; accepted is FASTA: a line `>NAME`, then lines of sequence");
    assert_snapshot!(fasta_file(">a\nACGT\n>b x\nACGT\nAC-GT\n"), @"genome.fasta:5: `-` in a sequence; accepted are A, C, G, T, N and other IUPAC letters, upper or lower case");
    assert_snapshot!(fasta_file(b">a\nACGT\n\x80\n"), @"genome.fasta:3: byte 0x80 is not UTF-8; accepted is UTF-8 text");
    assert_snapshot!(fasta_file(b">a\nACGT\n\0\n"), @"genome.fasta:3: a zero byte: binary data; accepted is FASTA text, plain or .gz");
    assert_snapshot!(fasta_file(&gzip(">a\nACGT\n")[..12]), @"genome.fasta: the gzip stream is cut off or damaged (incomplete deflate stream); copy the file again");
}

#[test]
fn manifests() {
    let header = "file\tclass\tcluster\tsplit\n";
    assert_snapshot!(manifest_file("file\tclass\tsplit\na.fasta\tphage\ttrain\n"), @"virus/manifest.tsv:1: no column `cluster`; found `file`, `class`, `split`; accepted is a header line with `file`, `class`, `cluster`, `split`, separated by tabs");
    assert_snapshot!(manifest_file("a.fasta\tphage\tc1\ttrain\n"), @"virus/manifest.tsv:1: no column `file`; found `a.fasta`, `phage`, `c1`, `train`; accepted is a header line with `file`, `class`, `cluster`, `split`, separated by tabs");
    assert_snapshot!(manifest_file(header), @"virus/manifest.tsv: holds nothing; accepted is a header line and at least one row");
    assert_snapshot!(manifest_file(&format!("{header}a.fasta\tphage\tc1\n")), @"virus/manifest.tsv:2: 3 fields, but the header has 4");
    assert_snapshot!(manifest_file(&format!("{header}a.fasta\tbacterium\tc1\ttrain\n")), @"virus/manifest.tsv:2: class `bacterium` is unknown; accepted are `other`, `phage`");
    assert_snapshot!(manifest_file(&format!("{header}a.fasta\tphage\tc1\tvalid\n")), @"virus/manifest.tsv:2: split `valid` is unknown; accepted are `train`, `dev`, `test`");
    assert_snapshot!(manifest_file(&format!("{header}a.fasta\tphage\t\ttrain\n")), @"virus/manifest.tsv:2: cluster is empty; accepted is a name");
    assert_snapshot!(manifest_file(&format!("{header}\tphage\tc1\ttrain\n")), @"virus/manifest.tsv:2: file is empty; accepted is a name");
    assert_snapshot!(manifest_file(&format!("{header}a.fasta\tphage\tc1\ttrain\na.fasta\tother\tc2\tdev\n")), @"virus/manifest.tsv:3: file `virus/a.fasta` is listed in line 2 as well; accepted is each file once");
    assert_snapshot!(manifest_file(&format!("{header}a.fasta\tphage\tc1\ttrain\nb.fasta\tphage\tc1\ttest\n")), @"virus/manifest.tsv:3: cluster `c1` is in split test here and in split train in line 2; accepted is a cluster in one split only");
    assert_snapshot!(manifest_file(&format!("{header}e.fasta\tphage\tc1\ttrain\n")), @"virus/e.fasta: no such file, nor virus/e.fasta.gz");
    assert_snapshot!(manifest_file(&format!("{header}a.fasta\tphage\tc1\ttrain\nb.fasta\tother\tc2\tdev\n")), @"sample/windows: no dev genome of class `phage` gives a window of 50 nt; accepted is at least one genome as long, with few letters other than A, C, G, T");
}

#[test]
fn settings() {
    let folder = DataFolder::new();
    let load = |task| folder.message(&load_task(&task, folder.path()).unwrap_err());
    let mut windows = windows_task();
    if let TaskSource::Windows(windows) = &mut windows.source {
        windows.length = 0;
    }
    assert_snapshot!(load(windows), @"sample/windows: length is 0; accepted is a whole number from 1");
    let mut one_class = csv_task();
    one_class.classes.pop();
    assert_snapshot!(load(one_class), @"sample/csv: the number of classes is 1; accepted is at least 2");
    assert_snapshot!(load(motif_task(0.6)), @"sample/motif: noise is 0.6; accepted is a number from 0 to 0.5");
    assert_snapshot!(load(motif_task(f64::NAN)), @"sample/motif: noise is NaN; accepted is a number from 0 to 0.5");
    let motif = |motif: &str, length| {
        let mut task = motif_task(0.0);
        if let TaskSource::Motif(settings) = &mut task.source {
            settings.motif = motif.into();
            settings.length = length;
        }
        task
    };
    assert_snapshot!(load(motif("", 40)), @"sample/motif: motif is ``; accepted is a word of the letters A, C, G, T");
    assert_snapshot!(load(motif("ACGN", 40)), @"sample/motif: motif is `ACGN`; accepted is a word of the letters A, C, G, T");
    assert_snapshot!(load(motif("ACGT", 3)), @"sample/motif: length is 3; accepted is at least the length of the motif");
    assert_snapshot!(load(motif("ACGT", 0)), @"sample/motif: length is 0; accepted is at least the length of the motif");
    let mut three_classes = motif("ACGT", 40);
    three_classes.classes.push("2".into());
    assert_snapshot!(load(three_classes), @"sample/motif: the number of classes is 3; accepted is 2: without and with the motif");
    let mut split = fasta_corpus();
    split.source =
        CorpusSource::Manifest(ManifestSplit { manifest: "manifest.tsv".into(), split: "training".into() });
    assert_snapshot!(load_corpus(&split, folder.path()).unwrap_err(), @"sample/fasta: split `training` is unknown; accepted are `train`, `dev`, `test`");
    split.source = CorpusSource::Fasta(Vec::new());
    assert_snapshot!(load_corpus(&split, folder.path()).unwrap_err(), @"sample/fasta: the list of files is empty; accepted is at least one FASTA file, or a split that has genomes");
}

#[test]
fn fractions() {
    let folder = DataFolder::new();
    for split in ["train", "dev", "test"] {
        folder.write(&format!("{split}.csv"), csv_rows(1, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1]));
    }
    let data = load_task(&csv_task(), folder.path()).unwrap();
    assert_snapshot!(data.train(0.2, 1).unwrap_err(), @"sample/csv: label fraction 0.2 keeps none of the 2 training rows of class `1`; accepted is a fraction that keeps at least one per class");
    folder.write("train.csv", csv_rows(1, &[0, 0]));
    let error = load_task(&csv_task(), folder.path()).unwrap().train(1.0, 1).unwrap_err();
    assert_snapshot!(folder.message(&error), @"train.csv: no row has the label `1`; accepted is at least one row of each class in `classes` (`0`, `1`)");
    let mut tiny = motif_task(0.0);
    if let TaskSource::Motif(settings) = &mut tiny.source {
        settings.train = 1;
    }
    let error = load_task(&tiny, folder.path()).unwrap().train(1.0, 2).unwrap_err();
    assert_snapshot!(error, @"sample/motif: none of its 1 training rows is of class `1` in repetition 2; accepted is a larger `train`");
    for wrong in [0.0, -0.5, 1.5, f64::NAN] {
        assert!(data.train(wrong, 1).unwrap_err().to_string().starts_with("label fraction "), "{wrong}");
        assert!(data.dev_subset(wrong, 1.0).is_err(), "{wrong}");
        assert!(wrong == 0.0 || data.dev_subset(1.0, wrong).is_err(), "{wrong}");
    }
    assert_snapshot!(data.dev_subset(1.0, 1.5).unwrap_err(), @"dev fraction is 1.5; accepted is a number from 0 to 1, where 0 means the label fraction");
}

#[test]
fn missing_data_are_named_with_a_way_to_get_them() {
    let folder = DataFolder::new();
    let say =
        |found: &dyn std::fmt::Debug| format!("{found:?}").replace(folder.path().to_str().unwrap(), "ROOT");
    assert_snapshot!(say(&catalogue(&csv_task(), folder.path()).unwrap()), @r#"Missing(Missing { what: "3 files, train.csv to test.csv", absent: "3 files, ROOT/train.csv to ROOT/test.csv are not there, neither plain nor .gz", how_to_get: "put them there, or name the data folder with --data-root or BENCH_DATA" })"#);
    folder.write("train.csv.gz", gzip(csv_rows(1, &[0, 1])));
    folder.write("dev.csv", csv_rows(1, &[0, 1]));
    assert_snapshot!(say(&catalogue(&csv_task(), folder.path()).unwrap()), @r#"Missing(Missing { what: "test.csv", absent: "neither ROOT/test.csv nor ROOT/test.csv.gz is there", how_to_get: "put it there, or name the data folder with --data-root or BENCH_DATA" })"#);
    assert_snapshot!(say(&catalogue(&windows_task(), folder.path()).unwrap()), @r#"Missing(Missing { what: "virus/manifest.tsv", absent: "neither ROOT/virus/manifest.tsv nor ROOT/virus/manifest.tsv.gz is there", how_to_get: "put it there, or name the data folder with --data-root or BENCH_DATA" })"#);
    folder.write("virus/manifest.tsv", "file\tclass\tcluster\tsplit\na.fasta\tphage\tc1\ttrain\n");
    assert_snapshot!(say(&catalogue(&windows_task(), folder.path()).unwrap()), @r#"Missing(Missing { what: "virus/a.fasta", absent: "neither ROOT/virus/a.fasta nor ROOT/virus/a.fasta.gz is there", how_to_get: "put it there, or name the data folder with --data-root or BENCH_DATA" })"#);
    assert_snapshot!(say(&catalogue_corpus(&fasta_corpus(), folder.path()).unwrap()), @r#"Missing(Missing { what: "genome.fasta", absent: "neither ROOT/genome.fasta nor ROOT/genome.fasta.gz is there", how_to_get: "put it there, or name the data folder with --data-root or BENCH_DATA" })"#);
}

#[test]
fn data_root_takes_the_flag_then_the_environment_then_the_sweep_folder() {
    let folder = DataFolder::new();
    folder.write("flag/x", "");
    folder.write("environment/x", "");
    let (flag, environment) = (folder.path().join("flag"), folder.path().join("environment"));
    let root = |flag, environment| data_root(flag, environment, folder.path());
    assert_eq!(root(Some(&flag), Some(&environment)).unwrap(), flag);
    assert_eq!(root(None, Some(&environment)).unwrap(), environment);
    let beside = folder.path().join("data");
    assert_eq!(root(None, None).unwrap(), beside);
    assert_eq!(root(None, Some("".as_ref())).unwrap(), beside);
    assert_snapshot!(folder.message(&root(Some(&beside), None).unwrap_err()), @"data: is no folder; --data-root must name the folder that holds the data");
    assert_snapshot!(folder.message(&root(None, Some(&flag.join("x"))).unwrap_err()), @"flag/x: is no folder; BENCH_DATA must name the folder that holds the data");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any bytes at all give data or a message.
    #[test]
    fn no_bytes_panic(start in prop::sample::select(vec![&b""[..], b">a\n", b"sequence,label\n", b"\x1f\x8b\x08"]),
                      bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b">\r\n\t,\"ACGT01@ ".to_vec())], 0..200)) {
        let folder = DataFolder::new();
        let content = [start, bytes.as_slice()].concat();
        for name in ["train.csv", "dev.csv", "test.csv", "genome.fasta", "virus/manifest.tsv"] {
            folder.write(name, &content);
        }
        for task in [csv_task(), windows_task()] {
            if let Err(error) = load_task(&task, folder.path()) {
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
        if let Err(error) = load_corpus(&fasta_corpus(), folder.path()) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
