//! The stage `vocabulary`: a BPE learned from a corpus.

use super::{Context, TrainError, Trained};
use crate::data::{corpus_fingerprint, load_corpus};
use crate::record::JobResult;
use crate::settings::VocabularyWork;
use crate::token::{pieces, subsample, train_bpe};

/// Learns a vocabulary and leaves `tokenizer.json`.
pub(super) fn run(work: &VocabularyWork, context: &Context<'_>) -> Result<Trained, TrainError> {
    let genomes = load_corpus(&work.corpus, context.data_root)?;
    let of = format!("corpus `{}`", work.corpus.id);
    super::check_fingerprint(&of, &work.fingerprint, &corpus_fingerprint(&genomes))?;
    let all: Vec<String> = genomes
        .iter()
        .flat_map(|genome| pieces(&genome.sequence, work.piece_length))
        .map(str::to_owned)
        .collect();
    let kept = subsample(all, work.max_pieces);
    let tokenizer = train_bpe(kept.into_iter(), work.size, work.max_token_length)
        .map_err(|source| TrainError::Vocabulary { corpus: work.corpus.id.clone(), source })?;
    let attempt = context.attempt;
    attempt.publish(&attempt.job().tokenizer(), tokenizer.as_bytes()).map_err(TrainError::Storage)?;
    Ok(Trained { result: JobResult::default(), training_seconds: 0.0, resumed_from: 0, headline: None })
}
