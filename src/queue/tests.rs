//! What several tests of the queue need.

use crate::settings::{Corpus, CorpusSource, Job, Key, Parents, VocabularyWork, Work};

/// A job that is quick to write down; `parents` are its vocabulary and its encoder.
pub(super) fn job(name: &str, parents: &[&str]) -> Job {
    let source = CorpusSource::Fasta(Vec::new());
    let work = VocabularyWork {
        corpus: Corpus { id: "corpus".to_owned(), version: 1, upper: true, source },
        fingerprint: String::new(),
        size: 64,
        max_token_length: 8,
        piece_length: 100,
        max_pieces: 10,
    };
    let mut parents = parents.iter().map(|&parent| Key(parent.to_owned()));
    let parents = Parents { vocabulary: parents.next(), encoder: parents.next() };
    Job { key: Key(name.to_owned()), label: name.to_owned(), work: Work::Vocabulary(work), parents }
}
