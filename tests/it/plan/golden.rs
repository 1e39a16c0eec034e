//! Keys as they are, so that no change of them goes unseen. If one of these fails, results
//! made before are no longer found: that must be meant, and said in the changelog; where the
//! same settings come to mean other results, bump the stage's version instead.

use std::fmt::Write as _;
use std::process::Command;

use bench::plan::Plan;

use super::study::World;

fn listed(plan: &Plan) -> String {
    plan.jobs.iter().fold(String::new(), |mut text, job| {
        let _ = writeln!(text, "{} {}", job.key, job.label);
        text
    })
}

/// Over facts made by hand.
#[test]
fn keys_of_every_stage() {
    let world = World::of_the_repository();
    let text = "scale = \"tiny\"\ncorpus = \"virus/pretrain\"\nseed = [1, 9]\n\
        tasks = [\"synthetic/motif\", \"gue/mouse/2\", \"virus/phage-150\"]\n\
        [[grid]]\nmodel = [\"dnabert-6\", \"dnabert-2\", \"deepgene\"]\ntask = \"gue/mouse/2\"\ninit = [\"random\", \"pretrained\"]\n\
        [[grid]]\nmodel = \"dnabert-3\"\ntokenization = [\"bpe-trained\", \"character\"]\nmasking = \"token\"\nseed = 1\n\
        [[grid]]\nmodel = [\"kmer-logistic\", \"supervised\"]\nseed = 1\nlabel_fraction = [1, 0.1]\n";
    insta::assert_snapshot!(listed(&world.plan(text)));
}

/// Over the published sizes.
#[test]
fn keys_at_the_published_size() {
    let world = World::of_the_repository();
    let text = "scale = \"base\"\ncorpus = \"virus/pretrain\"\ntasks = \"gue/mouse/2\"\n\
        [[grid]]\nmodel = [\"dnabert-3\", \"dnabert-4\", \"dnabert-5\", \"dnabert-6\", \"dnabert-2\", \"deepgene\",\n\
        \"genomenet-bert\", \"genomenet-bert-mask8\", \"genomenet-bert-stride3\"]\n";
    insta::assert_snapshot!(listed(&world.plan(text)));
}

/// Of the program itself, with the synthetic task's own rows.
#[test]
fn keys_of_the_synthetic_task() {
    let folder = tempfile::tempdir().unwrap();
    let text = "scale = \"tiny\"\ntasks = \"synthetic/motif\"\nseed = 2\n[[grid]]\nmodel = [\"kmer-logistic\", \"dnabert-3\", \"dnabert-2\", \"deepgene\"]\ninit = \"random\"\n";
    std::fs::write(folder.path().join("motif.toml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["plan", "motif.toml", "--json"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<String> = json["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| format!("{} {}", job["key"].as_str().unwrap(), job["label"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
