//! Content keys: the same key is the same job, in any sweep.
//!
//! A key is BLAKE3 of canonical JSON (sorted object keys, shortest round-trip numbers) of
//! the stage and its version, the settings that decide the result, fingerprints of the
//! data, and the keys of the parents. Names, titles, paths, devices, threads and slots are
//! not in it, nor is a setting that the job does not read.

use serde_json::{Map, Value as Json, json};

use crate::settings::{
    Architecture, Encoder, FinetuneWork, Init, Key, Masking, Optimisation, Parents, Refresh, Selection,
    Stage, Tokenization, Work,
};

/// The key of a job.
pub fn key(work: &Work, parents: &Parents) -> Key {
    let identity = json!({
        "stage": work.stage().name(),
        "version": version(work.stage()),
        "work": identity(work),
        "parents": parents.keys().map(|key| key.0.as_str()).collect::<Vec<_>>(),
    });
    let hash = blake3::hash(identity.to_string().as_bytes());
    Key(hash.to_hex().as_str().chars().take(32).collect())
}

/// Versions of the stages, bumped by hand when the same settings come to mean other results.
fn version(stage: Stage) -> u32 {
    match stage {
        Stage::Vocabulary | Stage::Pretrain | Stage::Finetune => 1,
    }
}

fn identity(work: &Work) -> Json {
    match work {
        Work::Vocabulary(work) => json!({
            "fingerprint": work.fingerprint,
            "size": work.size,
            "max_token_length": work.max_token_length,
            "piece_length": work.piece_length,
            "max_pieces": work.max_pieces,
        }),
        Work::Pretrain(work) => {
            let attends = work.pretraining.attend_pads;
            json!({
                "architecture": headless(&work.encoder),
                "tokenizer": tokenizer(work.tokenization, &work.tokenizer_fingerprint),
                "masking": masking(&work.masking),
                "fingerprint": work.fingerprint,
                // The version is part of the streams that windows are drawn from.
                "corpus_version": work.corpus.version,
                "optimisation": optimisation(&work.optimisation, &work.encoder, attends),
                "pretraining": to_json(&work.pretraining),
                // Which pre-training it starts from is a parent.
                "start": init(work.start),
                "repetition": work.repetition,
            })
        }
        Work::Finetune(work) => {
            let task = json!({
                "fingerprint": work.fingerprint,
                "metric": to_json(&work.task.metric),
                // Their order numbers the labels, and label subsets are drawn by name.
                "classes": work.task.classes,
                "version": work.task.version,
                "shape": task_shape(&work.task.source),
            });
            match &work.architecture {
                Architecture::KmerLogistic(logistic) => json!({
                    "architecture": to_json(logistic),
                    "task": task,
                    "label_fraction": work.label_fraction,
                    "l2": work.finetuning.l2,
                    "dev_fraction": dev_fraction(work),
                    "repetition": work.repetition,
                }),
                Architecture::Encoder(encoder) => json!({
                    "architecture": to_json(&work.architecture),
                    "tokenizer": tokenizer(work.tokenization, &work.tokenizer_fingerprint),
                    "task": task,
                    "label_fraction": work.label_fraction,
                    "init": init(work.init),
                    "optimisation": optimisation(&work.optimisation, encoder, false),
                    "finetuning": finetuning(work),
                    "repetition": work.repetition,
                }),
            }
        }
    }
}

/// Pre-training has no classification head.
fn headless(encoder: &Encoder) -> Json {
    let mut json = to_json(encoder);
    if let Json::Object(settings) = &mut json {
        settings.remove("head");
    }
    json!({ "encoder": json })
}

fn tokenizer(tokenization: Tokenization, fingerprint: &str) -> Json {
    // A file is what it holds, whatever its name.
    if fingerprint.is_empty() { json!(tokenization.to_string()) } else { json!(fingerprint) }
}

fn masking(masking: &Masking) -> Json {
    json!({
        "targets": masking.targets.to_string(),
        "share": masking.share,
        "mask": masking.mask,
        "random": masking.random,
        "once": masking.refresh == Refresh::Once,
    })
}

/// The micro-batch decides memory and speed alone, unless dropout draws per forward pass or
/// attended padding reaches to the longest row of it.
fn optimisation(optimisation: &Optimisation, encoder: &Encoder, attend_pads: bool) -> Json {
    let mut json = to_json(optimisation);
    let drops = encoder.dropout > 0.0 || encoder.attention_dropout > 0.0;
    if let Json::Object(settings) = &mut json
        && !drops
        && !attend_pads
    {
        settings.remove("micro_batch");
    }
    json
}

fn finetuning(work: &FinetuneWork) -> Json {
    let mut json = to_json(&work.finetuning);
    if let Json::Object(settings) = &mut json {
        settings.remove("l2");
        settings.insert("dev_fraction".to_owned(), dev_fraction(work));
        match work.finetuning.selection {
            Selection::Metric | Selection::Loss => {}
            // The last step is looked at, and no other.
            Selection::Last => drop(settings.remove("evaluations")),
        }
    }
    json
}

/// 0 stands for the label fraction, and the rows are the same whichever is typed.
fn dev_fraction(work: &FinetuneWork) -> Json {
    let typed = work.finetuning.dev_fraction;
    json!(if typed == 0.0 { work.label_fraction } else { typed })
}

/// What a task's file decides beyond its data: how windows are cut, how motifs are planted.
fn task_shape(source: &crate::settings::TaskSource) -> Json {
    let mut json = to_json(source);
    if let Json::Object(object) = &mut json {
        for shape in object.values_mut().filter_map(Json::as_object_mut) {
            forget_paths(shape);
        }
        object.retain(|_, shape| shape.as_object().is_some_and(|shape| !shape.is_empty()));
    }
    json
}

fn forget_paths(shape: &mut Map<String, Json>) {
    let is_motif = shape.contains_key("motif");
    // A text is a path, but for the motif itself.
    shape.retain(|name, value| !value.is_string() || (is_motif && name == "motif"));
}

fn init(init: Init) -> Json {
    // The pre-training itself is a parent.
    json!(init.name())
}

fn to_json(value: &impl serde::Serialize) -> Json {
    serde_json::to_value(value).expect("settings have text keys and finite numbers")
}
