//! Errors with a place in a file.

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

    /// Adds what is accepted, and the nearest of it where one is near.
    #[must_use]
    pub fn accepted<'a>(self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let with_near = match nearest(wrong, &names) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        };
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        with_near.help(format!("accepted: {}", list.join(", ")))
    }
}

/// The accepted name nearest to a misspelt one, if it is near enough to be meant.
fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        .filter(|(similarity, _)| *similarity >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// All mistakes found so far.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one, unless the same was said of the same place.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let known = self.0.iter().any(|other| {
            other.message == diagnostic.message
                && other.place.span == diagnostic.place.span
                && other.place.source.path == diagnostic.place.source.path
        });
        if !known {
            self.0.push(diagnostic);
        }
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Self) {
        for diagnostic in other.0 {
            self.push(diagnostic);
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of their places: file by file, top to bottom.
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by(|a, b| {
            (&a.place.source.path, a.place.span.start).cmp(&(&b.place.source.path, b.place.span.start))
        });
        self.0
    }
}
