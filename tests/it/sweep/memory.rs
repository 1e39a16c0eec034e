//! A worker that the kernel kills for memory: the job is tried again in smaller forward
//! passes, and ends with the result it would have had.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;

/// About 500 MB in forward passes of 256 sequences, most of it for them.
const STUDY: &str = r#"
scale = "tiny"
tasks = ["synthetic/motif"]
corpus = "virus/pretrain"

[[grid]]
model = "deepgene"
init = "pretrained"

[model]
d_model = 32
n_layers = 2

[pretrain]
steps = 2
batch_size = 256
min_length = 500
max_length = 510
held_out = 4

[finetune]
steps = 2
batch_size = 8
"#;

const LIMIT: &str = "300000000";

/// A control group with a limit on memory, gone with this.
struct Group(PathBuf);

impl Group {
    /// In the first version of control groups, or in the second.
    fn new() -> Option<Self> {
        let name = format!("bench-test-{}", std::process::id());
        [("memory", "memory.limit_in_bytes"), ("", "memory.max")].into_iter().find_map(|(root, limit)| {
            let path = Path::new("/sys/fs/cgroup").join(root).join(&name);
            fs::create_dir(&path).ok()?;
            let group = Self(path);
            // The file is there only where this kind of group limits memory.
            let limit = group.0.join(limit);
            (limit.exists() && fs::write(limit, LIMIT).is_ok()).then_some(group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_job_that_is_killed_for_memory_is_done_in_smaller_forward_passes() {
    let Some(group) = Group::new() else {
        eprintln!(
            "SKIPPED a_job_that_is_killed_for_memory_is_done_in_smaller_forward_passes: no control group for memory can be made"
        );
        return;
    };
    let bench = Bench::new(STUDY);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/data");
    // The shell joins the group, and what it becomes stays in it.
    let script = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", group.0.display());
    let output = Command::new("/bin/sh")
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_bench"), "sweep", "study.toml", "--slots", "1"])
        .arg("--data-root")
        .arg(&data)
        .current_dir(bench.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let retried = "out-of-memory; trying again with 128 sequences at a time: the worker was killed by SIGKILL by the kernel";
    assert!(said.contains(retried), "{said}");
    let records = fs::read_dir(bench.results().join("jobs")).unwrap();
    let records: Vec<serde_json::Value> = records
        .map(|entry| fs::read_to_string(entry.unwrap().path().join("record.json")).unwrap())
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect();
    let pretraining = records.iter().find(|record| record["stage"] == "pretrain").unwrap();
    assert!(pretraining["measurement"]["micro_batch"].as_u64().unwrap() <= 128, "{pretraining}");
    // The cut of a batch changes sums in the last bits and nothing else.
    let whole = Bench::new(STUDY);
    whole.expect(0, &["sweep", "study.toml", "--slots", "1", "--data-root", data.to_str().unwrap()]);
    let key = pretraining["key"].as_str().unwrap();
    let loss = |result: &serde_json::Value| result["held_out_loss"].as_f64().unwrap();
    let (a, b) = (loss(&pretraining["result"]), loss(&whole.records()[key]));
    assert!((a - b).abs() < 1e-4, "{a} and {b}");
}
