//! Weights out of models, into files, and back.

use bench::model::{
    Classifier, HostTensor, LanguageModel, ModelError, Readout, TokenBatch, decode, encode, load,
    load_tensors, named_parameters, read_checkpoint, read_config, to_tensors,
};
use bench::settings::{FeedForward, Norm, Position};
use burn::tensor::Device;

use super::small::{every_encoder, rows, settings, spec};
use crate::fixtures::fixture;

#[test]
fn weights_come_back_bit_for_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let device = Device::flex();
    for (index, settings) in every_encoder().into_iter().enumerate() {
        let spec = spec(settings.clone());
        let path = folder.path().join(format!("{index}.safetensors"));
        let model = LanguageModel::new(&spec, 1, &device);
        let tensors = to_tensors(&model);
        let bytes = encode(&tensors, "a note").expect("tensors of their shapes");
        std::fs::write(&path, &bytes).expect("a written file");
        let read = load(&path).expect("a readable file");
        assert_eq!(read, tensors, "{settings:?}");
        assert_eq!(decode(&bytes).expect("the same bytes"), (tensors.clone(), "a note".to_owned()));
        let (back, report) =
            load_tensors(&LanguageModel::new(&spec, 2, &device), &read).expect("its own tensors");
        assert_eq!(to_tensors(&back), tensors, "{settings:?}");
        assert_eq!((report.ignored, report.missing), (vec![], vec![]));
        let batch = TokenBatch::new(&rows(&[5, 3]), &spec).expect("rows that fit");
        let states = |model: &LanguageModel| model.encoder().states(&batch, &Readout::Every).into_data();
        assert_eq!(states(&back), states(&model));
        let mut names: Vec<String> = named_parameters(&model).into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, tensors.keys().cloned().collect::<Vec<_>>());
    }
}

/// The names that our own files have are those of the public files.
#[test]
fn files_hold_what_public_checkpoints_hold() {
    for directory in ["dnabert-6mer", "dnabert-3mer", "dnabert-2", "deepgene"] {
        let path = fixture(directory);
        let weights = read_checkpoint(&path).expect("weights");
        let model = LanguageModel::new(&read_config(&path).expect("a config"), 1, &Device::flex());
        for (name, shape) in named_parameters(&model) {
            let public = weights.get(&name).unwrap_or_else(|| panic!("{directory} has no {name}"));
            assert_eq!(public.shape, shape, "{directory}: {name}");
        }
        let (_, report) = load_tensors(&model, &weights).expect("weights that fit");
        let aliases = ["decoder.weight", "decoder.bias", "predictions.bias", "embed_positions.weight"];
        for name in &report.ignored {
            let known = aliases.iter().any(|alias| name.ends_with(alias)) || name.contains("pooler");
            assert!(known, "{directory}: {name} was passed over");
        }
    }
}

#[test]
fn every_format_of_a_checkpoint_gives_the_same_weights() {
    let modern = read_checkpoint(&fixture("dnabert-3mer")).expect("weights");
    let legacy = read_checkpoint(&fixture("dnabert-3mer-legacy-bin")).expect("weights");
    for (name, tensor) in &modern {
        assert_eq!(legacy[name], *tensor, "{name}");
    }
}

#[test]
fn a_classifier_takes_a_pretrained_encoder_and_keeps_its_head() {
    let device = Device::flex();
    for settings in every_encoder() {
        let spec = spec(settings.clone());
        let pretrained = to_tensors(&LanguageModel::new(&spec, 1, &device));
        let fresh = Classifier::new(&spec, 3, 0, 2, &device).expect("a classifier");
        let before = to_tensors(&fresh);
        let (loaded, report) = load_tensors(&fresh, &pretrained).expect("an encoder that fits");
        let after = to_tensors(&loaded);
        assert!(!report.missing.is_empty() && !report.ignored.is_empty(), "{report:?}");
        for (name, tensor) in &after {
            let expected = if report.missing.contains(name) { &before[name] } else { &pretrained[name] };
            assert_eq!(tensor, expected, "{settings:?}: {name}");
        }
        assert!(report.missing.iter().all(|name| name.contains("pooler") || name.contains("classifier")));
        assert!(report.ignored.iter().all(|name| name.starts_with("cls.")), "{report:?}");
    }
}

#[test]
fn weights_that_do_not_fit_are_errors() {
    let spec = spec(settings(Position::Learned, FeedForward::Gelu, Norm::Post));
    let model = LanguageModel::new(&spec, 1, &Device::flex());
    let query = "bert.encoder.layer.1.attention.self.query.weight";
    let decoder = "cls.predictions.decoder.weight";
    let words = "bert.embeddings.word_embeddings.weight";
    let change = |change: &dyn Fn(&mut bench::model::HostTensors)| {
        let mut tensors = to_tensors(&model);
        change(&mut tensors);
        load_tensors(&model, &tensors).map(|(_, report)| report)
    };
    let missing = change(&|tensors| drop(tensors.remove(query)));
    assert!(matches!(missing, Err(ModelError::Missing { name }) if name == query));
    let shape = change(&|tensors| tensors.get_mut(query).expect("it is there").shape = vec![6, 24]);
    assert!(matches!(shape, Err(ModelError::Shape { name, .. }) if name == query));
    let tied = change(&|tensors| drop(tensors.insert(decoder.to_owned(), tensors[words].clone())));
    assert_eq!(tied.expect("a tied decoder").ignored, [decoder]);
    let untied = change(&|tensors| {
        let mut other = tensors[words].clone();
        other.data[7] += 1.0;
        tensors.insert(decoder.to_owned(), other);
    });
    assert!(matches!(untied, Err(ModelError::Untied { .. })));
    // The output bias under its other name.
    let renamed = change(&|tensors| {
        let bias = tensors.remove("cls.predictions.bias").expect("it is there");
        tensors.insert("cls.predictions.decoder.bias".to_owned(), bias);
        tensors.insert(
            "bert.embeddings.position_ids".to_owned(),
            HostTensor { shape: vec![1], data: vec![0.0] },
        );
    });
    let renamed = renamed.expect("either name");
    assert_eq!((renamed.missing, renamed.ignored.len()), (vec![], 1));
}

#[test]
fn a_file_that_is_no_checkpoint_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = read_checkpoint(folder.path()).expect_err("no weights").to_string();
    assert!(error.contains("pytorch_model.bin"), "{error}");
    for name in ["model.safetensors", "pytorch_model.bin"] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(name), b"cos\nsystem\n(S'true'\ntR.").expect("a written file");
        let error = read_checkpoint(folder.path()).expect_err("no weights").to_string();
        assert!(error.contains(name), "{error}");
    }
}
