//! GUE's CSV, FASTA and manifests, plain and gzipped.

use std::io::Write;

use bench::data::{load_corpus, load_task};
use bench::settings::{Corpus, CorpusSource, CsvSplits, Metric, Task, TaskSource, Windows};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::mutate::Dice;
use super::{Fuzz, folder, plain};

/// Decompressed bytes that are always read, whatever the file's size (`data::files`).
const ALLOWANCE: usize = 16 << 20;

fn gzip(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    // Several members in one file are legal.
    for part in bytes.chunks(1 + bytes.len() / (1 + dice.below(3))) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(part).unwrap();
        packed.extend(encoder.finish().unwrap());
    }
    packed
}

fn task(source: TaskSource) -> Task {
    let classes = vec!["0".to_owned(), "1".to_owned()];
    Task { id: "fuzz".to_owned(), version: 1, metric: Metric::Mcc, classes, upper: true, source }
}

const CSV: &str = "sequence,label\nACGTNRYK,0\nacgt,1\n\"TTGA\",\"0\"\nGGCC,1\n";

fn csv_task(reader: &'static str, pack: fn(&mut Dice, &[u8]) -> Vec<u8>, constant: usize) {
    let folder = folder();
    for split in ["dev", "test"] {
        std::fs::write(folder.path().join(format!("{split}.csv")), CSV).unwrap();
    }
    let file = |split: &str| format!("{split}.csv");
    let source = TaskSource::Csv(CsvSplits { train: file("train"), dev: file("dev"), test: file("test") });
    let (task, train) = (task(source), folder.path().join("train.csv"));
    let windows = CSV.replace('\n', "\r\n");
    let fuzz = Fuzz {
        reader,
        seeds: vec![CSV.into(), windows.into_bytes(), b"label,x,sequence\n0,,A\n1,\"a,\"\"b\",C\n".to_vec()],
        words: &[
            "sequence,label",
            "\n",
            ",",
            "\"",
            "\"\"",
            "ACGT",
            ",0\n",
            ",1\n",
            "\r\n",
            "\r",
            "N",
            "U",
            "-",
        ],
        longest: 4000,
        pack,
        multiple: 24,
        constant,
    };
    fuzz.run(|bytes| {
        std::fs::write(&train, bytes).unwrap();
        let data = load_task(&task, folder.path()).map_err(|error| error.to_string())?;
        data.train(1.0, 1).map(|rows| format!("{} rows", rows.len())).map_err(|error| error.to_string())
    });
}

#[test]
fn csv() {
    csv_task("csv", plain, 1 << 15);
}

#[test]
fn csv_gz() {
    csv_task("csv_gz", gzip, 4 * ALLOWANCE);
}

fn corpus(reader: &'static str, pack: fn(&mut Dice, &[u8]) -> Vec<u8>, constant: usize) {
    let folder = folder();
    let path = folder.path().join("a.fasta");
    let source = CorpusSource::Fasta(vec!["a.fasta".to_owned()]);
    let corpus = Corpus { id: "fuzz".to_owned(), version: 1, upper: true, source };
    let fuzz = Fuzz {
        reader,
        seeds: vec![
            b">a first\nACGTN\nacgt\n>b\nTTTT\n".to_vec(),
            b">a\r\nACGT\r\n\r\nAC\r\n>\r\nA".to_vec(),
            format!(">long\n{}\n", "ACGTTGCA".repeat(300)).into_bytes(),
        ],
        words: &[">", "\n>", "\r\n", "@", "+", "ACGT", "N", "\n\n", ";", "*", "-", " ", "\u{1f}\u{8b}"],
        longest: 20_000,
        pack,
        multiple: 24,
        constant,
    };
    fuzz.run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        let genomes = load_corpus(&corpus, folder.path()).map_err(|error| error.to_string())?;
        assert!(genomes.iter().all(|genome| genome.sequence.is_ascii() && !genome.sequence.is_empty()));
        Ok("genomes".to_owned())
    });
}

#[test]
fn fasta() {
    corpus("fasta", plain, 5 << 16);
}

#[test]
fn fasta_gz() {
    corpus("fasta_gz", gzip, 4 * ALLOWANCE);
}

/// Bytes of a gzip file that are damaged after packing.
#[test]
fn gzip_file() {
    let mut dice = Dice::new(1, "gzip_file");
    let seeds = [">a\nACGT\n".to_owned(), format!(">a\n{}\n", "A".repeat(5000))];
    let seeds: Vec<Vec<u8>> = seeds.map(|text| gzip(&mut dice, text.as_bytes())).into();
    let folder = folder();
    let path = folder.path().join("a.fasta.gz");
    let source = CorpusSource::Fasta(vec!["a.fasta".to_owned()]);
    let corpus = Corpus { id: "fuzz".to_owned(), version: 1, upper: true, source };
    let fuzz = Fuzz {
        reader: "gzip_file",
        seeds,
        words: &["\u{1f}\u{8b}\u{8}", "\0\0\0\0"],
        longest: 20_000,
        pack: plain,
        multiple: 24,
        constant: 4 * ALLOWANCE,
    };
    fuzz.run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        load_corpus(&corpus, folder.path()).map(|_| "genomes".to_owned()).map_err(|error| error.to_string())
    });
}

#[test]
fn manifest() {
    let folder = folder();
    let mut manifest = "file\tclass\tcluster\tsplit\n".to_owned();
    for class in ["0", "1"] {
        for split in ["train", "dev", "test"] {
            let name = format!("{class}{split}.fasta");
            let sequence = ["ACGT", "CCGT"][usize::from(class == "1")].repeat(20);
            std::fs::write(folder.path().join(&name), format!(">{name}\n{sequence}\n")).unwrap();
            manifest.push_str(&format!("{name}\t{class}\t{class}{split}\t{split}\n"));
        }
    }
    let path = folder.path().join("manifest.tsv");
    let windows = Windows {
        manifest: "manifest.tsv".to_owned(),
        length: 10,
        train: 20,
        dev: 4,
        test: 4,
        max_per_genome: 4,
    };
    let task = task(TaskSource::Windows(windows));
    let fuzz = Fuzz {
        reader: "manifest",
        seeds: vec![manifest.clone().into_bytes(), manifest.replace('\n', "\r\n").into_bytes()],
        words: &[
            "\t",
            "\n",
            "train",
            "dev",
            "test",
            "../",
            "/etc/passwd",
            "/dev/zero",
            "file",
            "0train.fasta",
            ".",
        ],
        longest: 4000,
        pack: plain,
        multiple: 32,
        constant: 5 << 16,
    };
    fuzz.run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        let data = load_task(&task, folder.path()).map_err(|error| error.to_string())?;
        data.train(1.0, 1).map(|rows| format!("{} rows", rows.len())).map_err(|error| error.to_string())
    });
}
