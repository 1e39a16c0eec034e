//! What `data` knows, as `resolve` wants it.

use std::path::Path;

use super::errors::CliError;
use crate::data::{self, Found};
use crate::resolve::{self, Catalogue, CorpusFacts, Known, TaskFacts};
use crate::spec::{Library, Sweep};

/// The catalogue of all that a sweep names. All damaged files are reported at once.
pub(super) fn catalogue(sweep: &Sweep, library: &Library, root: &Path) -> Result<Catalogue, CliError> {
    let mut catalogue = Catalogue::default();
    let mut errors = Vec::new();
    for id in resolve::tasks(sweep) {
        let Some(entry) = library.tasks.get(&id) else { continue };
        match data::catalogue(&entry.task, root) {
            Ok(found) => drop(catalogue.tasks.insert(id, known(found, task_facts))),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if let Some((id, entry)) = sweep.corpus.as_ref().and_then(|id| library.corpora.get_key_value(id)) {
        match data::catalogue_corpus(&entry.corpus, root) {
            Ok(found) => {
                let facts = |entry: data::CorpusEntry| CorpusFacts { fingerprint: entry.fingerprint };
                catalogue.corpora.insert(id.clone(), known(found, facts));
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    if errors.is_empty() { Ok(catalogue) } else { Err(CliError::message(errors.join("\nerror: "))) }
}

fn known<T, U>(found: Found<T>, facts: impl FnOnce(T) -> U) -> Known<U> {
    match found {
        Found::Present(entry) => Known::Present(facts(entry)),
        Found::Missing(missing) => {
            Known::Missing(resolve::Missing { what: missing.what, advice: missing.how_to_get })
        }
    }
}

fn task_facts(entry: data::Entry) -> TaskFacts {
    TaskFacts {
        rows: entry.splits.iter().map(|(split, known)| (*split, known.rows)).collect(),
        label_units: entry.label_units,
        max_length: entry.splits.values().map(|split| split.lengths.longest).max().unwrap_or(0),
        fingerprint: entry.fingerprint,
    }
}
