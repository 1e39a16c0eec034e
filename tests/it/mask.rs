//! Masks against the fixtures: exact where they are exact, within four standard errors of
//! the sample where they are rates.

use std::ops::Range;

use bench::mask::{Masked, Replacement, exact, extend, mask_row, mask_stream};
use bench::settings::{Layout, Masking, Refresh, Targets};
use bench::token::{Tokenizer, Vocabulary, assemble};
use proptest::prelude::*;
use serde_json::Value;

use crate::fixtures::expected;

fn number(value: &Value) -> usize {
    value.as_u64().expect("a whole number") as usize
}

fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().expect("a list").iter().map(number).collect()
}

fn real(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value[key].as_array().unwrap_or_else(|| panic!("{key} is no list"));
    assert!(!list.is_empty(), "{key} is empty");
    list
}

fn six_mers() -> Vocabulary {
    Tokenizer::kmer(6, 1).unwrap().vocabulary()
}

const BERT: Masking =
    Masking { targets: Targets::Token, share: 0.15, mask: 0.8, random: 0.1, refresh: Refresh::Always };
const DEEPGENE: Masking =
    Masking { targets: Targets::TokenExact, share: 0.15, mask: 0.8, random: 0.2, refresh: Refresh::Once };

/// The masking whose spans have these offsets beside their centre.
fn spans(offsets: &[Value], start: f64) -> (Masking, u8) {
    let span = offsets.len() as u8 + 1;
    (Masking { targets: Targets::Span(span), share: start * f64::from(span), ..BERT }, span)
}

#[test]
fn spans_of_the_fixture_rows() {
    let expected = expected("masking/dnabert.json");
    for row in list(&expected, "rows") {
        let maskable = number(&row["first_maskable"])..number(&row["last_maskable"]) + 1;
        let (_, span) = spans(list(row, "offsets"), 0.0);
        let labelled = extend(&numbers(&row["centres"]), span, maskable);
        assert_eq!(labelled, numbers(&row["labelled"]), "k = {}: {}", row["k"], row["case"]);
    }
}

