//! Systems and scales: a published recipe, and the size it is built at.

use std::sync::Arc;

use serde_json::Value as Json;

use super::axis::{STARTS, read_setting};
use super::diagnostic::{Diagnostic, Diagnostics, Place, Source, nearest};
use super::hint;
use super::library::Library;
use super::node::{Node, NodeValue, Table};
use super::schema::{self, SECTIONS};
use super::syntax;
use crate::settings::{Init, Targets, Tokenization};

/// A published recipe.
#[derive(Clone, Debug)]
pub struct System {
    /// File name without its ending.
    pub name: String,
    /// One line for tables and lists.
    pub title: String,
    /// Where its facts come from.
    pub source_note: String,
    /// What kind of model it is.
    pub architecture: ArchitectureKind,
    /// Its own tokenization.
    pub tokenization: Tokenization,
    /// Its own masking.
    pub masking: Targets,
    /// What it may start from; the first is its default.
    pub init: Vec<Init>,
    /// Its own settings.
    pub overrides: Vec<Override>,
    /// Its file.
    pub place: Place,
}

impl System {
    /// Whether it has a pre-training, which another may start from.
    pub fn is_pretrained(&self) -> bool {
        self.init.contains(&Init::Pretrained) && self.masking != Targets::None
    }
}

/// What kind of model a system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchitectureKind {
    /// A Transformer encoder.
    Encoder,
    /// Logistic regression on k-mer counts.
    KmerLogistic,
}

/// The size a system is built at. Applies to encoders.
#[derive(Clone, Debug)]
pub struct Scale {
    /// File name without its ending.
    pub name: String,
    /// One line for lists.
    pub title: String,
    /// What it changes.
    pub overrides: Vec<Override>,
}

/// One setting with a value and its place.
#[derive(Clone, Debug)]
pub struct Override {
    /// Dotted path: `pretrain.steps`.
    pub path: String,
    /// Its value, checked against the schema.
    pub value: Json,
    /// Where it was typed.
    pub place: Place,
}

/// Reads one init.
pub(super) fn read_init(node: &Node, out: &mut Diagnostics) -> Option<Init> {
    let text = node.text("`random` or `pretrained`", out)?;
    let init = Init::ALL.into_iter().find(|init| init.name() == text);
    if init.is_none() {
        let message = format!("unknown init `{text}`");
        let names = Init::ALL.map(Init::name);
        out.push(Diagnostic::new(&node.place, message, "unknown init").accepted(text, names).note(
            "`random` trains from scratch on the task alone; `pretrained` is pre-trained on the corpus first",
        ));
    }
    init
}

/// Reads one tokenization.
pub(super) fn read_tokenization(node: &Node, out: &mut Diagnostics) -> Option<Tokenization> {
    let text = node.text("the name of a tokenization", out)?;
    text.parse()
        .map_err(|_| {
            let message = format!("unknown tokenization `{text}`");
            let diagnostic = Diagnostic::new(&node.place, message, "unknown tokenization");
            let near = nearest(text, &Tokenization::COMMON).map(|near| format!("did you mean `{near}`?"));
            out.push(diagnostic.maybe_help(near).help(format!("accepted: {}", Tokenization::ACCEPTED)));
        })
        .ok()
}

/// Reads one masking.
pub(super) fn read_masking(node: &Node, out: &mut Diagnostics) -> Option<Targets> {
    let text = node.text("the name of a masking", out)?;
    text.parse()
        .map_err(|_| {
            let message = format!("unknown masking `{text}`");
            let diagnostic = Diagnostic::new(&node.place, message, "unknown masking");
            let near = nearest(text, &Targets::COMMON).map(|near| format!("did you mean `{near}`?"));
            out.push(diagnostic.maybe_help(near).help(format!("accepted: {}", Targets::ACCEPTED)));
        })
        .ok()
}

