//! From a point to a cell: typed settings, checks, and the work of each stage.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::catalogue::{Catalogue, CorpusFacts, Known, Missing, TaskFacts};
use super::expand::{Point, system};
use super::layers::Layers;
use super::{Cell, CellWork};
use crate::settings::{
    Architecture, Coordinates, Encoder, FinetuneWork, Finetuning, Head, Init, KmerLogistic, Masking,
    Optimisation, Position, PretrainWork, Pretraining, Refresh, Split, Targets, Tokenization, VocabularyWork,
};
use crate::spec::{
    AXES, ArchitectureKind, Diagnostic, Diagnostics, Library, Place, Scale, Sweep, System, TaskEntry,
};

/// Pre-training as a cell asks for it.
pub type PretrainRequest = PretrainWork;
/// Vocabulary training as a cell asks for it.
pub type VocabularyRequest = VocabularyWork;

/// Longest input of the two-half head, in tokens without special ones (models.md 7.3).
const TWO_HALF_TOKENS: usize = 1019;

/// What a point chose on the named axes, defaults of its system filled in.
struct Choice<'a> {
    system: &'a System,
    task: &'a TaskEntry,
    tokenization: Tokenization,
    masking: Targets,
    init: Init,
    label_fraction: f64,
    repetition: u64,
    layers: Layers,
}

/// Resolves one point. `None` where something is wrong with it.
pub(super) fn cell(
    sweep: &Sweep,
    library: &Library,
    catalogue: &Catalogue,
    axes: &[String],
    point: &Point<'_>,
    out: &mut Diagnostics,
) -> Option<Cell> {
    let scale = library.scales.get(&sweep.scale)?;
    let choice = choose(sweep, library, scale, point)?;
    if !makes_sense(&choice, point, out) {
        return None;
    }
    let architecture = architecture(&choice, point, out)?;
    let coordinates = coordinates(axes, &choice);
    let metric = choice.task.task.metric;
    let work = work(sweep, library, catalogue, &choice, point, architecture, out)?;
    Some(Cell { coordinates, metric, work })
}

/// The architecture of a system at a scale, for who shows systems.
pub fn architecture_at(system: &System, scale: &Scale) -> Option<Architecture> {
    let layers = Layers::of_system(system, scale);
    match system.architecture {
        ArchitectureKind::Encoder => Some(Architecture::Encoder(typed(section(&layers, "model")))),
        ArchitectureKind::KmerLogistic => logistic(system.tokenization),
    }
}

fn choose<'a>(sweep: &Sweep, library: &'a Library, scale: &Scale, point: &Point<'_>) -> Option<Choice<'a>> {
    let system = system(point, library)?;
    let task = library.tasks.get(point.get("task")?.value.as_str()?)?;
    let mut layers = Layers::of_system(system, scale);
    layers.add(&task.overrides);
    layers.add(&sweep.overrides);
    for (axis, value) in point.values.iter().filter(|(axis, _)| !AXES.contains(axis)) {
        layers.set(axis, value.value.clone(), &value.place);
    }
    let text = |axis| point.get(axis).and_then(|value| value.value.as_str());
    let init = match text("init") {
        Some("pretrained") => Init::Pretrained,
        Some(_) => Init::Random,
        None => *system.init.first()?,
    };
    Some(Choice {
        system,
        task,
        tokenization: text("tokenization").map_or(Some(system.tokenization), |name| name.parse().ok())?,
        masking: text("masking").map_or(Some(system.masking), |name| name.parse().ok())?,
        init,
        label_fraction: point.get("label_fraction").and_then(|value| value.value.as_f64()).unwrap_or(1.0),
        repetition: point.get("seed").and_then(|value| value.value.as_u64()).unwrap_or(1),
        layers,
    })
}

/// Checks pairs of named axes that no recipe gives a meaning.
fn makes_sense(choice: &Choice<'_>, point: &Point<'_>, out: &mut Diagnostics) -> bool {
    let name = &choice.system.name;
    let mut refuse =
        |axis: &str, value: &str, why: String| {
            let place = point.get(axis).map_or(&point.grid.place, |value| &value.place);
            let message = format!("`{name}` cannot have {axis} `{value}`: {why}");
            out.push(Diagnostic::new(place, message, format!("makes no sense with `{name}`")).help(format!(
                "leave the pair out: exclude = [{{ model = \"{name}\", {axis} = \"{value}\" }}]"
            )));
            false
        };
    if !choice.system.init.contains(&choice.init) {
        let names: Vec<&str> = choice.system.init.iter().map(|init| init.name()).collect();
        return refuse("init", choice.init.name(), format!("it starts from {}", names.join(" or ")));
    }
    if choice.init == Init::Pretrained && choice.masking == Targets::None {
        return refuse("masking", "none", "pre-training needs targets".to_owned());
    }
    match choice.system.architecture {
        ArchitectureKind::Encoder => true,
        ArchitectureKind::KmerLogistic => match choice.tokenization {
            Tokenization::Kmer { stride: 1, .. } => true,
            other => refuse("tokenization", &other.to_string(), "it counts overlapping k-mers".to_owned()),
        },
    }
}

