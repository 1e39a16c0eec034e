//! From the text of an experiment file to what it asks for, every part with its place.

use bench::spec::{
    Axis, Diagnostics, Field, Kind, LibraryKind, MetricChoice, Place, Source, Sweep, fields, read_sweep,
};

use crate::plan::study::World;

/// What a text is read as, and the messages about it.
fn read(text: &str) -> (Sweep, Vec<String>) {
    let mut out = Diagnostics::default();
    let library = World::of_the_repository().library(&mut out);
    let sweep = read_sweep("study", &Source::new("study.toml", text), &library, &mut out);
    (sweep, out.sorted().into_iter().map(|diagnostic| diagnostic.message).collect())
}

fn typed(place: &Place) -> &str {
    &place.source.text[place.span.clone()]
}

fn values(axis: &Axis) -> Vec<String> {
    axis.values.iter().map(bench::spec::AxisValue::text).collect()
}

#[test]
fn the_library_of_the_repository_has_no_mistake() {
    let mut out = Diagnostics::default();
    let world = World::of_the_repository();
    let library = world.library(&mut out);
    let mistakes: Vec<String> = out.sorted().into_iter().map(|mistake| mistake.message).collect();
    assert_eq!(mistakes, [""; 0]);
    assert!(library.is_complete());
    for kind in LibraryKind::ALL {
        let files = world.files.keys().filter(|(of, _)| *of == kind).count();
        assert_eq!(library.names(kind).len(), files, "{}", kind.folder());
    }
}

const FULL: &str = r#"
title = "All there is"
scale = "tiny"
tasks = ["synthetic/motif", "gue/mouse/2"]
corpus = "virus/pretrain"
seed = 3

[pretrain]
steps = 2e3
learning_rate = 1

[finetune]
freeze = true

[[grid]]
model = ["dnabert-6", "dnabert-2"]
init = "random"
pretrain.batch_size = [8, 16.0]
"finetune.l2" = 1
zip = ["model", "pretrain.batch_size"]
exclude = [{ model = "dnabert-2", seed = [1, 2] }, { finetune.l2 = 1.0 }]

[[grid]]
model = "kmer-logistic"
seed = [9, 4]
zip = []

[[table]]
name = "one"
rows = "task"
columns = ["model", "pretrain.batch_size"]
where = { label_fraction = 1.0, task = ["gue/mouse/2"] }
baseline = { model = "dnabert-2" }
metric = "macro-f1"

[[table]]
name = "two"
rows = []
columns = "model"
"#;

#[test]
fn an_experiment_file_is_read_in_full() {
    let (sweep, mistakes) = read(FULL);
    assert_eq!(mistakes, [""; 0]);
    assert!(sweep.is_complete());
    assert_eq!((sweep.name.as_str(), sweep.title.as_str()), ("study", "All there is"));
    assert_eq!((sweep.scale.as_str(), sweep.corpus.unwrap().name.as_str()), ("tiny", "virus/pretrain"));
    let defaults: Vec<_> = sweep.defaults.iter().map(|axis| (axis.name.as_str(), values(axis))).collect();
    assert_eq!(defaults[0].1, ["synthetic/motif", "gue/mouse/2"]);
    assert_eq!((defaults[1].0, defaults[1].1.join(" ").as_str()), ("seed", "1 2 3"));
    // A whole number is one however it is typed, and so is any other number.
    let overrides: Vec<_> =
        sweep.overrides.iter().map(|set| (set.path.as_str(), set.value.to_string())).collect();
    let expected =
        [("pretrain.steps", "2000"), ("pretrain.learning_rate", "1.0"), ("finetune.freeze", "true")];
    assert_eq!(overrides, expected.map(|(path, value)| (path, value.to_owned())));
    let grid = &sweep.grids[0];
    let axes: Vec<_> =
        grid.axes.iter().map(|axis| format!("{} {}", axis.name, values(axis).join(" "))).collect();
    assert_eq!(
        axes,
        ["model dnabert-6 dnabert-2", "init random", "pretrain.batch_size 8 16", "finetune.l2 1"]
    );
    assert_eq!(grid.zip, [["model", "pretrain.batch_size"]]);
    assert!(grid.exclude[0].conditions[1].has("2") && !grid.exclude[0].conditions[1].has("3"));
    assert!(grid.exclude[1].conditions[0].has("1"));
    assert_eq!(values(&sweep.grids[1].axes[1]), ["9", "4"]);
    let [one, two] = sweep.tables.as_slice() else { panic!("two tables") };
    assert_eq!((one.rows.as_slice(), one.columns.len()), (["task".to_owned()].as_slice(), 2));
    assert!(one.filter[0].has("1") && one.filter[1].has("gue/mouse/2"));
    assert!(one.baseline[0].has("dnabert-2"));
    assert_eq!(one.metric, MetricChoice::Named("macro_f1".to_owned()));
    assert_eq!((two.metric.clone(), two.rows.len()), (MetricChoice::Headline, 0));
}

