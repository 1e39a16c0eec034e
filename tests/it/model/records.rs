//! Every record of the checkpoint fixtures, alone and in a padded batch.

use bench::model::{
    Classifier, EncoderSpec, HostTensors, LanguageModel, Readout, TokenBatch, load_tensors, read_checkpoint,
    read_config,
};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::Value;

use crate::fixtures::{expected, fixture};

/// The largest difference seen in each field, and the bound.
struct Comparison {
    family: String,
    bound: f64,
    worst: std::collections::BTreeMap<String, f64>,
}

impl Comparison {
    fn new(family: &str, file: &Value) -> Self {
        let bound = file["tolerance"]["acceptance"].as_f64().expect("a bound");
        Self { family: family.to_owned(), bound, worst: std::collections::BTreeMap::new() }
    }

    /// Compares numbers or lists of them; absolute, and relative beyond 1.
    fn compare(&mut self, field: &str, record: usize, found: Option<&[f64]>, expected: &Value) {
        let expected: Option<Vec<f64>> = match expected {
            Value::Null => None,
            Value::Array(values) => Some(values.iter().map(|v| v.as_f64().expect("a number")).collect()),
            number => Some(vec![number.as_f64().expect("a number")]),
        };
        let (Some(found), Some(expected)) = (found, &expected) else {
            assert_eq!(found.is_some(), expected.is_some(), "{} {field} of record {record}", self.family);
            return;
        };
        assert_eq!(found.len(), expected.len(), "{} {field} of record {record}", self.family);
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs() / expected.abs().max(1.0);
            assert!(
                difference <= self.bound,
                "{} {field} of record {record}: {found} instead of {expected}",
                self.family
            );
            let worst = self.worst.entry(field.to_owned()).or_default();
            *worst = worst.max(difference);
        }
    }

    /// The worst differences, on stderr for who runs with `--nocapture`.
    fn report(&self) {
        assert!(!self.worst.is_empty(), "{}: nothing was compared", self.family);
        eprintln!("{}: {:?}", self.family, self.worst);
    }
}

/// One record's input.
struct Input {
    ids: Vec<u32>,
    positions: Option<Vec<u32>>,
    /// Places of tokens that are not special, and whether each is known.
    tokens: Vec<(usize, bool)>,
}

fn list(value: &Value) -> Vec<u32> {
    value.as_array().expect("a list").iter().map(|id| id.as_u64().expect("an id") as u32).collect()
}

fn input(record: &Value, unknown: u32) -> Input {
    let ids = list(&record["input_ids"]);
    let special = |id: u32| {
        // [CLS] is the first id of every row, and [SEP] has the id after it.
        id == ids[0] || id == ids[0] + 1
    };
    let tokens = ids
        .iter()
        .enumerate()
        .filter(|(_, id)| !special(**id))
        .map(|(place, id)| (place, *id != unknown))
        .collect();
    let positions = record.get("pos_ids").map(list);
    Input { ids, positions, tokens }
}

fn batch(inputs: &[&Input], spec: &EncoderSpec) -> TokenBatch {
    let rows: Vec<&[u32]> = inputs.iter().map(|input| input.ids.as_slice()).collect();
    let batch = TokenBatch::new(&rows, spec).expect("rows that fit");
    let positions: Option<Vec<&Vec<u32>>> = inputs.iter().map(|input| input.positions.as_ref()).collect();
    match positions {
        Some(positions) => {
            let rows: Vec<&[u32]> = positions.iter().map(|row| row.as_slice()).collect();
            batch.with_positions(&rows, spec).expect("positions that fit")
        }
        None => batch,
    }
}

fn numbers(data: &burn::tensor::TensorData) -> Vec<f64> {
    data.iter::<f64>().collect()
}

fn mean_rows(states: &[f64], width: usize, places: &[usize]) -> Option<Vec<f64>> {
    let n = places.len() as f64;
    (!places.is_empty())
        .then(|| (0..width).map(|j| places.iter().map(|i| states[i * width + j]).sum::<f64>() / n).collect())
}

/// The logarithm of the probability of each row's target.
fn log_probabilities(logits: Tensor<2>, targets: &[u32]) -> Vec<f64> {
    let [_, vocabulary] = logits.dims();
    let logs = numbers(&log_softmax(logits, 1).into_data());
    targets.iter().enumerate().map(|(row, id)| logs[row * vocabulary + *id as usize]).collect()
}

