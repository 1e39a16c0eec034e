//! What a person does around sweeps: `gc`, `status --json`, `completions`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bench::queue::ResultsFolder;
use bench::record::{Failure, JobFolder, Outcome};
use bench::settings::Key;
use serde_json::Value as Json;
use tempfile::TempDir;

/// A folder of its own with sweeps that take no time, seen through the program.
struct Bench(TempDir);

impl Bench {
    /// A sweep of logistic regressions of these repetitions.
    fn add(&self, name: &str, seeds: &str) {
        let text = format!(
            "scale = \"tiny\"\ntasks = \"synthetic/motif\"\nseed = {seeds}\n[[grid]]\nmodel = \"kmer-logistic\"\n"
        );
        fs::write(self.0.path().join(format!("{name}.toml")), text).unwrap();
        self.expect(0, &["sweep", &format!("{name}.toml"), "--slots", "1"]);
    }

    /// Runs, and gives stdout and stderr if the exit code is the one expected.
    fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_bench"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("BENCH_DATA")
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{stderr}");
        if code == 2 { stderr } else { String::from_utf8(output.stdout).unwrap() }
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Json {
        serde_json::from_str(&self.expect(code, arguments)).unwrap()
    }

    fn results(&self) -> PathBuf {
        self.0.path().join("results")
    }

    fn jobs(&self) -> BTreeSet<String> {
        names(&self.results().join("jobs"))
    }

