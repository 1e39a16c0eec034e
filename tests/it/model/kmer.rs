//! The k-mer baseline on a real task.

use std::path::Path;

use bench::model::{KmerLogistic, SparseRow, kmer_features};

use crate::fixtures::shared_data;

const K: u8 = 5;

fn read(path: &Path) -> (Vec<SparseRow>, Vec<usize>) {
    let mut reader = csv::Reader::from_path(path).expect("a readable file");
    let rows = reader.deserialize::<(String, usize)>().map(|row| row.expect("a sequence and a label"));
    rows.map(|(sequence, label)| (kmer_features(sequence.as_bytes(), K), label)).unzip()
}

/// scikit-learn's `LogisticRegression` on the same features has a test MCC of 0.751; 0.714
/// on raw counts.
#[test]
fn five_mers_tell_transcription_factor_sites_from_other_sequences() {
    let Some(data) = shared_data("five_mers_tell_transcription_factor_sites_from_other_sequences") else {
        return;
    };
    let task = data.join("gue/mouse/2");
    let (rows, labels) = read(&task.join("train.csv"));
    let model = KmerLogistic::fit(&rows, &labels, 1 << (2 * K), 2, 1.0).expect("a fit");
    let (rows, labels) = read(&task.join("test.csv"));
    let mut table = [[0.0_f64; 2]; 2];
    for (row, label) in rows.iter().zip(&labels) {
        let scores = model.scores(row);
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        table[*label][usize::from(scores[1] > scores[0])] += 1.0;
    }
    let [[tn, fp], [fn_, tp]] = table;
    let mcc = (tp * tn - fp * fn_) / ((tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_)).sqrt();
    eprintln!("MCC {mcc:.3}");
    assert!((mcc - 0.751).abs() < 0.01, "MCC {mcc}");
}
