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

    /// The line it begins in, from 1.
    pub fn line(&self) -> usize {
        let before = self.source.text.get(..self.span.start).unwrap_or_default();
        1 + before.matches('\n').count()
    }

    /// The file and the line, as messages name a second place.
    pub fn shown(&self) -> String {
        let path = match self.source.path.strip_prefix("built in: ") {
            Some(path) => format!("the built-in {path}"),
            None => self.source.path.clone(),
        };
        format!("{path}:{}", self.line())
    }

    fn touches(&self, other: &Self) -> bool {
        self.span.start <= other.span.end
            && other.span.start <= self.span.end
            && self.source.path == other.source.path
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
    /// What is worth knowing once, however many mistakes it belongs to.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(place: &Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            message: message.into(),
            label: label.into(),
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Adds a line of background, which is shown with the first mistake that has it.
    #[must_use]
    pub fn note(mut self, line: impl Into<String>) -> Self {
        self.notes.push(line.into());
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

    /// Adds what was meant, or else the nearest of what is accepted; and that.
    #[must_use]
    pub(super) fn meant_or_accepted<'a>(
        self,
        meant: Option<String>,
        wrong: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match meant {
            Some(meant) => self.help(meant).accepted("", names),
            None => self.accepted(wrong, names),
        }
    }

    /// Adds what is accepted, and the nearest of it where one is near.
    #[must_use]
    pub fn accepted<'a>(self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = names.into_iter().collect();
        let near = did_you_mean(wrong, &names);
        if names.len() > LONGEST_LIST {
            // Of more names than are shown, those that may have been meant.
            names.sort_by(|a, b| similarity(wrong, b).total_cmp(&similarity(wrong, a)));
        }
        self.maybe_help(near).help(format!("accepted: {}", quoted(names)))
    }
}

/// Most names that a list in a message shows.
const LONGEST_LIST: usize = 40;
/// So many are shown of a longer one.
const SHOWN_OF_MORE: usize = 12;

/// Names in a message: `` `a`, `b` ``, and of too many how many more there are.
pub fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    if names.len() <= LONGEST_LIST {
        return names.join(", ");
    }
    let (shown, more) = names.split_at(SHOWN_OF_MORE);
    format!("{} and {} more", shown.join(", "), more.len())
}

/// The accepted name nearest to a misspelt one, if it is near enough to be meant.
pub(super) fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    names
        .iter()
        .map(|name| (similarity(wrong, name), *name))
        .filter(|(similarity, _)| *similarity >= 0.55)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The question after the accepted name nearest to a misspelt one.
pub(super) fn did_you_mean(wrong: &str, names: &[&str]) -> Option<String> {
    nearest(wrong, names).map(|near| format!("did you mean `{near}`?"))
}

/// Whether two names differ in case, in blanks and dashes, or in their path alone.
pub(super) fn is_same_name(wrong: &str, name: &str) -> bool {
    let letters = |part: &str| -> String {
        part.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let parts = |name: &str| -> Vec<String> {
        let name = name.trim();
        let stem = name.strip_suffix(".toml").unwrap_or(name);
        stem.split(['/', '\\']).map(letters).filter(|part| !part.is_empty()).collect()
    };
    let (wrong, name) = (parts(wrong), parts(name));
    let is_part = wrong.ends_with(&name) || name.ends_with(&wrong);
    is_part && !wrong.is_empty() && !name.is_empty()
}

/// How likely one name was meant by another: 1 where they are equal but for case. Where one
/// is the other's beginning, or the end of its path, that counts for more than its letters.
fn similarity(wrong: &str, name: &str) -> f64 {
    // Nobody misspells a name by more than its own length, and comparing takes its square.
    if wrong.len() > 4 * name.len().max(16) {
        return 0.0;
    }
    let (wrong, name) = (wrong.to_lowercase(), name.to_lowercase());
    let letters = strsim::normalized_damerau_levenshtein(&wrong, &name);
    let ends = |whole: &str, part: &str| whole.strip_suffix(part).is_some_and(|path| path.ends_with('/'));
    let is_part = wrong.len() > 1 && (ends(&name, &wrong) || ends(&wrong, &name));
    let begins = wrong.len() > 2 && name.strip_prefix(&wrong).is_some_and(|rest| !rest.contains('/'));
    match (is_part, begins) {
        (true, _) => letters.max(0.95),
        (false, true) => 0.5 + letters / 2.0,
        (false, false) => letters,
    }
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
    /// Most mistakes that are kept: beyond it nobody needs to know how many there are.
    pub const MOST: usize = 10_000;

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
        assert_eq!(nearest("mask", &["task", "masking"]), Some("masking"));
        let tasks = ["gue/mouse/1", "gue/mouse/2", "synthetic/motif"];
        assert_eq!(nearest("motif", &tasks), Some("synthetic/motif"));
        assert_eq!(nearest("mouse/2", &tasks), Some("gue/mouse/2"));
        assert_eq!(nearest("gue", &tasks), None);
        assert_eq!(nearest("", &names), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn names_are_the_same_but_for_case_blanks_and_path() {
        let task = "gue/mouse/2";
        for same in ["gue/mouse/2.toml", "./gue/mouse/2", "gue\\mouse\\2", " Gue/Mouse/2", "mouse/2"] {
            assert!(is_same_name(same, task), "{same}");
        }
        for other in ["gue/mouse/3", "gue", "gue/mouse", "", "/"] {
            assert!(!is_same_name(other, task), "{other}");
        }
        assert!(is_same_name("systems/DNABERT_6", "dnabert-6"));
        assert!(!is_same_name("dnabert-66", "dnabert-6"));
    }

    #[test]
    fn a_long_list_is_cut_to_what_may_be_meant() {
        let names: Vec<String> = (0..100).map(|n| format!("task-{n}")).collect();
        let all = names.iter().map(String::as_str);
        let help = at(0..1, "a").accepted("task-77x", all.clone()).help;
        assert_eq!(help[0], "did you mean `task-77`?");
        assert!(help[1].starts_with("accepted: `task-77`, "), "{help:?}");
        assert!(help[1].ends_with(" and 88 more"), "{help:?}");
        assert_eq!(quoted(all.take(40)).matches('`').count(), 80);
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