/// Reads the settings of one section table. Without a library, what a setting names is left
/// to `resolve`: files of a library may name each other.
pub(super) fn read_section(
    section: &str,
    node: &Node,
    library: Option<&Library>,
    out: &mut Diagnostics,
) -> Vec<Override> {
    let Some(table) = node.table(&format!("one table of settings, `[{section}]`"), out) else {
        return Vec::new();
    };
    let mut overrides = Vec::new();
    for (name, node) in &table.entries {
        let path = format!("{section}.{}", name.text);
        let Some(field) = schema::field(&path) else {
            out.push(unknown_setting(section, &name.text, &name.place, ""));
            continue;
        };
        let value = match library {
            Some(library) => read_setting(field, node, library, out),
            None => field.read(node, out),
        };
        let Some(value) = value else { continue };
        let earlier = overrides.iter().map(|earlier: &Override| (earlier.path.as_str(), &earlier.place));
        if !is_said_before(&path, &name.place, earlier, out) {
            overrides.push(Override { path, value, place: node.place.clone() });
        }
    }
    overrides
}

/// Reports a setting whose alternative stands beside it: which of the two counts would
/// depend on their order.
pub(super) fn is_said_before<'a>(
    path: &str,
    place: &Place,
    mut earlier: impl Iterator<Item = (&'a str, &'a Place)>,
    out: &mut Diagnostics,
) -> bool {
    let Some((other, what)) = schema::said_twice(path) else { return false };
    let Some((_, first)) = earlier.find(|(path, _)| *path == other) else { return false };
    let message = format!("`{path}` and `{other}` both set {what}");
    let help = format!("the first is in line {}: keep one of them", first.line());
    out.push(Diagnostic::new(place, message, "the second").help(help));
    true
}

/// The error for a setting that no section has. `typed` is what stood before its name, in a
/// dotted path that of the section.
pub(super) fn unknown_setting(section: &str, name: &str, place: &Place, typed: &str) -> Diagnostic {
    let prefix = format!("{section}.");
    let known = schema::fields().iter().filter_map(|field| field.path.strip_prefix(&prefix));
    let known: Vec<&str> = known.collect();
    let near = || nearest(hint::own_name(name), &known).map(|near| format!("did you mean `{typed}{near}`?"));
    let meant = hint::in_another_section(section, name).or_else(near);
    Diagnostic::new(place, format!("unknown setting `{section}.{name}`"), "unknown setting")
        .meant_or_accepted(meant, "", known.iter().copied())
}

/// Reads a system's file.
pub(super) fn read_system(name: &str, source: &Arc<Source>, out: &mut Diagnostics) -> Option<System> {
    let root = syntax::parse(source, out);
    let place = Place::start_of(source);
    let table = root.table("a table", out)?;
    let own = ["title", "source_note", "architecture", "tokenization", "masking", "init"];
    table.only(&[own.as_slice(), &SECTIONS].concat(), hint::of_a_setting, out);
    let title = read_title(table, &place, out);
    let source_note = optional_text(table, "source_note", out);
    let mut require = |name: &str, accepted: &str| table.require(name, &place, accepted, out);
    let architecture = require("architecture", "`architecture = \"encoder\"` or `\"kmer-logistic\"`");
    let tokenization =
        require("tokenization", &format!("`tokenization = \"..\"`: {}", Tokenization::ACCEPTED));
    let masking = require("masking", &format!("`masking = \"..\"`: {}", Targets::ACCEPTED));
    let init =
        require("init", "`init = [\"pretrained\", \"random\"]` or one of the two; the first is the default");
    let architecture = architecture.and_then(|node| read_architecture(node, out));
    let tokenization = tokenization.and_then(|node| read_tokenization(node, out));
    let masking = masking.and_then(|node| read_masking(node, out));
    let init = init.map(|node| read_inits(node, out));
    let overrides = read_sections(table, out);
    let system = System {
        name: name.to_owned(),
        title: title?,
        source_note,
        architecture: architecture?,
        tokenization: tokenization?,
        masking: masking?,
        init: init?,
        overrides,
        place,
    };
    check_sense(&system, table, out);
    Some(system)
}

/// Reads a scale's file.
pub(super) fn read_scale(name: &str, source: &Arc<Source>, out: &mut Diagnostics) -> Option<Scale> {
    let root = syntax::parse(source, out);
    let table = root.table("a table", out)?;
    table.only(&[["title"].as_slice(), &SECTIONS].concat(), hint::of_a_setting, out);
    let title = read_title(table, &Place::start_of(source), out);
    let overrides = read_sections(table, out);
    Some(Scale { name: name.to_owned(), title: title?, overrides })
}