/// Mean and standard error of the share of targets in rows of `tokens` tokens.
fn sampled_rate(masking: &Masking, tokens: usize, rows: usize, name: &str) -> (f64, f64) {
    let row = vec![6; tokens + 2];
    let rates: Vec<f64> = (0..rows)
        .map(|index| {
            let mut rng = mask_stream(1, &format!("{name} {tokens} {index}"), 0, masking.refresh);
            let masked = mask_row(&row, 1..tokens + 1, masking, six_mers(), &mut rng);
            masked.targets.len() as f64 / tokens as f64
        })
        .collect();
    let n = rows as f64;
    let mean = rates.iter().sum::<f64>() / n;
    let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Mean over positions of 1 - (1-p)^n, n the centres that would cover the position.
fn expected_rate(start: f64, span: u8, tokens: usize) -> f64 {
    let mut coverers = vec![0; tokens];
    for centre in 0..tokens {
        for position in extend(&[centre], span, 0..tokens) {
            coverers[position] += 1;
        }
    }
    coverers.iter().map(|&n| 1.0 - (1.0 - start).powi(n)).sum::<f64>() / tokens as f64
}

#[test]
fn rates_of_the_fixture() {
    let expected = expected("masking/dnabert.json");
    for rate in list(&expected, "rates") {
        let (start, tokens) = (real(&rate["p"]), number(&rate["L"]));
        let name = rate["name"].as_str().expect("a name");
        let (masking, span) = spans(list(rate, "offsets"), start);
        let exact_rate = real(&rate["exact_rate"]);
        assert!((masking.share - real(&rate["nominal_rate"])).abs() < 1e-12, "{name}");
        // The fixture has nine digits.
        let formula = expected_rate(start, span, tokens);
        assert!((formula - exact_rate).abs() < 1e-9, "{name}, {tokens} tokens: {formula} for {exact_rate}");
        let (mean, error) = sampled_rate(&masking, tokens, 4000, name);
        assert!((mean - exact_rate).abs() < 4.0 * error, "{name}, {tokens} tokens: {mean} for {exact_rate}");
    }
}

#[test]
fn token_masking_takes_its_share() {
    let (mean, error) = sampled_rate(&BERT, 500, 4000, "token");
    assert!((mean - BERT.share).abs() < 4.0 * error, "{mean}");
}

/// Asserts that a share of `hits` in `trials` is `wanted` within four standard errors.
fn assert_share(hits: usize, trials: usize, wanted: f64, what: &str) {
    let share = hits as f64 / trials as f64;
    let error = (wanted * (1.0 - wanted) / trials as f64).sqrt();
    assert!((share - wanted).abs() < 4.0 * error, "{what}: {share} for {wanted}");
}

#[test]
fn replacements_of_the_fixture() {
    let expected = expected("masking/dnabert.json");
    let replacement = &expected["replacement"];
    let vocabulary = six_mers();
    assert_eq!(vocabulary.size as usize, number(&replacement["vocabulary"]));
    let (mask, random) = (real(&replacement["mask"]), real(&replacement["random"]));
    let everything = Masking { share: 1.0, mask, random, ..BERT };

    let (original, tokens) = (2000, 1_000_000);
    let row = vec![original; tokens];
    let mut rng = mask_stream(1, "replacement", 0, Refresh::Always);
    let masked = mask_row(&row, 0..tokens, &everything, vocabulary, &mut rng);
    assert_eq!(masked.targets.len(), tokens);
    let mut counts = vec![0_usize; vocabulary.size as usize];
    for &id in &masked.ids {
        counts[id as usize] += 1;
    }
    let changed = tokens - counts[original as usize];
    let masks = counts[vocabulary.specials.mask as usize];
    assert_share(changed, tokens, real(&replacement["visible_change_rate"]), "changed");
    assert_share(masks, tokens, real(&replacement["mask_rate_with_random_hits"]), "masked");

    let specials = &counts[..vocabulary.first_ordinary as usize];
    assert!(specials.iter().all(|&count| count > 0), "special ids are among the random ones: {specials:?}");

    // All but two ids come from random draws alone: chi-squared.
    let others = [vocabulary.specials.mask, original];
    let drawn: Vec<usize> =
        (0..vocabulary.size).filter(|id| !others.contains(id)).map(|id| counts[id as usize]).collect();
    let mean = tokens as f64 * random / f64::from(vocabulary.size);
    let chi_squared: f64 = drawn.iter().map(|&count| (count as f64 - mean).powi(2) / mean).sum();
    let degrees = drawn.len() as f64;
    assert!((chi_squared - degrees).abs() < 4.0 * (2.0 * degrees).sqrt(), "{chi_squared} of {degrees}");
}

#[test]
fn deepgene_windows_of_the_graph_fixture() {
    let expected = expected("deepgene-graph/expected.json");
    let graphs = list(&expected, "graphs").iter();
    let windows: Vec<&Value> = graphs.filter_map(|graph| graph["windows"].as_array()).flatten().collect();
    let kept: Vec<&&Value> = windows.iter().filter(|window| window["kept"] == true).collect();
    assert!(!kept.is_empty());
    for window in kept {
        // Positions count from [CLS] [SEP], permutations from the first token.
        let permutation: Vec<usize> = numbers(&window["permutation"]).iter().map(|token| token + 2).collect();
        let targets = exact(&permutation, &DEEPGENE);
        let of = |kind: Option<Replacement>| -> Vec<usize> {
            let kept = targets.iter().filter(|(_, replacement)| kind.is_none_or(|kind| kind == *replacement));
            kept.map(|&(position, _)| position).collect()
        };
        assert_eq!(of(None), numbers(&window["labelled_positions"]));
        assert_eq!(of(Some(Replacement::Mask)), numbers(&window["masked_positions"]));
        assert_eq!(of(Some(Replacement::Random)), numbers(&window["random_positions"]));
    }
}

#[test]
fn deepgene_draws_ordinary_ids_only() {
    let vocabulary = Tokenizer::dnabert2().vocabulary();
    // All replaced at random, so that every target shows a draw.
    let random = Masking { share: 1.0, mask: 0.0, random: 1.0, ..DEEPGENE };
    let mut rng = mask_stream(1, "deepgene", 0, Refresh::Once);
    let masked = mask_row(&vec![0; 100_000], 0..100_000, &random, vocabulary, &mut rng);
    assert_eq!(masked.ids.iter().min(), Some(&vocabulary.first_ordinary));
    assert_eq!(masked.ids.iter().max(), Some(&(vocabulary.size - 1)));
}

#[test]
fn a_system_without_masking_hides_nothing() {
    let none = Masking { targets: Targets::None, ..BERT };
    let mut rng = mask_stream(1, "none", 0, Refresh::Always);
    let masked = mask_row(&[2, 9, 8, 3], 1..3, &none, six_mers(), &mut rng);
    assert_eq!(masked, Masked { ids: vec![2, 9, 8, 3], targets: vec![] });
}

fn any_masking() -> impl Strategy<Value = Masking> {
    let targets = prop_oneof![
        Just(Targets::Token),
        Just(Targets::TokenExact),
        Just(Targets::None),
        (2_u8..=16).prop_map(Targets::Span)
    ];
    let refresh = prop_oneof![Just(Refresh::Always), Just(Refresh::Once)];
    (targets, 0.0..=1.0, 0.0..=1.0, 0.0..=1.0, refresh).prop_map(|(targets, share, mask, rest, refresh)| {
        Masking { targets, share, mask, random: (1.0 - mask) * rest, refresh }
    })
}

fn any_layout() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(Layout::ClsXSep), Just(Layout::ClsSepX)]
}

