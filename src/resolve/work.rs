//! The work of each stage, from what a point chose.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::CellWork;
use super::catalogue::{CorpusFacts, Missing, TaskFacts};
use super::checks::{Data, Sound};
use super::choice::Choice;
use super::layers::{Layers, PretrainSettings, typed};
use super::memo::Memo;
use crate::settings::{
    Architecture, Corpus, FinetuneWork, Finetuning, Init, Masking, Optimisation, PretrainWork, Pretraining,
    Shared, Split, Task, Tokenization, VocabularyWork,
};
use crate::spec::ArchitectureKind;
use crate::token::Tokenizer;

/// What all stages of a point come to, but for the repetition and the settings of
/// fine-tuning.
pub(super) struct Stages {
    vocabulary: Option<Shared<VocabularyWork>>,
    /// Of no repetition.
    pretrain: Vec<PretrainWork>,
    architecture: Shared<Architecture>,
    tokenization: Tokenization,
    tokenizer_fingerprint: Shared<String>,
    task: Shared<Task>,
    fingerprint: Shared<String>,
    label_fraction: f64,
    init: Init,
}

/// What the settings of fine-tuning come to.
pub(super) struct FinetuneSettings {
    optimisation: Shared<Optimisation>,
    finetuning: Shared<Finetuning>,
}

/// What many points hold.
#[derive(Default)]
pub(super) struct Stock {
    tasks: Memo<(Shared<Task>, Shared<String>)>,
    corpora: Memo<(Shared<Corpus>, Shared<String>)>,
    /// Fingerprints of the vocabularies' files, and the empty one of those without a file.
    tokenizers: Memo<Shared<String>>,
}

impl Stages {
    /// The chain of pre-trainings of one repetition.
    pub(super) fn pretrains(&self, repetition: u64) -> Vec<PretrainWork> {
        self.pretrain.iter().map(|work| PretrainWork { repetition, ..work.clone() }).collect()
    }

    /// The jobs of a cell.
    pub(super) fn cell(
        &self,
        pretrain: Shared<Vec<PretrainWork>>,
        settings: &FinetuneSettings,
        repetition: u64,
    ) -> CellWork {
        let finetune = FinetuneWork {
            architecture: self.architecture.clone(),
            tokenization: self.tokenization,
            tokenizer_fingerprint: self.tokenizer_fingerprint.clone(),
            task: self.task.clone(),
            fingerprint: self.fingerprint.clone(),
            label_fraction: self.label_fraction,
            init: self.init,
            optimisation: settings.optimisation.clone(),
            finetuning: settings.finetuning.clone(),
            repetition,
        };
        CellWork { vocabulary: self.vocabulary.clone(), pretrain, finetune }
    }
}

/// The stages of a point, or what is missing for them.
pub(super) fn stages(choice: &Choice<'_>, sound: Sound<'_>, stock: &Stock) -> Result<Stages, Missing> {
    let Sound { architecture, starts, data } = sound;
    let Data { task: facts, corpus } = data?;
    let vocabulary = corpus
        .filter(|_| choice.tokenization.is_learned())
        .map(|(corpus, facts)| vocabulary(&choice.layers, corpus, facts).into());
    let pretrain = match (choice.init, corpus) {
        (Init::Pretrained, Some((corpus, facts))) => {
            let corpus = stock
                .corpora
                .get([address(corpus), 0], || (corpus.clone().into(), facts.fingerprint.clone().into()));
            pretrains(starts.iter().chain([choice]), &corpus, stock)
        }
        (Init::Pretrained, None) | (Init::Random, _) => Vec::new(),
    };
    let task = &choice.task.task;
    let (task, fingerprint) =
        stock.tasks.get([address(task), 0], || (task.clone().into(), facts.fingerprint.clone().into()));
    Ok(Stages {
        vocabulary,
        pretrain,
        architecture: match architecture {
            Architecture::Encoder(_) => choice.layers.encoder().architecture,
            Architecture::KmerLogistic(_) => architecture.into(),
        },
        tokenization: choice.tokenization,
        tokenizer_fingerprint: tokenizer_fingerprint(choice.tokenization, stock),
        task,
        fingerprint,
        label_fraction: choice.label_fraction,
        init: choice.init,
    })
}

fn address<T>(value: &T) -> usize {
    std::ptr::from_ref(value).addr()
}

fn vocabulary(layers: &Layers<'_>, corpus: &Corpus, facts: &CorpusFacts) -> VocabularyWork {
    let count = |name: &str| layers.count(&format!("vocabulary.{name}"));
    VocabularyWork {
        corpus: corpus.clone(),
        fingerprint: facts.fingerprint.clone(),
        size: count("size"),
        max_token_length: count("max_token_length"),
        piece_length: count("piece_length"),
        max_pieces: count("max_pieces"),
    }
}

