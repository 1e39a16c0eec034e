//! Content keys: the same key is the same job, in any sweep.
//!
//! A key is BLAKE3 of canonical JSON (sorted object keys, shortest round-trip numbers) of
//! the stage and its version, the settings that decide the result, fingerprints of the
//! data, and the keys of the parents. Names, titles, paths, devices, threads and slots are
//! not in it, nor is a setting that the job does not read.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::marker::PhantomData;

use serde_json::{Map, Value as Json, json};

use crate::settings::{
    Architecture, Encoder, FinetuneWork, Init, Key, Masking, Optimisation, Parents, PretrainWork, Refresh,
    Selection, Shared, Stage, Tokenization, VocabularyWork, Work,
};

/// The key of a job.
pub fn key(work: &Work, parents: &Parents) -> Key {
    let mut keys = Keys::default();
    match work {
        Work::Vocabulary(work) => vocabulary(work),
        Work::Pretrain(work) => keys.pretrain(work, parents),
        Work::Finetune(work) => keys.finetune(work, parents),
    }
}

/// Makes keys of jobs that share settings: the JSON of what is shared is made once, and
/// keys are hashed from the parts.
#[derive(Debug, Default)]
pub(super) struct Keys<'a> {
    /// By the address of the shared value, its part of a key, and what else decides.
    texts: HashMap<(usize, Part, u64), String>,
    /// Addresses stay taken while the values are borrowed.
    works: PhantomData<&'a Work>,
}

/// What a text of JSON is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Architecture,
    Finetuning,
    Headless,
    Optimisation,
    Pretraining,
    Task,
}

impl<'a> Keys<'a> {
    pub(super) fn pretrain(&mut self, work: &'a PretrainWork, parents: &Parents) -> Key {
        let mut object = Object::default();
        let encoder = &work.encoder;
        object.text("architecture", self.of(encoder, Part::Headless, 0, || headless(encoder).to_string()));
        // The version is part of the streams that windows are drawn from.
        object.json("corpus_version", &json!(work.corpus.version));
        object.json("fingerprint", &json!(*work.fingerprint));
        object.json("masking", &masking(&work.masking));
        object.text(
            "optimisation",
            self.optimisation(&work.optimisation, tied(work.micro_batch_is_free(), &work.optimisation)),
        );
        let pretraining = &work.pretraining;
        object.text(
            "pretraining",
            self.of(pretraining, Part::Pretraining, 0, || to_json(&**pretraining).to_string()),
        );
        object.json("repetition", &json!(work.repetition));
        // Which pre-training it starts from is a parent.
        object.json("start", &init(work.start));
        object.json("tokenizer", &tokenizer(work.tokenization, &work.tokenizer_fingerprint));
        hash(Stage::Pretrain, parents, &object.end())
    }

    pub(super) fn finetune(&mut self, work: &'a FinetuneWork, parents: &Parents) -> Key {
        let mut object = Object::default();
        let architecture = &work.architecture;
        match &**architecture {
            Architecture::KmerLogistic(logistic) => {
                object.json("architecture", &to_json(logistic));
                object.json("dev_fraction", &dev_fraction(work));
                // In the order of bytes, digits are before letters.
                object.json("l2", &json!(work.finetuning.l2));
                object.json("label_fraction", &json!(work.label_fraction));
                object.json("repetition", &json!(work.repetition));
                object.text("task", self.task(work));
            }
            Architecture::Encoder(_) => {
                let text =
                    self.of(architecture, Part::Architecture, 0, || to_json(&**architecture).to_string());
                object.text("architecture", text);
                let fraction = work.label_fraction.to_bits();
                let text =
                    self.of(&work.finetuning, Part::Finetuning, fraction, || finetuning(work).to_string());
                object.text("finetuning", text);
                object.json("init", &init(work.init));
                object.json("label_fraction", &json!(work.label_fraction));
                object.text(
                    "optimisation",
                    self.optimisation(
                        &work.optimisation,
                        tied(work.micro_batch_is_free(), &work.optimisation),
                    ),
                );
                object.json("repetition", &json!(work.repetition));
                object.text("task", self.task(work));
                object.json("tokenizer", &tokenizer(work.tokenization, &work.tokenizer_fingerprint));
            }
        }
        hash(Stage::Finetune, parents, &object.end())
    }

