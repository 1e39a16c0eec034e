//! Every parameter of a model, with its place in the model, its shape, the rule that
//! initialises it and its name in public checkpoints. The one table from which parameters
//! are counted, initialised, stored and read; it holds no tensor.

use super::EncoderSpec;
use super::spec::Family;
use crate::seed::Purpose;
use crate::settings::{Encoder, FeedForward, Head, Norm, Position};

/// How a parameter starts (models.md 1.6), and how it is laid out in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Weight of a linear map, `[in, out]` here and `[out, in]` in files; `N(0, 0.02)`.
    Weight,
    /// A table of embeddings `[rows, width]`; `N(0, 0.02)`, its padding row zero.
    Table {
        /// The row that starts at zero.
        padding_row: Option<u32>,
    },
    /// Bias of a linear map or of a norm; zero.
    Bias,
    /// Weight of a norm; one.
    Scale,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its path in the module tree, as burn's visitors spell it.
    pub(super) path: String,
    /// Its shape in the model.
    pub(super) shape: Vec<usize>,
    /// How it starts.
    pub(super) kind: Kind,
    /// Whose random stream it starts from.
    pub(super) purpose: Purpose,
    /// The tensor of a public checkpoint that holds it.
    pub(super) public: String,
    /// Which of how many equal pieces of that tensor it is, from 0.
    pub(super) piece: (usize, usize),
}

impl Slot {
    /// Shape of the public tensor that holds it.
    pub(super) fn public_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        match self.kind {
            Kind::Weight => shape.reverse(),
            Kind::Table { .. } | Kind::Bias | Kind::Scale => {}
        }
        shape[0] *= self.piece.1;
        shape
    }

    /// Number of values.
    pub(super) fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The parts of a model whose parameters can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The Transformer blocks alone.
    Layers,
    /// Embeddings, blocks and final norm.
    Encoder,
    /// The encoder and the masked-language head, whose decoder is tied.
    MaskedLanguage,
    /// The encoder and a pooler.
    Pooler,
    /// The encoder and the classification head of its settings.
    Classifier {
        /// Number of classes.
        classes: usize,
    },
}

/// Number of parameters of `part`, by arithmetic on shapes alone.
pub fn parameter_count(spec: &EncoderSpec, part: Part) -> usize {
    let slots = match part {
        Part::Layers => {
            let mut listing = Listing::new(spec);
            listing.blocks();
            listing.slots
        }
        Part::Encoder => {
            let mut listing = Listing::new(spec);
            listing.encoder();
            listing.slots
        }
        Part::MaskedLanguage => masked_language_slots(spec),
        Part::Pooler => {
            let mut listing = Listing::new(spec);
            listing.encoder();
            listing.pooler("");
            listing.slots
        }
        Part::Classifier { classes } => classifier_slots(spec, classes),
    };
    slots.iter().map(Slot::count).sum()
}

/// The parameters of a masked-language model.
pub(super) fn masked_language_slots(spec: &EncoderSpec) -> Vec<Slot> {
    let mut listing = Listing::new(spec);
    listing.encoder();
    listing.masked_language_head();
    listing.slots
}

/// The parameters of a classifier.
pub(super) fn classifier_slots(spec: &EncoderSpec, classes: usize) -> Vec<Slot> {
    let d_model = spec.settings().d_model;
    let mut listing = Listing::new(spec);
    listing.encoder();
    // Another encoder must not change the head, nor the reverse.
    listing.purpose = Purpose::Head;
    match spec.settings().head {
        Head::Pooler => {
            listing.pooler("head.Pooler.");
            listing.linear("head.Pooler.output", "classifier", d_model, classes);
        }
        Head::Dense => {
            listing.linear("head.Dense.dense", "classifier.dense", d_model, d_model);
            listing.linear("head.Dense.output", "classifier.out_proj", d_model, classes);
        }
        Head::TwoHalf => {
            listing.pooler("head.TwoHalf.");
            listing.linear("head.TwoHalf.inner", "classifier1", 2 * d_model, d_model);
            listing.linear("head.TwoHalf.output", "classifier2", d_model, classes);
        }
    }
    listing.slots
}

/// Writes the table.
struct Listing<'a> {
    settings: &'a Encoder,
    spec: &'a EncoderSpec,
    family: Family,
    purpose: Purpose,
    slots: Vec<Slot>,
}

impl<'a> Listing<'a> {
    fn new(spec: &'a EncoderSpec) -> Self {
        let (settings, family) = (spec.settings(), spec.family());
        Self { settings, spec, family, purpose: Purpose::Weights, slots: Vec::new() }
    }

