//! A table for terminals: UTF-8 lines, wrapped to a width.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, presets};

use super::Table;
use super::text::CellText;
use crate::escape;

/// Whether a terminal's escape codes may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Styling {
    /// None: the best is starred.
    Plain,
    /// The best is bold.
    Ansi,
}

/// A table no wider than `width` columns, where its words allow it.
pub fn terminal(table: &Table, width: u16, styling: Styling) -> String {
    let mut shown = comfy_table::Table::new();
    // Rows of several lines need rules between them.
    let is_tall = table.cells.iter().flatten().any(|cell| cell.difference.is_some());
    shown.load_style(if is_tall { presets::UTF8_FULL } else { presets::UTF8_FULL_CONDENSED });
    shown.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    match styling {
        Styling::Plain => shown.force_no_tty(),
        Styling::Ansi => shown.enforce_styling(),
    };
    let row_titles = table.row_titles();
    shown.set_header(header(table, &row_titles));
    for i in 0..table.cells.len() {
        shown.add_row(row(table, i, styling));
    }
    let mut text = format!("{}\n{}\n", escape::line(&table.title), shown.trim_fmt());
    for note in notes(table, styling) {
        text.push_str(&wrapped(&note, usize::from(width)));
    }
    text
}

fn header(table: &Table, row_titles: &[String]) -> Vec<Cell> {
    let titles = row_titles.iter().map(|title| Cell::new(escape::line(title)));
    let columns = (0..table.columns.len()).map(|j| {
        let lines: Vec<String> = table.column_header(j).iter().map(|line| escape::line(line)).collect();
        Cell::new(lines.join("\n")).set_alignment(CellAlignment::Right)
    });
    titles.chain(columns).collect()
}

fn row(table: &Table, i: usize, styling: Styling) -> Vec<Cell> {
    let headers = table.row_header(i).into_iter().map(|value| Cell::new(escape::line(&value)));
    let cells = table.cells[i].iter().map(|cell| {
        let text = CellText::of(cell, table);
        let star = if cell.best && styling == Styling::Plain { " *" } else { "" };
        let line = text.line(|score| format!("{score}{star}"), escape::line);
        let lines: Vec<String> = [line].into_iter().chain(text.difference).collect();
        let shown = Cell::new(lines.join("\n")).set_alignment(CellAlignment::Right);
        if cell.best && styling == Styling::Ansi { shown.add_attribute(Attribute::Bold) } else { shown }
    });
    headers.chain(cells).collect()
}

fn notes(table: &Table, styling: Styling) -> Vec<String> {
    let how = match styling {
        Styling::Plain => "*",
        Styling::Ansi => "Bold",
    };
    let best = table.best_of.map(|of| format!("{how}: {}.", of.words()));
    table.notes.iter().map(|note| escape::line(note)).chain(best).collect()
}

/// A note on lines of at most `width` characters, where its words allow it.
fn wrapped(note: &str, width: usize) -> String {
    let mut text = String::new();
    let mut used = 0;
    for word in note.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            text.push('\n');
            used = 0;
        }
        if used > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text.push('\n');
    text
}
