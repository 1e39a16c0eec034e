//! Optimiser steps against the fixture, which PyTorch computed.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bench::model::{
    Classifier, HostTensors, LanguageModel, Parameterised, load_tensors, read_checkpoint, read_config,
    to_tensors,
};
use bench::settings::{Decay, Optimisation};
use bench::train::{AdamW, ClassifierBatch, MlmBatch, StepContext, Stepped, classifier_step, mlm_step, rate};
use burn::tensor::Device;
use serde_json::Value;

use crate::fixtures::{expected, fixture};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn integers(value: &Value) -> Vec<i64> {
    value.as_array().expect("a list").iter().map(|item| item.as_i64().expect("an integer")).collect()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// The fixture's settings, which decay linearly.
fn optimisation(file: &Value) -> Optimisation {
    let settings = &file["settings"];
    let count = |key: &str| settings[key].as_u64().expect("a count") as usize;
    Optimisation {
        steps: count("steps"),
        batch_size: 1,
        micro_batch: 1,
        learning_rate: number(&settings["lr"]),
        warmup_steps: count("warmup"),
        decay: Decay::Linear,
        weight_decay: number(&settings["weight_decay"]),
        decay_all: false,
        beta1: number(&settings["betas"][0]),
        beta2: number(&settings["betas"][1]),
        epsilon: number(&settings["eps"]),
        clip_norm: number(&settings["clip"]),
    }
}

/// Ids of a row without its padding.
fn ids(row: &Value, mask: &Value) -> Vec<u32> {
    let kept = integers(row).into_iter().zip(integers(mask)).filter(|(_, mask)| *mask == 1);
    kept.map(|(id, _)| id as u32).collect()
}

fn mlm_batches(batch: &Value, run: &Value) -> Vec<MlmBatch> {
    let attend_pads = run["attention_mask"] != "attention_mask";
    let micro = items(&run["rows"]).iter().map(|bounds| {
        let bounds = integers(bounds);
        let rows = bounds[0] as usize..bounds[1] as usize;
        let of = |key: &str| &items(&batch[key])[rows.clone()];
        let targets = of("mlm_labels").iter().map(|row| {
            let labelled = integers(row).into_iter().enumerate().filter(|(_, label)| *label >= 0);
            labelled.map(|(position, label)| (position, label as u32)).collect()
        });
        let ids = of("mlm_input_ids").iter().zip(of("attention_mask")).map(|(row, mask)| ids(row, mask));
        MlmBatch { ids: ids.collect(), targets: targets.collect(), attend_pads }
    });
    micro.collect()
}

fn classifier_batches(batch: &Value, run: &Value) -> Vec<ClassifierBatch> {
    let labels = integers(&batch["classifier_labels"]);
    let micro = items(&run["rows"]).iter().map(|bounds| {
        let bounds = integers(bounds);
        let rows = bounds[0] as usize..bounds[1] as usize;
        let of = |key: &str| &items(&batch[key])[rows.clone()];
        let ids =
            of("classifier_input_ids").iter().zip(of("attention_mask")).map(|(row, mask)| ids(row, mask));
        ClassifierBatch {
            ids: ids.collect(),
            labels: labels[rows.clone()].iter().map(|label| *label as usize).collect(),
        }
    });
    micro.collect()
}

/// The weights of a fixture's directory, without dropout.
fn settings_and_weights(directory: &str) -> (bench::model::EncoderSpec, HostTensors) {
    let path = fixture(directory);
    let spec = read_config(&path).expect("a config");
    let mut settings = spec.settings().clone();
    settings.dropout = 0.0;
    settings.attention_dropout = 0.0;
    let spec = bench::model::EncoderSpec::new(settings, spec.vocabulary(), spec.pad()).expect("a spec");
    (spec, read_checkpoint(&path).expect("weights"))
}

struct Checked<'a> {
    file: &'a Value,
    run: &'a Value,
}

