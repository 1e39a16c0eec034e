//! What a person reads when something is wrong with the input.

use std::io::IsTerminal;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::spec::{Diagnostic, Diagnostics};

/// The input or the command line is wrong: exit code 2.
#[derive(Debug)]
pub(super) enum CliError {
    /// Mistakes with places in files.
    Mistakes(Diagnostics),
    /// Anything else: one message.
    Message(String),
}

impl CliError {
    pub(super) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }
}

/// Any error of a module is one message of the command line.
impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
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
        Self::Message(text)
    }
}

/// Fails if there are mistakes.
pub(super) fn check(diagnostics: Diagnostics) -> Result<(), CliError> {
    if diagnostics.is_empty() { Ok(()) } else { Err(CliError::Mistakes(diagnostics)) }
}

/// The text for stderr.
pub(super) fn render(error: &CliError) -> String {
    match error {
        CliError::Message(text) => format!("error: {}\n", visible(text)),
        CliError::Mistakes(diagnostics) => render_all(diagnostics.clone().sorted()),
    }
}

fn render_all(diagnostics: Vec<Diagnostic>) -> String {
    let renderer = if coloured() { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in &diagnostics {
        text.push_str(&render_one(&renderer, diagnostic));
        text.push_str("\n\n");
    }
    let count = diagnostics.len();
    let noun = if count == 1 { "mistake" } else { "mistakes" };
    text.push_str(&format!("{count} {noun}; nothing was run or written\n"));
    text
}

fn render_one(renderer: &Renderer, diagnostic: &Diagnostic) -> String {
    let source = &diagnostic.place.source;
    let message = visible(&diagnostic.message);
    let label = visible(&diagnostic.label);
    // Control characters would steer the terminal; blanks of equal length keep the carets right.
    let shown: String = source.text.chars().map(harmless).collect();
    let annotation = AnnotationKind::Primary.span(diagnostic.place.span.clone()).label(&label);
    let snippet = Snippet::source(&shown).path(&source.path).annotation(annotation);
    let help: Vec<String> = diagnostic.help.iter().map(|line| visible(line)).collect();
    let mut group = Level::ERROR.primary_title(&message).element(snippet);
    for line in &help {
        group = group.element(Level::HELP.message(line));
    }
    renderer.render(&[group])
}

/// Whether stderr takes colours.
pub(super) fn coloured() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && std::io::stderr().is_terminal()
}

/// A character that does not steer a terminal, of the same length in bytes.
fn harmless(c: char) -> char {
    match c {
        '\n' | '\t' | '\r' => c,
        c if c.is_ascii_control() => ' ',
        // Two-byte controls U+0080 to U+009F become a two-byte blank.
        c if c.is_control() => '\u{a0}',
        c => c,
    }
}

/// Text of files and paths with control characters spelt out.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let spelt: Vec<char> =
                if c.is_control() && c != '\n' { c.escape_unicode().collect() } else { vec![c] };
            spelt
        })
        .collect()
}
