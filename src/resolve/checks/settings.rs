//! Settings that do not fit each other.

use super::super::catalogue::CorpusFacts;
use super::super::choice::Choice;
use crate::settings::{Encoder, HELD_OUT, Position};
use crate::spec::{Diagnostic, Diagnostics, Named, grouped, value_text};

const SIZES: [&str; 2] = ["model.n_heads", "model.d_model"];

/// Whether the heads divide the width, and `rope` the width of a head in two.
pub(super) fn divides(encoder: &Encoder, choice: &Choice<'_>, out: &mut Diagnostics) -> bool {
    let (d_model, n_heads) = (encoder.d_model, encoder.n_heads);
    if d_model % n_heads != 0 {
        let place = choice.layers.last_of(&SIZES).unwrap_or(choice.grid);
        let message = format!("{} do not divide the width {d_model}", plural(n_heads));
        let refused = Diagnostic::new(place, message, "`model.n_heads` must divide `model.d_model`")
            .help(format!("accepted for width {d_model}: {} heads", heads(d_model, 1)))
            .help(format!("accepted for {}: a width of {}", plural(n_heads), widths(d_model, n_heads)));
        out.push(with_others(refused, &SIZES, choice));
        return false;
    }
    if encoder.position == Position::Rope && (d_model / n_heads) % 2 != 0 {
        let paths = [SIZES[0], SIZES[1], "model.position"];
        let place = choice.layers.last_of(&paths).unwrap_or(choice.grid);
        let message = format!(
            "`rope` needs heads of even width: {d_model} / {} is {}",
            plural(n_heads),
            d_model / n_heads
        );
        let fitting = match heads(d_model, 2) {
            none if none.is_empty() => format!("none, {d_model} is odd"),
            some => format!("{some} heads"),
        };
        let refused = Diagnostic::new(place, message, "odd width of a head")
            .help(format!("accepted for width {d_model} with `rope`: {fitting}"))
            .help(format!("accepted for {}: a width of {}", plural(n_heads), widths(d_model, 2 * n_heads)))
            .help("or another `model.position`: `learned`, `alibi`");
        out.push(with_others(refused, &paths, choice));
        return false;
    }
    true
}

/// Adds what the other settings are, and who has set them, beside the one at the caret.
fn with_others(refused: Diagnostic, paths: &[&str], choice: &Choice<'_>) -> Diagnostic {
    let is_other = |path: &&&str| {
        let place = choice.layers.last_of(&[**path]);
        place.is_none_or(|place| place.source != refused.place.source || place.span != refused.place.span)
    };
    let told: Vec<String> = paths.iter().filter(is_other).map(|path| choice.layers.told(path)).collect();
    told.into_iter().fold(refused, Diagnostic::help)
}

/// The numbers of heads that a person would choose among: up to 64, of a width that `unit`
/// divides.
fn heads(width: usize, unit: usize) -> String {
    let fits = |n: &usize| width.is_multiple_of(*n * unit);
    let all: Vec<String> = (1..=width.min(64)).filter(fits).map(|n| n.to_string()).collect();
    all.join(", ")
}

fn plural(heads: usize) -> String {
    if heads == 1 { "1 head".to_owned() } else { format!("{heads} heads") }
}

/// The multiples of `unit` on either side of a width.
fn widths(width: usize, unit: usize) -> String {
    let below = width / unit * unit;
    match below {
        0 => unit.to_string(),
        _ => format!("{below} or {}", below + unit),
    }
}

/// Whether a pre-training can be as it is set.
pub(super) fn pretrains(
    choice: &Choice<'_>,
    corpus: Option<(&Named, &CorpusFacts)>,
    out: &mut Diagnostics,
) -> bool {
    let ordered = is_ordered(choice, out);
    let shared = is_shared(choice, out);
    ordered && shared && corpus.is_none_or(|(named, facts)| fits_corpus(choice, named, facts, out))
}

fn is_ordered(choice: &Choice<'_>, out: &mut Diagnostics) -> bool {
    let paths = ["pretrain.min_length", "pretrain.max_length"];
    let [min, max] = paths.map(|path| choice.layers.count(path));
    if min <= max {
        return true;
    }
    let place = choice.layers.last_of(&paths).unwrap_or(choice.grid);
    let message = format!("`pretrain.min_length` {min} is above `pretrain.max_length` {max}");
    let refused = Diagnostic::new(place, message, "no window has such a length")
        .help(format!("accepted: `pretrain.min_length` from 1 to {max}, or a longer `pretrain.max_length`"));
    out.push(with_others(refused, &paths, choice));
    false
}

/// Whether the kinds of replacement are together no more than all targets.
fn is_shared(choice: &Choice<'_>, out: &mut Diagnostics) -> bool {
    let paths = ["pretrain.mask_replaced", "pretrain.mask_random"];
    let [replaced, random] = paths.map(|path| choice.layers.number(path));
    // 0.7 + 0.3 may come out above 1 in binary.
    if replaced + random <= 1.0 + 1e-9 {
        return true;
    }
    let place = choice.layers.last_of(&paths).unwrap_or(choice.grid);
    let [replaced, random] = [replaced, random].map(|share| value_text(&share.into()));
    let message = format!(
        "`pretrain.mask_replaced` {replaced} and `pretrain.mask_random` {random} add up to more than 1"
    );
    let refused = Diagnostic::new(place, message, "these are shares of the targets")
        .help("accepted: `pretrain.mask_replaced` + `pretrain.mask_random` up to 1; the rest stays as it is");
    out.push(with_others(refused, &paths, choice));
    false
}

/// Whether the shortest windows fit into what is held out of the corpus.
fn fits_corpus(choice: &Choice<'_>, named: &Named, facts: &CorpusFacts, out: &mut Diagnostics) -> bool {
    let (min, longest) = (choice.layers.count("pretrain.min_length"), facts.longest_held_out);
    if min <= longest {
        return true;
    }
    let Named { name, place } = named;
    // Of the two that do not fit, a length typed in the same file is the one to mend.
    let typed = choice.layers.last_of(&["pretrain.min_length"]);
    let place = typed.filter(|typed| typed.source == place.source).unwrap_or(place);
    let message = format!(
        "`{name}` is too short for `pretrain.min_length` = {min}: its longest held-out part has {longest} nt"
    );
    let enough = i64::try_from(min.saturating_mul(HELD_OUT)).unwrap_or(i64::MAX);
    let enough = format!("one sequence must have at least {} nt", grouped(enough));
    let accepted = match longest {
        0 => enough,
        _ => format!("{enough}, or `pretrain.min_length` be at most {longest}"),
    };
    out.push(
        Diagnostic::new(
            place,
            message,
            format!("the shortest windows of `{}` are longer", choice.system.name),
        )
        .note("the last twentieth of every sequence is held out, to measure pre-training")
        .help(accepted),
    );
    false
}
