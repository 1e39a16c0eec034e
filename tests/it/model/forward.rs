//! What must hold of every forward pass.

use bench::model::{Classifier, EncoderSpec, LanguageModel, ModelError, Parameterised, Readout, TokenBatch};
use bench::settings::{Encoder, FeedForward, Head, Norm, Position};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::small::{every_encoder, rows, settings, spec, with_strong_weights};

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The states of `row` of a batch, padding left out.
fn states_of(states: &[f32], batch: &TokenBatch, row: usize, length: usize) -> Vec<f32> {
    let width = states.len() / (batch.rows() * batch.tokens());
    states[row * batch.tokens() * width..][..length * width].to_vec()
}

#[test]
fn what_else_is_in_a_batch_and_how_far_it_is_padded_changes_nothing() {
    let lengths = [4, 9, 1, 7];
    for settings in every_encoder() {
        let spec = spec(settings.clone());
        let model = with_strong_weights(&LanguageModel::new(&spec, 1, &Device::flex()));
        let rows = rows(&lengths);
        let together = TokenBatch::new(&rows, &spec).expect("rows that fit");
        let all = values(model.encoder().states(&together, &Readout::Every));
        for (row, length) in lengths.into_iter().enumerate() {
            let alone = TokenBatch::new(&rows[row..=row], &spec).expect("a row that fits");
            let found = values(model.encoder().states(&alone, &Readout::Every));
            let expected = states_of(&all, &together, row, length);
            let difference = largest_difference(&found, &expected);
            assert!(difference < 1e-5, "{settings:?}, row {row}: {difference}");
            assert!(expected.iter().any(|value| value.abs() > 0.1), "{settings:?}");
        }
    }
}

#[test]
fn computing_fewer_states_changes_none_of_them() {
    let places = vec![3, 0, 9, 20, 11];
    for settings in every_encoder() {
        let spec = spec(settings.clone());
        let plain = with_strong_weights(&LanguageModel::new(&spec, 1, &Device::flex()));
        // Autodiff goes other ways through norms, attention and GELU.
        for model in [plain.clone(), plain.train()] {
            let batch = TokenBatch::new(&rows(&[4, 9, 7]), &spec).expect("rows that fit");
            let every = values(model.encoder().states(&batch, &Readout::Every));
            let width = spec.settings().d_model;
            let of = |place: &usize| every[place * width..(place + 1) * width].to_vec();
            let firsts: Vec<f32> = [0, 9, 18].iter().flat_map(of).collect();
            let picked: Vec<f32> = places.iter().flat_map(of).collect();
            let first = values(model.encoder().states(&batch, &Readout::First));
            let some = values(model.encoder().states(&batch, &Readout::Picked(places.clone())));
            assert!(largest_difference(&first, &firsts) < 1e-5, "{settings:?}");
            assert!(largest_difference(&some, &picked) < 1e-5, "{settings:?}");
        }
    }
}

#[test]
fn training_computes_what_evaluation_does() {
    for settings in every_encoder() {
        let spec = spec(settings.clone());
        let model = with_strong_weights(&LanguageModel::new(&spec, 1, &Device::flex().autodiff()));
        let batch = TokenBatch::new(&rows(&[4, 9, 7]), &spec).expect("rows that fit");
        let places: Vec<usize> = (0..27).collect();
        let training = values(model.logits(&batch, places.clone()));
        let evaluation = values(model.valid().logits(&batch, places));
        let difference = largest_difference(&training, &evaluation);
        assert!(difference < 2e-5, "{settings:?}: {difference}");
    }
}

#[test]
fn positions_matter_and_only_to_the_encoder_that_has_them() {
    for settings in every_encoder() {
        let spec = spec(settings.clone());
        let model = with_strong_weights(&LanguageModel::new(&spec, 1, &Device::flex()));
        let states = |row: &[u32]| {
            let batch = TokenBatch::new(&[row], &spec).expect("a row that fits");
            values(model.encoder().states(&batch, &Readout::First))
        };
        let difference = largest_difference(&states(&[2, 7, 8, 9, 10]), &states(&[2, 10, 9, 8, 7]));
        assert!(difference > 1e-3, "{settings:?}: {difference}");

        let batch = TokenBatch::new(&[[2, 7, 8]], &spec).expect("a row that fits");
        let shifted = batch.clone().with_positions(&[[3, 4, 5]], &spec);
        match settings.position {
            Position::Learned | Position::Alibi => assert!(shifted.is_err()),
            Position::Rope => {
                // Only distances matter to rotations.
                let found = values(model.encoder().states(&shifted.expect("positions"), &Readout::Every));
                let expected = values(model.encoder().states(&batch, &Readout::Every));
                assert!(largest_difference(&found, &expected) < 1e-5);
                let stretched = batch.with_positions(&[[0, 2, 4]], &spec).expect("positions");
                let found = values(model.encoder().states(&stretched, &Readout::Every));
                assert!(largest_difference(&found, &expected) > 1e-3);
            }
        }
    }
}

#[test]
fn attending_to_padding_makes_a_difference_where_there_is_some() {
    let spec = spec(settings(Position::Learned, FeedForward::Gelu, Norm::Post));
    let model = with_strong_weights(&LanguageModel::new(&spec, 1, &Device::flex()));
    let states = |batch: TokenBatch| values(model.encoder().states(&batch, &Readout::First));
    let batch = |lengths: &[usize]| TokenBatch::new(&rows(lengths), &spec).expect("rows that fit");
    let equal = [states(batch(&[5, 5])), states(batch(&[5, 5]).attending_pads())];
    assert_eq!(equal[0], equal[1]);
    let padded = [states(batch(&[5, 8])), states(batch(&[5, 8]).attending_pads())];
    assert!(largest_difference(&padded[0], &padded[1]) > 1e-3);
}

