//! From TOML text to a tree of [`Node`]s, and what is wrong with the text itself.
//!
//! The parser goes on after a mistake. What it makes of the rest of that line, or of all
//! that follows a bracket that is never closed, is a guess, and nothing is said of it.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use super::node::{Name, Node, NodeValue, Table};
use super::schema::SECTIONS;

/// Parses a text. What can be read is returned even if something is wrong.
pub(super) fn parse(source: &Arc<Source>, out: &mut Diagnostics) -> Node {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let place = Place { source: Arc::clone(source), span: root.span() };
    let root = Node { place, value: NodeValue::Table(table(root.get_ref(), source)) };
    report(&root, &errors, out);
    root
}

fn table(entries: &DeTable<'_>, source: &Arc<Source>) -> Table {
    let mut entries: Vec<(Name, Node)> = entries
        .iter()
        .map(|(key, value)| {
            let place = Place { source: Arc::clone(source), span: key.span() };
            (Name { text: key.get_ref().to_string(), place }, node(value, source))
        })
        .collect();
    entries.sort_by_key(|(name, _)| name.place.span.start);
    Table { entries }
}

fn node(value: &Spanned<DeValue<'_>>, source: &Arc<Source>) -> Node {
    let place = Place { source: Arc::clone(source), span: value.span() };
    let value = match value.get_ref() {
        DeValue::String(text) => NodeValue::Text(text.to_string()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(integer) => NodeValue::Integer(integer),
            Err(_) => NodeValue::Other,
        },
        DeValue::Float(digits) => match digits.as_str().parse() {
            Ok(number) => NodeValue::Number(number),
            Err(_) => NodeValue::Other,
        },
        DeValue::Boolean(boolean) => NodeValue::Boolean(*boolean),
        DeValue::Datetime(_) => NodeValue::Other,
        DeValue::Array(items) => NodeValue::List(items.iter().map(|item| node(item, source)).collect()),
        DeValue::Table(entries) => NodeValue::Table(table(entries, source)),
    };
    Node { place, value }
}

/// Reports the parser's errors: one a line, and none behind a bracket that is never closed.
fn report(root: &Node, errors: &[Error], out: &mut Diagnostics) {
    if errors.is_empty() {
        return;
    }
    let source = &root.place.source;
    let place = |span| Place { source: Arc::clone(source), span };
    let mut errors: Vec<(Range<usize>, &str)> =
        errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let unclosed = first_unclosed(root);
    let readable = unclosed.as_ref().map_or(usize::MAX, |place| place.span.start);
    let mut reported = 0;
    for (span, message) in errors {
        // Before the line is looked for: a line of brackets has an error at each of them.
        if span.start < reported {
            continue;
        }
        let line = line_of(&source.text, span.start);
        if line.end >= readable {
            break;
        }
        reported = line.end + 1;
        out.push_unreadable(explain(&place(span), message), place(unreadable(&source.text, line)));
    }
    if let Some(bracket) = unclosed {
        let rest = place(bracket.span.start..source.text.len());
        out.push_unreadable(never_closed(&bracket), rest);
    }
}

/// What cannot be read for an error in a line: the line, and behind the broken head of a
/// table all that may belong to it.
fn unreadable(text: &str, line: Range<usize>) -> Range<usize> {
    let is_head = |line: &str| line.trim_start().starts_with('[');
    let (typed, rest) = text.get(line.start..).unwrap_or_default().split_at(line.len());
    if !is_head(typed) {
        return line;
    }
    let own = rest.split_inclusive('\n').take_while(|line| !is_head(line)).map(str::len).sum::<usize>();
    line.start..line.end + own
}

/// The bytes of the line that holds a position, without its end.
fn line_of(text: &str, position: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let position = position.min(bytes.len());
    let start = bytes[..position].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end =
        bytes[position..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| position + at);
    start..end
}