    fn of<T>(
        &mut self,
        value: &'a Shared<T>,
        part: Part,
        further: u64,
        make: impl FnOnce() -> String,
    ) -> &str {
        self.texts.entry((value.address(), part, further)).or_insert_with(make)
    }

    fn optimisation(&mut self, optimisation: &'a Shared<Optimisation>, micro_batch: Option<usize>) -> &str {
        self.of(optimisation, Part::Optimisation, u64::from(micro_batch.is_some()), || {
            optimisation_text(optimisation, micro_batch)
        })
    }

    fn task(&mut self, work: &'a FinetuneWork) -> &str {
        let (task, fingerprint) = (&work.task, &work.fingerprint);
        self.of(task, Part::Task, fingerprint.address() as u64, || {
            json!({
                "fingerprint": **fingerprint,
                "metric": to_json(&task.metric),
                // Their order numbers the labels, and label subsets are drawn by name.
                "classes": task.classes,
                "version": task.version,
                "shape": task_shape(&task.source),
            })
            .to_string()
        })
    }
}

/// The key of a vocabulary's job.
pub(super) fn vocabulary(work: &VocabularyWork) -> Key {
    let identity = json!({
        "fingerprint": work.fingerprint,
        "size": work.size,
        "max_token_length": work.max_token_length,
        "piece_length": work.piece_length,
        "max_pieces": work.max_pieces,
    });
    hash(Stage::Vocabulary, &Parents::default(), &identity.to_string())
}

/// An object of canonical JSON, its keys given in their order.
#[derive(Debug, Default)]
struct Object {
    text: String,
    last: &'static str,
}

impl Object {
    fn text(&mut self, name: &'static str, json: &str) {
        debug_assert!(self.last < name, "canonical JSON has sorted keys");
        let before = if self.last.is_empty() { '{' } else { ',' };
        self.last = name;
        let _ = write!(self.text, "{before}\"{name}\":{json}");
    }

    fn json(&mut self, name: &'static str, value: &Json) {
        self.text(name, &value.to_string());
    }

    fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// Of a search over rates every job has its own, so this is written as text at once. The
/// micro-batch is in it where it is given.
/// The micro-batch, where it decides more than memory and speed.
fn tied(is_free: bool, optimisation: &Optimisation) -> Option<usize> {
    (!is_free).then_some(optimisation.micro_batch)
}

fn optimisation_text(optimisation: &Optimisation, micro_batch: Option<usize>) -> String {
    let Optimisation {
        steps,
        batch_size,
        // Beside it as an argument.
        micro_batch: _,
        learning_rate,
        warmup_steps,
        decay,
        weight_decay,
        decay_all,
        beta1,
        beta2,
        epsilon,
        clip_norm,
    } = optimisation;
    let mut object = Object::default();
    object.json("batch_size", &json!(batch_size));
    object.json("beta1", &json!(beta1));
    object.json("beta2", &json!(beta2));
    object.json("clip_norm", &json!(clip_norm));
    object.json("decay", &to_json(decay));
    object.json("decay_all", &json!(decay_all));
    object.json("epsilon", &json!(epsilon));
    object.json("learning_rate", &json!(learning_rate));
    if let Some(micro_batch) = micro_batch {
        object.json("micro_batch", &json!(micro_batch));
    }
    object.json("steps", &json!(steps));
    object.json("warmup_steps", &json!(warmup_steps));
    object.json("weight_decay", &json!(weight_decay));
    object.end()
}

fn hash(stage: Stage, parents: &Parents, work: &str) -> Key {
    let parents = json!(parents.keys().map(|key| key.0.as_str()).collect::<Vec<_>>());
    let mut identity = Object::default();
    identity.json("parents", &parents);
    identity.json("stage", &json!(stage.name()));
    identity.json("version", &json!(version(stage)));
    identity.text("work", work);
    let hash = blake3::hash(identity.end().as_bytes());
    Key(hash.to_hex()[..32].to_owned())
}

/// Versions of the stages, bumped by hand when the same settings come to mean other results.
fn version(stage: Stage) -> u32 {
    match stage {
        Stage::Vocabulary | Stage::Pretrain | Stage::Finetune => 1,
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

fn finetuning(work: &FinetuneWork) -> Json {
    let mut json = to_json(&*work.finetuning);
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
