//! What only the data can show to be wrong.

use super::super::catalogue::TaskFacts;
use super::super::choice::Choice;
use super::pairs::left_out;
use crate::settings::{Encoder, Head, TaskSource, Tokenization};
use crate::spec::{Diagnostic, Diagnostics, value_text};
use crate::token::{HALF_TOKENS, TWO_HALVES_TOKENS};

/// Whether the longest sequence of the task is as long as the encoder takes. How many
/// tokens BPE makes of it depends on the letters; what is cut is counted in the record.
pub(super) fn fits_length(
    encoder: &Encoder,
    choice: &Choice<'_>,
    facts: &TaskFacts,
    out: &mut Diagnostics,
) -> bool {
    let tokens = match choice.tokenization {
        Tokenization::Kmer { k, stride } => {
            (facts.max_length + usize::from(stride)).saturating_sub(usize::from(k)) / usize::from(stride)
        }
        Tokenization::Character => facts.max_length,
        Tokenization::Bpe | Tokenization::BpeTrained => return true,
    };
    let single = encoder.max_tokens.saturating_sub(2);
    let (has_halves, limit) = match encoder.head {
        // The halves are of 510 tokens each, whatever the encoder would take.
        Head::TwoHalf if single == HALF_TOKENS => (true, TWO_HALVES_TOKENS),
        // Any other encoder reads what one row holds, short of the length at which it would cut.
        Head::TwoHalf => (false, single.saturating_sub(1)),
        Head::Pooler | Head::Dense => (false, single),
    };
    if tokens <= limit {
        return true;
    }
    let (name, id) = (&choice.system.name, &choice.task.task.id);
    let message = format!(
        "a sequence of `{id}` is too long for `{name}`: {} nt make {tokens} tokens of `{}`, at most {limit} fit",
        facts.max_length, choice.tokenization
    );
    let longer = format!(
        "let it take more: `model.max_tokens` of at least {}",
        tokens + 2 + usize::from(encoder.head == Head::TwoHalf)
    );
    // Who has set the limit beside it can mend it there.
    let typed = choice.layers.last_of(&["model.max_tokens"]);
    let place =
        typed.filter(|place| place.source == choice.grid.source).unwrap_or_else(|| choice.place("model"));
    let refused = Diagnostic::new(place, message, format!("takes {limit} tokens, besides [CLS] and [SEP]"))
        .maybe_help((!has_halves).then_some(longer));
    out.push(left_out(refused, choice, &["task", "tokenization"]));
    false
}

/// Whether a label fraction takes at least one row, or genome, of each class.
pub(super) fn leaves_labels(choice: &Choice<'_>, facts: &TaskFacts, out: &mut Diagnostics) -> bool {
    let fraction = choice.label_fraction;
    let task = &choice.task.task;
    let smallest = facts.label_units.iter().copied().enumerate().min_by_key(|(_, units)| *units);
    let Some((class, units)) = smallest else { return true };
    if takes_one(fraction, units) {
        return true;
    }
    let unit = match task.source {
        TaskSource::Csv(_) | TaskSource::Motif(_) => "training rows",
        TaskSource::Windows(_) => "training genomes",
    };
    let class = task.classes.get(class).map_or("", String::as_str);
    let message = format!(
        "a label fraction of {} leaves class `{class}` of `{}` empty",
        value_text(&fraction.into()),
        task.id
    );
    let advice = match least_fraction(units) {
        Some(least) => format!("accepted for this task: from {} to 1", value_text(&least.into())),
        None => "accepted: a task with training data of every class".to_owned(),
    };
    let label = format!("takes none of its {units} {unit}");
    out.push(Diagnostic::new(choice.place("label_fraction"), message, label).help(advice));
    false
}

/// As `data` rounds it.
fn takes_one(fraction: f64, units: usize) -> bool {
    (fraction * units as f64).round() >= 1.0
}

/// The smallest fraction with two digits that takes one of so many.
fn least_fraction(units: usize) -> Option<f64> {
    let exact = 0.5 / units as f64;
    let digit = 10_f64.powf(exact.log10().floor() - 1.0);
    let first = (exact / digit).floor();
    // Digits are written out, so that the fraction is the double a person would type.
    let typed =
        |n: f64| format!("{:.*}", (-digit.log10()).round().max(0.0) as usize, n * digit).parse::<f64>().ok();
    (0..3)
        .filter_map(|step| typed(first + f64::from(step)))
        .find(|fraction| *fraction <= 1.0 && takes_one(*fraction, units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_fraction_takes_one_and_hardly_less_takes_none() {
        for units in (1..3000).chain([50_000, 1_000_000]) {
            let least = least_fraction(units).expect("there is one");
            assert!(takes_one(least, units), "{units}");
            assert!(!takes_one(least * 0.89, units), "{units}");
            assert!(value_text(&least.into()).len() <= 10, "{units}: {least}");
        }
        assert_eq!(least_fraction(0), None);
    }
}