fn architecture(choice: &Choice<'_>, point: &Point<'_>, out: &mut Diagnostics) -> Option<Architecture> {
    match choice.system.architecture {
        ArchitectureKind::KmerLogistic => logistic(choice.tokenization),
        ArchitectureKind::Encoder => {
            let encoder: Encoder = typed(section(&choice.layers, "model"));
            fits_itself(&encoder, choice, point, out).then_some(Architecture::Encoder(encoder))
        }
    }
}

fn logistic(tokenization: Tokenization) -> Option<Architecture> {
    match tokenization {
        Tokenization::Kmer { k, .. } => Some(Architecture::KmerLogistic(KmerLogistic { k })),
        Tokenization::Bpe | Tokenization::BpeTrained | Tokenization::Character => None,
    }
}

fn fits_itself(encoder: &Encoder, choice: &Choice<'_>, point: &Point<'_>, out: &mut Diagnostics) -> bool {
    let (d_model, n_heads) = (encoder.d_model, encoder.n_heads);
    let place = ["model.n_heads", "model.d_model"]
        .iter()
        .find_map(|path| choice.layers.place(path))
        .unwrap_or(&point.grid.place);
    if d_model % n_heads != 0 {
        let message = format!("{n_heads} heads do not divide the width {d_model}");
        out.push(
            Diagnostic::new(place, message, "does not divide `model.d_model`")
                .help(format!("accepted for width {d_model}: {}", divisors(d_model))),
        );
        return false;
    }
    if encoder.position == Position::Rope && (d_model / n_heads) % 2 != 0 {
        let message = format!("a head of {} cannot be rotated in pairs", d_model / n_heads);
        out.push(
            Diagnostic::new(place, message, "odd head size under `rope`")
                .help("choose `model.d_model` and `model.n_heads` so that their quotient is even"),
        );
        return false;
    }
    true
}

fn divisors(n: usize) -> String {
    let all: Vec<String> = (1..=n.min(64)).filter(|d| n.is_multiple_of(*d)).map(|d| d.to_string()).collect();
    all.join(", ")
}

fn coordinates(axes: &[String], choice: &Choice<'_>) -> Coordinates {
    let mut coordinates = BTreeMap::new();
    for axis in axes {
        let value = match axis.as_str() {
            "model" => choice.system.name.clone(),
            "tokenization" => choice.tokenization.to_string(),
            "masking" => choice.masking.to_string(),
            "init" => choice.init.name().to_owned(),
            "task" => choice.task.task.id.clone(),
            "label_fraction" => choice.label_fraction.to_string(),
            "seed" => choice.repetition.to_string(),
            path => match choice.layers.settings.get(path) {
                Some(Json::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => "-".to_owned(),
            },
        };
        coordinates.insert(axis.clone(), value);
    }
    coordinates
}

fn work(
    sweep: &Sweep,
    library: &Library,
    catalogue: &Catalogue,
    choice: &Choice<'_>,
    point: &Point<'_>,
    architecture: Architecture,
    out: &mut Diagnostics,
) -> Option<Result<CellWork, Missing>> {
    let needs_corpus = choice.init == Init::Pretrained || choice.tokenization.is_learned();
    let corpus = if needs_corpus { Some(corpus(sweep, library, catalogue, point, out)?) } else { None };
    let corpus = match corpus {
        Some(Known::Missing(missing)) => return Some(Err(missing.clone())),
        Some(Known::Present((corpus, facts))) => Some((corpus, facts)),
        None => None,
    };
    let facts = match catalogue.tasks.get(&choice.task.task.id)? {
        Known::Missing(missing) => return Some(Err(missing.clone())),
        Known::Present(facts) => facts,
    };
    if !fits_data(&architecture, choice, facts, point, out) {
        return None;
    }
    let vocabulary = match &corpus {
        Some((corpus, facts)) if choice.tokenization.is_learned() => {
            Some(vocabulary(choice, (*corpus).clone(), &facts.fingerprint))
        }
        _ => None,
    };
    let pretrain = match corpus {
        Some((corpus, facts)) if choice.init == Init::Pretrained => {
            Some(pretrain(choice, architecture.clone(), corpus.clone(), &facts.fingerprint))
        }
        _ => None,
    };
    let finetune = finetune(choice, architecture, facts);
    Some(Ok(CellWork { vocabulary, pretrain, finetune }))
}

type CorpusAndFacts<'a> = (&'a crate::settings::Corpus, &'a CorpusFacts);

fn corpus<'a>(
    sweep: &Sweep,
    library: &'a Library,
    catalogue: &'a Catalogue,
    point: &Point<'_>,
    out: &mut Diagnostics,
) -> Option<Known<CorpusAndFacts<'a>>> {
    let Some(id) = &sweep.corpus else {
        let message = "pre-training and learned vocabularies need a corpus";
        let names: Vec<&str> = library.corpora.keys().map(String::as_str).collect();
        out.push(Diagnostic::new(&point.grid.place, message, "asked for by this grid").help(format!(
            "name one at the top of the file: corpus = \"{}\"",
            names.first().copied().unwrap_or("NAME")
        )));
        return None;
    };
    let corpus = &library.corpora.get(id)?.corpus;
    Some(match catalogue.corpora.get(id)? {
        Known::Missing(missing) => Known::Missing(missing.clone()),
        Known::Present(facts) => Known::Present((corpus, facts)),
    })
}

