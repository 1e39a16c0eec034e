//! Chains of pre-trainings: `pretrain.start` names the system whose pre-training comes first.

use super::choice::Choice;
use crate::settings::{Architecture, Encoder, Init, Targets};
use crate::spec::{Diagnostic, Diagnostics, Library, LibraryKind, Sweep, System};

/// The setting.
pub(super) const START: &str = "pretrain.start";

/// The pre-trainings that a choice's own starts from, first to last; empty where it starts
/// from random weights. Nothing where something is wrong with them.
pub(super) fn chain<'a>(
    choice: &Choice<'a>,
    sweep: &Sweep,
    library: &'a Library,
    out: &mut Diagnostics,
) -> Option<Vec<Choice<'a>>> {
    let mut chain: Vec<Choice<'a>> = Vec::new();
    loop {
        let last = chain.last().unwrap_or(choice);
        let Some(name) = last.starts_from() else { break };
        let Some(system) = library.systems.get(name) else {
            let known = library.names(LibraryKind::System);
            out.push(
                refusal(last, &format!("`{name}` is no system to start from"), "no system has this name")
                    .accepted(name, std::iter::once("random").chain(known.iter().map(String::as_str))),
            );
            return None;
        };
        if !is_pretrained(system) {
            let message = format!("`{name}` has no pre-training to start from");
            let trained = library.systems.values().filter(|system| is_pretrained(system));
            let accepted = std::iter::once("random").chain(trained.map(|system| system.name.as_str()));
            out.push(refusal(last, &message, "random weights are its only start").accepted(name, accepted));
            return None;
        }
        let met = std::iter::once(choice).chain(&chain).any(|other| other.system.name == *name);
        if met {
            let message = format!("`{name}` would start from its own pre-training");
            out.push(
                refusal(last, &message, "comes back to itself").help("one of them must start from `random`"),
            );
            return None;
        }
        let parent = last.of_start(system, sweep, library);
        if !fits(last, &parent, out) {
            return None;
        }
        chain.push(parent);
    }
    chain.reverse();
    Some(chain)
}

fn is_pretrained(system: &System) -> bool {
    system.init.contains(&Init::Pretrained) && system.masking != Targets::None
}

/// Whether the weights of one are weights of the other.
fn fits(child: &Choice<'_>, parent: &Choice<'_>, out: &mut Diagnostics) -> bool {
    let differing = match (child.architecture(), parent.architecture()) {
        (Some(Architecture::Encoder(a)), Some(Architecture::Encoder(b))) => differences(&a, &b),
        _ => vec!["architecture"],
    };
    if differing.is_empty() {
        return true;
    }
    let (child_name, parent_name) = (&child.system.name, &parent.system.name);
    let message = format!(
        "`{child_name}` cannot take over weights of `{parent_name}`: {} differ",
        differing.join(", ")
    );
    out.push(
        refusal(child, &message, "another shape")
            .help("systems that start from each other must agree in these settings of `[model]`"),
    );
    false
}

/// The settings that decide which weights there are, and are not equal.
fn differences(a: &Encoder, b: &Encoder) -> Vec<&'static str> {
    let equal = [
        ("d_model", a.d_model == b.d_model),
        ("n_layers", a.n_layers == b.n_layers),
        ("n_heads", a.n_heads == b.n_heads),
        ("d_ff", a.d_ff == b.d_ff),
        ("position", a.position == b.position),
        ("max_tokens", a.max_tokens == b.max_tokens),
        ("feed_forward", a.feed_forward == b.feed_forward),
        ("norm", a.norm == b.norm),
        ("token_types", a.token_types == b.token_types),
    ];
    equal.into_iter().filter(|(_, equal)| !equal).map(|(name, _)| name).collect()
}

fn refusal(choice: &Choice<'_>, message: &str, label: &str) -> Diagnostic {
    Diagnostic::new(choice.place_of_setting(START), message, label)
}
