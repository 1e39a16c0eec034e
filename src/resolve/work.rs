//! The work of each stage, from what a point chose.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::CellWork;
use super::catalogue::{CorpusFacts, Missing, TaskFacts};
use super::checks::{Data, Sound};
use super::choice::Choice;
use super::layers::{Layers, typed};
use crate::settings::{
    Architecture, Corpus, Encoder, FinetuneWork, Finetuning, Init, Masking, Optimisation, PretrainWork,
    Pretraining, Refresh, Split, Tokenization, VocabularyWork,
};
use crate::token::Tokenizer;

/// The jobs of a point, or what is missing for them.
pub(super) fn work(choice: &Choice<'_>, sound: Sound<'_>) -> Result<CellWork, Missing> {
    let Sound { architecture, starts, data } = sound;
    let Data { task, corpus } = data?;
    let vocabulary = corpus
        .filter(|_| choice.tokenization.is_learned())
        .map(|(corpus, facts)| vocabulary(&choice.layers, corpus, facts));
    let pretrain = match (choice.init, corpus) {
        (Init::Pretrained, Some((corpus, facts))) => pretrains(starts.iter().chain([choice]), corpus, facts),
        (Init::Pretrained, None) | (Init::Random, _) => Vec::new(),
    };
    Ok(CellWork { vocabulary, pretrain, finetune: finetune(choice, architecture, task) })
}

fn vocabulary(layers: &Layers, corpus: &Corpus, facts: &CorpusFacts) -> VocabularyWork {
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
    corpus: &Corpus,
    facts: &CorpusFacts,
) -> Vec<PretrainWork> {
    let starts = std::iter::once(Init::Random).chain(std::iter::repeat(Init::Pretrained));
    let encoders = chain.filter_map(|choice| match choice.architecture()? {
        Architecture::Encoder(encoder) => Some((choice, encoder)),
        Architecture::KmerLogistic(_) => None,
    });
    encoders
        .zip(starts)
        .map(|((choice, encoder), start)| pretrain(choice, encoder, start, corpus, facts))
        .collect()
}

fn pretrain(
    choice: &Choice<'_>,
    encoder: Encoder,
    start: Init,
    corpus: &Corpus,
    facts: &CorpusFacts,
) -> PretrainWork {
    let layers = &choice.layers;
    let refresh: Refresh = typed(layers.get("pretrain.mask_refresh").cloned().unwrap_or(Json::Null));
    PretrainWork {
        encoder,
        tokenization: choice.tokenization,
        tokenizer_fingerprint: tokenizer_fingerprint(choice.tokenization),
        masking: Masking {
            targets: choice.masking,
            share: layers.number("pretrain.mask_share"),
            mask: layers.number("pretrain.mask_replaced"),
            random: layers.number("pretrain.mask_random"),
            refresh,
        },
        corpus: corpus.clone(),
        fingerprint: facts.fingerprint.clone(),
        optimisation: optimisation(layers, "pretrain", layers.count("pretrain.steps")),
        pretraining: typed::<Pretraining>(
            layers.pick("pretrain", &["min_length", "max_length", "attend_pads", "held_out"]),
        ),
        start,
        repetition: choice.repetition,
    }
}

fn finetune(choice: &Choice<'_>, architecture: Architecture, facts: &TaskFacts) -> FinetuneWork {
    let layers = &choice.layers;
    let settings = ["freeze", "selection", "evaluations", "dev_fraction", "l2"];
    FinetuneWork {
        architecture,
        tokenization: choice.tokenization,
        tokenizer_fingerprint: tokenizer_fingerprint(choice.tokenization),
        task: choice.task.task.clone(),
        fingerprint: facts.fingerprint.clone(),
        label_fraction: choice.label_fraction,
        init: choice.init,
        optimisation: optimisation(layers, "finetune", finetune_steps(layers, facts)),
        finetuning: typed::<Finetuning>(layers.pick("finetune", &settings)),
        repetition: choice.repetition,
    }
}

/// Epochs are of the full training split, so that every label fraction gets as many steps.
fn finetune_steps(layers: &Layers, facts: &TaskFacts) -> usize {
    layers.optional_count("finetune.steps").unwrap_or_else(|| {
        let rows = facts.rows.get(&Split::Train).copied().unwrap_or(0);
        let per_epoch = rows.div_ceil(layers.count("finetune.batch_size")) as f64;
        (per_epoch * layers.number("finetune.epochs")).round().max(1.0) as usize
    })
}

fn tokenizer_fingerprint(tokenization: Tokenization) -> String {
    // Reading the file takes milliseconds, and a sweep may have many cells.
    static DNABERT_2: LazyLock<String> = LazyLock::new(|| Tokenizer::dnabert2().fingerprint().to_owned());
    match tokenization {
        Tokenization::Bpe => DNABERT_2.clone(),
        Tokenization::Kmer { .. } | Tokenization::BpeTrained | Tokenization::Character => String::new(),
    }
}

fn optimisation(layers: &Layers, stage: &str, steps: usize) -> Optimisation {
    let names = [
        "batch_size",
        "learning_rate",
        "decay",
        "weight_decay",
        "decay_all",
        "beta1",
        "beta2",
        "epsilon",
        "clip_norm",
    ];
    let mut object = layers.pick(stage, &names);
    let warmup_steps = layers
        .optional_count(&format!("{stage}.warmup_steps"))
        .unwrap_or_else(|| (layers.number(&format!("{stage}.warmup_share")) * steps as f64).round() as usize);
    let batch_size = layers.count(&format!("{stage}.batch_size"));
    let micro_batch = layers.optional_count(&format!("{stage}.micro_batch")).unwrap_or(batch_size);
    object["steps"] = steps.into();
    object["warmup_steps"] = warmup_steps.min(steps).into();
    object["micro_batch"] = micro_batch.min(batch_size).into();
    typed(object)
}
