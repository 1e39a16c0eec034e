//! Hiding tokens of rows of 512 ids, in ids per second.
//!
//! Beside it: one random number for each id, which independent choices need at least.

use bench::mask::{mask_row, mask_stream};
use bench::settings::{Layout, Masking, Refresh, Targets};
use bench::token::{Row, Tokenizer, assemble};
use divan::Bencher;
use divan::counter::ItemsCount;
use rand::RngExt;

use crate::sequences::windows;

/// As many as BERT reads.
const IDS: usize = 512;

#[divan::bench(args = ["token", "span-6", "token-exact"], sample_size = 64)]
fn row(bencher: Bencher, targets: &str) {
    let targets: Targets = targets.parse().expect("the name of a masking");
    let masking = Masking { targets, share: 0.15, mask: 0.8, random: 0.1, refresh: Refresh::Always };
    let tokenizer = Tokenizer::kmer(6, 1).expect("a known tokenizer");
    let vocabulary = tokenizer.vocabulary();
    let Row { ids, maskable, .. } = six_mers(&tokenizer);
    bencher.counter(ItemsCount::new(IDS)).bench(|| {
        let mut stream = mask_stream(1, "genome:0+515", 0, masking.refresh);
        mask_row(divan::black_box(&ids), maskable.clone(), &masking, vocabulary, &mut stream)
    });
}

#[divan::bench(sample_size = 64)]
fn floor_random_numbers(bencher: Bencher) {
    bencher.counter(ItemsCount::new(IDS)).bench(|| {
        let mut stream = mask_stream(1, "genome:0+515", 0, Refresh::Always);
        (0..IDS).map(|_| stream.random::<f64>()).fold(0.0, f64::max)
    });
}

fn six_mers(tokenizer: &Tokenizer) -> Row {
    let sequence = windows(IDS + 3, 1).remove(0);
    let row = assemble(Layout::ClsXSep, tokenizer.specials(), &tokenizer.encode(&sequence), IDS);
    assert_eq!(row.ids.len(), IDS);
    row
}
