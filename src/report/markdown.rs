//! A table in Markdown (GitHub's).

use super::Table;
use super::text::{CellText, harmless};

/// A table in Markdown, its notes as a list below.
pub fn markdown(table: &Table) -> String {
    let titles: Vec<String> = table.row_titles().iter().map(|title| escaped(title)).collect();
    let columns: Vec<String> = (0..table.columns.len()).map(|j| joined(&table.column_header(j))).collect();
    let mut text = format!("**{}**\n\n", escaped(&table.title));
    text.push_str(&line(titles.iter().chain(&columns)));
    let rules = titles.iter().map(|_| "---").chain(columns.iter().map(|_| "---:"));
    text.push_str(&line(rules));
    for (i, row) in table.cells.iter().enumerate() {
        let headers = table.row_header(i).into_iter().map(|value| escaped(&value));
        let cells = row.iter().map(|cell| {
            let shown = CellText::of(cell, table);
            let bold = |score: &str| if cell.best { format!("**{score}**") } else { score.to_owned() };
            let lines: Vec<String> =
                [shown.line(bold, escaped)].into_iter().chain(shown.difference.clone()).collect();
            lines.join("<br>")
        });
        text.push_str(&line(headers.chain(cells)));
    }
    text.push('\n');
    let notes = table.notes.iter().map(|note| escaped(note)).chain(best(table));
    text.extend(notes.map(|note| format!("- {note}\n")));
    text
}

fn line<S: AsRef<str>>(cells: impl Iterator<Item = S>) -> String {
    let cells: Vec<String> = cells.map(|cell| format!(" {} |", cell.as_ref())).collect();
    format!("|{}\n", cells.concat())
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>")
}

fn best(table: &Table) -> Option<String> {
    table.best_of.map(|of| format!("Bold: {}.", of.words()))
}

/// Foreign text that says what it is and no more.
fn escaped(text: &str) -> String {
    let text = harmless(text);
    let mut shown = String::new();
    let mut previous = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let special = match c {
            '\\' | '|' | '*' | '<' | '>' | '&' | '[' | ']' | '~' | '$' | '`' => true,
            // Inside a word it is an underscore and no emphasis.
            '_' => !(previous.is_alphanumeric() && next.is_alphanumeric()),
            _ => false,
        };
        if special {
            shown.push('\\');
        }
        shown.push(c);
        previous = c;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_break_out_of_a_cell() {
        assert_eq!(escaped("a|b\n<script>*x*_y_"), "a\\|b\\\\n\\<script\\>\\*x\\*\\_y\\_");
        assert_eq!(escaped("prom_300_tata"), "prom_300_tata");
    }
}