/// The innermost opening bracket, of the first list or inline table without a closing
/// bracket of its own.
fn first_unclosed(node: &Node) -> Option<Place> {
    let (brackets, children): (Option<(char, char)>, Vec<&Node>) = match &node.value {
        NodeValue::List(items) => (Some(('[', ']')), items.iter().collect()),
        NodeValue::Table(table) => (Some(('{', '}')), table.entries.iter().map(|(_, node)| node).collect()),
        NodeValue::Text(_)
        | NodeValue::Integer(_)
        | NodeValue::Number(_)
        | NodeValue::Boolean(_)
        | NodeValue::Other => (None, Vec::new()),
    };
    let Place { source, span } = &node.place;
    let is_unclosed = brackets.is_some_and(|(open, close)| {
        let text = node.place.text();
        let last_is_of_child = children.iter().any(|child| child.place.span.end == span.end);
        let is_open = text.starts_with(open) && (last_is_of_child || !text.ends_with(close));
        is_open && !is_head(&node.place)
    });
    let bracket = Place { source: Arc::clone(source), span: span.start..span.start + 1 };
    children.into_iter().find_map(first_unclosed).or(is_unclosed.then_some(bracket))
}

/// Whether a bracket opens its line, as that of `[[grid]]` does. A list inside of a list may
/// do so as well, but then the outer one is not closed either.
fn is_head(place: &Place) -> bool {
    let line = line_of(&place.source.text, place.span.start);
    let before = place.source.text.get(line.start..place.span.start).unwrap_or_default();
    before.chars().all(char::is_whitespace)
}

fn never_closed(place: &Place) -> Diagnostic {
    let (what, close) = if place.text() == "[" { ("a list", ']') } else { ("an inline table", '}') };
    Diagnostic::new(
        place,
        format!("not valid TOML: {what} is never closed"),
        format!("this `{}` has no `{close}`", place.text()),
    )
    .help("what follows it is checked once it is closed")
}

/// What is wrong, in the parser's words where there are no better ones, and beside the
/// caret what would be accepted.
fn explain(place: &Place, message: &str) -> Diagnostic {
    let typed = place.text();
    if let Some(diagnostic) = wrong_value(place, typed, message) {
        return diagnostic;
    }
    if message.contains("recurs") {
        let help = "nothing here is nested more than three deep";
        return Diagnostic::new(place, "not valid TOML: nested too deeply", "too deep").help(help);
    }
    if typed.starts_with(':') {
        return Diagnostic::new(place, "not valid TOML: `:` behind a key", "expected `=`");
    }
    if SECTIONS.contains(&typed) && message.starts_with("cannot extend") {
        return Diagnostic::new(
            place,
            format!("not valid TOML: `{typed}` is an axis here, and cannot be a table of settings as well"),
            "expected the path in quotes",
        )
        .help(format!("to vary a setting, quote its path: `\"{typed}.NAME\" = [..]`"));
    }
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let label = match (what, expected) {
        ("duplicate key", _) => "the second of this name".to_owned(),
        (_, "") => "here".to_owned(),
        (_, expected) => format!("expected {expected}"),
    };
    Diagnostic::new(place, format!("not valid TOML: {what}"), label)
}

/// A value that is missing, or a text without quotes.
fn wrong_value(place: &Place, typed: &str, message: &str) -> Option<Diagnostic> {
    let before = place.source.text.get(..place.span.start).unwrap_or_default().trim_end();
    let is_value = before.ends_with(['=', ',']) || before.ends_with('[') && !opens_head(before);
    if !is_value {
        return None;
    }
    if typed.is_empty() {
        return Some(Diagnostic::new(place, "not valid TOML: a value is missing", "expected a value"));
    }
    let is_bare = typed.starts_with(char::is_alphabetic) || message.starts_with("string values");
    (is_bare && !typed.contains(['"', '\'', '[', '{'])).then(|| {
        let message = format!("not valid TOML: `{typed}` is no value");
        Diagnostic::new(place, message, format!("a text needs quotes: `\"{typed}\"`"))
    })
}

/// Whether a text ends with nothing but brackets in its last line.
fn opens_head(before: &str) -> bool {
    before.rsplit('\n').next().is_some_and(|line| line.trim().chars().all(|c| c == '['))
}