/// Both checkpoints of a family, loaded.
struct Family {
    spec: EncoderSpec,
    language: LanguageModel,
    classifier: Classifier,
    unknown: u32,
}

fn load(directory: &str, tensors: impl Fn(&HostTensors) -> usize) -> (EncoderSpec, HostTensors, usize) {
    let path = fixture(directory);
    let spec = read_config(&path).expect("a config");
    let weights = read_checkpoint(&path).expect("weights");
    let found = tensors(&weights);
    (spec, weights, found)
}

impl Family {
    fn new(file: &Value) -> Self {
        let device = Device::flex();
        let name = |key: &str| file[key].as_str().expect("a directory").to_owned();
        let (spec, weights, _) = load(&name("checkpoint"), |_| 0);
        let language = LanguageModel::new(&spec, 1, &device);
        let (language, report) = load_tensors(&language, &weights).expect("weights that fit");
        assert_eq!(report.missing, Vec::<String>::new());

        let (classifier_spec, weights, classes) = load(&name("classifier_checkpoint"), |weights| {
            let names = ["classifier.bias", "classifier.out_proj.bias"];
            names.iter().find_map(|name| weights.get(*name)).expect("a head").shape[0]
        });
        let classifier = Classifier::new(&classifier_spec, classes, 0, 1, &device).expect("a classifier");
        let (classifier, report) = load_tensors(&classifier, &weights).expect("weights that fit");
        assert_eq!(report.missing, Vec::<String>::new());

        let first = &file["records"][0];
        let cls = first["input_ids"][0].as_u64().expect("an id") as u32;
        // [UNK] stands before [CLS] in every vocabulary here.
        Self { spec, language, classifier, unknown: cls - 1 }
    }

    /// Compares the records at `chosen` in one batch.
    fn check(&self, inputs: &[&Input], records: &[(usize, &Value)], comparison: &mut Comparison) {
        let batch = batch(inputs, &self.spec);
        let states = self.language.encoder().states(&batch, &Readout::Every);
        let [_, width] = states.dims();
        let logits = numbers(&self.classifier.logits(&batch).into_data());
        let classes = self.classifier.classes();
        let states_of_all = numbers(&states.to_data());
        for (row, (input, (index, record))) in inputs.iter().zip(records).enumerate() {
            let first = row * batch.tokens();
            let all: Vec<usize> = input.tokens.iter().map(|(place, _)| first + place).collect();
            let known: Vec<usize> =
                input.tokens.iter().filter(|(_, known)| *known).map(|(place, _)| first + place).collect();
            let cls = &states_of_all[first * width..(first + 1) * width];
            comparison.compare("cls", *index, Some(cls), &record["cls"]);
            let mut mean = |field: &str, places: &[usize]| {
                comparison.compare(
                    field,
                    *index,
                    mean_rows(&states_of_all, width, places).as_deref(),
                    &record[field],
                );
            };
            mean("mean", &all);
            mean("mean_no_unk", &known);
            for (field, places) in [("loglik", &all), ("loglik_no_unk", &known)] {
                let found = (!places.is_empty()).then(|| {
                    let targets: Vec<u32> = places.iter().map(|place| input.ids[place - first]).collect();
                    let places = Tensor::<1, Int>::from_ints(
                        TensorData::from(
                            places.iter().map(|place| *place as i32).collect::<Vec<_>>().as_slice(),
                        ),
                        &Device::flex(),
                    );
                    let logits = self.language.head_logits(states.clone().select(0, places));
                    let logs = log_probabilities(logits, &targets);
                    vec![logs.iter().sum::<f64>() / logs.len() as f64]
                });
                comparison.compare(field, *index, found.as_deref(), &record[field]);
            }
            let of_row = &logits[row * classes..(row + 1) * classes];
            comparison.compare("logits", *index, Some(of_row), &record["logits"]);
        }
    }

