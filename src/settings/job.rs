//! A job: one stage with everything resolved, as it is written to `job.json` and handed
//! to a worker.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    Architecture, Corpus, Encoder, Finetuning, Masking, Optimisation, Pretraining, Shared, Task, Tokenization,
};

/// The content hash of a job: 32 hexadecimal digits of BLAKE3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

impl Key {
    /// The first eight digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of work a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Learns a vocabulary from a corpus.
    Vocabulary,
    /// Trains an encoder on masked tokens of a corpus.
    Pretrain,
    /// Trains a classifier on a task, and scores it.
    Finetune,
}

impl Stage {
    /// All of them, in the order in which they build on each other.
    pub const ALL: [Self; 3] = [Self::Vocabulary, Self::Pretrain, Self::Finetune];

    /// The name in files and frames.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vocabulary => "vocabulary",
            Self::Pretrain => "pretrain",
            Self::Finetune => "finetune",
        }
    }
}

/// One stage with all settings resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The content hash of all that decides the result.
    pub key: Key,
    /// For people: `pretrain dnabert-6 seed 1`. Not in the key.
    pub label: String,
    /// What to do.
    pub work: Work,
    /// The jobs it builds on.
    pub parents: Parents,
}

/// What a job is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Learn a vocabulary.
    Vocabulary(VocabularyWork),
    /// Train an encoder.
    Pretrain(PretrainWork),
    /// Train and score a classifier.
    Finetune(FinetuneWork),
}

impl Work {
    /// The stage it belongs to.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Vocabulary(_) => Stage::Vocabulary,
            Self::Pretrain(_) => Stage::Pretrain,
            Self::Finetune(_) => Stage::Finetune,
        }
    }

    /// Sequences of one forward pass in training, for work that has such.
    pub fn micro_batch(&self) -> Option<usize> {
        match self {
            Self::Vocabulary(_) => None,
            Self::Pretrain(work) => Some(work.optimisation.micro_batch),
            Self::Finetune(work) => match *work.architecture {
                Architecture::Encoder(_) => Some(work.optimisation.micro_batch),
                Architecture::KmerLogistic(_) => None,
            },
        }
    }

    /// Whether the micro-batch decides memory and speed alone, and is in no key.
    pub fn micro_batch_is_free(&self) -> bool {
        match self {
            Self::Vocabulary(_) => false,
            Self::Pretrain(work) => work.micro_batch_is_free(),
            Self::Finetune(work) => work.micro_batch_is_free(),
        }
    }

    /// The same work in smaller forward passes, where it has any: at most `rows` sequences.
    pub fn limit_micro_batch(&mut self, rows: usize) {
        let optimisation = match self {
            Self::Vocabulary(_) => return,
            Self::Pretrain(work) => &mut work.optimisation,
            Self::Finetune(work) => &mut work.optimisation,
        };
        let limited = optimisation.micro_batch.min(rows).max(1);
        optimisation.edit().micro_batch = limited;
    }
}

impl PretrainWork {
    /// No dropout draws per forward pass, and no attended padding reaches to the longest row
    /// of one.
    pub fn micro_batch_is_free(&self) -> bool {
        !self.encoder.drops() && !self.pretraining.attend_pads
    }
}

impl FinetuneWork {
    /// No dropout draws per forward pass.
    pub fn micro_batch_is_free(&self) -> bool {
        match &*self.architecture {
            Architecture::Encoder(encoder) => !encoder.drops(),
            Architecture::KmerLogistic(_) => false,
        }
    }
}

/// The jobs a job builds on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parents {
    /// Gives `tokenizer.json`, for a learned tokenization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Key>,
    /// Gives `model.safetensors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Key>,
}

impl Parents {
    /// The keys, in a fixed order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.vocabulary.iter().chain(&self.encoder)
    }
}

/// Learn a BPE vocabulary from a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VocabularyWork {
    /// What to learn from.
    pub corpus: Corpus,
    /// Content hash of the corpus.
    pub fingerprint: String,
    /// Entries, special tokens included.
    pub size: usize,
    /// Longest token, in nucleotides.
    pub max_token_length: usize,
    /// Length of the pieces the corpus is cut into before counting, in nucleotides: BPE
    /// training is quadratic in it (burn.md 6.1).
    pub piece_length: usize,
    /// Most pieces to learn from.
    pub max_pieces: usize,
}

/// Train an encoder on masked tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PretrainWork {
    /// What is trained.
    pub encoder: Shared<Encoder>,
    /// How sequences become tokens.
    pub tokenization: Tokenization,
    /// Content hash of a fixed tokenizer file; empty where the name says all.
    pub tokenizer_fingerprint: Shared<String>,
    /// What is hidden.
    pub masking: Masking,
    /// What is read.
    pub corpus: Shared<Corpus>,
    /// Content hash of the corpus.
    pub fingerprint: Shared<String>,
    /// Steps, rates and batches.
    pub optimisation: Shared<Optimisation>,
    /// What only this stage has.
    pub pretraining: Shared<Pretraining>,
    /// What it starts from; [`Init::Pretrained`] is another pre-training (`parents.encoder`).
    pub start: Init,
    /// The value of the `seed` axis.
    pub repetition: u64,
}

/// What a stage starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// An untrained model.
    Random,
    /// A pre-training of this sweep (`parents.encoder`).
    Pretrained,
}

impl Init {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Random, Self::Pretrained];

    /// The name in files and frames.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Pretrained => "pretrained",
        }
    }
}

/// Train and score a classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinetuneWork {
    /// The model.
    pub architecture: Shared<Architecture>,
    /// How sequences become tokens.
    pub tokenization: Tokenization,
    /// Content hash of a fixed tokenizer file; empty where the name says all.
    pub tokenizer_fingerprint: Shared<String>,
    /// What is learnt.
    pub task: Shared<Task>,
    /// Content hash of the task's data.
    pub fingerprint: Shared<String>,
    /// Share of the training labels used, in (0, 1].
    pub label_fraction: f64,
    /// What it starts from.
    pub init: Init,
    /// Steps, rates and batches.
    pub optimisation: Shared<Optimisation>,
    /// What only this stage has.
    pub finetuning: Shared<Finetuning>,
    /// The value of the `seed` axis.
    pub repetition: u64,
}

/// One point of a grid: its value on every axis, as text for people and tables.
pub type Coordinates = BTreeMap<String, String>;
