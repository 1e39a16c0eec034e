//! One optimiser step on 32 rows of 150 nt, every system at scale `tiny`, in tokens per
//! second: forward, backward, norm and update. Tokens of BPE stand for several times more
//! nucleotides than 6-mers.
//!
//! Beside it: `evaluating`, the same classifiers without gradients.

use bench::mask::{mask_row, mask_stream};
use bench::train::{AdamW, ClassifierBatch, MlmBatch, StepContext, classifier_step, mlm_step};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::sequences::windows;
use crate::systems::{ENCODERS, LENGTH, Tiny, tokens};

const ROWS: usize = 32;

/// `supervised` is not pre-trained.
const PRETRAINED: [&str; 6] = {
    let [a, b, c, d, e, f, _] = ENCODERS;
    [a, b, c, d, e, f]
};

#[divan::bench(args = ENCODERS, sample_count = 40, sample_size = 1)]
fn classifier(bencher: Bencher, system: &str) {
    let tiny = Tiny::new(system);
    let rows = tiny.rows(&windows(LENGTH, ROWS));
    let tokens = tokens(&rows);
    // The genomes come in turn.
    let labels = (0..ROWS).map(|row| row % 2).collect();
    let batch = [ClassifierBatch { ids: rows.into_iter().map(|row| row.ids).collect(), labels }];
    let settings = &tiny.finetune.optimisation;
    let mut optimiser = AdamW::new(settings);
    let mut model = Some(tiny.classifier());
    bencher.counter(ItemsCount::new(tokens)).bench_local(|| {
        let context = StepContext { repetition: 1, step: optimiser.updates(), rate: settings.learning_rate };
        let before = model.take().expect("put back by the step before");
        let stepped = classifier_step(before, &mut optimiser, &batch, context).expect("rows that fit");
        model = Some(stepped.model);
        stepped.loss
    });
}

#[divan::bench(args = PRETRAINED, sample_count = 40, sample_size = 1)]
fn masked_language(bencher: Bencher, system: &str) {
    let tiny = Tiny::new(system);
    let work = tiny.pretrain.as_ref().expect("a system that is pre-trained");
    let rows = tiny.rows(&windows(LENGTH, ROWS));
    let tokens = tokens(&rows);
    let attend_pads = work.pretraining.attend_pads;
    let mut batch = MlmBatch { ids: Vec::new(), targets: Vec::new(), attend_pads };
    for (index, row) in rows.into_iter().enumerate() {
        let mut stream = mask_stream(1, &index.to_string(), 0, work.masking.refresh);
        let vocabulary = tiny.tokenizer.vocabulary();
        let masked = mask_row(&row.ids, row.maskable, &work.masking, vocabulary, &mut stream);
        batch.ids.push(masked.ids);
        batch.targets.push(masked.targets);
    }
    let batch = [batch];
    let mut optimiser = AdamW::new(&work.optimisation);
    let mut model = Some(tiny.language_model());
    bencher.counter(ItemsCount::new(tokens)).bench_local(|| {
        let rate = work.optimisation.learning_rate;
        let context = StepContext { repetition: 1, step: optimiser.updates(), rate };
        let before = model.take().expect("put back by the step before");
        let stepped = mlm_step(before, &mut optimiser, &batch, context).expect("rows that fit");
        model = Some(stepped.model);
        stepped.loss
    });
}
