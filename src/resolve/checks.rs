//! What can be wrong with one point: pairs that make no sense, sizes that do not fit each
//! other, and what only the data can show. All that is wrong is reported, not the first.

mod data;
mod pairs;
mod settings;

use super::catalogue::{Catalogue, CorpusFacts, Known, Missing, TaskFacts};
use super::choice::Choice;
use super::start;
use crate::settings::{Architecture, Corpus, Init};
use crate::spec::{Diagnostic, Diagnostics, Library, LibraryKind, Sweep, quoted};

/// What the work of a point is made of.
pub(super) struct Sound<'a> {
    pub(super) architecture: Architecture,
    /// The pre-trainings that its own starts from, first to last.
    pub(super) starts: Vec<Choice<'a>>,
    /// What is known of its data, or what is missing.
    pub(super) data: Result<Data<'a>, Missing>,
}

/// What is known of the data of a point.
pub(super) struct Data<'a> {
    pub(super) task: &'a TaskFacts,
    pub(super) corpus: Option<(&'a Corpus, &'a CorpusFacts)>,
}

/// Checks a point. Nothing where something is wrong with it, or known to be wrong with what
/// it names.
pub(super) fn check<'a>(
    choice: &Choice<'a>,
    sweep: &Sweep,
    library: &'a Library,
    catalogue: &'a Catalogue,
    out: &mut Diagnostics,
) -> Option<Sound<'a>> {
    let has_scale = library.scales.contains_key(&sweep.scale);
    let architecture = choice.architecture();
    let mut sound = pairs::check(choice, out);
    // Without a scale the sizes are a guess.
    if has_scale && let Some(Architecture::Encoder(encoder)) = &architecture {
        sound &= settings::divides(encoder, choice, out);
    }
    let task = catalogue.tasks.get(&choice.task.task.id);
    if let Some(Known::Present(facts)) = task {
        sound &= data::leaves_labels(choice, facts, out);
        if has_scale && let Some(Architecture::Encoder(encoder)) = &architecture {
            sound &= data::fits_length(encoder, choice, facts, out);
        }
    }
    let corpus = if sound && needs_corpus(choice) {
        Some(corpus(choice, sweep, library, catalogue, out)?)
    } else {
        None
    };
    if sound && choice.init == Init::Pretrained {
        let facts = match &corpus {
            Some(Known::Present((_, facts))) => sweep.corpus.as_ref().map(|named| (named, *facts)),
            Some(Known::Missing(_)) | None => None,
        };
        sound = settings::pretrains(choice, facts, out);
    }
    if !sound || !has_scale {
        return None;
    }
    let starts = match choice.init {
        Init::Pretrained => start::chain(choice, sweep, library, out)?,
        Init::Random => Vec::new(),
    };
    let data = match (task?, corpus) {
        (_, Some(Known::Missing(missing))) => Err(missing),
        (Known::Missing(missing), _) => Err(missing.clone()),
        (Known::Present(task), Some(Known::Present(corpus))) => Ok(Data { task, corpus: Some(corpus) }),
        (Known::Present(task), None) => Ok(Data { task, corpus: None }),
    };
    Some(Sound { architecture: architecture?, starts, data })
}

fn needs_corpus(choice: &Choice<'_>) -> bool {
    choice.init == Init::Pretrained || choice.tokenization.is_learned()
}

type CorpusAndFacts<'a> = (&'a Corpus, &'a CorpusFacts);

fn corpus<'a>(
    choice: &Choice<'_>,
    sweep: &Sweep,
    library: &'a Library,
    catalogue: &'a Catalogue,
    out: &mut Diagnostics,
) -> Option<Known<CorpusAndFacts<'a>>> {
    let Some(named) = &sweep.corpus else {
        let what = if choice.init == Init::Pretrained { "pre-training" } else { "a learned vocabulary" };
        let axis = if choice.init == Init::Pretrained { "init" } else { "tokenization" };
        let message = format!("{what} needs a corpus, and this file names none");
        let label = format!("`{}` asks for {what}", choice.system.name);
        let names = quoted(library.names(LibraryKind::Corpus));
        let diagnostic = Diagnostic::new(choice.place(axis), message, label)
            .help(format!("name one at the top of the file, `corpus = \"NAME\"`; accepted: {names}"));
        let is_default = choice.init == Init::Pretrained && !choice.has_axis("init");
        let alternative =
            is_default.then(|| "or train from scratch: `init = \"random\"` in the grid".to_owned());
        out.push(diagnostic.maybe_help(alternative));
        return None;
    };
    // A name that the library does not know was reported where it was read.
    let corpus = &library.corpora.get(&named.name)?.corpus;
    Some(match catalogue.corpora.get(&named.name)? {
        Known::Missing(missing) => Known::Missing(missing.clone()),
        Known::Present(facts) => Known::Present((corpus, facts)),
    })
}