    fn check_masked(&self, file: &Value, comparison: &mut Comparison) {
        for masked in file["masked"].as_array().into_iter().flatten() {
            let index = masked["index"].as_u64().expect("an index") as usize;
            let ids = list(&masked["input_ids"]);
            let places: Vec<usize> =
                list(&masked["positions"]).into_iter().map(|place| place as usize).collect();
            // Alone, and beside a longer row that changes nothing but the padding.
            let filler = vec![ids[0]; ids.len() + 7];
            for rows in [vec![ids.clone()], vec![ids.clone(), filler]] {
                let batch = TokenBatch::new(&rows, &self.spec).expect("rows that fit");
                let logits = self.language.logits(&batch, places.clone());
                let found = log_probabilities(logits, &list(&masked["labels"]));
                comparison.compare("masked", index, Some(&found), &masked["logprobs"]);
                let loss = -found.iter().sum::<f64>() / found.len() as f64;
                comparison.compare("loss", index, Some(&[loss]), &masked["loss"]);
            }
        }
    }
}

/// All records of a family, alone and together.
fn check_family(name: &str) {
    let file = expected(&format!("{name}/expected.json"));
    let family = Family::new(&file);
    let mut comparison = Comparison::new(name, &file);
    for key in ["records", "graph_records"] {
        let Some(records) = file.get(key).and_then(Value::as_array) else { continue };
        let inputs: Vec<Input> = records.iter().map(|record| input(record, family.unknown)).collect();
        let all: Vec<(usize, &Value)> = records.iter().enumerate().collect();
        for (input, record) in inputs.iter().zip(&all) {
            family.check(&[input], std::slice::from_ref(record), &mut comparison);
        }
        family.check(&inputs.iter().collect::<Vec<_>>(), &all, &mut comparison);
    }
    family.check_masked(&file, &mut comparison);
    comparison.report();
}

#[test]
fn dnabert_six_mer_records_are_reproduced() {
    check_family("dnabert-6mer");
}

#[test]
fn dnabert_three_mer_records_are_reproduced() {
    check_family("dnabert-3mer");
}

#[test]
fn dnabert_2_records_are_reproduced() {
    check_family("dnabert-2");
}

#[test]
fn deepgene_records_are_reproduced() {
    check_family("deepgene");
}

#[test]
fn long_inputs_in_two_halves_are_reproduced() {
    let file = expected("genomenet-bert-1000nt/expected.json");
    let directory = file["classifier_checkpoint"].as_str().expect("a directory");
    let (spec, weights, classes) = load(directory, |weights| weights["classifier2.bias"].shape[0]);
    let pooler = (&weights["bert.pooler.dense.weight"].data, &weights["bert.pooler.dense.bias"].data);
    let classifier = Classifier::new(&spec, classes, usize::MAX, 1, &Device::flex()).expect("a classifier");
    let (classifier, report) = load_tensors(&classifier, &weights).expect("weights that fit");
    assert_eq!(report.missing, Vec::<String>::new());
    let mut comparison = Comparison::new("genomenet-bert-1000nt", &file);

    let records = file["records"].as_array().expect("records");
    let rows: Vec<Vec<u32>> = records
        .iter()
        .map(|record| record["input_ids"].as_array().expect("halves").iter().flat_map(list).collect())
        .collect();
    let singles: Vec<Vec<usize>> = (0..rows.len()).map(|row| vec![row]).collect();
    for chosen in singles.into_iter().chain([(0..rows.len()).collect()]) {
        let rows: Vec<&[u32]> = chosen.iter().map(|row| rows[*row].as_slice()).collect();
        let batch = classifier.batch(&rows).expect("rows that fit");
        let logits = numbers(&classifier.logits(&batch).into_data());
        let firsts = numbers(&classifier.encoder().states(&batch, &Readout::First).into_data());
        let width = firsts.len() / (2 * chosen.len());
        for (row, &index) in chosen.iter().enumerate() {
            let of_row = &logits[row * classes..(row + 1) * classes];
            comparison.compare("logits", index, Some(of_row), &records[index]["logits"]);
            for half in 0..2 {
                let state = &firsts[(2 * row + half) * width..][..width];
                let pooled: Vec<f64> = (0..width)
                    .map(|j| {
                        let weights = &pooler.0[j * width..(j + 1) * width];
                        let sum: f64 = weights.iter().zip(state).map(|(w, x)| f64::from(*w) * x).sum();
                        (sum + f64::from(pooler.1[j])).tanh()
                    })
                    .collect();
                comparison.compare("pooled", index, Some(&pooled), &records[index]["pooled"][half]);
            }
        }
    }
    comparison.report();
}
