//! What keys do not depend on: order, white space, names, paths, and whether a value was
//! typed or defaulted.

use std::fmt::Write as _;
use std::process::Command;

use bench::spec::{LibraryKind, Value, fields};
use proptest::prelude::*;

use super::study::{Cells, World, cells, keys};

/// A system and a scale that leave everything to the schema.
fn plain_world() -> World {
    let system = "title = \"p\"\narchitecture = \"encoder\"\ntokenization = \"bpe-trained\"\nmasking = \"token\"\ninit = [\"pretrained\", \"random\"]\n";
    World::of_the_repository().with(LibraryKind::System, "plain", system)
}

fn plain(top: &str) -> String {
    format!(
        "scale = \"base\"\ntasks = \"synthetic/motif\"\ncorpus = \"virus/pretrain\"\n{top}\n[[grid]]\nmodel = \"plain\"\ninit = [\"random\", \"pretrained\"]\n"
    )
}

fn typed(default: Value) -> Option<String> {
    match default {
        Value::Unset => None,
        Value::Integer(integer) => Some(integer.to_string()),
        Value::Number(number) => Some(format!("{number:e}")),
        Value::Boolean(boolean) => Some(boolean.to_string()),
        Value::Text(text) => Some(format!("\"{text}\"")),
    }
}

/// One default typed in its table, as an axis, and in a scale's file.
#[test]
fn a_default_may_be_typed_or_left_out() {
    let world = plain_world();
    let expected = keys(&world.plan(&plain("")));
    let mut tables: std::collections::BTreeMap<&str, String> = std::collections::BTreeMap::new();
    let mut count = 0;
    for field in fields() {
        let Some(value) = typed(field.default) else { continue };
        let (section, name) = field.path.split_once('.').unwrap();
        let table = format!("[{section}]\n{name} = {value}\n");
        assert_eq!(keys(&world.plan(&plain(&table))), expected, "{table}");
        let axis = format!("{}\"{}\" = [{value}]\n", plain(""), field.path);
        assert_eq!(keys(&world.plan(&axis)), expected, "{axis}");
        let scale = format!("title = \"s\"\n{table}");
        let scaled = world.clone().with(LibraryKind::Scale, "base", &scale);
        assert_eq!(keys(&scaled.plan(&plain(""))), expected, "{scale}");
        let _ = writeln!(tables.entry(section).or_default(), "{name} = {value}");
        count += 1;
    }
    assert!(count > 40, "{count}");
    let all: String = tables.iter().map(|(section, lines)| format!("[{section}]\n{lines}")).collect();
    assert_eq!(keys(&world.plan(&plain(&all))), expected, "{all}");
}

const STUDY: &str = "title = \"A study\"\nscale = \"tiny\"\ntasks = [\"synthetic/motif\", \"gue/mouse/2\"]\ncorpus = \"virus/pretrain\"\nseed = 2\n\
    [pretrain]\nsteps = 50\n\
    [[grid]]\nmodel = [\"dnabert-6\", \"dnabert-2\"]\ninit = [\"random\", \"pretrained\"]\nlabel_fraction = [1, 0.1]\n\
    [[grid]]\nmodel = \"kmer-logistic\"\n\
    [[grid]]\nmodel = \"dnabert-3\"\ntokenization = \"bpe-trained\"\nmasking = \"token\"\n";

#[test]
fn names_of_files_and_titles_are_in_no_key() {
    let world = World::of_the_repository();
    let expected = keys(&world.plan(STUDY));
    let same = |world: &World, text: &str| assert_eq!(keys(&world.plan(text)), expected, "{text}");
    same(&world, &STUDY.replace("A study", "Another title"));
    assert_eq!(keys(&world.try_plan("another-name", STUDY).unwrap()), expected);
    let moved = world.clone().renamed(LibraryKind::Task, "synthetic/motif", "elsewhere/planted");
    same(&moved, &STUDY.replace("synthetic/motif", "elsewhere/planted"));
    let moved = world.clone().renamed(LibraryKind::Corpus, "virus/pretrain", "genomes");
    same(&moved, &STUDY.replace("virus/pretrain", "genomes"));
    let moved = world.clone().renamed(LibraryKind::System, "dnabert-6", "six-mers");
    same(&moved, &STUDY.replace("dnabert-6", "six-mers"));
    let moved = world.clone().renamed(LibraryKind::Scale, "tiny", "little");
    same(&moved, &STUDY.replace("\"tiny\"", "\"little\""));
    let edit = |kind, id, from, to| same(&world.clone().edited(kind, id, from, to), STUDY);
    edit(LibraryKind::Task, "gue/mouse/2", "gue/mouse/2/train.csv", "other/place.csv.gz");
    edit(LibraryKind::Task, "gue/mouse/2", "Mouse transcription", "Transcription");
    edit(LibraryKind::Corpus, "virus/pretrain", "virus/manifest.tsv", "elsewhere/list.tsv");
    edit(LibraryKind::System, "dnabert-6", "DNABERT, overlapping", "Overlapping");
    edit(LibraryKind::System, "dnabert-6", "Ji et al. 2021", "somebody");
}

