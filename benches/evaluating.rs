//! Class probabilities of 64 rows of 150 nt without gradients, as dev and test are read, in
//! tokens per second; every system at scale `tiny`.

use bench::model::softmax;
use burn::module::Module;
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::sequences::windows;
use crate::systems::{ENCODERS, LENGTH, Tiny, tokens};

#[divan::bench(args = ENCODERS, sample_count = 40, sample_size = 1)]
fn classifier(bencher: Bencher, system: &str) {
    let tiny = Tiny::new(system);
    let rows = tiny.rows(&windows(LENGTH, 64));
    let tokens = tokens(&rows);
    let ids: Vec<Vec<u32>> = rows.into_iter().map(|row| row.ids).collect();
    let model = tiny.classifier().valid();
    bencher.counter(ItemsCount::new(tokens)).bench_local(|| {
        let batch = model.batch(&ids).expect("rows that fit");
        softmax(model.logits(&batch)).into_data()
    });
}
