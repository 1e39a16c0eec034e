//! Chains of pre-trainings: `pretrain.start` names the system whose pre-training comes first.

use super::choice::Choice;
use crate::settings::{Architecture, Encoder};
use crate::spec::{Diagnostic, Diagnostics, Library, Sweep, value_text};

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
            let refused =
                refusal(last, &format!("`{name}` is no system to start from"), "no system has this name");
            out.push(startable(refused, last, (sweep, library), name));
            return None;
        };
        if !system.is_pretrained() {
            let message = format!("`{name}` has no pre-training to start from");
            let refused = refusal(last, &message, "random weights are its only start");
            out.push(startable(refused, last, (sweep, library), name));
            return None;
        }
        if std::iter::once(choice).chain(&chain).any(|other| other.system.name == *name) {
            out.push(circle(choice, &chain, name, (sweep, library)));
            return None;
        }
        let parent = last.of_start(system, sweep, library);
        if let Some(refused) = misfit(last, &parent) {
            out.push(startable(refused, last, (sweep, library), ""));
            return None;
        }
        chain.push(parent);
    }
    chain.reverse();
    Some(chain)
}

/// Adds what a pre-training may start from: other pre-trainings of the same shape.
fn startable<'a>(
    refused: Diagnostic,
    choice: &Choice<'a>,
    (sweep, library): (&Sweep, &'a Library),
    wrong: &str,
) -> Diagnostic {
    let others = library.systems.values().filter(|system| system.name != choice.system.name);
    let fitting = others.filter(|system| {
        system.is_pretrained() && differing(choice, &choice.of_start(system, sweep, library)).is_empty()
    });
    refused.accepted(wrong, std::iter::once("random").chain(fitting.map(|system| system.name.as_str())))
}

/// The mistake of pre-trainings that start from each other: the same from whichever of them
/// it was found, at the first of them by name.
fn circle<'a>(
    choice: &Choice<'a>,
    chain: &[Choice<'a>],
    met: &str,
    known: (&Sweep, &'a Library),
) -> Diagnostic {
    let all = std::iter::once(choice).chain(chain);
    let mut members: Vec<&Choice<'a>> = all.skip_while(|member| member.system.name != met).collect();
    let first = members.iter().enumerate().min_by_key(|(_, member)| &member.system.name).map(|(at, _)| at);
    members.rotate_left(first.unwrap_or(0));
    let first = members.first().copied().unwrap_or(choice);
    let name = &first.system.name;
    let message = format!("`{name}` would start from its own pre-training");
    if members.len() < 2 {
        return startable(refusal(first, &message, "this is the system itself"), first, known, "");
    }
    let names = members.iter().skip(1).chain([&first]).map(|member| &member.system.name);
    let path: Vec<String> = names.map(|next| format!("from `{next}`")).collect();
    refusal(first, &message, "comes back to itself")
        .help(format!("`{name}` starts {}", path.join(", which starts ")))
        .help("one of them must start from `random`")
}

/// The mistake that the weights of one are no weights of the other.
fn misfit(child: &Choice<'_>, parent: &Choice<'_>) -> Option<Diagnostic> {
    let differing = differing(child, parent);
    if differing.is_empty() {
        return None;
    }
    let value = |choice: &Choice<'_>, name: &str| {
        choice.layers.get(&format!("model.{name}")).map_or_else(|| "-".to_owned(), value_text)
    };
    let told: Vec<String> = differing
        .iter()
        .map(|name| format!("`{name}` is `{}` here and `{}` there", value(child, name), value(parent, name)))
        .collect();
    let (child_name, parent_name) = (&child.system.name, &parent.system.name);
    let message = format!(
        "`{child_name}` cannot take over weights of `{parent_name}`: {} {}",
        differing.join(", "),
        if differing.len() == 1 { "differs" } else { "differ" }
    );
    let refused = refusal(child, &message, "another shape").help(told.join("; "));
    Some(refused.help("systems that start from each other must agree in these settings of `[model]`"))
}

/// What of `[model]` keeps the weights of one from being weights of the other.
fn differing(child: &Choice<'_>, parent: &Choice<'_>) -> Vec<&'static str> {
    match (child.architecture(), parent.architecture()) {
        (Some(Architecture::Encoder(a)), Some(Architecture::Encoder(b))) => differences(&a, &b),
        _ => vec!["architecture"],
    }
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
