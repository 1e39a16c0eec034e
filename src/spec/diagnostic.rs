//! Errors with a place in a file.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// A text and the name under which a person knows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Path as shown in messages.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A named text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), text: text.into() })
    }
}

/// A stretch of a text.
#[derive(Clone, Debug)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// Byte range in it.
    pub span: Range<usize>,
}

impl Place {
    /// The first byte of a text, for what the whole file lacks.
    pub fn start_of(source: &Arc<Source>) -> Self {
        Self { source: Arc::clone(source), span: 0..0 }
    }

    /// What was typed there.
    pub(super) fn text(&self) -> &str {
        self.source.text.get(self.span.clone()).unwrap_or_default()
    }

    fn touches(&self, other: &Self) -> bool {
        self.source.path == other.source.path
            && self.span.start <= other.span.end
            && other.span.start <= self.span.end
    }
}

/// One mistake: where, what, and what would be accepted.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Where the caret points.
    pub place: Place,
    /// One line: what is wrong, with the value.
    pub message: String,
    /// A few words beside the caret.
    pub label: String,
    /// What would be accepted, or the way out.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(place: &Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into(), label: label.into(), help: Vec::new() }
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Adds a line of advice where there is one.
    #[must_use]
    pub fn maybe_help(self, line: Option<String>) -> Self {
        match line {
            Some(line) => self.help(line),
            None => self,
        }
    }

    /// Adds what is accepted, and the nearest of it where one is near.
    #[must_use]
    pub fn accepted<'a>(self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let near = nearest(wrong, &names).map(|near| format!("did you mean `{near}`?"));
        self.maybe_help(near).help(format!("accepted: {}", quoted(names)))
    }
}

/// Names in a message: `` `a`, `b` ``.
pub fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}

/// The accepted name nearest to a misspelt one, if it is near enough to be meant.
pub(super) fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        .filter(|(similarity, _)| *similarity >= 0.55)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// All mistakes found so far, the same one once.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    known: BTreeSet<(String, usize, usize, String)>,
    unreadable: Vec<Place>,
    dropped: bool,
}

impl Diagnostics {
    /// Most mistakes that are kept: nobody reads more in one go.
    pub const MOST: usize = 100;

    /// Adds one, unless the same was said of the same place, or the place is not valid TOML
    /// and what was read there is a guess.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        // Nothing changes any more, and looking through thousands of broken lines takes its time.
        if self.dropped && self.found.len() == Self::MOST {
            return;
        }
        if !self.unreadable.iter().any(|place| place.touches(&diagnostic.place)) {
            self.insert(diagnostic);
        }
    }

    /// Adds a mistake that makes a stretch of the text unreadable.
    pub(super) fn push_unreadable(&mut self, diagnostic: Diagnostic, stretch: Place) {
        self.insert(diagnostic);
        self.unreadable.push(stretch);
    }

    fn insert(&mut self, diagnostic: Diagnostic) {
        let Place { source, span } = &diagnostic.place;
        let identity = (source.path.clone(), span.start, span.end, diagnostic.message.clone());
        if self.known.contains(&identity) {
            return;
        }
        if self.found.len() == Self::MOST {
            self.dropped = true;
            return;
        }
        self.known.insert(identity);
        self.found.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Self) {
        for diagnostic in other.found {
            self.push(diagnostic);
        }
        self.unreadable.extend(other.unreadable);
        self.dropped |= other.dropped;
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether there are more than are kept.
    pub fn is_truncated(&self) -> bool {
        self.dropped
    }

    /// Whether a text is valid TOML, as far as it was read.
    pub fn is_readable(&self, source: &Source) -> bool {
        self.unreadable.iter().all(|place| place.source.path != source.path)
    }

    /// In the order of their places: file by file, top to bottom.
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| {
            (&a.place.source.path, a.place.span.start).cmp(&(&b.place.source.path, b.place.span.start))
        });
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(span: Range<usize>, message: &str) -> Diagnostic {
        let source = Source::new("a.toml", "0123456789");
        Diagnostic::new(&Place { source, span }, message, "label")
    }

    fn messages(diagnostics: Diagnostics) -> Vec<String> {
        diagnostics.sorted().into_iter().map(|diagnostic| diagnostic.message).collect()
    }

    #[test]
    fn the_nearest_name_is_offered_if_it_is_near() {
        let names = ["dnabert-2", "dnabert-6", "deepgene"];
        assert_eq!(nearest("dnabert2", &names), Some("dnabert-2"));
        assert_eq!(nearest("DeepGene", &names), Some("deepgene"));
        assert_eq!(nearest("supervised", &names), None);
        assert_eq!(nearest("", &names), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn each_mistake_is_kept_once_in_the_order_of_the_file() {
        let mut out = Diagnostics::default();
        for mistake in [at(5..6, "b"), at(1..2, "a"), at(5..6, "b"), at(5..6, "c"), at(5..7, "b")] {
            out.push(mistake);
        }
        assert_eq!(messages(out), ["a", "b", "c", "b"]);
    }

    #[test]
    fn of_what_cannot_be_read_nothing_is_said() {
        let mut out = Diagnostics::default();
        let broken = at(4..5, "broken");
        let place = broken.place.clone();
        out.push_unreadable(broken, Place { span: 3..6, ..place.clone() });
        out.push(at(5..9, "a guess"));
        out.push(at(7..8, "known"));
        assert!(!out.is_readable(&place.source));
        assert!(out.is_readable(&Source::new("b.toml", "")));
        assert_eq!(messages(out), ["broken", "known"]);
    }

    #[test]
    fn no_more_are_kept_than_anybody_reads() {
        let mut out = Diagnostics::default();
        for n in 0..2 * Diagnostics::MOST {
            assert_eq!(out.is_truncated(), n > Diagnostics::MOST);
            out.push(at(0..1, &n.to_string()));
        }
        assert_eq!(messages(out).len(), Diagnostics::MOST);
    }
}