fn masked(ids: &[u32], maskable: Range<usize>, masking: &Masking, sequence: usize, epoch: u64) -> Masked {
    let mut rng = mask_stream(3, &sequence.to_string(), epoch, masking.refresh);
    mask_row(ids, maskable, masking, six_mers(), &mut rng)
}

proptest! {
    #[test]
    fn only_maskable_tokens_change_and_targets_keep_them(
        tokens in prop::collection::vec(5_u32..4101, 0..120),
        layout in any_layout(),
        masking in any_masking(),
        epoch in 0_u64..3,
    ) {
        let row = assemble(layout, six_mers().specials, &tokens, 100);
        let masked = masked(&row.ids, row.maskable.clone(), &masking, 0, epoch);
        prop_assert_eq!(masked.ids.len(), row.ids.len());
        prop_assert!(masked.targets.is_sorted_by(|a, b| a.0 < b.0));
        prop_assert!(masked.targets.iter().all(|&(position, id)| row.maskable.contains(&position) && row.ids[position] == id));
        prop_assert!(masked.ids.iter().all(|&id| id < six_mers().size));
        for (position, (now, before)) in masked.ids.iter().zip(&row.ids).enumerate() {
            prop_assert!(now == before || masked.targets.iter().any(|target| target.0 == position));
        }
    }

    #[test]
    fn masks_do_not_depend_on_the_order_of_rows(
        rows in prop::collection::vec(prop::collection::vec(5_u32..4101, 0..60), 1..8),
        masking in any_masking(),
        epoch in 0_u64..3,
    ) {
        let mask = |index: usize| masked(&rows[index], 0..rows[index].len(), &masking, index, epoch);
        let forwards: Vec<Masked> = (0..rows.len()).map(mask).collect();
        let mut backwards: Vec<Masked> = (0..rows.len()).rev().map(mask).collect();
        backwards.reverse();
        prop_assert_eq!(&forwards, &backwards);
        if masking.refresh == Refresh::Once {
            let later: Vec<Masked> = (0..rows.len())
                .map(|index| masked(&rows[index], 0..rows[index].len(), &masking, index, epoch + 1))
                .collect();
            prop_assert_eq!(forwards, later);
        }
    }
}