    fn job(&self, key: &str) -> PathBuf {
        self.results().join("jobs").join(key)
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Kinds and paths of what was listed, below `results/`.
fn items(listed: &Json) -> BTreeSet<(String, String)> {
    let items = listed["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let path = item["path"].as_str().unwrap().trim_start_matches("results/").to_owned();
            (item["kind"].as_str().unwrap().to_owned(), path)
        })
        .collect()
}

/// Sweeps `a` of the repetitions 1 and 2 and `b` of 2 and 3, and the keys of 1, 2 and 3.
fn two_sweeps() -> (Bench, [String; 3]) {
    let bench = Bench(TempDir::new().unwrap());
    bench.add("a", "[1, 2]");
    let of_a = bench.jobs();
    bench.add("b", "[2, 3]");
    let third = bench.jobs().difference(&of_a).next().unwrap().clone();
    let planned = bench.json(0, &["plan", "a.toml", "--json"]);
    let key = |seed: &str| {
        let cells = planned["cells"].as_array().unwrap().iter();
        let cell = cells.into_iter().find(|cell| cell["coordinates"]["seed"] == seed).unwrap();
        cell["finetune"].as_str().unwrap().to_owned()
    };
    let keys = [key("1"), key("2"), third];
    (bench, keys)
}

#[test]
fn gc_lists_and_then_removes_what_is_over() {
    let (bench, [one, ..]) = two_sweeps();
    assert_eq!(items(&bench.json(0, &["gc", "--json"])), BTreeSet::new(), "all is needed");
    let job = bench.job(&one);
    fs::create_dir(job.join("checkpoint")).unwrap();
    fs::write(job.join("checkpoint/12"), [0; 1000]).unwrap();
    // No process has this number.
    for litter in [".record.json.4194999-0.tmp", "record.json.damaged"] {
        fs::write(job.join(litter), [0; 10]).unwrap();
    }
    fs::write(job.join(format!(".job.json.{}-0.tmp", std::process::id())), "of a writer that lives").unwrap();
    let before = names(&job);
    let over = [
        ("checkpoint", "checkpoint"),
        ("litter", ".record.json.4194999-0.tmp"),
        ("litter", "record.json.damaged"),
    ];
    let over = over.map(|(kind, name)| (kind.to_owned(), format!("jobs/{one}/{name}")));
    for arguments in [&["gc", "--json"][..], &["gc", "--dry-run", "--json"]] {
        let listed = bench.json(0, arguments);
        assert_eq!(items(&listed), BTreeSet::from(over.clone()));
        assert_eq!((&listed["bytes"], &listed["removed"]), (&1020.into(), &false.into()));
        assert_eq!(names(&job), before, "listing touches nothing");
    }
    assert!(bench.expect(0, &["gc"]).contains("1.0 kB in all; nothing was removed: --remove does it"));
    assert!(bench.expect(2, &["gc", "--dry-run", "--remove"]).contains("cannot be used with"));
    assert_eq!(bench.json(0, &["gc", "--remove", "--json"])["removed"], true);
    let gone = BTreeSet::from(
        ["checkpoint", ".record.json.4194999-0.tmp", "record.json.damaged"].map(str::to_owned),
    );
    assert_eq!(names(&job), before.difference(&gone).cloned().collect());
    assert_eq!(bench.expect(0, &["gc"]), "nothing to remove\n");
    bench.expect(0, &["status"]);
}

#[test]
fn gc_keeps_the_checkpoint_of_a_job_that_will_go_on() {
    let (bench, [one, ..]) = two_sweeps();
    fs::create_dir(bench.job(&one).join("checkpoint")).unwrap();
    fs::remove_file(bench.job(&one).join("record.json")).unwrap();
    assert_eq!(bench.expect(0, &["gc", "--remove"]), "nothing to remove\n");
    assert!(bench.job(&one).join("checkpoint").is_dir());
}

#[test]
fn gc_of_a_dropped_sweep_leaves_what_others_need_and_what_is_not_its_own() {
    let (bench, [one, two, three]) = two_sweeps();
    fs::write(bench.results().join("b/notes.txt"), "mine").unwrap();
    fs::write(bench.results().join("notes.txt"), "mine").unwrap();
    fs::create_dir(bench.results().join("jobs/notes")).unwrap();
    let said = bench.expect(2, &["gc", "--drop", "c"]);
    assert!(said.contains("no sweep `c`") && said.contains("accepted: a, b"), "{said}");
    let listed = bench.json(0, &["gc", "--drop", "b", "--json"]);
    assert!(items(&listed).contains(&("job".to_owned(), format!("jobs/{three}"))));
    assert_eq!(bench.jobs().len(), 4, "nothing is gone yet");
    bench.expect(0, &["gc", "--drop", "b", "--remove"]);
    assert_eq!(bench.jobs(), BTreeSet::from([one, two.clone(), "notes".to_owned()]));
    assert_eq!(names(&bench.results().join("b")), BTreeSet::from(["notes.txt".to_owned()]));
    assert!(bench.results().join("notes.txt").is_file());
    bench.expect(0, &["status", "a"]);
    // A job that holds something of a person's own stays, with its record.
    fs::write(bench.job(&two).join("thoughts.md"), "mine").unwrap();
    let listed = bench.json(0, &["gc", "--drop", "a", "--remove", "--json"]);
    assert_eq!(listed["left"].as_array().unwrap().len(), 1);
    assert_eq!(bench.jobs(), BTreeSet::from([two.clone(), "notes".to_owned()]));
    assert!(bench.job(&two).join("record.json").is_file());
    assert!(!bench.results().join("a").exists());
}

#[test]
fn gc_removes_nothing_while_a_plan_cannot_be_read() {
    let (bench, _) = two_sweeps();
    fs::write(bench.results().join("b/plan.json"), "{ torn").unwrap();
    for arguments in [&["gc"][..], &["gc", "--remove"], &["gc", "--drop", "a", "--remove"]] {
        let said = bench.expect(2, arguments);
        assert!(said.contains("results/b/plan.json") && said.contains("--drop b"), "{said}");
    }
    assert_eq!(bench.jobs().len(), 3);
    bench.expect(0, &["gc", "--drop", "b", "--remove"]);
    assert_eq!(bench.jobs().len(), 2);
}

#[cfg(unix)]
#[test]
fn gc_follows_no_link() {
    use std::os::unix::fs::symlink;
    let (bench, [one, ..]) = two_sweeps();
    let outside = TempDir::new().unwrap();
    for file in ["record.json", ".x.4194999-0.tmp", "plan.csv"] {
        fs::write(outside.path().join(file), "{}").unwrap();
    }
    let before = names(outside.path());
    symlink(outside.path(), bench.job("0123456789abcdef0123456789abcdef")).unwrap();
    symlink(outside.path(), bench.job(&one).join("checkpoint")).unwrap();
    symlink(outside.path().join("record.json"), bench.results().join(".plan.4194999-0.tmp")).unwrap();
    assert_eq!(bench.expect(0, &["gc", "--remove"]), "nothing to remove\n");
    // Of a job that goes, the link goes, and not what it names.
    bench.expect(0, &["gc", "--drop", "a", "--drop", "b", "--remove"]);
    assert!(!bench.job(&one).exists());
    assert_eq!(names(outside.path()), before);
}

#[test]
fn gc_removes_nothing_beside_a_running_sweep() {
    let (bench, _) = two_sweeps();
    let _lock = ResultsFolder::open(&bench.results()).unwrap().lock(&mut |_| ()).unwrap();
    let said = bench.expect(2, &["gc", "--drop", "b", "--remove"]);
    assert!(said.contains("is in use by process"), "{said}");
    assert_eq!(bench.jobs().len(), 3);
    bench.expect(0, &["gc", "--drop", "b"]);
}

#[test]
fn status_tells_a_script_how_a_sweep_stands() {
    let bench = Bench(TempDir::new().unwrap());
    bench.add("a", "4");
    let keys: Vec<String> = bench.jobs().into_iter().collect();
    let [done, failed, begun, pending] = keys.as_slice() else { panic!("{keys:?}") };
    for key in [failed, begun, pending] {
        fs::remove_file(bench.job(key).join("record.json")).unwrap();
        fs::remove_file(bench.job(key).join("events.jsonl")).unwrap();
    }
    fs::remove_dir_all(bench.job(pending)).unwrap();
    let failure =
        Failure { outcome: Outcome::Diverged, message: "step 3".to_owned(), stderr_tail: Vec::new() };
    JobFolder::new(&bench.results(), &Key(failed.clone())).fail(&failure).unwrap();
    let events = "{\"started\":{\"pid\":1,\"device\":\"cpu\",\"at\":1}}\n{\"progress\":{\"step\":3,\"steps\":10,\"loss\":0.5}}\n{\"prog";
    fs::write(bench.job(begun).join("events.jsonl"), events).unwrap();

    let all = bench.json(1, &["status", "--json"]);
    let [sweep] = all.as_array().unwrap().as_slice() else { panic!("{all}") };
    assert_eq!(sweep["sweep"], "a");
    assert_eq!(sweep["jobs"], 4);
    assert_eq!(sweep["outcomes"], serde_json::json!({ "done": 1, "diverged": 1, "begun": 1, "pending": 1 }));
    let failure = &sweep["failures"][0];
    assert_eq!((failure["key"].as_str(), failure["message"].as_str()), (Some(&**failed), Some("step 3")));
    assert!(failure["label"].as_str().unwrap().contains("kmer-logistic"));
    let running = &sweep["begun"][0];
    assert_eq!(
        (&running["key"], &running["step"], &running["loss"]),
        (&begun.as_str().into(), &3.into(), &0.5.into())
    );
    assert_eq!(
        (&sweep["remaining"]["jobs"], &sweep["remaining"]["jobs_of_unknown_shape"]),
        (&2.into(), &0.into())
    );
    assert!(sweep["remaining"]["slot_seconds"].as_f64().unwrap() > 0.0, "{done} has their shape");
    let text = bench.expect(1, &["status"]);
    assert!(text.contains("begun: ") && text.contains("step 3 of 10, loss 0.500"), "{text}");
}

#[test]
fn completions_name_every_command_and_bash_takes_them() {
    let bench = Bench(TempDir::new().unwrap());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.expect(0, &["completions", shell]);
        for command in ["sweep", "plan", "status", "table", "systems", "data", "gc", "completions"] {
            assert!(script.contains(command), "{shell} lacks {command}");
        }
    }
    assert!(bench.expect(2, &["completions", "csh"]).contains("powershell"));
    let script = bench.expect(0, &["completions", "bash"]);
    let Ok(mut bash) = Command::new("bash").args(["-n", "/dev/stdin"]).stdin(Stdio::piped()).spawn() else {
        eprintln!("SKIPPED: there is no bash");
        return;
    };
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
}
