//! Each setting changes the jobs of the stages that read it, and no other job.

use std::collections::BTreeMap;

use bench::settings::Coordinates;
use bench::spec::{Field, Kind, fields};

use super::study::{Cells, World};

/// Cells of every kind: architectures, starts, learned and fixed tokenizers.
fn text(scale: &str, top: &str, axis: &str) -> String {
    let task = "tasks = \"synthetic/motif\"\ncorpus = \"virus/pretrain\"";
    format!(
        "scale = \"{scale}\"\n{task}\n{top}\n\
         [[grid]]\nmodel = [\"dnabert-6\", \"dnabert-2\", \"deepgene\", \"genomenet-bert\"]\ninit = [\"random\", \"pretrained\"]\n{axis}\n\
         [[grid]]\nmodel = \"dnabert-3\"\ntokenization = \"bpe-trained\"\nmasking = \"token\"\ninit = [\"random\", \"pretrained\"]\n{axis}\n\
         [[grid]]\nmodel = \"kmer-logistic\"\n{axis}\n"
    )
}

/// Values that no system has, or all of a few words; they fit what else is set.
fn alternatives(field: &Field) -> Vec<String> {
    match (field.path, field.kind) {
        ("model.d_model" | "model.d_ff", _) => vec!["384".to_owned()],
        ("model.n_heads", _) => vec!["4".to_owned()],
        ("model.max_tokens", _) => vec!["400".to_owned()],
        ("pretrain.min_length", _) => vec!["70".to_owned()],
        ("pretrain.max_length", _) => vec!["700".to_owned()],
        ("pretrain.mask_random", _) => vec!["0.05".to_owned()],
        (_, Kind::Integer { min, .. }) => vec![(min + 20).to_string()],
        (_, Kind::Number { min, max }) if max >= f64::MAX => vec![(min + 0.7).to_string()],
        (_, Kind::Number { min, max }) => vec![(min + 0.37 * (max - min)).to_string()],
        (_, Kind::Boolean) => vec!["true".to_owned(), "false".to_owned()],
        // Which system fits which is another test's.
        (_, Kind::Start) => Vec::new(),
        (_, Kind::Choice(words)) => words.iter().map(|word| format!("\"{word}\"")).collect(),
    }
}

/// Which stages of a cell a setting decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Changed {
    vocabulary: bool,
    pretrain: bool,
    finetune: bool,
}

/// What the documentation of keys and settings promises.
fn promised(path: &str, cell: &Coordinates, scale: &str) -> Changed {
    let model = cell["model"].as_str();
    let (section, name) = path.split_once('.').unwrap();
    if model == "kmer-logistic" {
        let finetune = ["finetune.l2", "finetune.dev_fraction"].contains(&path);
        return Changed { finetune, ..Changed::default() };
    }
    let (learned, pretrained) = (cell["tokenization"] == "bpe-trained", cell["init"] == "pretrained");
    // The tiny scale sets dropout to 0 and selection by the metric.
    let drops = scale == "base";
    let attends_pads = !["dnabert-2", "deepgene"].contains(&model);
    let looks_once = scale == "base" && model == "deepgene";
    let vocabulary = learned && section == "vocabulary";
    let pretrain = match section {
        "model" => name != "head",
        "pretrain" => name != "micro_batch" || drops || attends_pads,
        "vocabulary" => learned,
        _ => false,
    };
    let pretrain = pretrained && pretrain;
    let finetune = match section {
        "model" => true,
        "finetune" => match name {
            "l2" => false,
            "micro_batch" => drops,
            "evaluations" => !looks_once,
            _ => true,
        },
        _ => pretrain || vocabulary,
    };
    Changed { vocabulary, pretrain, finetune }
}

fn changed(cell: &Coordinates, cells: &Cells, base: &Coordinates) -> Changed {
    let (new, old) = (&cells[cell], &cells[base]);
    Changed {
        vocabulary: new.vocabulary != old.vocabulary,
        pretrain: new.pretrain != old.pretrain,
        finetune: new.finetune != old.finetune,
    }
}

/// Compares all cells with and without a value; returns how many it changes.
fn check(field: &Field, value: &str, scale: &str, world: &World) -> usize {
    let mut compared = 0;
    let path = field.path;
    let axis = format!("\"{path}\" = {value}");
    // All cells twice, once with the value and once as they are, so that coordinates tell
    // what it is there.
    let both = format!(
        "{}{}",
        text(scale, "", ""),
        text("", "", &axis).split_once("[[grid]]").map(|(_, grids)| format!("[[grid]]{grids}")).unwrap()
    );
    let cells = world.cells(&both);
    let shown = value.trim_matches('"');
    let mut by_rest: BTreeMap<Coordinates, Vec<Coordinates>> = BTreeMap::new();
    for cell in cells.keys() {
        let mut rest = cell.clone();
        rest.remove(path);
        by_rest.entry(rest).or_default().push(cell.clone());
    }
    for (rest, variants) in by_rest {
        // Where the cell has the value anyway, the two are one.
        let Some(base) = variants.iter().find(|cell| cell[path] != shown) else { continue };
        let cell = variants.iter().find(|cell| cell[path] == shown).unwrap();
        compared += 1;
        assert_eq!(
            changed(cell, &cells, base),
            promised(path, &rest, scale),
            "{scale}: {path} = {value}: {rest:?}"
        );
    }
    // As an override of all cells it means the same.
    let (section, name) = path.split_once('.').unwrap();
    let overridden = world.cells(&text(scale, &format!("[{section}]\n{name} = {value}\n"), ""));
    for (cell, jobs) in &overridden {
        let mut cell = cell.clone();
        cell.insert(path.to_owned(), shown.to_owned());
        assert_eq!(jobs, &cells[&cell], "{path} = {value}: {cell:?}");
    }
    compared
}

