//! `bench::metrics` and `bench::stats` against the values of scikit-learn and scipy.

use std::collections::BTreeSet;

use bench::metrics::{Scores, argmax, score};
use bench::stats::mean_ci;
use serde_json::Value;

use crate::fixtures::expected;

#[test]
fn scores_equal_those_of_scikit_learn() {
    let fixture = expected("metrics/expected.json");
    let mut wrong = Vec::new();
    for case in cases(&fixture) {
        let n_classes = case["n_classes"].as_u64().unwrap() as usize;
        let truth = integers(&case["y_true"]);
        let predicted: Vec<usize> = integers(&case["y_pred"]).iter().map(|&class| class as usize).collect();
        let rows = score_rows(&case["scores"], n_classes);
        let scores = score(n_classes, &truth, &predicted, rows.as_deref());
        for (field, want) in case["expected"].as_object().unwrap() {
            compare(case, field, want, &field_of(&scores, field), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn predictions_are_the_argmax_of_the_scores() {
    let fixture = expected("metrics/expected.json");
    for case in cases(&fixture) {
        let n_classes = case["n_classes"].as_u64().unwrap() as usize;
        let Some(rows) = score_rows(&case["scores"], n_classes) else { continue };
        let predicted: Vec<i64> = rows.iter().map(|row| argmax(row) as i64).collect();
        assert_eq!(predicted, integers(&case["y_pred"]), "{}", case["name"]);
    }
}

#[test]
fn the_intervals_of_means_equal_those_of_scipy() {
    let fixture = expected("stats/expected.json");
    let (mut wrong, mut other_methods) = (Vec::new(), BTreeSet::new());
    let (mut tested, mut skipped) = (0, 0);
    for case in cases(&fixture) {
        let method = case["method"].as_str().unwrap();
        if method != "mean_ci" {
            skipped += 1;
            other_methods.insert(method);
            continue;
        }
        tested += 1;
        let values: Vec<f64> =
            case["inputs"]["x"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        let interval = mean_ci(&values, case["inputs"]["level"].as_f64().unwrap());
        for (field, want) in case["expected"].as_object().unwrap() {
            let got = match field.as_str() {
                "n" => Value::from(interval.n),
                "mean" => Value::from(interval.mean),
                "sd" => Value::from(interval.sd),
                "se" => Value::from(interval.se),
                "lo" => Value::from(interval.low),
                "hi" => Value::from(interval.high),
                other => panic!("no field {other}"),
            };
            compare(case, field, want, &got, &mut wrong);
        }
    }
    eprintln!("SKIPPED {skipped} cases of {} methods that are not here yet", other_methods.len());
    assert!(tested > 0, "the fixture has no case of mean_ci");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cases(fixture: &Value) -> impl Iterator<Item = &Value> {
    let cases = fixture["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    cases.iter()
}

/// A list of numbers, or a string with one digit for each.
fn integers(value: &Value) -> Vec<i64> {
    match value.as_str() {
        Some(digits) => digits.chars().map(|digit| i64::from(digit.to_digit(10).unwrap())).collect(),
        None => value.as_array().unwrap().iter().map(|item| item.as_i64().unwrap()).collect(),
    }
}

/// A list of rows, or numerators row by row over one denominator.
fn score_rows(value: &Value, n_classes: usize) -> Option<Vec<Vec<f64>>> {
    let numbers = |list: &Value| -> Vec<f64> {
        list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    match value {
        Value::Null => None,
        Value::Array(rows) => Some(rows.iter().map(numbers).collect()),
        _ => {
            let denominator = value["denominator"].as_f64().unwrap();
            let scores: Vec<f64> = numbers(&value["numerators"]).iter().map(|n| n / denominator).collect();
            Some(scores.chunks(n_classes).map(<[f64]>::to_vec).collect())
        }
    }
}

fn field_of(scores: &Scores, field: &str) -> Value {
    let classes = || scores.labels.iter().map(|&class| &scores.classes[class]);
    let list = |values: Vec<Value>| if scores.n == 0 { Value::Null } else { Value::Array(values) };
    let probability = scores.probability.unwrap_or_default();
    match field {
        "n" => scores.n.into(),
        "labels" => scores.labels.clone().into(),
        "accuracy" => scores.accuracy.into(),
        "balanced_accuracy" => scores.balanced_accuracy.into(),
        "mcc" => scores.mcc.into(),
        "precision_macro" => scores.macro_average.precision.into(),
        "recall_macro" => scores.macro_average.recall.into(),
        "f1_macro" => scores.macro_average.f1.into(),
        "precision_micro" => scores.micro_average.precision.into(),
        "recall_micro" => scores.micro_average.recall.into(),
        "f1_micro" => scores.micro_average.f1.into(),
        "precision_weighted" => scores.weighted_average.precision.into(),
        "recall_weighted" => scores.weighted_average.recall.into(),
        "f1_weighted" => scores.weighted_average.f1.into(),
        "precision_per_class" => list(classes().map(|class| class.precision.into()).collect()),
        "recall_per_class" => list(classes().map(|class| class.recall.into()).collect()),
        "f1_per_class" => list(classes().map(|class| class.f1.into()).collect()),
        "support_per_class" => list(classes().map(|class| class.support.into()).collect()),
        "confusion_matrix" => list(scores.confusion.iter().map(|row| row.clone().into()).collect()),
        "roc_auc" => probability.auroc.into(),
        "roc_auc_ovr_macro" => probability.auroc_ovr.into(),
        "roc_auc_ovo_macro" => probability.auroc_ovo.into(),
        "average_precision" => probability.average_precision.into(),
        "log_loss" => probability.log_loss.into(),
        "brier" => probability.brier.into(),
        "ece10" => probability.ece.into(),
        other => panic!("no field {other}"),
    }
}

/// The fixtures' tolerance: `|got - want| <= rel |want| + 1e-12`; null is no finite number,
/// or what `returned` says.
fn compare(case: &Value, field: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    let relative = case.get("rel").map_or(1e-9, |rel| rel.as_f64().unwrap());
    let returned = case.get("returned").and_then(|returned| returned.get(field));
    let same = if want.is_null() {
        got.is_null() || returned.is_some_and(|value| close(value, got, relative))
    } else {
        close(want, got, relative)
    };
    if !same {
        wrong.push(format!("{} {field}: want {want}, got {got}", case["name"]));
    }
}

fn close(want: &Value, got: &Value, relative: f64) -> bool {
    match (want, got) {
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| close(want, got, relative))
        }
        (Value::Number(want), Value::Number(got)) if want.is_f64() || got.is_f64() => {
            let (want, got) = (want.as_f64().unwrap(), got.as_f64().unwrap());
            (got - want).abs() <= relative * want.abs() + 1e-12
        }
        (want, got) => want == got,
    }
}
