//! What a person reads when something is wrong with the input.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::escape::{is_unseen, spelt_out as visible};
use crate::spec::{Diagnostic, Diagnostics, Place};

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) enum CliError {
    /// Mistakes with places in files.
    Mistakes(Diagnostics),
    /// Anything else: one message.
    Message(String),
    /// A sweep that had begun was cut short by the system, and can be gone on with.
    Interrupted(String),
}

impl CliError {
    /// The exit code: the input or the command line is wrong, or jobs remain.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Mistakes(_) | Self::Message(_) => 2,
            Self::Interrupted(_) => 4,
        }
    }

    pub(super) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }
}

/// Any error of a module is one message of the command line.
impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::Message(with_causes(&error))
    }
}

/// An error and what caused it, in one message.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors print their cause themselves.
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Fails if there are mistakes.
pub(super) fn check(diagnostics: Diagnostics) -> Result<(), CliError> {
    if diagnostics.is_empty() { Ok(()) } else { Err(CliError::Mistakes(diagnostics)) }
}

/// The text for stderr.
pub(super) fn render(error: &CliError) -> String {
    match error {
        CliError::Message(text) | CliError::Interrupted(text) => format!("error: {}\n", visible(text)),
        CliError::Mistakes(diagnostics) => render_all(diagnostics.clone()),
    }
}

/// Most mistakes that are shown: nobody reads more in one go.
const MOST_SHOWN: usize = 50;

fn render_all(diagnostics: Diagnostics) -> String {
    let renderer = if coloured(&std::io::stderr()) { Renderer::styled() } else { Renderer::plain() };
    let truncated = diagnostics.is_truncated();
    let diagnostics = diagnostics.sorted();
    let mut text = String::new();
    let mut said = BTreeMap::new();
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        text.push_str(&render_one(&renderer, diagnostic, &mut said));
        text.push_str("\n\n");
    }
    let count = match (diagnostics.len(), truncated) {
        (1, _) => "1 mistake".to_owned(),
        (count, true) => format!("more than {count} mistakes, of which the first {MOST_SHOWN} are shown"),
        (count, false) if count > MOST_SHOWN => {
            format!("{count} mistakes, of which the first {MOST_SHOWN} are shown")
        }
        (count, false) => format!("{count} mistakes"),
    };
    let _ = writeln!(text, "{count}; nothing was run or written");
    text
}

/// What was said already, and of which place: long lists and notes are shown once.
type Said = BTreeMap<String, Place>;

fn render_one(renderer: &Renderer, diagnostic: &Diagnostic, said: &mut Said) -> String {
    let Place { source, span } = &diagnostic.place;
    let message = one_line(&diagnostic.message);
    let path = one_line(&source.path);
    let title = Level::ERROR.primary_title(&message);
    if diagnostic.label.is_empty() {
        let origin = Origin::path(&path);
        // Of what could not be read there may be a beginning.
        let origin = if source.text.is_empty() { origin } else { origin.line(diagnostic.place.line()) };
        return renderer.render(&[title.element(origin)]);
    }
    let label = one_line(&diagnostic.label);
    let (lines, first, span) = lines_around(&source.text, span);
    // Control characters would steer the terminal; blanks of equal length keep the carets right.
    let shown: String = lines.chars().map(harmless).collect();
    let annotation = AnnotationKind::Primary.span(span).label(&label);
    let snippet = Snippet::source(&shown).path(&path).line_start(first).annotation(annotation);
    let help: Vec<String> =
        diagnostic.help.iter().map(|line| wrapped(&one_line(line), &diagnostic.place, said)).collect();
    let notes = diagnostic.notes.iter().map(|line| one_line(line));
    let notes: Vec<String> =
        notes.filter(|line| said.insert(line.clone(), diagnostic.place.clone()).is_none()).collect();
    let group = title.element(snippet).elements(help.iter().map(|line| Level::HELP.message(line)));
    renderer.render(&[group.elements(notes.iter().map(|line| Level::NOTE.message(line)))])
}

