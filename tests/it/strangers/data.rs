//! Data: archives that swell, names that lead out, files that never end.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use bench::data::{load_corpus, load_task};
use bench::settings::{Corpus, CorpusSource, ManifestSplit, Metric, Task, TaskSource, Windows};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fuzz::memory::peak_of;

fn corpus(source: CorpusSource) -> Corpus {
    Corpus { id: "a".to_owned(), version: 1, upper: true, source }
}

fn fasta(root: &Path) -> Result<usize, String> {
    let corpus = corpus(CorpusSource::Fasta(vec!["a.fasta".to_owned()]));
    load_corpus(&corpus, root).map(|genomes| genomes.len()).map_err(|error| error.to_string())
}

#[test]
fn a_gzip_bomb_is_given_up_early() {
    let folder = tempfile::tempdir().unwrap();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(b">a\n").unwrap();
    let megabyte = vec![b'A'; 1 << 20];
    for _ in 0..400 {
        bomb.write_all(&megabyte).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    fs::write(folder.path().join("a.fasta.gz"), &bomb).unwrap();
    let (read, peak) = peak_of(|| fasta(folder.path()));
    assert!(read.unwrap_err().contains("gives more than"));
    assert!(peak < 96 << 20, "{peak} bytes for a file of {}", bomb.len());
    // What sequences can be packed to is read.
    let mut long = GzEncoder::new(Vec::new(), Compression::best());
    long.write_all(format!(">a\n{}\n", "ACGTN".repeat(1 << 20)).as_bytes()).unwrap();
    fs::write(folder.path().join("a.fasta.gz"), long.finish().unwrap()).unwrap();
    assert_eq!(fasta(folder.path()), Ok(1));
}

#[test]
fn a_manifest_names_no_file_outside() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret.fasta"), ">a\nACGT\n").unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let windows = Windows {
        manifest: "manifest.tsv".to_owned(),
        length: 2,
        train: 2,
        dev: 2,
        test: 2,
        max_per_genome: 1,
    };
    let classes = vec!["0".to_owned(), "1".to_owned()];
    let source = TaskSource::Windows(windows);
    let task = Task { id: "a".to_owned(), version: 1, metric: Metric::Mcc, classes, upper: true, source };
    let split = ManifestSplit { manifest: "manifest.tsv".to_owned(), split: "train".to_owned() };
    for name in ["../secret.fasta", "/etc/passwd", "a/../../secret.fasta"] {
        let manifest = format!("file\tclass\tcluster\tsplit\n{name}\t0\ta\ttrain\n");
        fs::write(data.join("manifest.tsv"), manifest).unwrap();
        let messages = [
            load_task(&task, &data).unwrap_err().to_string(),
            load_corpus(&corpus(CorpusSource::Manifest(split.clone())), &data).unwrap_err().to_string(),
        ];
        for message in messages {
            assert!(message.contains("lies outside"), "{message}");
        }
    }
}

/// A data root of one's own may be made of links; what is read must be a file.
#[test]
fn links_in_a_data_root_are_followed_to_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, elsewhere) = (folder.path().join("data"), folder.path().join("elsewhere.fasta"));
    fs::create_dir(&data).unwrap();
    fs::write(&elsewhere, ">a\nACGT\n").unwrap();
    let path = data.join("a.fasta");
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(fasta(&data), Ok(1));
    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    assert!(fasta(&data).unwrap_err().contains("is a pipe or a device"));
    fs::remove_file(&path).unwrap();
    // A pipe that nobody writes to would be waited for without end.
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(fasta(&data).unwrap_err().contains("is a pipe or a device"));
    fs::remove_file(&path).unwrap();
    symlink("a.fasta", &path).unwrap();
    assert!(fasta(&data).is_err());
}
