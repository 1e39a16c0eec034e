//! Tests of a job's folder.

use std::fs;
use std::path::Path;

use super::*;
use crate::settings::{Corpus, CorpusSource, Job, Parents, VocabularyWork, Work};

fn key() -> Key {
    Key("0123456789abcdef".to_owned())
}

fn job() -> Job {
    let corpus =
        Corpus { id: "c".to_owned(), version: 1, upper: true, source: CorpusSource::Fasta(Vec::new()) };
    let work = VocabularyWork {
        corpus,
        fingerprint: String::new(),
        size: 100,
        max_token_length: 8,
        piece_length: 100,
        max_pieces: 10,
    };
    Job { key: key(), label: "a job".to_owned(), work: Work::Vocabulary(work), parents: Parents::default() }
}

fn record() -> Record {
    Record {
        format: FORMAT,
        key: key(),
        stage: Stage::Vocabulary,
        result: JobResult { train_loss: Some(0.1), ..JobResult::default() },
        measurement: Measurement::default(),
    }
}

fn failure() -> Failure {
    Failure { outcome: Outcome::Diverged, message: "loss".to_owned(), stderr_tail: Vec::new() }
}

fn opened(results: &Path) -> JobFolder {
    JobFolder::new(results, &key())
}

/// A new attempt.
fn begun(results: &Path) -> Attempt {
    let folder = opened(results);
    let id = folder.begin(&job()).unwrap();
    folder.attempt(&id)
}

/// The state, and the warnings.
fn state(folder: &JobFolder) -> (State, Vec<String>) {
    let mut warnings = Vec::new();
    (folder.state(&mut |warning| warnings.push(warning)).unwrap(), warnings)
}

#[test]
fn a_job_goes_from_pending_to_failed_to_pending_to_done() {
    let results = tempfile::tempdir().unwrap();
    let folder = JobFolder::new(results.path(), &key());
    assert_eq!(folder.peek().unwrap(), State::Pending);
    folder.fail(&failure()).unwrap();
    assert_eq!(folder.peek().unwrap(), State::Failed(failure()));
    let attempt = begun(results.path());
    assert_eq!(folder.peek().unwrap(), State::Pending);
    attempt.finish(&record()).unwrap();
    assert_eq!(state(&folder), (State::Done(Box::new(record())), Vec::new()));
    let asked = fs::read(folder.path().join("job.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Job>(&asked).unwrap(), job());
}

#[test]
fn a_record_outweighs_a_failure() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path()).finish(&record()).unwrap();
    folder.fail(&failure()).unwrap();
    assert_eq!(folder.peek().unwrap(), State::Done(Box::new(record())));
}

#[test]
fn a_record_cut_at_any_byte_is_never_done_and_set_aside_once() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path()).finish(&record()).unwrap();
    let path = folder.path().join("record.json");
    let whole = fs::read(&path).unwrap();
    // The last byte is the newline, without which the record is still whole.
    for length in 0..whole.len() - 1 {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(folder.peek().unwrap(), State::Pending, "{length}");
        assert!(path.exists(), "a look must touch nothing");
        let (now, warnings) = state(&folder);
        assert_eq!((now, warnings.len()), (State::Pending, 1), "{length}");
        assert!(warnings[0].contains("record.json.damaged"), "{}", warnings[0]);
        assert_eq!(state(&folder), (State::Pending, Vec::new()));
        assert_eq!(fs::read(folder.path().join("record.json.damaged")).unwrap(), &whole[..length]);
    }
}

#[test]
fn a_record_of_another_format_or_job_is_set_aside_for_what_it_is() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path());
    let other_format = serde_json::json!({ "format": FORMAT + 1, "unheard": "of" });
    let other_job = Record { key: Key("fedcba".to_owned()), ..record() };
    for (bytes, why) in [
        (serde_json::to_vec(&other_format).unwrap(), "this program reads"),
        (serde_json::to_vec(&other_job).unwrap(), "fedcba"),
    ] {
        fs::write(folder.path().join("record.json"), bytes).unwrap();
        let (now, warnings) = state(&folder);
        assert_eq!(now, State::Pending);
        assert!(warnings.iter().any(|warning| warning.contains(why)), "{warnings:?}");
    }
    // And it is never written.
    assert!(begun(results.path()).finish(&other_job).unwrap_err().to_string().contains("fedcba"));
    assert_eq!(folder.peek().unwrap(), State::Pending);
}

#[test]
fn numbers_that_are_not_finite_cost_no_record() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    let mut record = record();
    record.measurement.tokens_per_second = f64::NAN;
    record.result.flops = f64::INFINITY;
    record.result.train_loss = Some(f64::NAN);
    begun(results.path()).finish(&record).unwrap();
    let State::Done(read) = folder.peek().unwrap() else { panic!("not done") };
    assert!(read.measurement.tokens_per_second.is_nan() && read.result.flops.is_nan());
    assert_eq!(read.result.train_loss, None);
}

#[test]
fn a_damaged_failure_is_no_failure() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path());
    fs::write(folder.path().join("failure.json"), "{").unwrap();
    assert_eq!(state(&folder), (State::Pending, Vec::new()));
}

#[test]
fn an_unreadable_record_is_an_error_with_its_path() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path());
    fs::create_dir(folder.path().join("record.json")).unwrap();
    assert!(folder.peek().unwrap_err().to_string().contains("record.json"));
}