/// Checks what only the data can show to be wrong.
fn fits_data(
    architecture: &Architecture,
    choice: &Choice<'_>,
    facts: &TaskFacts,
    point: &Point<'_>,
    out: &mut Diagnostics,
) -> bool {
    let fits = match architecture {
        Architecture::KmerLogistic(_) => true,
        Architecture::Encoder(encoder) => fits_length(encoder, choice, facts, point, out),
    };
    fits && leaves_labels(choice, facts, point, out)
}

fn fits_length(
    encoder: &Encoder,
    choice: &Choice<'_>,
    facts: &TaskFacts,
    point: &Point<'_>,
    out: &mut Diagnostics,
) -> bool {
    let single = encoder.max_tokens - 2;
    let limit = match encoder.head {
        Head::TwoHalf if encoder.max_tokens >= 512 => TWO_HALF_TOKENS,
        Head::TwoHalf | Head::Pooler | Head::Dense => single,
    };
    let tokens = match choice.tokenization {
        Tokenization::Kmer { k, stride } => {
            (facts.max_length + usize::from(stride)).saturating_sub(usize::from(k)) / usize::from(stride)
        }
        Tokenization::Character => facts.max_length,
        // How many depends on the letters; what is cut is counted in the record.
        Tokenization::Bpe | Tokenization::BpeTrained => 0,
    };
    if tokens <= limit {
        return true;
    }
    let (name, id) = (&choice.system.name, &choice.task.task.id);
    let place = point.get("model").map_or(&point.grid.place, |value| &value.place);
    let message = format!(
        "`{id}` is too long for `{name}`: {} nt are {tokens} tokens, and it takes {limit}",
        facts.max_length
    );
    out.push(
        Diagnostic::new(place, message, "takes shorter sequences")
            .help(format!("leave the pair out: exclude = [{{ model = \"{name}\", task = \"{id}\" }}]"))
            .help("or give it more: model.max_tokens"),
    );
    false
}

/// A fraction takes at least one row, or file, of each class.
fn leaves_labels(choice: &Choice<'_>, facts: &TaskFacts, point: &Point<'_>, out: &mut Diagnostics) -> bool {
    let fraction = choice.label_fraction;
    let least = facts.label_units.iter().copied().min().unwrap_or(0);
    if (fraction * least as f64).round() >= 1.0 {
        return true;
    }
    let place: &Place = point.get("label_fraction").map_or(&point.grid.place, |value| &value.place);
    let message = format!("a label fraction of {fraction} leaves a class of `{}` empty", choice.task.task.id);
    let smallest = 0.5 / least.max(1) as f64;
    out.push(
        Diagnostic::new(place, message, format!("of {least} in the smallest class, none is left"))
            .help(format!("accepted for this task: from {smallest:.4} to 1")),
    );
    false
}