impl Checked<'_> {
    fn bound(&self, key: &str) -> f64 {
        number(&self.file["tolerance"][key])
    }

    fn near(&self, what: impl Debug, found: f64, expected: &Value, bound: f64) {
        let expected = number(expected);
        assert!(
            (found - expected).abs() <= bound,
            "{} {what:?}: {found} instead of {expected}",
            self.run["name"]
        );
    }

    /// Runs the steps and compares all that the file holds.
    fn check<M: Parameterised>(&self, mut model: M, step: impl Fn(M, &mut AdamW, StepContext) -> Stepped<M>) {
        let settings = optimisation(self.file);
        self.check_first_gradient(model.clone(), &settings, &step);
        let before = to_tensors(&model);
        let mut optimiser = AdamW::new(&settings);
        for (index, expected) in items(&self.run["steps"]).iter().enumerate() {
            let context = StepContext { repetition: 1, step: index, rate: rate(index, &settings) };
            let stepped = step(model, &mut optimiser, context);
            model = stepped.model;
            let loss_bound = self.bound(if index == 0 { "first_loss" } else { "loss" });
            self.near(("rate", index), context.rate, &expected["lr"], self.bound("lr"));
            self.near(("loss", index), stepped.loss, &expected["loss"], loss_bound);
            let norm_bound = self.bound("grad_norm_relative") * number(&expected["grad_norm"]);
            self.near(("norm", index), stepped.gradient_norm, &expected["grad_norm"], norm_bound);
        }
        self.check_parameters(&before, &to_tensors(&model));
        let context = StepContext { repetition: 1, step: settings.steps, rate: 0.0 };
        let after = step(model, &mut optimiser, context);
        self.near("loss after", after.loss, &self.run["loss_after"], self.bound("loss_after"));
    }

    /// With an epsilon that drowns the second moment, the first step moves each parameter by
    /// its (clipped) gradient.
    fn check_first_gradient<M: Parameterised>(
        &self,
        model: M,
        settings: &Optimisation,
        step: &impl Fn(M, &mut AdamW, StepContext) -> Stepped<M>,
    ) {
        let plain = Optimisation { epsilon: 1e6, weight_decay: 0.0, ..settings.clone() };
        let before = to_tensors(&model);
        let stepped = step(model, &mut AdamW::new(&plain), StepContext { repetition: 1, step: 0, rate: 1e6 });
        let after = to_tensors(&stepped.model);
        for parameter in self.parameters() {
            let name = parameter["name"].as_str().expect("a name");
            let expected = &parameter["first_grad_l2"];
            let moved = moved(&before[name].data, &after[name].data);
            // What float32 loses in the difference of two values near 1.
            let bound = 1e-3 * number(expected) + 1e-7 * (before[name].data.len() as f64).sqrt();
            self.near(("first gradient of", name), moved, expected, bound);
        }
    }

    fn check_parameters(&self, before: &HostTensors, after: &HostTensors) {
        let all: BTreeMap<&str, &Value> =
            items(&self.run["parameters"]).iter().map(|p| (p["name"].as_str().expect("a name"), p)).collect();
        assert_eq!(all.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{}", self.run["name"]);
        for (name, expected) in &all {
            let (old, new) = (&before[*name].data, &after[*name].data);
            let sum = |values: &[f32]| values.iter().copied().map(f64::from).sum::<f64>();
            let l2 = new.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
            self.near(("sum before of", name), sum(old), &expected["sum_before"], self.bound("sum"));
            self.near(("sum of", name), sum(new), &expected["sum"], self.bound("sum"));
            self.near(("l2 of", name), l2, &expected["l2"], self.bound("l2"));
        }
        for parameter in self.parameters() {
            let name = parameter["name"].as_str().expect("a name");
            let expected = &parameter["moved_l2"];
            let bound = self.bound("moved_l2_relative") * number(expected);
            self.near(("moved", name), moved(&before[name].data, &after[name].data), expected, bound);
        }
    }

    /// The parameters that more than rounding moves.
    fn parameters(&self) -> impl Iterator<Item = &Value> {
        let noise = items(&self.file["rounding_noise_parameters"]);
        items(&self.run["parameters"]).iter().filter(|parameter| !noise.contains(&parameter["name"]))
    }
}

fn moved(before: &[f32], after: &[f32]) -> f64 {
    let differences = before.iter().zip(after).map(|(old, new)| f64::from(*new) - f64::from(*old));
    differences.map(|difference| difference * difference).sum::<f64>().sqrt()
}

#[test]
fn ten_steps_of_every_run_are_reproduced() {
    let file = expected("train-step/expected.json");
    let batch = expected("train-step/batch.json");
    let device = Device::flex().autodiff();
    for run in items(&file["runs"]) {
        let checked = Checked { file: &file, run };
        let (spec, weights) = settings_and_weights(run["checkpoint"].as_str().expect("a directory"));
        let name = run["name"].as_str().expect("a name");
        if name.starts_with("mlm") {
            let model = LanguageModel::new(&spec, 1, &device);
            let (model, _) = load_tensors(&model, &weights).expect("weights that fit");
            let batches = mlm_batches(&batch, run);
            checked.check(model, |model, optimiser, context| {
                mlm_step(model, optimiser, &batches, context).expect("a step")
            });
        } else {
            let classes = weights["classifier.bias"].shape[0];
            let model = Classifier::new(&spec, classes, 0, 1, &device).expect("a classifier");
            let (model, _) = load_tensors(&model, &weights).expect("weights that fit");
            let batches = classifier_batches(&batch, run);
            checked.check(model, |model, optimiser, context| {
                classifier_step(model, optimiser, &batches, context).expect("a step")
            });
        }
    }
}