/// A chain of pre-trainings, of which only the first starts from random weights.
fn pretrains<'c>(
    chain: impl Iterator<Item = &'c Choice<'c>>,
    corpus: &(Shared<Corpus>, Shared<String>),
    stock: &Stock,
) -> Vec<PretrainWork> {
    let starts = std::iter::once(Init::Random).chain(std::iter::repeat(Init::Pretrained));
    let encoders = chain.filter(|choice| choice.system.architecture == ArchitectureKind::Encoder);
    encoders.zip(starts).map(|(choice, start)| pretrain(choice, start, corpus, stock)).collect()
}

fn pretrain(
    choice: &Choice<'_>,
    start: Init,
    (corpus, fingerprint): &(Shared<Corpus>, Shared<String>),
    stock: &Stock,
) -> PretrainWork {
    let layers = &choice.layers;
    let PretrainSettings { optimisation, pretraining, shares: [share, mask, random], refresh } =
        layers.pretraining(|| pretrain_settings(layers));
    PretrainWork {
        encoder: layers.encoder().encoder,
        tokenization: choice.tokenization,
        tokenizer_fingerprint: tokenizer_fingerprint(choice.tokenization, stock),
        masking: Masking { targets: choice.masking, share, mask, random, refresh },
        corpus: corpus.clone(),
        fingerprint: fingerprint.clone(),
        optimisation,
        pretraining,
        start,
        repetition: 0,
    }
}

fn pretrain_settings(layers: &Layers<'_>) -> PretrainSettings {
    let pretraining: Pretraining =
        typed(layers.pick("pretrain", &["min_length", "max_length", "attend_pads", "held_out"]));
    PretrainSettings {
        optimisation: optimisation(layers, "pretrain", layers.count("pretrain.steps")).into(),
        pretraining: pretraining.into(),
        shares: ["mask_share", "mask_replaced", "mask_random"]
            .map(|name| layers.number(&format!("pretrain.{name}"))),
        refresh: typed(layers.get("pretrain.mask_refresh").cloned().unwrap_or(Json::Null)),
    }
}

/// What the settings of fine-tuning come to on a task.
pub(super) fn finetune_settings(layers: &Layers<'_>, facts: &TaskFacts) -> FinetuneSettings {
    FinetuneSettings {
        optimisation: optimisation(layers, "finetune", finetune_steps(layers, facts)).into(),
        finetuning: layers.finetuning(),
    }
}

/// Epochs are of the full training split, so that every label fraction gets as many steps.
fn finetune_steps(layers: &Layers<'_>, facts: &TaskFacts) -> usize {
    layers.optional_count("finetune.steps").unwrap_or_else(|| {
        let rows = facts.rows.get(&Split::Train).copied().unwrap_or(0);
        let per_epoch = rows.div_ceil(layers.count("finetune.batch_size")) as f64;
        (per_epoch * layers.number("finetune.epochs")).round().max(1.0) as usize
    })
}

fn tokenizer_fingerprint(tokenization: Tokenization, stock: &Stock) -> Shared<String> {
    // Reading the file takes milliseconds.
    static DNABERT_2: LazyLock<String> = LazyLock::new(|| Tokenizer::dnabert2().fingerprint().to_owned());
    match tokenization {
        Tokenization::Bpe => stock.tokenizers.get([1, 0], || DNABERT_2.clone().into()),
        Tokenization::Kmer { .. } | Tokenization::BpeTrained | Tokenization::Character => {
            stock.tokenizers.get([0, 0], || String::new().into())
        }
    }
}

fn optimisation(layers: &Layers<'_>, stage: &str, steps: usize) -> Optimisation {
    let path = |name: &str| format!("{stage}.{name}");
    let number = |name: &str| layers.number(&path(name));
    let warmup_steps = layers
        .optional_count(&path("warmup_steps"))
        .unwrap_or_else(|| (number("warmup_share") * steps as f64).round() as usize);
    let batch_size = layers.count(&path("batch_size"));
    let micro_batch = layers.optional_count(&path("micro_batch")).unwrap_or(batch_size);
    let word = |name: &str| layers.get(&path(name)).cloned().unwrap_or(Json::Null);
    Optimisation {
        steps,
        batch_size,
        micro_batch: micro_batch.min(batch_size),
        learning_rate: number("learning_rate"),
        warmup_steps: warmup_steps.min(steps),
        decay: typed(word("decay")),
        weight_decay: number("weight_decay"),
        decay_all: typed(word("decay_all")),
        beta1: number("beta1"),
        beta2: number("beta2"),
        epsilon: number("epsilon"),
        clip_norm: number("clip_norm"),
    }
}
