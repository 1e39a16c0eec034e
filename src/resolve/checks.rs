//! What can be wrong with one point: pairs that make no sense, sizes that do not fit each
//! other, and what only the data can show. All that is wrong is reported, not the first.

mod data;
mod pairs;
mod settings;

use super::catalogue::{Catalogue, CorpusFacts, Known, Missing, TaskFacts};
use super::choice::Choice;
use super::start;
use crate::settings::{Architecture, Corpus, Encoder, Init};
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
    let makes_sense = pairs::check(choice, out);
    let task = catalogue.tasks.get(&choice.task.task.id);
    let architecture = choice.architecture();
    // Without a scale the sizes are a guess.
    let has_scale = library.scales.contains_key(&sweep.scale);
    let encoder = match &architecture {
        Some(Architecture::Encoder(encoder)) if has_scale => Some(encoder),
        Some(Architecture::Encoder(_) | Architecture::KmerLogistic(_)) | None => None,
    };
    let fits = fits(choice, encoder, task, out);
    // Of a pair without sense, what it would take is no matter.
    if !makes_sense {
        return None;
    }
    let corpus =
        if needs_corpus(choice) { Some(corpus(choice, sweep, library, catalogue, out)) } else { None };
    let starts = match choice.init {
        Init::Random => Some(Vec::new()),
        Init::Pretrained => pretrainings(choice, sweep, library, corpus.as_ref(), out),
    };
    let (starts, corpus) = (starts?, corpus.map_or(Some(None), |corpus| corpus.map(Some))?);
    if !fits || !has_scale {
        return None;
    }
    let data = match (task?, corpus) {
        (_, Some(Known::Missing(missing))) => Err(missing),
        (Known::Missing(missing), _) => Err(missing.clone()),
        (Known::Present(task), Some(Known::Present(corpus))) => Ok(Data { task, corpus: Some(corpus) }),
        (Known::Present(task), None) => Ok(Data { task, corpus: None }),
    };
    Some(Sound { architecture: architecture?, starts, data })
}

/// Whether sizes fit each other and the task, as far as either is known.
fn fits(
    choice: &Choice<'_>,
    encoder: Option<&Encoder>,
    task: Option<&Known<TaskFacts>>,
    out: &mut Diagnostics,
) -> bool {
    let mut fits = encoder.is_none_or(|encoder| settings::divides(encoder, choice, out));
    if let Some(Known::Present(facts)) = task {
        fits &= data::leaves_labels(choice, facts, out);
        fits &= encoder.is_none_or(|encoder| data::fits_length(encoder, choice, facts, out));
    }
    fits
}

/// The pre-trainings that its own starts from. Nothing where something is wrong with one.
fn pretrainings<'a>(
    choice: &Choice<'a>,
    sweep: &Sweep,
    library: &'a Library,
    corpus: Option<&Option<Known<CorpusAndFacts<'a>>>>,
    out: &mut Diagnostics,
) -> Option<Vec<Choice<'a>>> {
    let facts = match corpus {
        Some(Some(Known::Present((_, facts)))) => sweep.corpus.as_ref().map(|named| (named, *facts)),
        Some(Some(Known::Missing(_)) | None) | None => None,
    };
    let own = settings::pretrains(choice, facts, out);
    let starts = start::chain(choice, sweep, library, out)?;
    let all = starts.iter().fold(own, |all, start| settings::pretrains(start, facts, out) && all);
    all.then_some(starts)
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