#[test]
fn two_halves_are_read_in_order_and_a_missing_one_is_possible() {
    let settings =
        Encoder { head: Head::TwoHalf, ..settings(Position::Learned, FeedForward::Gelu, Norm::Post) };
    let spec = spec(settings);
    let model = Classifier::new(&spec, 3, usize::MAX, 1, &Device::flex()).expect("a classifier");
    let model = with_strong_weights(&model);
    let limit = spec.settings().max_tokens;
    let row = rows(&[2 * limit]).remove(0);
    let swapped: Vec<u32> = row[limit..].iter().chain(&row[..limit]).copied().collect();
    let logits = |rows: &[&[u32]]| values(model.logits(&model.batch(rows).expect("rows that fit")));
    let both = logits(&[&row, &swapped]);
    assert!(largest_difference(&both[..3], &both[3..]) > 1e-3, "{both:?}");
    assert!(largest_difference(&both[..3], &logits(&[&row])) < 1e-5);
    let short = logits(&[&row[..limit - 3], &row]);
    assert!(short.iter().all(|logit| logit.is_finite()));
    assert!(largest_difference(&short[3..], &both[..3]) < 1e-5);
}

#[test]
fn one_repetition_has_one_model_and_another_has_another() {
    let device = Device::flex();
    for settings in every_encoder() {
        let spec = spec(settings);
        let tensors = |repetition| bench::model::to_tensors(&LanguageModel::new(&spec, repetition, &device));
        let (first, again, other) = (tensors(1), tensors(1), tensors(2));
        assert_eq!(first, again);
        for (name, tensor) in &first {
            let random = name.ends_with("weight") && tensor.shape.len() == 2;
            assert_eq!(*tensor != other[name], random, "{name}");
        }
    }
}

#[test]
fn the_encoder_starts_alike_under_every_head_and_the_head_over_every_encoder() {
    let device = Device::flex();
    let classifier = |norm, classes| {
        let spec = spec(settings(Position::Learned, FeedForward::Gelu, norm));
        bench::model::to_tensors(&Classifier::new(&spec, classes, 0, 1, &device).expect("a classifier"))
    };
    let language =
        LanguageModel::new(&spec(settings(Position::Learned, FeedForward::Gelu, Norm::Post)), 1, &device);
    let (language, two) = (bench::model::to_tensors(&language), classifier(Norm::Post, 2));
    for (name, tensor) in language.iter().filter(|(name, _)| name.starts_with("bert.")) {
        assert_eq!(*tensor, two[name], "{name}");
    }
    assert_eq!(two["classifier.weight"], classifier(Norm::Pre, 2)["classifier.weight"]);
}

#[test]
fn dropout_acts_in_training_alone_and_is_drawn_anew() {
    for (dropout, attention_dropout) in [(0.3, 0.0), (0.0, 0.3)] {
        for feed_forward in [FeedForward::Gelu, FeedForward::Geglu] {
            let base = settings(Position::Learned, feed_forward, Norm::Post);
            let spec = spec(Encoder { dropout, attention_dropout, ..base });
            let model = with_strong_weights(&LanguageModel::new(&spec, 1, &Device::flex().autodiff()));
            let batch = TokenBatch::new(&rows(&[9, 9]), &spec).expect("rows that fit");
            let states = |model: &LanguageModel| values(model.encoder().states(&batch, &Readout::Every));
            model.device().seed(5);
            let first = states(&model);
            assert!(largest_difference(&first, &states(&model)) > 1e-3);
            model.device().seed(5);
            assert_eq!(first, states(&model));
            let plain = model.valid();
            assert_eq!(states(&plain), states(&plain));
        }
    }
}

#[test]
fn input_that_does_not_fit_is_an_error_with_its_place() {
    let spec = spec(settings(Position::Learned, FeedForward::Gelu, Norm::Post));
    let error = |rows: &[Vec<u32>]| TokenBatch::new(rows, &spec).expect_err("rows that do not fit");
    assert!(matches!(error(&[]), ModelError::NoRows));
    assert!(matches!(error(&[vec![1], vec![]]), ModelError::EmptyRow { row: 1 }));
    assert!(matches!(error(&[vec![1], vec![1; 17]]), ModelError::TooLong { row: 1, tokens: 17, limit: 16 }));
    assert!(matches!(error(&[vec![29, 30]]), ModelError::UnknownId { row: 0, id: 30, vocabulary: 30 }));

    let broken = |change: fn(&mut Encoder)| {
        let mut settings = settings(Position::Rope, FeedForward::Gelu, Norm::Post);
        change(&mut settings);
        EncoderSpec::new(settings, 30, Some(0)).expect_err("settings of no model")
    };
    assert!(matches!(broken(|settings| settings.n_heads = 5), ModelError::Heads { .. }));
    assert!(matches!(broken(|settings| settings.n_heads = 4), ModelError::OddHead(3)));
    assert!(matches!(broken(|settings| settings.n_heads = 0), ModelError::Zero("n_heads")));
    let settings = settings(Position::Rope, FeedForward::Gelu, Norm::Post);
    let error = EncoderSpec::new(settings, 30, Some(30)).expect_err("a padding id outside");
    assert!(matches!(error, ModelError::PadOutside { pad: 30, vocabulary: 30 }));
}
