//! TOML files, `tokenizer.json`, `config.json`.

use bench::cli::readers;
use bench::model::encoder_from_config;
use bench::resolve::resolve;
use bench::spec::{Diagnostics, Library, LibraryFile, LibraryKind, Source, read_sweep};
use bench::token::Tokenizer;

use super::{Fuzz, folder, plain};
use crate::fixtures::fixture;
use crate::plan::study::World;

const TOML: &[&str] = &[
    "\n[[grid]]\n",
    "[grid]",
    "= ",
    "[\"",
    "\"]",
    "[[",
    "]]",
    "{",
    "}",
    "'''",
    "\"\"\"",
    "\\u0000",
    "#",
    "=[",
    ",",
    "model",
    "tokenization",
    "masking",
    "init",
    "task",
    "label_fraction",
    "seed",
    "zip",
    "exclude",
    "scale",
    "defaults",
    "table",
    "rows",
    "columns",
    "baseline",
    "filter",
    "metric",
    "where",
    "corpus",
    "tasks",
    "vocabulary",
    "\"model.d_model\"",
    "\"finetune.steps\"",
    "\"pretrain.steps\"",
    "kmer-logistic",
    "dnabert-2",
    "dnabert-6",
    "synthetic/motif",
    "gue/mouse/1",
    "random",
    "pretrained",
    "kmer-6",
    "bpe",
    "character",
    "span-6",
    "tiny",
    "-inf",
    "nan",
    "1e400",
    "0x7fffffffffffffff",
    "1979-05-27",
    "\"model\" = ",
];

fn repository() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files of a folder and those below it, by their paths.
fn files(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        if path.is_dir() { files(&path) } else { vec![std::fs::read(path).unwrap()] }
    };
    paths.into_iter().flat_map(read).collect()
}

/// A text as the program reads it from disk, where it is UTF-8.
fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))
}

/// An answer where nothing is wrong, or what a person reads.
fn told(mistakes: Diagnostics, answer: String) -> Result<String, String> {
    if mistakes.is_empty() { Ok(answer) } else { Err(readers::explained(mistakes)) }
}

#[test]
fn sweep() {
    let world = World::of_the_repository();
    let library = world.library(&mut Diagnostics::default());
    let experiments = repository().join("experiments");
    let small = "scale = \"tiny\"\nseed = [1, 2]\ntasks = \"synthetic/motif\"\n[[grid]]\nmodel = [\"dnabert-3\", \
                 \"kmer-logistic\"]\ninit = \"random\"\n\"finetune.steps\" = [5, 6]\n";
    let mut seeds: Vec<Vec<u8>> =
        ["ablation.toml", "study.toml"].map(|name| std::fs::read(experiments.join(name)).unwrap()).into();
    seeds.extend([0; 6].map(|_| small.as_bytes().to_vec()));
    let fuzz = Fuzz {
        reader: "sweep",
        seeds,
        words: TOML,
        longest: 20_000,
        pack: plain,
        // Of the cells: a few letters ask for as many as a sweep may have.
        multiple: 200,
        constant: 1 << 29,
    };
    fuzz.run(|bytes| {
        let source = Source::new("fuzz.toml", text(bytes)?);
        let mut mistakes = Diagnostics::default();
        let sweep = read_sweep("fuzz", &source, &library, &mut mistakes);
        if !mistakes.is_readable(&source) {
            return Err(readers::explained(mistakes));
        }
        let cells = resolve(&sweep, &library, &world.catalogue, &mut mistakes);
        told(mistakes, format!("{} axes", cells.axes.len()))
    });
}

/// One file of a library; `kind` says of which.
fn library_file(reader: &'static str, kind: LibraryKind) {
    let fuzz = Fuzz {
        reader,
        seeds: files(&repository().join("experiments").join(kind.folder())),
        words: TOML,
        longest: 10_000,
        pack: plain,
        multiple: 200,
        constant: 1 << 18,
    };
    fuzz.run(|bytes| {
        let source = Source::new("fuzz.toml", text(bytes)?);
        let mut mistakes = Diagnostics::default();
        let file = LibraryFile { kind, id: "fuzz".to_owned(), source, problem: None };
        let library = Library::read(&[file], &mut mistakes);
        told(mistakes, format!("{} names", library.names(kind).len()))
    });
}

