//! What the errors of the TOML parser mean, in words for who wrote the file.
//!
//! Where there are no better words than the parser's, its own are used. Nothing is known of
//! what a file is for.

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Place};
use super::node::{Node, NodeValue};
use super::schema::SECTIONS;
use super::syntax::line_of;

/// What is wrong, and beside the caret what would be accepted. `root` is what could be read.
pub(super) fn explain(root: &Node, place: &Place, message: &str) -> Diagnostic {
    control_character(place)
        .or_else(|| axis_and_section(place, message))
        .or_else(|| duplicate(root, place, message))
        .or_else(|| tuple(place, message))
        .or_else(|| wrong_value(place, message))
        .or_else(|| wrong_key(place, message))
        .unwrap_or_else(|| in_other_words(place, message))
}

/// Whether the parser reads no key and no value behind the line of such an error. Of what
/// follows it tells only lines that cannot be taken apart.
pub(super) fn ends_reading(message: &str) -> bool {
    message.starts_with("key with no value") || message.starts_with("missing value for key")
}

/// Whether the parser says that a key or table is there already.
pub(super) fn is_duplicate(message: &str) -> bool {
    message == "duplicate key"
}

fn invalid(place: &Place, what: &str, label: impl Into<String>) -> Diagnostic {
    Diagnostic::new(place, format!("not valid TOML: {what}"), label)
}

/// The text from a place on.
fn rest(place: &Place) -> &str {
    place.source.text.get(place.span.start..).unwrap_or_default()
}

fn before(place: &Place) -> &str {
    place.source.text.get(..place.span.start).unwrap_or_default()
}

/// A character that nobody sees has no place in TOML, and is named.
fn control_character(place: &Place) -> Option<Diagnostic> {
    let c = rest(place).chars().next().filter(|c| c.is_control() && !['\n', '\r', '\t'].contains(c))?;
    let what = format!("the control character U+{:04X}", u32::from(c));
    let label = format!("delete it, or write `\\u{:04X}` in a text", u32::from(c));
    Some(invalid(place, &what, label))
}

/// A list in round brackets: its first value, or all behind that, is what the parser cannot
/// read.
fn tuple(place: &Place, message: &str) -> Option<Diagnostic> {
    let is_value = message.starts_with("string values") || message.starts_with("missing opening quote");
    let at = if rest(place).starts_with('(') && is_value {
        place.span.start
    } else {
        let line = line_of(&place.source.text, place.span.start);
        let (key, value) = place.source.text.get(line.start..place.span.start)?.split_once('=')?;
        let blanks = value.len() - value.trim_start().len();
        let is_behind = message.starts_with("unexpected key or value") && value.trim_start().starts_with('(');
        is_behind.then_some(line.start + key.len() + 1 + blanks)?
    };
    let bracket = Place { source: Arc::clone(&place.source), span: at..at + 1 };
    Some(invalid(&bracket, "`(` begins no value", "expected `[`: a list is `[\"a\", \"b\"]`"))
}

/// A value that is missing, or a text without quotes.
fn wrong_value(place: &Place, message: &str) -> Option<Diagnostic> {
    let (before, typed) = (before(place).trim_end(), place.text());
    let is_value = before.ends_with(['=', ',']) || before.ends_with('[') && !opens_head(before);
    if !is_value {
        return None;
    }
    if typed.is_empty() {
        return Some(invalid(place, "a value is missing", "expected a value"));
    }
    let is_bare =
        typed.starts_with(|c: char| c.is_alphabetic() || is_quote(c)) || message.starts_with("string values");
    if !is_bare || typed.contains(['"', '\'', '[', '{']) {
        return None;
    }
    let plain = typed.trim_matches(is_quote);
    let label = match plain.to_lowercase().as_str() {
        word @ ("true" | "false") => format!("expected `{word}`, in small letters"),
        _ if plain != typed => format!("a text needs straight quotes: `\"{plain}\"`"),
        _ if typed.ends_with(';') => "a line ends without `;`".to_owned(),
        _ if typed.starts_with(|c: char| c.is_ascii_digit()) => {
            "expected one value, or a list with commas: `[1, 2]`".to_owned()
        }
        _ => format!("a text needs quotes: `\"{typed}\"`"),
    };
    Some(invalid(place, &format!("`{typed}` is no value"), label))
}

/// The quotes of print, which editors put in place of `"`.
fn is_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}' | '«' | '»' | '`' | '´')
}

/// Whether a text ends with nothing but brackets in its last line.
fn opens_head(before: &str) -> bool {
    before.rsplit('\n').next().is_some_and(|line| line.trim().chars().all(|c| c == '['))
}

/// `model.n_heads = [2, 4]` or `[grid.model]` below `model = ".."`.
fn axis_and_section(place: &Place, message: &str) -> Option<Diagnostic> {
    let typed = place.text();
    let is_inner_table = is_duplicate(message) && before(place).ends_with('.');
    if !SECTIONS.contains(&typed) || !(message.starts_with("cannot extend") || is_inner_table) {
        return None;
    }
    let what = format!("`{typed}` is an axis here, and cannot be a table of settings as well");
    let help = format!("to vary a setting, quote its path: `\"{typed}.NAME\" = [..]`");
    Some(invalid(place, &what, "expected the path in quotes").help(help))
}

