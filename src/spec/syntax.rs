//! From TOML text to a tree of [`Node`]s, and what is wrong with the text itself.
//!
//! The parser goes on after a mistake. What it makes of the rest of that line, or of all
//! that follows a bracket that is never closed, is a guess, and nothing is said of it.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use super::explain::{ends_reading, explain, is_duplicate};
use super::node::{Name, Node, NodeValue, Table};

/// Parses a text. What can be read is returned even if something is wrong.
pub(super) fn parse(source: &Arc<Source>, out: &mut Diagnostics) -> Node {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let place = Place { source: Arc::clone(source), span: root.span() };
    let value = NodeValue::Table(table(root.get_ref(), source));
    let root = Node { place, value, key: None, is_item: false };
    report(&root, &errors, out);
    root
}

fn table(entries: &DeTable<'_>, source: &Arc<Source>) -> Table {
    let mut entries: Vec<(Name, Node)> = entries
        .iter()
        .map(|(key, value)| {
            let place = Place { source: Arc::clone(source), span: key.span() };
            let text = key.get_ref().to_string();
            let node = node(value, &Arc::from(text.as_str()), source);
            (Name { text, place }, node)
        })
        .collect();
    entries.sort_by_key(|(name, _)| name.place.span.start);
    Table { entries }
}

fn node(value: &Spanned<DeValue<'_>>, key: &Arc<str>, source: &Arc<Source>) -> Node {
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
        DeValue::Array(items) => {
            let item = |item| Node { is_item: true, ..node(item, key, source) };
            NodeValue::List(items.iter().map(item).collect())
        }
        DeValue::Table(entries) => NodeValue::Table(table(entries, source)),
    };
    Node { place, value, key: Some(Arc::clone(key)), is_item: false }
}

/// Reports the parser's errors: one a line, and none behind a bracket that is never closed.
fn report(root: &Node, errors: &[Error], out: &mut Diagnostics) {
    if errors.is_empty() {
        return;
    }
    let source = &root.place.source;
    let place = |span| Place { source: Arc::clone(source), span };
    let mut errors: Vec<(Range<usize>, &str)> =
        errors.iter().map(|error| (span_of(error, &source.text), error.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let unclosed = first_unclosed(root);
    let readable = unclosed.as_ref().map_or(usize::MAX, |place| place.span.start);
    let last = errors.iter().find(|(_, message)| ends_reading(message));
    let last = last.map(|(span, _)| line_of(&source.text, span.start));
    let (mut reported, mut second) = (0, 0);
    for (span, message) in errors {
        // Before the line is looked for: a line of brackets has an error at each of them. What
        // a table says that is there already is said again, and that is no further mistake.
        if span.start < reported || (is_duplicate(message) && span.start < second) {
            continue;
        }
        let line = line_of(&source.text, span.start);
        if line.end >= readable {
            break;
        }
        reported = line.end + 1;
        let unread = (last.as_ref() == Some(&line)).then(|| unread_behind(&place(line.clone()))).flatten();
        let stretch = unreadable(&source.text, line);
        if is_duplicate(message) {
            second = stretch.end;
        }
        out.push_unreadable(explain(root, &place(span), message).maybe_help(unread), place(stretch));
    }
    if let Some(bracket) = unclosed {
        let rest = place(bracket.span.start..source.text.len());
        out.push_unreadable(never_closed(&bracket), rest);
    }
}

/// What is to be said of all that follows a line behind which nothing is read.
fn unread_behind(line: &Place) -> Option<String> {
    let rest = line.source.text.get(line.span.end..).unwrap_or_default();
    let is_there = !rest.trim().is_empty();
    is_there.then(|| format!("keys and values behind line {} are checked once it is mended", line.line()))
}

/// The place of an error. The parser gives none to what is nested too deeply by dots.
fn span_of(error: &Error, text: &str) -> Range<usize> {
    error.span().unwrap_or_else(|| {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if line.matches('.').count() >= DEEPEST {
                let start = at + line.len() - line.trim_start().len();
                return start..start;
            }
            at += line.len();
        }
        0..0
    })
}

/// What the parser nests at most.
const DEEPEST: usize = 80;

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
pub(super) fn line_of(text: &str, position: usize) -> Range<usize> {
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
