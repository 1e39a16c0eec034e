//! The systems at scale `tiny`, built from the same jobs that a sweep plans.

use bench::model::{Classifier, EncoderSpec, LanguageModel};
use bench::settings::{Architecture, Encoder, FinetuneWork, Position, PretrainWork};
use bench::token::{Row, Tokenizer, assemble};
use burn::tensor::Device;

use crate::experiment::{catalogue, cells, library, read};

/// Every system that is an encoder.
pub(crate) const ENCODERS: [&str; 7] = [
    "dnabert-6",
    "dnabert-2",
    "deepgene",
    "genomenet-bert",
    "genomenet-bert-mask8",
    "genomenet-bert-stride3",
    "supervised",
];

/// Nucleotides per row.
pub(crate) const LENGTH: usize = 150;

/// A system, ready to be trained.
pub(crate) struct Tiny {
    /// Its fine-tuning job.
    pub(crate) finetune: FinetuneWork,
    /// Its pre-training job, where it has one.
    pub(crate) pretrain: Option<PretrainWork>,
    /// Its tokenizer.
    pub(crate) tokenizer: Tokenizer,
    encoder: Encoder,
}

impl Tiny {
    /// The system of that name.
    pub(crate) fn new(system: &str) -> Self {
        let library = library();
        let text = format!(
            "scale = \"tiny\"\ntasks = \"virus/phage-150\"\ncorpus = \"virus/pretrain\"\n\
             [[grid]]\nmodel = \"{system}\"\n"
        );
        let cell = cells(&read(&text, &library), &library, &catalogue(&library)).cells.remove(0);
        let work = cell.work.expect("the catalogue misses nothing");
        let Architecture::Encoder(encoder) = (*work.finetune.architecture).clone() else {
            panic!("{system} is no encoder")
        };
        let tokenizer = Tokenizer::new(work.finetune.tokenization, None).expect("nothing to be learnt");
        Self { finetune: work.finetune, pretrain: work.pretrain.last().cloned(), tokenizer, encoder }
    }

    /// Rows of sequences, as training makes them.
    pub(crate) fn rows(&self, sequences: &[String]) -> Vec<Row> {
        let row = |sequence: &String| {
            let ids = self.tokenizer.encode(sequence);
            assemble(self.encoder.layout, self.tokenizer.specials(), &ids, self.encoder.max_tokens)
        };
        sequences.iter().map(row).collect()
    }

    /// An untrained classifier of the two classes, with autodiff.
    pub(crate) fn classifier(&self) -> Classifier {
        let device = Device::flex().autodiff();
        Classifier::new(&self.spec(), 2, LENGTH, 1, &device).expect("two classes")
    }

    /// An untrained language model, with autodiff.
    pub(crate) fn language_model(&self) -> LanguageModel {
        LanguageModel::new(&self.spec(), 1, &Device::flex().autodiff())
    }

    fn spec(&self) -> EncoderSpec {
        // As in training (models.md 1.6, 3.5, 6.1).
        let pad = match self.encoder.position {
            Position::Learned | Position::Rope => Some(self.tokenizer.specials().pad),
            Position::Alibi => None,
        };
        EncoderSpec::new(self.encoder.clone(), self.tokenizer.vocabulary_size(), pad)
            .expect("a system of the library")
    }
}

/// Tokens of rows, special ones included, pads not.
pub(crate) fn tokens(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.ids.len()).sum()
}