#[test]
fn each_setting_changes_the_jobs_that_read_it() {
    let world = World::of_the_repository();
    for scale in ["tiny", "base"] {
        for field in fields() {
            let compared: Vec<usize> =
                alternatives(field).iter().map(|value| check(field, value, scale, &world)).collect();
            // Of a few words the cells may share one; of all other values they have none.
            assert!(
                field.kind == Kind::Start || compared.iter().sum::<usize>() >= 11,
                "{scale}: {}: {compared:?}",
                field.path
            );
        }
    }
}

/// One cell's jobs under two texts at the top of the file.
fn same(world: &World, model: &str, first: &str, second: &str) -> (bool, bool) {
    let cells = |top: &str| {
        world.cells(&format!(
            "scale = \"tiny\"\ntasks = \"synthetic/motif\"\ncorpus = \"virus/pretrain\"\n{top}\n[[grid]]\nmodel = \"{model}\"\n"
        ))
    };
    let (first, second) = (cells(first), cells(second));
    let one = |cells: Cells| cells.into_values().next().unwrap();
    let (first, second) = (one(first), one(second));
    (first.pretrain == second.pretrain, first.finetune == second.finetune)
}

/// Two ways to say one thing are one thing.
#[test]
fn a_key_holds_what_is_done_and_not_how_it_was_said() {
    let world = World::of_the_repository();
    for (first, second) in [
        ("[pretrain]\nsteps = 300", "[pretrain]\nsteps = 3e2"),
        ("[pretrain]\nwarmup_steps = 30", "[pretrain]\nwarmup_share = 0.1"),
        ("[finetune]\nepochs = 2", "[finetune]\nepochs = 2.0"),
        // 1,015 rows in batches of 32 are 32 steps.
        ("[finetune]\nepochs = 2", "[finetune]\nsteps = 64"),
        ("[finetune]\nwarmup_share = 0", "[finetune]\nwarmup_steps = 0"),
        ("[finetune]\ndev_fraction = 0", "[finetune]\ndev_fraction = 1"),
        ("[finetune]\nweight_decay = 0.0", "[finetune]\nweight_decay = -0.0"),
        ("[finetune]\nwarmup_steps = 64", "[finetune]\nwarmup_steps = 1000"),
        ("", "[pretrain]\nmicro_batch = 32\n[finetune]\nmicro_batch = 64"),
    ] {
        assert_eq!(same(&world, "dnabert-6", first, second), (true, true), "{first} and {second}");
    }
}

/// Dropout draws once a forward pass, and attended padding reaches to the longest row of
/// one: then the cut into micro-batches is part of the maths.
#[test]
fn the_micro_batch_counts_where_it_is_part_of_the_maths() {
    let world = World::of_the_repository();
    let cut = "[pretrain]\nmicro_batch = 8\n[finetune]\nmicro_batch = 8\n";
    let dropping = "[model]\ndropout = 0.1\n";
    let attention = "[model]\nattention_dropout = 0.1\n";
    let with = |more: &str| same(&world, "dnabert-2", more, &format!("{more}{cut}"));
    assert_eq!(with(""), (true, true));
    assert_eq!(with(dropping), (false, false));
    assert_eq!(with(attention), (false, false));
    assert_eq!(same(&world, "dnabert-6", "", cut), (false, false), "a child follows its parent");
    let frozen = "[pretrain]\nattend_pads = false\n";
    let whole = format!("{frozen}[finetune]\nmicro_batch = 8\n");
    assert_eq!(same(&world, "dnabert-6", frozen, &whole), (true, true));
}

/// A pre-training that starts from another system's has it as its parent; nothing else reads
/// where it starts.
#[test]
fn a_start_changes_the_pretraining_that_it_is_the_start_of() {
    let world = World::of_the_repository();
    let text = |start: &str| {
        format!(
            "scale = \"tiny\"\ntasks = \"synthetic/motif\"\ncorpus = \"virus/pretrain\"\n[pretrain]\nstart = \"{start}\"\n\
             [[grid]]\nmodel = \"dnabert-6\"\ninit = [\"random\", \"pretrained\"]\n"
        )
    };
    let (plain, started) = (world.cells(&text("random")), world.cells(&text("dnabert-3")));
    for (cell, jobs) in &started {
        let before = &plain[cell];
        if cell["init"] == "random" {
            assert_eq!(jobs, before);
        } else {
            assert_ne!(jobs.finetune, before.finetune);
            assert_eq!((before.pretrain.len(), jobs.pretrain.len()), (1, 2));
            assert!(!jobs.pretrain.contains(&before.pretrain[0]));
        }
    }
    // What it starts from is what a sweep of that system would pre-train.
    let own = world.cells(
        "scale = \"tiny\"\ntasks = \"synthetic/motif\"\ncorpus = \"virus/pretrain\"\n[[grid]]\nmodel = \"dnabert-3\"\ntokenization = \"6-mer\"\n",
    );
    let first: Vec<_> = started.values().filter_map(|jobs| jobs.pretrain.first()).collect();
    let of_its_own: Vec<_> = own.values().filter_map(|jobs| jobs.pretrain.first()).collect();
    assert_eq!(first, of_its_own);
}