#[test]
fn every_part_knows_where_it_was_typed() {
    let (sweep, _) = read(FULL);
    assert_eq!(sweep.overrides.iter().map(|set| typed(&set.place)).collect::<Vec<_>>(), ["2e3", "1", "true"]);
    let grid = &sweep.grids[0];
    assert_eq!(typed(&grid.place), "[[grid]]");
    let axes: Vec<&str> = grid.axes.iter().map(|axis| typed(&axis.place)).collect();
    assert_eq!(axes, ["model", "init", "batch_size", "\"finetune.l2\""]);
    let sizes: Vec<&str> = grid.axes[2].values.iter().map(|value| typed(&value.place)).collect();
    assert_eq!(sizes, ["8", "16.0"]);
    assert_eq!(typed(&grid.exclude[1].place), "{ finetune.l2 = 1.0 }");
    assert_eq!(typed(&grid.exclude[0].conditions[1].values[1].1), "2");
    assert_eq!(typed(&sweep.corpus.unwrap().place), "\"virus/pretrain\"");
    assert_eq!(typed(&sweep.tables[0].place), "\"one\"");
}

#[test]
fn freeze_is_a_setting_of_fine_tuning_alone() {
    assert!(fields().iter().any(|field| field.path == "finetune.freeze"));
    let (_, mistakes) =
        read("scale = \"tiny\"\n[pretrain]\nfreeze = true\n[[grid]]\nmodel = \"dnabert-3\"\n");
    assert_eq!(mistakes, ["unknown setting `pretrain.freeze`"]);
}

/// A file beside the experiment counts over one of the same name in the program.
#[test]
fn of_two_library_files_the_later_counts() {
    let mut out = Diagnostics::default();
    let mut files = Vec::new();
    for title in ["first", "second"] {
        let text = format!("title = \"{title}\"\n[model]\nd_model = 8\n");
        let source = Source::new(title, text);
        files.push(bench::spec::LibraryFile {
            kind: LibraryKind::Scale,
            id: "tiny".to_owned(),
            source,
            problem: None,
        });
    }
    let library = bench::spec::Library::read(&files, &mut out);
    assert_eq!(library.scales["tiny"].title, "second");
}

/// What a setting says it takes, it takes, and nothing beside it.
#[test]
fn settings_take_what_they_say() {
    for field in fields() {
        let (good, bad) = probes(field);
        for value in good {
            assert_eq!(messages(field, &value), [""; 0], "{} = {value}", field.path);
        }
        for value in bad.iter().map(String::as_str).chain(["[]", "{}", "1979-05-27", "[1]", "nan", "-inf"]) {
            assert_eq!(messages(field, value).len(), 1, "{} = {value}", field.path);
        }
    }
}

fn messages(field: &Field, value: &str) -> Vec<String> {
    let (section, name) = field.path.split_once('.').unwrap();
    read(&format!("scale = \"tiny\"\n[{section}]\n{name} = {value}\n[[grid]]\nmodel = \"dnabert-3\"\n")).1
}

fn probes(field: &Field) -> (Vec<String>, Vec<String>) {
    let texts = |values: &[f64]| values.iter().map(|value| format!("{value:?}")).collect();
    match field.kind {
        Kind::Integer { min, max } => (
            vec![min.to_string(), format!("{min}.0"), "1e4".to_owned(), max.to_string()],
            vec![
                (min - 1).to_string(),
                (max + 1).to_string(),
                format!("{min}.5"),
                "\"7\"".to_owned(),
                "true".to_owned(),
                "9223372036854775808".to_owned(),
            ],
        ),
        Kind::Number { min, max } if max >= f64::MAX => {
            (texts(&[min, min + 1.0, 1e300]), texts(&[min - 1e-3, -1.0]))
        }
        Kind::Number { min, max } => {
            (texts(&[min, max, f64::midpoint(min, max)]), texts(&[min - 1e-3, max + 1e-3, f64::INFINITY]))
        }
        Kind::Boolean => {
            (vec!["true".to_owned(), "false".to_owned()], vec!["1".to_owned(), "\"true\"".to_owned()])
        }
        Kind::Choice(words) => (
            words.iter().map(|word| format!("\"{word}\"")).collect(),
            vec!["\"\"".to_owned(), "1".to_owned(), format!("\"{}\"", words[0].to_uppercase())],
        ),
        Kind::Start => (
            vec!["\"random\"".to_owned(), "\"dnabert-3\"".to_owned()],
            vec!["\"dnabert-33\"".to_owned(), "1".to_owned()],
        ),
    }
}
