//! TOML as a tree in which every key and value knows its place.

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Diagnostics, Place, nearest};

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: NodeValue,
    /// The key it stands behind; the root has none.
    pub(super) key: Option<Arc<str>>,
    /// Whether it is one of a list's items.
    pub(super) is_item: bool,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(super) enum NodeValue {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Table),
    /// A date or time, or an integer beyond 64 bits: nothing here takes one.
    Other,
}

/// A key and its place.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Place,
}

/// A table, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<(Name, Node)>,
}

impl Node {
    /// The value as a person typed it.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            NodeValue::List(items) if items.is_empty() => "an empty list".to_owned(),
            NodeValue::List(_) if self.place.text().starts_with("[[") => "a list of tables".to_owned(),
            NodeValue::List(items) if items.len() == 1 => "a list of one value".to_owned(),
            NodeValue::List(items) => format!("a list of {} values", items.len()),
            NodeValue::Table(table) if table.entries.is_empty() => "an empty table".to_owned(),
            NodeValue::Table(_) => "a table".to_owned(),
            NodeValue::Text(_)
            | NodeValue::Integer(_)
            | NodeValue::Number(_)
            | NodeValue::Boolean(_)
            | NodeValue::Other => format!("`{}`", excerpt(self.place.text())),
        }
    }

    /// The mistake that something else was expected here.
    pub(super) fn refusal(&self, expected: &str) -> Diagnostic {
        let value = self.describe();
        let message = match &self.key {
            Some(key) if self.is_item => format!("`{key}` cannot hold {value}"),
            Some(key) => format!("`{key}` cannot be {value}"),
            None => format!("{value} is not accepted here"),
        };
        Diagnostic::new(&self.place, message, format!("expected {expected}"))
    }

    /// Reports that something else was expected here.
    pub(super) fn refuse(&self, expected: &str, out: &mut Diagnostics) {
        out.push(self.refusal(expected));
    }

    pub(super) fn text(&self, expected: &str, out: &mut Diagnostics) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => self.refused(expected, out),
        }
    }

    /// A text that says something to people alone.
    pub(super) fn prose(&self, out: &mut Diagnostics) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            NodeValue::List(_) | NodeValue::Table(_) => self.refused("a text", out),
            NodeValue::Integer(_) | NodeValue::Number(_) | NodeValue::Boolean(_) | NodeValue::Other => {
                self.refused(&format!("a text in quotes: `\"{}\"`", excerpt(self.place.text())), out)
            }
        }
    }

    /// Advice for a text that would be accepted without its quotes.
    pub(super) fn unquoted(&self, is_accepted: impl Fn(&str) -> bool) -> Option<String> {
        match &self.value {
            NodeValue::Text(text) if is_accepted(text) => Some(format!("without quotes: `{text}`")),
            _ => None,
        }
    }

    pub(super) fn boolean(&self, out: &mut Diagnostics) -> Option<bool> {
        match self.value {
            NodeValue::Boolean(boolean) => Some(boolean),
            _ => self.refused("`true` or `false`", out),
        }
    }

    /// The value as a whole number, also where it is typed as `1e5` or `2.0`.
    pub(super) fn whole(&self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self.value {
            NodeValue::Integer(integer) => Some(integer),
            NodeValue::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
                Some(number as i64)
            }
            _ => None,
        }
    }

    /// The value as a number.
    pub(super) fn number(&self) -> Option<f64> {
        match self.value {
            NodeValue::Integer(integer) => Some(integer as f64),
            NodeValue::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A whole number in a range.
    pub(super) fn integer(&self, min: i64, max: i64, out: &mut Diagnostics) -> Option<i64> {
        match self.whole() {
            Some(integer) if (min..=max).contains(&integer) => Some(integer),
            _ => self.refused(&format!("a whole number from {min} to {}", grouped(max)), out),
        }
    }

    pub(super) fn table(&self, expected: &str, out: &mut Diagnostics) -> Option<&Table> {
        match &self.value {
            NodeValue::Table(table) => Some(table),
            _ => self.refused(expected, out),
        }
    }

    pub(super) fn list(&self, expected: &str, out: &mut Diagnostics) -> Option<&[Node]> {
        match &self.value {
            NodeValue::List(items) => Some(items),
            _ => self.refused(expected, out),
        }
    }

    /// One value, or a list of them.
    pub(super) fn one_or_more(&self) -> &[Node] {
        match &self.value {
            NodeValue::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    fn refused<T>(&self, expected: &str, out: &mut Diagnostics) -> Option<T> {
        self.refuse(expected, out);
        None
    }
}

impl Table {
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// A value that must be there; `accepted` is what could be added. Nothing is said of a
    /// file that could not be read to its end, and of a key that was only misspelt.
    pub(super) fn require(
        &self,
        name: &str,
        place: &Place,
        accepted: &str,
        out: &mut Diagnostics,
    ) -> Option<&Node> {
        let found = self.get(name);
        let is_misspelt = || self.entries.iter().any(|(key, _)| nearest(&key.text, &[name]).is_some());
        if found.is_none() && out.is_readable(&place.source) && !is_misspelt() {
            out.push(missing(&format!("`{name}`"), place).help(format!("add {accepted}")));
        }
        found
    }

    /// Reports every key that is not one of `accepted`; `elsewhere` may know what was meant.
    pub(super) fn only(
        &self,
        accepted: &[&str],
        elsewhere: impl Fn(&str) -> Option<String>,
        out: &mut Diagnostics,
    ) {
        for (name, _) in &self.entries {
            if !accepted.contains(&name.text.as_str()) {
                out.push(
                    Diagnostic::new(&name.place, format!("unknown key `{}`", name.text), "unknown key")
                        .meant_or_accepted(elsewhere(&name.text), &name.text, accepted.iter().copied()),
                );
            }
        }
    }
}

/// For [`Table::only`]: no key is known elsewhere.
pub(super) fn nowhere(_: &str) -> Option<String> {
    None
}

/// Something that must be there is not. The caret stands under the head of its table, or at
/// the start of the file where `place` is empty.
pub(super) fn missing(what: &str, place: &Place) -> Diagnostic {
    let label = if place.span.is_empty() { "not in this file" } else { "not in this table" };
    let head = place.text().lines().next().unwrap_or_default();
    let span = place.span.start..place.span.start + head.len();
    let place = Place { source: Arc::clone(&place.source), span };
    Diagnostic::new(&place, format!("{what} is missing"), label)
}

/// A large whole number as TOML may write it: `1_000_000`.
pub fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len() > 4 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

/// At most 40 characters of what was typed, on one line.
fn excerpt(typed: &str) -> String {
    const MOST: usize = 40;
    let line = typed.lines().next().unwrap_or_default();
    let short: String = line.chars().take(MOST).collect();
    if short.len() < typed.len() { format!("{short}...") } else { short }
}