    fn encoder(&mut self) {
        let (d_model, prefix) = (self.settings.d_model, self.family.prefix());
        let public = format!("{prefix}.embeddings");
        let word = Kind::Table { padding_row: self.spec.pad() };
        let other = Kind::Table { padding_row: None };
        let mut table = |path: &str, rows: usize, kind: Kind| {
            self.slots.push(Slot {
                path: format!("encoder.{path}"),
                shape: vec![rows, d_model],
                kind,
                purpose: Purpose::Weights,
                public: format!("{public}.{path}.weight"),
                piece: (0, 1),
            });
        };
        table("word_embeddings", self.spec.vocabulary(), word);
        match self.settings.position {
            Position::Learned => table("position_embeddings", self.settings.max_tokens, other),
            Position::Alibi | Position::Rope => {}
        }
        table("token_type_embeddings", self.settings.token_types, other);
        self.norm("encoder.norm", &format!("{public}.LayerNorm"));
        self.blocks();
        match self.settings.norm {
            Norm::Post => {}
            Norm::Pre => self.norm("encoder.final_norm", &format!("{prefix}.encoder.emb_layer_norm_after")),
        }
    }

    fn blocks(&mut self) {
        for index in 0..self.settings.n_layers {
            let path = format!("encoder.blocks.{index}");
            let public = format!("{}.encoder.layer.{index}", self.family.prefix());
            self.attention(&path, &public);
            self.feed_forward(&path, &public);
        }
    }

    fn attention(&mut self, path: &str, public: &str) {
        let d_model = self.settings.d_model;
        for (index, name) in ["query", "key", "value"].into_iter().enumerate() {
            let path = format!("{path}.attention.{name}");
            match self.family {
                Family::Bert | Family::Roformer => {
                    self.linear(&path, &format!("{public}.attention.self.{name}"), d_model, d_model);
                }
                Family::MosaicBert => {
                    let public = format!("{public}.attention.self.Wqkv");
                    self.weight(&path, &public, [d_model, d_model], (index, 3));
                    self.bias(&path, &public, d_model, (index, 3));
                }
            }
        }
        let output = format!("{public}.attention.output");
        self.linear(&format!("{path}.attention.output"), &format!("{output}.dense"), d_model, d_model);
        self.norm(&format!("{path}.attention_norm"), &format!("{output}.LayerNorm"));
    }

    fn feed_forward(&mut self, path: &str, public: &str) {
        let (d_model, d_ff) = (self.settings.d_model, self.settings.d_ff);
        let (inner, gate) = (format!("{path}.feed_forward.inner"), format!("{path}.feed_forward.gate"));
        let (output, norm) = match self.settings.feed_forward {
            FeedForward::Gelu => {
                self.linear(&inner, &format!("{public}.intermediate.dense"), d_model, d_ff);
                ("output.dense", "output.LayerNorm")
            }
            FeedForward::Geglu => {
                // The half that goes through GELU comes first (models.md 3.1).
                let fused = format!("{public}.mlp.gated_layers");
                self.weight(&gate, &fused, [d_model, d_ff], (0, 2));
                self.weight(&inner, &fused, [d_model, d_ff], (1, 2));
                ("mlp.wo", "mlp.layernorm")
            }
        };
        self.linear(&format!("{path}.feed_forward.outer"), &format!("{public}.{output}"), d_ff, d_model);
        self.norm(&format!("{path}.feed_forward_norm"), &format!("{public}.{norm}"));
    }

    fn masked_language_head(&mut self) {
        let transform = "cls.predictions.transform";
        let d_model = self.settings.d_model;
        self.linear("head.dense", &format!("{transform}.dense"), d_model, d_model);
        self.norm("head.norm", &format!("{transform}.LayerNorm"));
        let owner = match self.family {
            Family::Bert | Family::Roformer => "cls.predictions",
            Family::MosaicBert => "cls.predictions.decoder",
        };
        self.bias("head", owner, self.spec.vocabulary(), (0, 1));
    }

    /// The tanh pooler; `path` ends in a dot, or is empty where only numbers matter.
    fn pooler(&mut self, path: &str) {
        let public = format!("{}.pooler.dense", self.family.prefix());
        let d_model = self.settings.d_model;
        self.linear(&format!("{path}pooler"), &public, d_model, d_model);
    }

    fn linear(&mut self, path: &str, public: &str, inputs: usize, outputs: usize) {
        self.weight(path, public, [inputs, outputs], (0, 1));
        self.bias(path, public, outputs, (0, 1));
    }

    fn norm(&mut self, path: &str, public: &str) {
        let width = self.settings.d_model;
        self.push(path, public, "weight", vec![width], Kind::Scale, (0, 1));
        self.push(path, public, "bias", vec![width], Kind::Bias, (0, 1));
    }

    fn weight(&mut self, path: &str, public: &str, shape: [usize; 2], piece: (usize, usize)) {
        self.push(path, public, "weight", shape.to_vec(), Kind::Weight, piece);
    }

    fn bias(&mut self, path: &str, public: &str, width: usize, piece: (usize, usize)) {
        self.push(path, public, "bias", vec![width], Kind::Bias, piece);
    }

    fn push(
        &mut self,
        path: &str,
        public: &str,
        field: &str,
        shape: Vec<usize>,
        kind: Kind,
        piece: (usize, usize),
    ) {
        let (path, public) = (format!("{path}.{field}"), format!("{public}.{field}"));
        self.slots.push(Slot { path, shape, kind, purpose: self.purpose, public, piece });
    }
}