#[test]
fn system_file() {
    library_file("system_file", LibraryKind::System);
}

#[test]
fn scale_file() {
    library_file("scale_file", LibraryKind::Scale);
}

#[test]
fn task_file() {
    library_file("task_file", LibraryKind::Task);
}

#[test]
fn corpus_file() {
    library_file("corpus_file", LibraryKind::Corpus);
}

/// A file of any bytes where TOML is expected.
#[test]
fn toml_text() {
    let folder = folder();
    let path = folder.path().join("fuzz.toml");
    let fuzz = Fuzz {
        reader: "toml_text",
        seeds: vec![b"\xef\xbb\xbfa = 1\n".to_vec(), b"a = \"b\"\n".to_vec()],
        words: TOML,
        longest: 4000,
        pack: plain,
        multiple: 4,
        constant: 1 << 12,
    };
    fuzz.run(|bytes| {
        std::fs::write(&path, bytes).unwrap();
        readers::toml_text(&path).map(|_| "text".to_owned())
    });
}

#[test]
fn tokenizer() {
    let small = br#"{"truncation": null, "padding": null,
        "added_tokens": [{"id": 0, "content": "[UNK]", "special": true}],
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
        "model": {"type": "BPE", "dropout": null, "unk_token": "[UNK]", "fuse_unk": false,
            "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "[MASK]": 4, "A": 5, "C": 6, "AC": 7, "ACA": 8},
            "merges": ["A C", "AC A"]}}"#;
    let fuzz = Fuzz {
        reader: "tokenizer",
        seeds: vec![small.to_vec(), small.to_vec(), small.to_vec(), small.to_vec(), published()],
        words: &[
            "\"vocab\": {",
            "\"merges\": [",
            "[\"A\", \"C\"]",
            "\"A C\"",
            "\"[MASK]\": 4",
            "\"dropout\": 0.1",
            "null",
            "true",
            "\"unk_token\"",
            "\"normalizer\": {\"type\": \"NFC\"}",
            "\"AC\": 7,",
            ", \"A\": 5",
            "\"\": 9",
            "\"continuing_subword_prefix\": \"##\"",
            "\"byte_fallback\": true",
            "\"type\": \"Unigram\"",
            "\\u0000",
            "\\ud800",
            "1e999",
        ],
        longest: 200_000,
        pack: plain,
        // Of its two tables with a text in each entry.
        multiple: 32,
        constant: 1 << 16,
    };
    fuzz.run(|bytes| {
        let tokenizer = Tokenizer::from_json(text(bytes)?).map_err(|error| error.to_string())?;
        let ids = ["", "ACACGT", "A C\tN\u{0}ac", &"ACA".repeat(50)].map(|text| tokenizer.encode(text));
        assert!(ids.iter().flatten().all(|&id| (id as usize) < tokenizer.vocabulary_size()));
        Ok("a tokenizer".to_owned())
    });
}

/// DNABERT-2's.
fn published() -> Vec<u8> {
    std::fs::read(fixture("dnabert-2").join("tokenizer.json")).unwrap()
}

#[test]
fn config() {
    let folders = ["dnabert-2", "dnabert-2-classifier", "dnabert-3mer", "dnabert-6mer", "deepgene"];
    let fuzz = Fuzz {
        reader: "config",
        seeds: folders.map(|name| std::fs::read(fixture(name).join("config.json")).unwrap()).into(),
        words: &[
            "\"hidden_size\": ",
            "\"num_attention_heads\": 0",
            "\"vocab_size\": ",
            "\"model_type\": \"roformer\"",
            "\"alibi_starting_size\": 1",
            "\"rotary_value\": true",
            "\"layer_norm_eps\": ",
            "null",
            "\"pad_token_id\": ",
            "\"architectures\": [\"LongSequenceClassificationCat\"]",
            "1e999",
            "{}",
            "[]",
        ],
        longest: 4000,
        pack: plain,
        multiple: 8,
        constant: 1 << 13,
    };
    fuzz.run(|bytes| {
        let spec = encoder_from_config(text(bytes)?).map_err(|error| error.to_string())?;
        Ok(format!("{:?} {:?}", spec.settings().position, spec.settings().head))
    });
}
