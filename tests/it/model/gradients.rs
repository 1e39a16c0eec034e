//! Gradients of every kind of model against differences of the loss.

use bench::model::{Classifier, HostTensors, LanguageModel, Parameterised, load_tensors, to_tensors};
use bench::settings::{Decay, Encoder, FeedForward, Head, Norm, Optimisation, Position};
use bench::train::{AdamW, ClassifierBatch, MlmBatch, Moment, Stepped, classifier_step, mlm_step};
use burn::tensor::Device;

use super::small::{every_encoder, rows, settings, spec, with_strong_weights};

/// An optimiser that moves each parameter by its gradient: epsilon drowns the second moment.
fn plain_descent() -> AdamW {
    AdamW::new(&Optimisation {
        steps: 1,
        batch_size: 1,
        micro_batch: 1,
        learning_rate: 1e6,
        warmup_steps: 0,
        decay: Decay::Constant,
        weight_decay: 0.0,
        decay_all: false,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e6,
        clip_norm: 0.0,
    })
}

const MOMENT: Moment = Moment { repetition: 1, step: 0, rate: 1e6 };

/// For each parameter: the loss must change along its gradient by the gradient's length.
fn check<M: Parameterised>(what: &str, model: &M, step: impl Fn(M, &mut AdamW) -> Stepped<M>) {
    let before = to_tensors(model);
    let after = to_tensors(&step(model.clone(), &mut plain_descent()).model);
    let loss = |tensors: &HostTensors| {
        let (model, _) = load_tensors(model, tensors).expect("its own tensors");
        step(model, &mut plain_descent()).loss
    };
    for (name, tensor) in &before {
        let gradient: Vec<f32> =
            tensor.data.iter().zip(&after[name].data).map(|(old, new)| old - new).collect();
        let length = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        if name.ends_with("key.bias") && !what.contains("Rope") {
            // Softmax does not see a shift that is the same for all keys.
            assert!(length < 1e-5, "{what}: {name} has a gradient of {length}");
            continue;
        }
        assert!(length > 1e-5, "{what}: no gradient reaches {name}");
        let moved = |by: f64| {
            let mut tensors = before.clone();
            let data = &mut tensors.get_mut(name).expect("it is there").data;
            data.iter_mut()
                .zip(&gradient)
                .for_each(|(value, g)| *value += (by * f64::from(*g) / length) as f32);
            loss(&tensors)
        };
        // Far enough for single precision, not so far that the slope changes.
        let by = (0.01 / length).min(0.005);
        let slope = (moved(by) - moved(-by)) / (2.0 * by);
        assert!(
            (slope - length).abs() < 0.02 * length + 1e-4,
            "{what}: {name} has slope {slope}, not {length}"
        );
    }
}

fn mlm_batches() -> Vec<MlmBatch> {
    let ids = rows(&[9, 4, 7]);
    let targets = vec![vec![(3, 8), (8, 29)], vec![], vec![(1, 5)]];
    vec![MlmBatch { ids, targets, attend_pads: false }]
}

#[test]
fn language_models_descend_along_the_slope_of_the_loss() {
    for settings in every_encoder() {
        let spec = spec(settings.clone());
        let model = with_strong_weights(&LanguageModel::new(&spec, 1, &Device::flex().autodiff()));
        check(&format!("{settings:?}"), &model, |model, optimiser| {
            mlm_step(model, optimiser, &mlm_batches(), MOMENT).expect("a step")
        });
    }
}

#[test]
fn classifiers_descend_along_the_slope_of_the_loss() {
    for head in [Head::Pooler, Head::Dense, Head::TwoHalf] {
        for norm in [Norm::Post, Norm::Pre] {
            let settings = Encoder { head, ..settings(Position::Alibi, FeedForward::Geglu, norm) };
            let spec = spec(settings.clone());
            let device = Device::flex().autodiff();
            let model = Classifier::new(&spec, 3, usize::MAX, 1, &device).expect("a classifier");
            let lengths = if head == Head::TwoHalf { [20, 31, 17] } else { [4, 9, 7] };
            let batch = [ClassifierBatch { ids: rows(&lengths), labels: vec![2, 0, 1] }];
            check(&format!("{settings:?}"), &with_strong_weights(&model), |model, optimiser| {
                classifier_step(model, optimiser, &batch, MOMENT).expect("a step")
            });
        }
    }
}