/// What does decide results is in the key of the stages that read it.
#[test]
fn what_decides_results_is_in_the_key() {
    let world = World::of_the_repository();
    let base = world.cells(STUDY);
    // Stages of the cells that change: vocabulary, pre-training, fine-tuning.
    let changed = |world: &World| {
        let new = world.cells(STUDY);
        let count = |differs: &dyn Fn(&super::study::Cells) -> Vec<bool>| {
            differs(&new).into_iter().filter(|d| *d).count()
        };
        let each = |read: fn(&bench::plan::CellJobs) -> Option<&bench::settings::Key>| {
            count(&|new| base.iter().map(|(cell, jobs)| read(jobs) != read(&new[cell])).collect())
        };
        [
            each(|jobs| jobs.vocabulary.as_ref()),
            each(|jobs| jobs.pretrain.last()),
            each(|jobs| Some(&jobs.finetune)),
        ]
    };
    let of =
        |test: &dyn Fn(&bench::settings::Coordinates) -> bool| base.keys().filter(|cell| test(cell)).count();
    let mouse = of(&|cell| cell["task"] == "gue/mouse/2");
    let motif = of(&|cell| cell["task"] == "synthetic/motif");
    let pretrained = of(&|cell| cell["init"] == "pretrained");
    let learned = of(&|cell| cell["tokenization"] == "bpe-trained");
    let edit = |kind, id, from, to| changed(&world.clone().edited(kind, id, from, to));
    let task = |from, to| edit(LibraryKind::Task, "gue/mouse/2", from, to);
    assert_eq!(changed(&world), [0, 0, 0]);
    assert_eq!(task("version = 1", "version = 2"), [0, 0, mouse]);
    assert_eq!(task("\"mcc\"", "\"accuracy\""), [0, 0, mouse]);
    assert_eq!(task("[\"0\", \"1\"]", "[\"1\", \"0\"]"), [0, 0, mouse], "the order numbers the labels");
    assert_eq!(task("[\"0\", \"1\"]", "[\"0\", \"1\", \"2\"]"), [0, 0, mouse]);
    assert_eq!(edit(LibraryKind::Task, "synthetic/motif", "noise = 0.05", "noise = 0.1"), [0, 0, motif]);
    assert_eq!(edit(LibraryKind::Task, "synthetic/motif", "TGACTCA", "TGACTCG"), [0, 0, motif]);
    // Windows are drawn from streams of the version; a vocabulary is learned from it all.
    assert_eq!(
        edit(LibraryKind::Corpus, "virus/pretrain", "version = 1", "version = 2"),
        [0, pretrained, pretrained]
    );
    let mut other = world.clone();
    for facts in other.catalogue.corpora.values_mut() {
        if let bench::resolve::Known::Present(facts) = facts {
            facts.fingerprint.push('!');
        }
    }
    assert_eq!(changed(&other), [learned, pretrained, pretrained]);
    let mut other = world.clone();
    if let Some(bench::resolve::Known::Present(facts)) = other.catalogue.tasks.get_mut("gue/mouse/2") {
        facts.fingerprint.push('!');
    }
    assert_eq!(changed(&other), [0, 0, mouse]);
}

/// The size of a window decides what is cut, although its manifest is a path.
#[test]
fn windows_are_part_of_a_task() {
    let world = World::of_the_repository();
    let text = "scale = \"tiny\"\ntasks = \"virus/phage-150\"\n[[grid]]\nmodel = [\"kmer-logistic\", \"supervised\"]\n";
    let expected = keys(&world.plan(text));
    let edited =
        |from, to| keys(&world.clone().edited(LibraryKind::Task, "virus/phage-150", from, to).plan(text));
    assert_eq!(edited("virus/manifest.tsv", "elsewhere.tsv"), expected);
    for (from, to) in [
        ("length = 150", "length = 151"),
        ("dev = 600", "dev = 601"),
        ("train = 6000", "train = 6001"),
        ("max_per_genome = 64", "max_per_genome = 65"),
    ] {
        assert!(edited(from, to).is_disjoint(&expected), "{to}");
    }
}

