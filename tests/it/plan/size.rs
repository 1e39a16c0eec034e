//! Grids of many points: the same plan on any number of threads, and a limit that is said.

use bench::plan::Plan;

use super::study::World;

const TOP: &str = "scale = \"tiny\"\ncorpus = \"virus/pretrain\"\ntasks = \"synthetic/motif\"\n";

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// A list of `count` numbers.
fn numbers(count: usize, unit: f64) -> String {
    let numbers: Vec<String> = (1..=count).map(|n| format!("{:e}", n as f64 * unit)).collect();
    format!("[{}]", numbers.join(", "))
}

/// Everything of a plan that a person or a file sees.
fn listed(plan: &Plan) -> (Vec<String>, Vec<String>) {
    let jobs = plan.jobs.iter().map(|job| serde_json::to_string(job).unwrap()).collect();
    let cells = plan.cells.iter().map(|cell| {
        let jobs = cell.jobs.as_ref().unwrap();
        format!("{:?} {:?}", cell.coordinates.to_map(), jobs)
    });
    (jobs, cells.collect())
}

#[test]
fn a_plan_is_the_same_on_any_number_of_threads() {
    let world = World::of_the_repository();
    let text = format!(
        "{TOP}seed = 2\n[[grid]]\nmodel = [\"dnabert-6\", \"dnabert-2\", \"deepgene\"]\n\
         init = [\"random\", \"pretrained\"]\nlabel_fraction = [1, 0.5]\n\
         finetune.learning_rate = {}\n\"model.dropout\" = [0, 0.1]\n\"pretrain.steps\" = [10, 20]\n\
         exclude = [{{ model = \"deepgene\", seed = 2 }}]\n\
         [[grid]]\nmodel = \"dnabert-6\"\nzip = [\"seed\", \"finetune.weight_decay\"]\nseed = [1, 2]\n\
         \"finetune.weight_decay\" = [0.1, 0.2]\n",
        numbers(50, 1e-5)
    );
    let one = on_threads(1, || listed(&world.plan(&text)));
    assert_eq!(one.1.len(), 3 * 2 * 2 * 50 * 2 * 2 * 2 * 5 / 6 + 2);
    for threads in [2, 7] {
        assert!(on_threads(threads, || listed(&world.plan(&text))) == one, "{threads} threads");
    }
}

#[test]
fn mistakes_are_the_same_on_any_number_of_threads() {
    let world = World::of_the_repository();
    let text = format!(
        "{TOP}[[grid]]\nmodel = [\"dnabert-6\", \"deepgene\"]\nfinetune.learning_rate = {}\n\
         \"model.n_heads\" = [4, 5, 7, 11]\n\"pretrain.min_length\" = [10, 600, 9000]\n\
         exclude = [{{ seed = 3 }}, {{ model = \"deepgene\", \"model.n_heads\" = 11 }}]\n",
        numbers(200, 1e-5)
    );
    let one = on_threads(1, || world.mistakes(&text));
    assert!(one.len() > 3, "{one:?}");
    for threads in [2, 7] {
        assert_eq!(on_threads(threads, || world.mistakes(&text)), one, "{threads} threads");
    }
}

#[test]
fn what_nobody_could_run_is_refused_without_being_made() {
    let world = World::of_the_repository();
    let grid = |rates: usize, decays: usize| {
        format!(
            "[[grid]]\nmodel = \"dnabert-6\"\nseed = 1\ninit = \"random\"\nfinetune.learning_rate = {}\nfinetune.weight_decay = {}\n",
            numbers(rates, 1e-6),
            numbers(decays, 1e-5)
        )
    };
    let absurd = format!("{TOP}{}", grid(10_000, 10_000)).replace("seed = 1\n", "seed = 10000\n");
    assert_eq!(world.mistakes(&absurd), ["this grid has 10_000 x 10_000 x 10_000 = 1_000_000_000_000 cells"]);
    // Together they are too many, and the second is the one that is.
    let two = format!("{TOP}{}{}", grid(1000, 10), grid(1001, 1999));
    assert_eq!(
        world.mistakes(&two),
        ["this grid has 1001 x 1999 = 2_000_999 cells, and those before it 10_000"]
    );
}
