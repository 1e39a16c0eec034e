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
    let folder = JobFolder::new(results, &key());
    folder.open(&job()).unwrap();
    folder
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
    folder.open(&job()).unwrap();
    assert_eq!(folder.peek().unwrap(), State::Pending);
    folder.finish(&record()).unwrap();
    assert_eq!(state(&folder), (State::Done(Box::new(record())), Vec::new()));
    let asked = fs::read(folder.path().join("job.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Job>(&asked).unwrap(), job());
}

#[test]
fn a_record_outweighs_a_failure() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    folder.finish(&record()).unwrap();
    folder.fail(&failure()).unwrap();
    assert_eq!(folder.peek().unwrap(), State::Done(Box::new(record())));
}

#[test]
fn a_record_cut_at_any_byte_is_never_done_and_set_aside_once() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    folder.finish(&record()).unwrap();
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
    assert!(folder.finish(&other_job).unwrap_err().to_string().contains("fedcba"));
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
    folder.finish(&record).unwrap();
    let State::Done(read) = folder.peek().unwrap() else { panic!("not done") };
    assert!(read.measurement.tokens_per_second.is_nan() && read.result.flops.is_nan());
    assert_eq!(read.result.train_loss, None);
}

#[test]
fn a_damaged_failure_is_no_failure() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    fs::write(folder.path().join("failure.json"), "{").unwrap();
    assert_eq!(state(&folder), (State::Pending, Vec::new()));
}

#[test]
fn an_unreadable_record_is_an_error_with_its_path() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    fs::create_dir(folder.path().join("record.json")).unwrap();
    assert!(folder.peek().unwrap_err().to_string().contains("record.json"));
}

#[test]
fn opening_again_removes_the_litter_of_a_killed_attempt() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    let litter = folder.path().join(".record.json.77-0.tmp");
    fs::write(&litter, "{\"format\"").unwrap();
    folder.open(&job()).unwrap();
    assert!(!litter.exists());
}

#[test]
fn events_survive_torn_lines_and_losses_that_are_not_numbers() {
    let results = tempfile::tempdir().unwrap();
    let folder = opened(results.path());
    assert_eq!(folder.last_event(), None);
    let started = Event::Started { pid: 1, device: "cpu".to_owned(), at: 2 };
    folder.append(&started).unwrap();
    let path = folder.path().join("events.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    // Half a line, cut inside a character.
    bytes.extend_from_slice(b"{\"progress\":{\"step\":\xc3");
    fs::write(&path, &bytes).unwrap();
    assert_eq!(folder.last_event(), Some(started));
    folder.append(&Event::Progress { step: 3, steps: 9, loss: f64::NAN }).unwrap();
    let Some(Event::Progress { step: 3, steps: 9, loss }) = folder.last_event() else { panic!("lost") };
    assert!(loss.is_nan());
}