/// The lines that hold a span, the number of the first of them, and the span within them. Of
/// a span over many lines the first is enough.
fn lines_around<'a>(text: &'a str, span: &Range<usize>) -> (&'a str, usize, Range<usize>) {
    const MOST_LINES: usize = 6;
    let (start, end) = (span.start.min(text.len()), span.end.min(text.len()));
    let mut ends = text[start..end].match_indices('\n').map(|(at, _)| start + at);
    let end = match (ends.next(), ends.nth(MOST_LINES - 2)) {
        (Some(first), Some(_)) => first - usize::from(text[start..first].ends_with('\r')),
        (Some(_) | None, _) => end,
    };
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[end..].find('\n').map_or(text.len(), |at| end + at);
    // A caret may stand behind the last character, where a line ends with CRLF.
    let to = end.max(text[..to].strip_suffix('\r').map_or(to, str::len));
    let number = 1 + text[..from].matches('\n').count();
    (&text[from..to], number, start - from..end - from)
}

/// A list too long for a line over several, and once only.
fn wrapped(line: &str, place: &Place, said: &mut Said) -> String {
    const WIDTH: usize = 96;
    const HEAD: &str = "accepted";
    let is_long = line.chars().count() > WIDTH;
    let Some((head, list)) = line.split_once(": ").filter(|(head, _)| is_long && *head == HEAD) else {
        return line.to_owned();
    };
    if let Some(first) = said.get(line) {
        return format!("{head}: as listed at {}", listed_at(first, place, said));
    }
    said.insert(line.to_owned(), place.clone());
    let mut lines = vec![format!("{head}:")];
    for item in list.split_inclusive(", ") {
        match lines.last_mut() {
            Some(last) if last.chars().count() + item.trim_end().chars().count() < WIDTH => {
                if last.ends_with(':') {
                    last.push(' ');
                }
                last.push_str(item);
            }
            _ => lines.push(item.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// Where a list stands, for a mistake elsewhere: with its column where its line has another.
fn listed_at(list: &Place, elsewhere: &Place, said: &Said) -> String {
    let (path, line) = (&list.source.path, list.line());
    let mut others = said.iter().filter(|(text, _)| text.starts_with("accepted")).map(|(_, place)| place);
    let is_alone = others.all(|other| {
        other.span.start == list.span.start || other.source.path != *path || other.line() != line
    });
    let before = list.source.text.get(..list.span.start).unwrap_or_default();
    let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
    match (path == &elsewhere.source.path, is_alone) {
        (true, true) => format!("line {line}"),
        (true, false) => format!("{line}:{column}"),
        (false, true) => one_line(&list.shown()),
        (false, false) => one_line(&format!("{}:{column}", list.shown())),
    }
}

/// Whether a stream takes colours and bold text.
pub(super) fn coloured(stream: &impl IsTerminal) -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && stream.is_terminal()
}

/// A character that does not steer a terminal, of the same length in bytes.
fn harmless(c: char) -> char {
    match c {
        '\n' | '\t' | '\r' => c,
        c if c.is_ascii_control() => ' ',
        // Two-byte controls U+0080 to U+009F become a two-byte blank.
        c if c.is_control() => '\u{a0}',
        // A joiner is part of what is seen.
        '\u{200d}' => c,
        c if is_unseen(c) && c.len_utf8() == 2 => '·',
        c if is_unseen(c) && c.len_utf8() == 3 => '\u{fffd}',
        c => c,
    }
}

/// Foreign text on one line, with what is too long to be read cut: each name, and the whole.
fn one_line(text: &str) -> String {
    let parts: Vec<String> = visible(text)
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .split('`')
        .map(|part| short(part, 200))
        .collect();
    short(&parts.join("`"), 8000)
}

/// The beginning and the end of a text of more than `most` characters.
fn short(text: &str, most: usize) -> String {
    if text.len() <= most || text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(most * 3 / 10).collect();
    let mut end: Vec<char> = text.chars().rev().take(most / 10).collect();
    end.reverse();
    format!("{beginning}...{}", end.into_iter().collect::<String>())
}