/// Neither threads nor the place or the folder of results decide a key.
#[test]
fn keys_of_the_program_depend_on_no_machine() {
    let folder = tempfile::tempdir().unwrap();
    let text = "scale = \"tiny\"\ntasks = \"synthetic/motif\"\n[[grid]]\nmodel = [\"kmer-logistic\", \"dnabert-3\", \"dnabert-2\"]\ninit = \"random\"\n";
    let planned = |name: &str, threads: &str, results: &str| {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_bench"))
            .args(["plan", "--json", "--results", results])
            .arg(&file)
            .current_dir(folder.path())
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["key"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let one = planned("a.toml", "1", "results");
    assert_eq!(one.len(), 3);
    assert_eq!(one, planned("deep/er/b.toml", "7", "elsewhere"));
}

/// A sweep as data, to be written down in many ways.
#[derive(Clone, Debug)]
struct Written {
    overrides: Vec<(&'static str, &'static str)>,
    grids: Vec<Vec<(&'static str, &'static str)>>,
}

const OVERRIDES: [(&str, &str); 8] = [
    ("pretrain.steps", "70"),
    ("pretrain.learning_rate", "1e-4"),
    ("pretrain.decay", "\"constant\""),
    ("finetune.epochs", "1.5"),
    ("finetune.freeze", "true"),
    ("model.dropout", "0.2"),
    ("model.norm", "\"pre\""),
    ("vocabulary.size", "300"),
];

const AXES: [(&str, &str); 8] = [
    ("init", "[\"random\", \"pretrained\"]"),
    ("tokenization", "[\"6-mer\", \"bpe-trained\"]"),
    ("masking", "\"token\""),
    ("label_fraction", "[1, 0.25]"),
    ("seed", "[3, 1]"),
    ("pretrain.batch_size", "[8, 16]"),
    ("finetune.l2", "[1, 0.5]"),
    ("model.n_layers", "[1, 3]"),
];

fn written() -> impl Strategy<Value = Written> {
    let grid = prop::sample::subsequence(AXES.to_vec(), 0..4);
    (prop::sample::subsequence(OVERRIDES.to_vec(), 0..=8), prop::collection::vec(grid, 1..3))
        .prop_map(|(overrides, grids)| Written { overrides, grids })
}

/// The same sweep in one of its many forms: order, blanks, comments, quotes, inline tables.
fn form(sweep: &Written, random: &mut impl FnMut(usize) -> usize) -> String {
    const BLANKS: [&str; 5] = ["", " ", "\t", "  ", " \t "];
    const ENDS: [&str; 5] = ["\n", "\r\n", "\n\n", " # a comment, with = and [\n", "\t\n# another\n"];
    let mut line = |key: &str, value: &str| {
        let blank = |n: usize| BLANKS[n % BLANKS.len()];
        let (a, b, c) = (random(5), random(5), random(5));
        // A dotted path under the axis `model` needs its quotes.
        let quoted = key.starts_with("model.") || random(2) == 0;
        let key = if quoted && key.contains('.') { format!("\"{key}\"") } else { key.to_owned() };
        let value = value.replace(", ", if random(2) == 0 { ",\n  " } else { " , " });
        format!("{}{key}{}={}{value}{}", blank(a), blank(b), blank(c), ENDS[random(ENDS.len())])
    };
    let mut top = vec![
        line("scale", "\"tiny\""),
        line("tasks", "[\"synthetic/motif\", \"gue/mouse/2\"]"),
        line("corpus", "\"virus/pretrain\""),
    ];
    let mut grids: Vec<Vec<String>> = sweep
        .grids
        .iter()
        .map(|axes| {
            let mut lines: Vec<String> = axes.iter().map(|(key, value)| line(key, value)).collect();
            lines.push(line("model", "[\"dnabert-6\", \"deepgene\"]"));
            lines
        })
        .collect();
    let mut blocks: Vec<String> = Vec::new();
    for section in ["model", "pretrain", "finetune", "vocabulary"] {
        let own: Vec<(&str, &str)> = sweep
            .overrides
            .iter()
            .filter_map(|(path, value)| Some((path.strip_prefix(section)?.strip_prefix('.')?, *value)))
            .collect();
        if own.is_empty() {
            continue;
        }
        let mut lines: Vec<String> = own.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        shuffle(&mut lines, random);
        match random(3) {
            0 => blocks.push(format!("[{section}]\n{}\n", lines.join("\n"))),
            1 => top.push(format!("{section} = {{ {} }}\n", lines.join(", "))),
            _ => top.extend(lines.iter().map(|line| format!("{section}.{line}\n"))),
        }
    }
    shuffle(&mut top, random);
    for lines in &mut grids {
        shuffle(lines, random);
    }
    shuffle(&mut grids, random);
    // Settings may stand before, between or behind the grids.
    let mut tables: Vec<String> = grids.iter().map(|lines| format!("[[grid]]\n{}", lines.concat())).collect();
    for block in blocks {
        tables.insert(random(tables.len() + 1), block);
    }
    format!("{}{}", top.concat(), tables.concat())
}

fn shuffle<T>(items: &mut [T], random: &mut impl FnMut(usize) -> usize) {
    for at in (1..items.len()).rev() {
        items.swap(at, random(at + 1));
    }
}

fn form_of(sweep: &Written, seed: u64) -> String {
    let mut state = seed;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    form(sweep, &mut random)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// However a sweep is written down, it has the same cells and the same jobs.
    #[test]
    fn the_form_of_the_file_decides_nothing(sweep in written(), seeds in prop::array::uniform3(any::<u64>())) {
        let world = World::of_the_repository();
        let planned = |seed: u64| -> Cells { cells(&world.plan(&form_of(&sweep, seed))) };
        let expected = planned(seeds[0]);
        prop_assert_eq!(&planned(seeds[1]), &expected);
        prop_assert_eq!(&planned(seeds[2]), &expected);
    }
}
