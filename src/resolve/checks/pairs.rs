//! Pairs of named axes that no recipe gives a meaning.

use super::super::choice::Choice;
use crate::settings::{Init, Targets, Tokenization};
use crate::spec::{ArchitectureKind, Diagnostic, Diagnostics, quoted};

/// Whether the choices make sense together.
pub(super) fn check(choice: &Choice<'_>, out: &mut Diagnostics) -> bool {
    let found = [wrong_init(choice), wrong_masking(choice), wrong_tokenization(choice)];
    let sound = found.iter().all(Option::is_none);
    found.into_iter().flatten().for_each(|diagnostic| out.push(diagnostic));
    sound
}

fn wrong_init(choice: &Choice<'_>) -> Option<Diagnostic> {
    if choice.system.init.contains(&choice.init) {
        return None;
    }
    let names = quoted(choice.system.init.iter().map(|init| init.name()));
    let why = format!("it starts from {names} only");
    let refused = refusal(choice, "init", choice.init.name(), &why);
    Some(left_out(refused.help(format!("accepted for `{}`: {names}", choice.system.name)), choice, &["init"]))
}

fn wrong_masking(choice: &Choice<'_>) -> Option<Diagnostic> {
    let trains = choice.system.init.contains(&Init::Pretrained) && choice.init == Init::Pretrained;
    if !trains || choice.masking != Targets::None {
        return None;
    }
    let refused = refusal(choice, "masking", "none", "pre-training predicts what masking hides")
        .help("accepted with pre-training: `token`, `token-exact`, `span-N` (N from 2 to 16)");
    Some(left_out(refused, choice, &["masking", "init"]))
}

fn wrong_tokenization(choice: &Choice<'_>) -> Option<Diagnostic> {
    match (choice.system.architecture, choice.tokenization) {
        (ArchitectureKind::Encoder, _)
        | (ArchitectureKind::KmerLogistic, Tokenization::Kmer { stride: 1, .. }) => None,
        (ArchitectureKind::KmerLogistic, other) => {
            let name = &choice.system.name;
            let refused = refusal(choice, "tokenization", &other.to_string(), "it counts overlapping k-mers")
                .help(format!("accepted for `{name}`: `K-mer` (K from 1 to 8)"));
            Some(left_out(refused, choice, &["tokenization"]))
        }
    }
}

fn refusal(choice: &Choice<'_>, axis: &str, value: &str, why: &str) -> Diagnostic {
    let name = &choice.system.name;
    let message = format!("`{name}` cannot have {axis} `{value}`: {why}");
    Diagnostic::new(choice.place(axis), message, format!("makes no sense with `{name}`"))
}

/// Adds how to leave such points out, where anything of the grid is left then.
pub(super) fn left_out(diagnostic: Diagnostic, choice: &Choice<'_>, axes: &[&str]) -> Diagnostic {
    let axes = [&["model"], axes].concat();
    let advice = choice.varies(&axes).then(|| format!("or leave it out: {}", exclude(choice, &axes)));
    diagnostic.maybe_help(advice)
}

/// The `exclude` that leaves out points like this one, by those of `axes` that vary. The
/// model is always named, so that the reader sees what goes.
fn exclude(choice: &Choice<'_>, axes: &[&str]) -> String {
    let terms: Vec<String> = axes
        .iter()
        .filter(|axis| **axis == "model" || choice.has_axis(axis))
        .filter_map(|axis| Some(format!("{axis} = \"{}\"", named(choice, axis)?)))
        .collect();
    format!("`exclude = [{{ {} }}]`", terms.join(", "))
}

fn named(choice: &Choice<'_>, axis: &str) -> Option<String> {
    match axis {
        "model" => Some(choice.system.name.clone()),
        "task" => Some(choice.task.task.id.clone()),
        "tokenization" => Some(choice.tokenization.to_string()),
        "masking" => Some(choice.masking.to_string()),
        "init" => Some(choice.init.name().to_owned()),
        _ => None,
    }
}