/// All that is in a job's folder, sorted.
fn names(folder: &JobFolder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_new_attempt_removes_the_litter_of_a_killed_one_and_keeps_its_checkpoints() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path()).checkpoint(4, b"payload").unwrap();
    for litter in [".record.json.77-0.tmp", ".attempt-f-revoked"] {
        fs::write(folder.path().join(litter), "{\"format\"")
            .unwrap_or_else(|error| panic!("{litter}: {error}"));
    }
    // One that was killed between taking the right away and removing its folder.
    fs::remove_file(folder.path().join(".attempt-f-revoked")).unwrap();
    fs::create_dir(folder.path().join(".attempt-f-revoked")).unwrap();
    fs::write(folder.path().join(".attempt-f-revoked/.record.json.7-0.tmp"), "{").unwrap();
    let attempt = begun(results.path());
    let staging = names(&folder).into_iter().filter(|name| name.starts_with('.')).count();
    assert_eq!(staging, 1, "{:?}", names(&folder));
    assert_eq!(folder.checkpoints().steps().unwrap(), [4]);
    assert_eq!(folder.checkpoints().read(4).unwrap(), b"payload");
    attempt.finish(&record()).unwrap();
    assert_eq!(names(&folder), ["events.jsonl", "job.json", "record.json"]);
}

#[test]
fn an_attempt_that_was_overtaken_can_publish_nothing() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    let sleeper = begun(results.path());
    sleeper.checkpoint(3, b"before").unwrap();
    let successor = begun(results.path());
    let progress = Event::Progress { step: 9, steps: 9, loss: 0.0 };
    let model = folder.model();
    let too_late = [
        sleeper.publish(&model, b"weights"),
        sleeper.checkpoint(9, b"after"),
        sleeper.append(&progress),
        sleeper.finish(&record()),
    ];
    for refused in too_late {
        assert!(refused.unwrap_err().to_string().contains("another attempt"));
    }
    assert!(!model.exists());
    assert_eq!(folder.checkpoints().steps().unwrap(), [3]);
    assert!(sleeper.remove_checkpoint(3).is_err());
    assert_eq!(folder.history(), [Event::Checkpointed { step: 3 }]);
    assert_eq!(folder.peek().unwrap(), State::Pending);
    successor.finish(&record()).unwrap();
    assert!(sleeper.finish(&record()).is_err());
    assert_eq!(folder.history().last(), Some(&Event::Finished));
}

#[test]
fn ending_or_failing_an_attempt_takes_its_right_too() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    let paused = begun(results.path());
    folder.end_attempts().unwrap();
    assert!(paused.finish(&record()).is_err());
    let failed = begun(results.path());
    folder.fail(&failure()).unwrap();
    assert!(failed.finish(&record()).is_err());
    assert_eq!(names(&folder), ["failure.json", "job.json"]);
}

#[test]
fn a_done_job_is_tidied_after_a_worker_that_was_killed_at_its_last_step() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path()).finish(&record()).unwrap();
    let tidy = names(&folder);
    fs::create_dir(folder.path().join(".attempt-0123")).unwrap();
    fs::create_dir(folder.path().join("checkpoint")).unwrap();
    fs::write(folder.path().join("checkpoint/000000001"), "").unwrap();
    for _ in 0..2 {
        folder.tidy().unwrap();
        assert_eq!(names(&folder), tidy);
    }
}

#[test]
fn what_was_asked_cut_at_any_byte_is_asked_again() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    begun(results.path());
    let path = folder.path().join("job.json");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(folder.peek().unwrap(), State::Pending);
    }
    begun(results.path());
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn events_cut_at_any_byte_keep_all_whole_lines_and_take_new_ones() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    let attempt = begun(results.path());
    let events = [
        Event::Started { pid: 1, device: "cpu".to_owned(), at: 2 },
        Event::Progress { step: 3, steps: 9, loss: 0.5 },
        Event::Warning { message: "a \u{1f9ec}\nof two lines".to_owned() },
    ];
    for event in &events {
        attempt.append(event).unwrap();
    }
    let path = folder.path().join("events.jsonl");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        attempt.append(&Event::Finished).unwrap();
        let lines = whole[..length].split(|&byte| byte == b'\n').count() - 1;
        // A line that lacks its end of line alone is whole.
        let kept = lines + usize::from(whole[length] == b'\n');
        let expected: Vec<Event> = events[..kept].iter().cloned().chain([Event::Finished]).collect();
        assert_eq!(folder.history(), expected, "{length}");
    }
}

#[test]
fn progress_is_the_last_step_reported_also_where_the_loss_is_no_number() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    assert_eq!(folder.progress(), None);
    let attempt = begun(results.path());
    attempt.append(&Event::Progress { step: 3, steps: 9, loss: f64::NAN }).unwrap();
    attempt.append(&Event::Checkpointed { step: 3 }).unwrap();
    let path = folder.path().join("events.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    // Half a line, cut inside a character.
    bytes.extend_from_slice(b"{\"progress\":{\"step\":\xc3");
    fs::write(&path, &bytes).unwrap();
    let Some(Event::Progress { step: 3, steps: 9, loss }) = folder.progress() else { panic!("lost") };
    assert!(loss.is_nan());
}
