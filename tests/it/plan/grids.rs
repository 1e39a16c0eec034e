//! Which cells a file asks for: products, unions, zips, excludes, repetitions.

use std::collections::BTreeSet;

use bench::settings::{Coordinates, Stage};
use proptest::prelude::*;

use super::study::{World, cells, keys};

/// Axes of whole numbers that any system takes, with values.
type Axes = Vec<(&'static str, Vec<u32>)>;

const PATHS: [&str; 4] =
    ["finetune.steps", "finetune.batch_size", "finetune.evaluations", "pretrain.held_out"];

/// One value on each of [`PATHS`], `None` where the file leaves it to the schema.
type Point = [Option<u32>; 4];

fn some_axes() -> impl Strategy<Value = Axes> {
    let values = || prop::collection::btree_set(1_u32..6, 1..4);
    prop::sample::subsequence(PATHS.to_vec(), 0..=4)
        .prop_flat_map(move |paths| {
            let values: Vec<_> = paths.iter().map(|_| values()).collect();
            (Just(paths), values)
        })
        .prop_map(|(paths, values)| {
            paths.into_iter().zip(values).map(|(path, values)| (path, values.into_iter().collect())).collect()
        })
        .prop_shuffle()
}

/// An exclude: a condition on some of the paths.
fn some_exclude() -> impl Strategy<Value = Axes> {
    some_axes().prop_filter("an exclude has a condition", |axes| !axes.is_empty())
}

fn listed(values: &[u32]) -> String {
    format!("[{}]", values.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
}

fn grid_text(axes: &Axes, extra: &str) -> String {
    let lines: String =
        axes.iter().map(|(path, values)| format!("\"{path}\" = {}\n", listed(values))).collect();
    format!("[[grid]]\nmodel = \"dnabert-3\"\ninit = \"random\"\n{lines}{extra}\n")
}

const TOP: &str = "scale = \"tiny\"\ntasks = \"synthetic/motif\"\n";

/// All points of a product, by counting up one axis after the other.
fn product(axes: &Axes) -> BTreeSet<Point> {
    let mut points = BTreeSet::from([[None; 4]]);
    for (path, values) in axes {
        let at = PATHS.iter().position(|known| known == path).unwrap();
        points = points
            .into_iter()
            .flat_map(|point| {
                values.iter().map(move |value| {
                    let mut point = point;
                    point[at] = Some(*value);
                    point
                })
            })
            .collect();
    }
    points
}

fn meets(point: &Point, exclude: &Axes) -> bool {
    exclude.iter().all(|(path, values)| {
        let at = PATHS.iter().position(|known| known == path).unwrap();
        point[at].is_some_and(|value| values.contains(&value))
    })
}

/// The point of a cell; what the grids do not vary is no coordinate.
fn point(coordinates: &Coordinates) -> Point {
    PATHS.map(|path| coordinates.get(path).and_then(|value| value.parse().ok()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A grid is the product of its axes less what it excludes.
    #[test]
    fn a_grid_is_its_product_less_its_excludes(axes in some_axes(), exclude in some_exclude()) {
        let world = World::of_the_repository();
        let condition: Vec<String> =
            exclude.iter().map(|(path, values)| format!("\"{path}\" = {}", listed(values))).collect();
        let extra = format!("exclude = [{{ {} }}]", condition.join(", "));
        let text = format!("{TOP}{}", grid_text(&axes, &extra));
        let all = product(&axes);
        let kept: BTreeSet<Point> = all.iter().filter(|point| !meets(point, &exclude)).copied().collect();
        let mistakes = world.mistakes(&text);
        if kept.len() == all.len() {
            prop_assert_eq!(mistakes, ["this exclude matches no cell of its grid"]);
        } else if kept.is_empty() {
            prop_assert_eq!(mistakes, ["every cell of this grid is excluded"]);
        } else {
            prop_assert_eq!(&mistakes, &Vec::<String>::new());
            let found: BTreeSet<Point> = world.cells(&text).keys().map(point).collect();
            prop_assert_eq!(found, kept);
        }
    }

    /// A sweep is the union of its grids, each cell once and in the order of the file.
    #[test]
    fn a_sweep_is_the_union_of_its_grids(first in some_axes(), second in some_axes()) {
        let world = World::of_the_repository();
        let text = format!("{TOP}{}{}", grid_text(&first, ""), grid_text(&second, ""));
        let plan = world.plan(&text);
        let shown: BTreeSet<&str> =
            first.iter().chain(&second).map(|(path, _)| *path).collect();
        // Where one grid leaves to the schema what the other varies, its cells have the
        // value of the tiny scale or of the schema.
        let defaults = |points: BTreeSet<Point>| -> BTreeSet<Point> {
            points
                .into_iter()
                .map(|mut point| {
                    for (at, path) in PATHS.iter().enumerate() {
                        point[at] = point[at].or(match *path {
                            "finetune.batch_size" if shown.contains(path) => Some(32),
                            "finetune.evaluations" if shown.contains(path) => Some(4),
                            "pretrain.held_out" if shown.contains(path) => Some(128),
                            _ => None,
                        });
                    }
                    point
                })
                .collect()
        };
        let expected = &defaults(product(&first)) | &defaults(product(&second));
        // `cells` fails where a cell is there twice.
        let found: BTreeSet<Point> = cells(&plan).keys().map(point).collect();
        prop_assert_eq!(found, expected);
        let alone = world.plan(&format!("{TOP}{}", grid_text(&first, "")));
        prop_assert!(keys(&alone).is_subset(&keys(&plan)));
        // The first grid's cells come first.
        for (cell, other) in alone.cells.iter().zip(&plan.cells) {
            prop_assert_eq!(&cell.jobs.as_ref().unwrap().finetune, &other.jobs.as_ref().unwrap().finetune);
        }
    }

    /// Zipped axes advance together; the others multiply.
    #[test]
    fn zipped_axes_advance_together(
        pairs in prop::collection::btree_map(1_u32..20, 1_u32..20, 2..6),
        others in prop::collection::btree_set(1_u32..9, 1..4),
    ) {
        let world = World::of_the_repository();
        let (left, right): (Vec<u32>, Vec<u32>) = pairs.iter().map(|(a, b)| (*a, *b)).unzip();
        let distinct: BTreeSet<u32> = right.iter().copied().collect();
        prop_assume!(distinct.len() == right.len());
        let others: Vec<u32> = others.into_iter().collect();
        let axes: Axes = vec![(PATHS[0], left), (PATHS[1], others.clone()), (PATHS[2], right)];
        let text = format!("{TOP}{}", grid_text(&axes, &format!("zip = [\"{}\", \"{}\"]", PATHS[0], PATHS[2])));
        let found: BTreeSet<Point> = world.cells(&text).keys().map(point).collect();
        let expected: BTreeSet<Point> = pairs
            .iter()
            .flat_map(|(a, b)| others.iter().map(move |other| [Some(*a), Some(*other), Some(*b), None]))
            .collect();
        prop_assert_eq!(found, expected);
    }

    /// `seed = N` is `seed = [1, .., N]`, at the top and in a grid.
    #[test]
    fn a_number_of_seeds_is_a_list_of_them(n in 1_u32..30) {
        let world = World::of_the_repository();
        let list = listed(&(1..=n).collect::<Vec<_>>());
        let at_top = |seed: &str| world.cells(&format!("seed = {seed}\n{TOP}{}", grid_text(&vec![], "")));
        let in_grid = |seed: &str| world.cells(&format!("{TOP}{}", grid_text(&vec![], &format!("seed = {seed}"))));
        let expected = at_top(&list);
        prop_assert_eq!(expected.len(), n as usize);
        prop_assert_eq!(&at_top(&n.to_string()), &expected);
        prop_assert_eq!(&in_grid(&list), &expected);
        prop_assert_eq!(&in_grid(&n.to_string()), &expected);
    }
}

#[test]
fn without_a_word_of_seeds_there_is_one() {
    let world = World::of_the_repository();
    let cells = world.cells(&format!("{TOP}{}", grid_text(&vec![], "")));
    assert_eq!(cells.keys().map(|cell| cell["seed"].as_str()).collect::<Vec<_>>(), ["1"]);
}

/// A grid's own axis counts instead of the file's.
#[test]
fn a_grid_overrides_the_axes_of_the_file() {
    let world = World::of_the_repository();
    let cells = world.cells(
        "scale = \"tiny\"\ntasks = [\"synthetic/motif\", \"gue/mouse/2\"]\nseed = 3\n\
         [[grid]]\nmodel = \"kmer-logistic\"\n\
         [[grid]]\nmodel = \"dnabert-3\"\ninit = \"random\"\ntask = \"gue/mouse/0\"\nseed = [7]\n",
    );
    let of = |model: &str| -> Vec<(&str, &str)> {
        let own = cells.keys().filter(|cell| cell["model"] == model);
        own.map(|cell| (cell["task"].as_str(), cell["seed"].as_str())).collect()
    };
    assert_eq!(of("kmer-logistic").len(), 6);
    assert_eq!(of("dnabert-3"), [("gue/mouse/0", "7")]);
}

/// What a grid leaves out has the default of the system, and excludes see it.
#[test]
fn excludes_see_what_a_grid_leaves_to_the_system() {
    let world = World::of_the_repository();
    let grid = "scale = \"tiny\"\ntasks = \"synthetic/motif\"\n[[grid]]\nmodel = [\"dnabert-3\", \"dnabert-6\", \"supervised\"]\ninit = \"random\"\n";
    for (condition, left) in [
        ("masking = \"span-6\"", vec!["dnabert-3", "supervised"]),
        ("tokenization = \"3-mer\"", vec!["dnabert-6", "supervised"]),
        ("masking = [\"none\", \"span-3\"], label_fraction = 1.0", vec!["dnabert-6"]),
        ("label_fraction = 1, seed = 1, model = \"supervised\"", vec!["dnabert-3", "dnabert-6"]),
    ] {
        let cells = world.cells(&format!("{grid}exclude = [{{ {condition} }}]\n"));
        let models: BTreeSet<&str> = cells.keys().map(|cell| cell["model"].as_str()).collect();
        assert_eq!(models, BTreeSet::from_iter(left), "{condition}");
    }
}

/// Tasks, label fractions and fine-tuning settings never multiply pre-training.
#[test]
fn stages_are_shared() {
    let world = World::of_the_repository();
    let text = "scale = \"tiny\"\ncorpus = \"virus/pretrain\"\nseed = 2\n\
        tasks = [\"synthetic/motif\", \"gue/mouse/2\", \"virus/phage-150\"]\n\
        [[grid]]\nmodel = [\"dnabert-3\", \"dnabert-6\"]\ninit = [\"random\", \"pretrained\"]\n\
        tokenization = [\"bpe-trained\", \"6-mer\"]\nlabel_fraction = [1, 0.5]\nfinetune.freeze = [true, false]\n";
    let plan = world.plan(text);
    let count = |stage| plan.jobs.iter().filter(|job| job.work.stage() == stage).count();
    assert_eq!(plan.cells.len(), 2 * 2 * 2 * 2 * 2 * 3 * 2);
    assert_eq!(count(Stage::Vocabulary), 1, "of one corpus and one size");
    assert_eq!(count(Stage::Pretrain), 2 * 2 * 2, "models, tokenizations, seeds");
    assert_eq!(plan.unshared()[&Stage::Pretrain], plan.cells.len() / 2);
    // Parents stand before children.
    let mut known = BTreeSet::new();
    for job in &plan.jobs {
        assert!(job.parents.keys().all(|parent| known.contains(parent)), "{}", job.label);
        known.insert(job.key.clone());
    }
}

/// From scratch, systems that differ in pre-training alone are one job.
#[test]
fn what_a_stage_does_not_read_makes_no_job_of_its_own() {
    let world = World::of_the_repository();
    let text = "scale = \"tiny\"\ntasks = \"synthetic/motif\"\n[[grid]]\nmodel = [\"genomenet-bert\", \"genomenet-bert-mask8\", \"supervised\"]\ninit = \"random\"\nmasking = [\"token\", \"span-4\"]\npretrain.steps = [1, 2]\n";
    let plan = world.plan(text);
    assert_eq!((plan.cells.len(), plan.jobs.len()), (12, 1));
}

/// The experiment files that people start from are in order.
#[test]
fn the_experiments_of_the_repository_can_be_planned() {
    let world = World::of_the_repository();
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let plan = world.plan(&std::fs::read_to_string(&path).unwrap());
        assert!(!plan.cells.is_empty(), "{}", path.display());
    }
}
