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
    Some(refusal(
        choice,
        "init",
        choice.init.name(),
        &format!("it starts from {names} only"),
        &["model", "init"],
    ))
}

fn wrong_masking(choice: &Choice<'_>) -> Option<Diagnostic> {
    let trains = choice.system.init.contains(&Init::Pretrained) && choice.init == Init::Pretrained;
    if !trains || choice.masking != Targets::None {
        return None;
    }
    let why = "pre-training predicts what masking hides";
    Some(refusal(choice, "masking", "none", why, &["model", "masking", "init"]))
}

fn wrong_tokenization(choice: &Choice<'_>) -> Option<Diagnostic> {
    match (choice.system.architecture, choice.tokenization) {
        (ArchitectureKind::Encoder, _)
        | (ArchitectureKind::KmerLogistic, Tokenization::Kmer { stride: 1, .. }) => None,
        (ArchitectureKind::KmerLogistic, other) => {
            let why = "it counts overlapping k-mers, `5-mer` and the like";
            Some(refusal(choice, "tokenization", &other.to_string(), why, &["model", "tokenization"]))
        }
    }
}

fn refusal(choice: &Choice<'_>, axis: &str, value: &str, why: &str, axes: &[&str]) -> Diagnostic {
    let name = &choice.system.name;
    let message = format!("`{name}` cannot have {axis} `{value}`: {why}");
    Diagnostic::new(choice.place(axis), message, format!("makes no sense with `{name}`"))
        .help(format!("leave it out: {}", exclude(choice, axes)))
}

/// The `exclude` that leaves out points like this one, by those of `axes` that vary. The
/// model is always named, so that the reader sees what goes.
pub(super) fn exclude(choice: &Choice<'_>, axes: &[&str]) -> String {
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
