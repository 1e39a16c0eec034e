//! What `data` knows, as `resolve` wants it.

use std::path::Path;

use crate::data::{self, Found};
use crate::resolve::{self, Catalogue, CorpusFacts, Known, TaskFacts};
use crate::spec::{Diagnostic, Diagnostics, Library, Place, Sweep};

/// The catalogue of all that a sweep names. Damaged data are reported where the sweep names
/// them, and are not in it.
pub(super) fn catalogue(sweep: &Sweep, library: &Library, root: &Path, out: &mut Diagnostics) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for task in resolve::tasks(sweep) {
        let id = task.text();
        let Some(entry) = library.tasks.get(&id) else { continue };
        match data::catalogue(&entry.task, root) {
            Ok(found) => {
                let facts = known(format!("task `{id}`"), found, task_facts);
                catalogue.tasks.insert(id, facts);
            }
            Err(error) => out.push(damaged("task", &id, &task.place, &error)),
        }
    }
    if let Some(named) = &sweep.corpus
        && let Some(entry) = library.corpora.get(&named.name)
    {
        match data::catalogue_corpus(&entry.corpus, root) {
            Ok(found) => {
                let facts = known(format!("corpus `{}`", named.name), found, corpus_facts);
                catalogue.corpora.insert(named.name.clone(), facts);
            }
            Err(error) => out.push(damaged("corpus", &named.name, &named.place, &error)),
        }
    }
    catalogue
}

fn damaged(what: &str, id: &str, place: &Place, error: &data::DataError) -> Diagnostic {
    Diagnostic::new(place, error.to_string(), format!("the data of {what} `{id}`"))
}

fn known<T, U>(of: String, found: Found<T>, facts: impl FnOnce(T) -> U) -> Known<U> {
    match found {
        Found::Present(entry) => Known::Present(facts(entry)),
        Found::Missing(data::Missing { what, absent, how_to_get }) => {
            Known::Missing(resolve::Missing { of, what, absent, advice: how_to_get })
        }
    }
}

fn corpus_facts(entry: data::CorpusEntry) -> CorpusFacts {
    CorpusFacts {
        longest_held_out: data::longest_held_out(entry.lengths.longest),
        fingerprint: entry.fingerprint,
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