fn small_model() -> (Classifier, Vec<ClassifierBatch>) {
    let (spec, _) = settings_and_weights("dnabert-3mer-classifier");
    let model = Classifier::new(&spec, 2, 0, 1, &Device::flex().autodiff()).expect("a classifier");
    let ids = (0..4).map(|row| (0..9).map(|place| 2 + (row * 5 + place * 7) % 60).collect()).collect();
    (model, vec![ClassifierBatch { ids, labels: vec![0, 1, 1, 0] }])
}

#[test]
fn a_restored_optimiser_goes_on_as_if_it_had_never_stopped() {
    let settings = optimisation(&expected("train-step/expected.json"));
    let (mut model, batches) = small_model();
    let mut optimiser = AdamW::new(&settings);
    let context = |step| StepContext { repetition: 1, step, rate: rate(step, &settings) };
    for step in 0..3 {
        model = classifier_step(model, &mut optimiser, &batches, context(step)).expect("a step").model;
    }
    let mut restored = AdamW::new(&settings);
    restored
        .restore(optimiser.state(), optimiser.updates(), &Device::flex().autodiff())
        .expect("its own state");
    let (mut resumed, _) = load_tensors(&small_model().0, &to_tensors(&model)).expect("its own weights");
    for step in 3..6 {
        model = classifier_step(model, &mut optimiser, &batches, context(step)).expect("a step").model;
        resumed = classifier_step(resumed, &mut restored, &batches, context(step)).expect("a step").model;
    }
    assert_eq!(to_tensors(&model), to_tensors(&resumed));
    assert_eq!(optimiser.state(), restored.state());

    let mut damaged = optimiser.state();
    let (name, _) = damaged.pop_last().expect("some state");
    assert!(name.ends_with(".second"));
    let error = restored.restore(damaged, 6, &Device::flex()).expect_err("half a state").to_string();
    assert!(error.contains(&name), "{error}");
}

#[test]
fn decay_spares_vectors_unless_told_otherwise() {
    let settings = optimisation(&expected("train-step/expected.json"));
    let after = |decay_all, weight_decay| {
        let settings = Optimisation { decay_all, weight_decay, ..settings.clone() };
        let (model, batches) = small_model();
        let context = StepContext { repetition: 1, step: 1, rate: 1e-3 };
        let stepped = classifier_step(model, &mut AdamW::new(&settings), &batches, context);
        to_tensors(&stepped.expect("a step").model)
    };
    let (none, matrices, all) = (after(false, 0.0), after(false, 0.5), after(true, 0.5));
    for (name, tensor) in &none {
        let is_matrix = tensor.shape.len() > 1;
        assert_eq!(*tensor != matrices[name], is_matrix, "{name}");
        // Biases start at 0, where there is nothing to decay.
        let decays = is_matrix || name.ends_with("LayerNorm.weight");
        assert_eq!(*tensor != all[name], decays, "{name}");
    }
}

#[test]
fn dropout_is_named_by_repetition_step_and_micro_batch() {
    let path = fixture("dnabert-3mer-classifier");
    let spec = read_config(&path).expect("a config");
    assert!(spec.settings().dropout > 0.0);
    let settings = optimisation(&expected("train-step/expected.json"));
    let (_, batches) = small_model();
    let loss = |repetition, step, batches: &[ClassifierBatch]| {
        let model = Classifier::new(&spec, 2, 0, 1, &Device::flex().autodiff()).expect("a classifier");
        let context = StepContext { repetition, step, rate: 0.0 };
        classifier_step(model, &mut AdamW::new(&settings), batches, context).expect("a step").loss
    };
    let first = loss(1, 0, &batches);
    assert_eq!(first.to_bits(), loss(1, 0, &batches).to_bits());
    assert_ne!(first.to_bits(), loss(2, 0, &batches).to_bits());
    assert_ne!(first.to_bits(), loss(1, 1, &batches).to_bits());
    let twice = [batches[0].clone(), batches[0].clone()];
    assert_ne!(first.to_bits(), loss(1, 0, &twice).to_bits());
}
