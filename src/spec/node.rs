//! TOML as a tree in which every key and value knows its place.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Diagnostics, Place, Source};

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: NodeValue,
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
    Other(&'static str),
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

/// Parses a text. What can be read is returned even if something is wrong.
pub(super) fn parse(source: &Arc<Source>, out: &mut Diagnostics) -> Node {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let place = Place { source: Arc::clone(source), span };
        out.push(Diagnostic::new(&place, "this is not valid TOML", error.message()));
    }
    let place = Place { source: Arc::clone(source), span: root.span() };
    Node { place, value: NodeValue::Table(table(root.get_ref(), source)) }
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
            Err(_) => NodeValue::Other("an integer beyond 64 bits"),
        },
        DeValue::Float(digits) => match digits.as_str().parse() {
            Ok(number) => NodeValue::Number(number),
            Err(_) => NodeValue::Other("a number that cannot be read"),
        },
        DeValue::Boolean(boolean) => NodeValue::Boolean(*boolean),
        DeValue::Datetime(_) => NodeValue::Other("a date or time"),
        DeValue::Array(items) => NodeValue::List(items.iter().map(|item| node(item, source)).collect()),
        DeValue::Table(entries) => NodeValue::Table(table(entries, source)),
    };
    Node { place, value }
}

impl Node {
    /// The value as a person would call it.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            NodeValue::Text(text) => format!("`{text}`"),
            NodeValue::Integer(integer) => format!("`{integer}`"),
            NodeValue::Number(number) => format!("`{number}`"),
            NodeValue::Boolean(boolean) => format!("`{boolean}`"),
            NodeValue::List(_) => "a list".to_owned(),
            NodeValue::Table(_) => "a table".to_owned(),
            NodeValue::Other(what) => (*what).to_owned(),
        }
    }

    /// Reports that something else was expected here.
    pub(super) fn refuse(&self, expected: &str, out: &mut Diagnostics) {
        let message = format!("{} is not {expected}", self.describe());
        out.push(Diagnostic::new(&self.place, message, format!("expected {expected}")));
    }

    pub(super) fn text(&self, expected: &str, out: &mut Diagnostics) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => self.refused(expected, out),
        }
    }

    pub(super) fn boolean(&self, out: &mut Diagnostics) -> Option<bool> {
        match self.value {
            NodeValue::Boolean(boolean) => Some(boolean),
            _ => self.refused("`true` or `false`", out),
        }
    }

    /// A whole number in a range.
    pub(super) fn integer(&self, min: i64, max: i64, out: &mut Diagnostics) -> Option<i64> {
        match self.value {
            NodeValue::Integer(integer) if (min..=max).contains(&integer) => Some(integer),
            _ if max == i64::MAX => self.refused(&format!("a whole number of at least {min}"), out),
            _ => self.refused(&format!("a whole number from {min} to {max}"), out),
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

    /// A value that must be there; its absence is reported at `place`.
    pub(super) fn require(&self, name: &str, place: &Place, out: &mut Diagnostics) -> Option<&Node> {
        let found = self.get(name);
        if found.is_none() {
            // The whole table is the place; its first line is enough of a caret.
            let line = place.source.text[place.span.clone()].find('\n').unwrap_or(place.span.len());
            let first = Place {
                source: Arc::clone(&place.source),
                span: place.span.start..place.span.start + line.max(1).min(place.span.len()),
            };
            out.push(Diagnostic::new(&first, format!("`{name}` is missing"), "in this table"));
        }
        found
    }

    /// Reports every key that is not one of `accepted`.
    pub(super) fn only(&self, accepted: &[&str], out: &mut Diagnostics) {
        for (name, _) in &self.entries {
            if !accepted.contains(&name.text.as_str()) {
                out.push(
                    Diagnostic::new(&name.place, format!("unknown key `{}`", name.text), "unknown key")
                        .accepted(&name.text, accepted.iter().copied()),
                );
            }
        }
    }
}