fn read_title(table: &Table, place: &Place, out: &mut Diagnostics) -> Option<String> {
    let node = table.require("title", place, "`title = \"..\"`, one line that describes it", out)?;
    Some(node.prose(out)?.to_owned())
}

fn read_sections(table: &Table, out: &mut Diagnostics) -> Vec<Override> {
    SECTIONS
        .iter()
        .filter_map(|section| table.get(section).map(|node| (section, node)))
        .flat_map(|(section, node)| read_section(section, node, None, out))
        .collect()
}

fn read_architecture(node: &Node, out: &mut Diagnostics) -> Option<ArchitectureKind> {
    let text = node.text("`encoder` or `kmer-logistic`", out)?;
    match text {
        "encoder" => Some(ArchitectureKind::Encoder),
        "kmer-logistic" => Some(ArchitectureKind::KmerLogistic),
        _ => {
            let message = format!("unknown architecture `{text}`");
            let diagnostic = Diagnostic::new(&node.place, message, "unknown architecture");
            out.push(diagnostic.accepted(text, ["encoder", "kmer-logistic"]));
            None
        }
    }
}

fn read_inits(node: &Node, out: &mut Diagnostics) -> Vec<Init> {
    if matches!(&node.value, NodeValue::List(items) if items.is_empty()) {
        node.refuse("a list with at least one of `random`, `pretrained`", out);
    }
    let mut inits = Vec::new();
    for item in node.one_or_more() {
        match read_init(item, out) {
            Some(init) if inits.contains(&init) => {
                let message = format!("`init` has `{}` twice", init.name());
                out.push(Diagnostic::new(&item.place, message, "the second; each counts once"));
            }
            Some(init) => inits.push(init),
            None => {}
        }
    }
    inits
}

/// What a system's file says that can never be, whatever a sweep makes of it.
fn check_sense(system: &System, table: &Table, out: &mut Diagnostics) {
    let Some([tokenization, masking, init]) = nodes(table, ["tokenization", "masking", "init"]) else {
        return;
    };
    let is_kmer = matches!(system.tokenization, Tokenization::Kmer { stride: 1, .. });
    let is_pretrained = system.init.contains(&Init::Pretrained);
    match system.architecture {
        ArchitectureKind::KmerLogistic => {
            if !is_kmer {
                let message = format!("`kmer-logistic` cannot have tokenization `{}`", system.tokenization);
                let label = "expected overlapping k-mers, `5-mer` and the like";
                out.push(Diagnostic::new(&tokenization.place, message, label));
            }
            if is_pretrained {
                let message = "`kmer-logistic` cannot have init `pretrained`: it has no pre-training";
                out.push(Diagnostic::new(&init.place, message, "expected `init = [\"random\"]`"));
            }
        }
        ArchitectureKind::Encoder if is_pretrained && system.masking == Targets::None => {
            let message = "pre-training predicts what masking hides, and `none` hides nothing";
            let label = "expected `token`, `token-exact` or `span-N`";
            out.push(
                Diagnostic::new(&masking.place, message, label)
                    .help("a system without pre-training says so: `init = [\"random\"]`"),
            );
        }
        ArchitectureKind::Encoder => {}
    }
    let starts_from = |setting: &&Override| setting.path == "pretrain.start" && setting.value == *system.name;
    if let Some(start) = system.overrides.iter().find(starts_from) {
        let message = format!("`{}` would start from its own pre-training", system.name);
        out.push(
            Diagnostic::new(&start.place, message, "this is the system itself")
                .help(format!("accepted: {STARTS}")),
        );
    }
}

fn nodes<'t, const N: usize>(table: &'t Table, names: [&str; N]) -> Option<[&'t Node; N]> {
    let found: Vec<&Node> = names.iter().filter_map(|name| table.get(name)).collect();
    found.try_into().ok()
}

/// A text that may be left out.
pub(super) fn optional_text(table: &Table, name: &str, out: &mut Diagnostics) -> String {
    table.get(name).and_then(|node| node.prose(out)).unwrap_or_default().to_owned()
}