/// A key or a table that is there already.
fn duplicate(root: &Node, place: &Place, message: &str) -> Option<Diagnostic> {
    if !is_duplicate(message) {
        return None;
    }
    let text = &place.source.text;
    let head = text.get(line_of(text, place.span.start)).unwrap_or_default().trim();
    let typed = place.text().trim_matches(['"', '\'']);
    let (what, way_out, first) = if head.starts_with('[') {
        let first = text.lines().position(|line| line.trim() == head).map(|at| 1 + at);
        (format!("the table `[{typed}]` is there twice"), "give all its settings in one table", first)
    } else {
        let start = first_of(root, place, typed);
        let first = start.map(|start| 1 + text[..start].matches('\n').count());
        (format!("the key `{typed}` is there twice"), "keep one of them", first)
    };
    let help = match first {
        Some(line) => format!("the first is in line {line}: {way_out}"),
        None => way_out.to_owned(),
    };
    Some(invalid(place, &what, "the second").help(help))
}

/// Where the key stands that a second one repeats: in the same inline table, or else the
/// nearest above that is in none.
fn first_of(root: &Node, second: &Place, name: &str) -> Option<usize> {
    let mut starts = Vec::new();
    names(inline_table(root, second.span.start).unwrap_or(root), name, &mut starts);
    starts.into_iter().filter(|start| *start < second.span.start).max()
}

fn is_inline(node: &Node) -> bool {
    node.place.text().starts_with('{')
}

/// The nodes in a table or list.
fn children(node: &Node) -> Vec<&Node> {
    match &node.value {
        NodeValue::Table(table) => table.entries.iter().map(|(_, node)| node).collect(),
        NodeValue::List(items) => items.iter().collect(),
        NodeValue::Text(_)
        | NodeValue::Integer(_)
        | NodeValue::Number(_)
        | NodeValue::Boolean(_)
        | NodeValue::Other => Vec::new(),
    }
}

/// The innermost inline table around a position.
fn inline_table(node: &Node, at: usize) -> Option<&Node> {
    let inner = children(node).into_iter().find_map(|child| inline_table(child, at));
    inner.or((is_inline(node) && node.place.span.contains(&at)).then_some(node))
}

/// Where keys of this name stand in a node, but for those of inline tables in it.
fn names(node: &Node, name: &str, starts: &mut Vec<usize>) {
    if let NodeValue::Table(table) = &node.value {
        let own = table.entries.iter().filter(|(key, _)| key.text == name);
        starts.extend(own.map(|(key, _)| key.place.span.start));
    }
    for child in children(node).into_iter().filter(|child| !is_inline(child)) {
        names(child, name, starts);
    }
}

/// A line that does not begin as `KEY =` does.
fn wrong_key(place: &Place, message: &str) -> Option<Diagnostic> {
    const KEY: &str = "expected a name of the letters A to Z, digits, `-`, `_`";
    let has_colon = place.text().starts_with(':')
        || before(place).trim_end().ends_with(':')
        || rest(place).starts_with(':');
    if has_colon {
        let help = "this file is read as TOML: `KEY = VALUE`, and `[TABLE]` above the keys of a table";
        return Some(invalid(place, "`:` behind a key", "expected `=`").note(help));
    }
    match message.split(", expected ").next().unwrap_or_default() {
        "invalid unquoted key" => Some(invalid(place, "a key of such characters needs quotes", KEY)),
        "unquoted keys cannot be empty" => Some(invalid(place, "a key is missing", KEY)),
        "invalid key-value pair" => {
            Some(invalid(place, "no key begins like this", "expected `KEY = VALUE` or `[TABLE]`"))
        }
        "key with no value" => Some(invalid(place, "a key without a value", "expected `= VALUE`")),
        _ => None,
    }
}

fn in_other_words(place: &Place, message: &str) -> Diagnostic {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    match (what, expected) {
        (_, "`\"`" | "`'`" | "`\"\"\"`" | "`'''`") if what.ends_with("string") => {
            invalid(place, "a text is never closed", format!("expected {expected}"))
        }
        ("unclosed table" | "unclosed array table", _) => {
            invalid(place, "the head of a table is never closed", format!("expected {expected}"))
        }
        ("unexpected key or value", _) => {
            invalid(place, "something stands behind the value", "expected the end of the line")
        }
        _ if what.contains("recurs") => {
            let help = "nothing here is nested more than three deep";
            invalid(place, "nested too deeply", "too deep").help(help)
        }
        (_, "") => invalid(place, what, "here"),
        (_, expected) => invalid(place, what, format!("expected {expected}")),
    }
}