#[test]
fn a_frozen_encoder_stays_and_its_head_learns() {
    let spec = spec(settings(Position::Learned, FeedForward::Gelu, Norm::Post));
    let model = Classifier::new(&spec, 2, 0, 1, &Device::flex().autodiff()).expect("a classifier");
    let model = with_strong_weights(&model).with_frozen_encoder();
    let before = to_tensors(&model);
    let batch = [ClassifierBatch { ids: rows(&[4, 9]), labels: vec![1, 0] }];
    let stepped = classifier_step(model, &mut plain_descent(), &batch, MOMENT).expect("a step");
    let again = classifier_step(stepped.model, &mut plain_descent(), &batch, MOMENT).expect("a step");
    for (name, tensor) in to_tensors(&again.model) {
        let of_head = name.starts_with("classifier") || name.starts_with("bert.pooler");
        assert_eq!(tensor != before[&name], of_head, "{name}");
    }
}

#[test]
fn a_small_model_learns_eight_rows_by_heart() {
    let base = settings(Position::Learned, FeedForward::Gelu, Norm::Post);
    let spec = spec(Encoder { d_model: 24, d_ff: 48, ..base });
    let mut model = Classifier::new(&spec, 2, 0, 3, &Device::flex().autodiff()).expect("a classifier");
    let mut optimiser = AdamW::new(&Optimisation {
        steps: 200,
        batch_size: 8,
        micro_batch: 8,
        learning_rate: 3e-3,
        warmup_steps: 0,
        decay: Decay::Constant,
        weight_decay: 0.01,
        decay_all: false,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        clip_norm: 1.0,
    });
    let labels = vec![0, 1, 1, 0, 1, 0, 0, 1];
    let batch = [ClassifierBatch { ids: rows(&[8; 8]), labels }];
    let mut losses = Vec::new();
    for step in 0..150 {
        let moment = Moment { repetition: 1, step, rate: 3e-3 };
        let stepped = classifier_step(model, &mut optimiser, &batch, moment).expect("a step");
        model = stepped.model;
        losses.push(stepped.loss);
    }
    assert!((losses[0] - 2.0_f64.ln()).abs() < 0.05, "{}", losses[0]);
    assert!(losses[149] < 0.02, "{}", losses[149]);
}

#[test]
fn a_step_that_is_not_finite_changes_nothing_and_says_so() {
    let spec = spec(settings(Position::Learned, FeedForward::Gelu, Norm::Post));
    let model = LanguageModel::new(&spec, 1, &Device::flex().autodiff());
    let mut tensors = to_tensors(&model);
    tensors.get_mut("bert.embeddings.LayerNorm.weight").expect("it is there").data[3] = f32::INFINITY;
    let (model, _) = load_tensors(&model, &tensors).expect("its own tensors");
    let mut optimiser = plain_descent();
    let stepped = mlm_step(model, &mut optimiser, &mlm_batches(), MOMENT).expect("a step");
    assert!(!stepped.loss.is_finite() || !stepped.gradient_norm.is_finite());
    assert_eq!(to_tensors(&stepped.model), tensors);
    assert_eq!(optimiser.updates(), 0);
}

#[test]
fn rows_that_cannot_be_learnt_from_are_errors() {
    let spec = spec(settings(Position::Learned, FeedForward::Gelu, Norm::Post));
    let device = Device::flex().autodiff();
    let mlm = |targets: Vec<Vec<(usize, u32)>>| {
        let batch = MlmBatch { ids: rows(&[4, 5]), targets, attend_pads: false };
        let model = LanguageModel::new(&spec, 1, &device);
        mlm_step(model, &mut plain_descent(), &[batch], MOMENT).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(mlm(vec![vec![], vec![(4, 7)]]), Ok(()));
    for (targets, says) in [
        (vec![vec![], vec![]], "no prediction target"),
        (vec![vec![]], "1 given, 2 expected"),
        (vec![vec![(4, 7)], vec![]], "row 0 has a target at position 4"),
        (vec![vec![(1, 30)], vec![]], "row 0 holds id 30"),
    ] {
        let error = mlm(targets).expect_err(says);
        assert!(error.contains(says), "{error}");
    }
    let labelled = |labels: Vec<usize>| {
        let model = Classifier::new(&spec, 2, 0, 1, &device).expect("a classifier");
        let batch = ClassifierBatch { ids: rows(&[4, 5]), labels };
        classifier_step(model, &mut plain_descent(), &[batch], MOMENT).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(labelled(vec![0, 1]), Ok(()));
    assert!(labelled(vec![0]).expect_err("too few").contains("1 given"));
    assert!(labelled(vec![0, 2]).expect_err("no class").contains("label 2"));
}