fn vocabulary(choice: &Choice<'_>, corpus: crate::settings::Corpus, fingerprint: &str) -> VocabularyWork {
    let count = |name: &str| choice.layers.count(&format!("vocabulary.{name}"));
    VocabularyWork {
        corpus,
        fingerprint: fingerprint.to_owned(),
        size: count("size"),
        max_token_length: count("max_token_length"),
        piece_length: count("piece_length"),
        max_pieces: count("max_pieces"),
    }
}

fn pretrain(
    choice: &Choice<'_>,
    architecture: Architecture,
    corpus: crate::settings::Corpus,
    fingerprint: &str,
) -> PretrainWork {
    let layers = &choice.layers;
    let steps = layers.count("pretrain.steps");
    let refresh: Refresh = typed(layers.json("pretrain.mask_refresh"));
    PretrainWork {
        architecture,
        tokenization: choice.tokenization,
        tokenizer_fingerprint: tokenizer_fingerprint(choice.tokenization),
        masking: Masking {
            targets: choice.masking,
            share: layers.number("pretrain.mask_share"),
            mask: layers.number("pretrain.mask_replaced"),
            random: layers.number("pretrain.mask_random"),
            refresh,
        },
        corpus,
        fingerprint: fingerprint.to_owned(),
        optimisation: optimisation(layers, "pretrain", steps),
        pretraining: typed::<Pretraining>(pick(
            layers,
            "pretrain",
            &["min_length", "max_length", "attend_pads", "held_out"],
        )),
        repetition: choice.repetition,
    }
}

fn finetune(choice: &Choice<'_>, architecture: Architecture, facts: &TaskFacts) -> FinetuneWork {
    let layers = &choice.layers;
    let batch_size = layers.count("finetune.batch_size");
    let steps = match layers.optional_count("finetune.steps") {
        Some(steps) => steps,
        // From the full training split, so that every label fraction gets as many steps.
        None => {
            let rows = facts.rows.get(&Split::Train).copied().unwrap_or(0);
            let per_epoch = rows.div_ceil(batch_size) as f64;
            (per_epoch * layers.number("finetune.epochs")).round().max(1.0) as usize
        }
    };
    FinetuneWork {
        architecture,
        tokenization: choice.tokenization,
        tokenizer_fingerprint: tokenizer_fingerprint(choice.tokenization),
        task: choice.task.task.clone(),
        fingerprint: facts.fingerprint.clone(),
        label_fraction: choice.label_fraction,
        init: choice.init,
        optimisation: optimisation(layers, "finetune", steps),
        finetuning: typed::<Finetuning>(pick(
            layers,
            "finetune",
            &["freeze", "selection", "evaluations", "dev_fraction", "l2"],
        )),
        repetition: choice.repetition,
    }
}

fn tokenizer_fingerprint(tokenization: Tokenization) -> String {
    match tokenization {
        Tokenization::Bpe => crate::token::Tokenizer::dnabert2().fingerprint().to_owned(),
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
    let mut object = pick(layers, stage, &names);
    let warmup_steps = match layers.optional_count(&format!("{stage}.warmup_steps")) {
        Some(warmup_steps) => warmup_steps,
        None => (layers.number(&format!("{stage}.warmup_share")) * steps as f64).round() as usize,
    };
    let batch_size = layers.count(&format!("{stage}.batch_size"));
    let micro_batch =
        layers.optional_count(&format!("{stage}.micro_batch")).unwrap_or(batch_size).min(batch_size);
    object["steps"] = steps.into();
    object["warmup_steps"] = warmup_steps.min(steps).into();
    object["micro_batch"] = micro_batch.into();
    typed(object)
}

fn pick(layers: &Layers, stage: &str, names: &[&str]) -> Json {
    let entries = names.iter().map(|name| ((*name).to_owned(), layers.json(&format!("{stage}.{name}"))));
    Json::Object(entries.collect::<Map<_, _>>())
}

fn section(layers: &Layers, section: &str) -> Json {
    let prefix = format!("{section}.");
    let entries =
        layers.settings.0.iter().filter_map(|(path, value)| {
            path.strip_prefix(&prefix).map(|name| (name.to_owned(), value.clone()))
        });
    Json::Object(entries.collect::<Map<_, _>>())
}

/// Typed settings. The schema has checked each value.
fn typed<T: serde::de::DeserializeOwned>(json: Json) -> T {
    serde_json::from_value(json).expect("the schema lists what the typed settings have")
}
