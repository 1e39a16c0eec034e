//! A table in LaTeX, with the rules of the `booktabs` package.

use super::Table;
use super::text::CellText;
use crate::escape;

/// A `table` environment, its notes in the caption.
pub fn latex(table: &Table) -> String {
    let titles = table.row_titles();
    let alignment = format!("{}{}", "l".repeat(titles.len()), "r".repeat(table.columns.len()));
    let mut text = String::from("% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n");
    text.extend([
        format!("\\caption{{{}}}\n", caption(table)),
        format!("\\begin{{tabular}}{{{alignment}}}\n\\toprule\n"),
        header(table, &titles),
        "\\midrule\n".to_owned(),
    ]);
    for (i, row) in table.cells.iter().enumerate() {
        let headers = table.row_header(i).into_iter().map(|value| escape::latex(&value));
        let cells = row.iter().map(|cell| cell_text(&CellText::of(cell, table), cell.best));
        text.push_str(&line(headers.chain(cells)));
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n\\end{table}\n");
    text
}

fn caption(table: &Table) -> String {
    let best = table.best_of.map(|of| format!("Bold: {}.", of.words()));
    let title = format!("{}.", table.title);
    let sentences =
        [title.as_str()].into_iter().chain(table.notes.iter().map(String::as_str)).chain(best.as_deref());
    sentences.map(escape::latex).collect::<Vec<_>>().join(" ")
}

/// One line for each level of the columns' headers; neighbours of an outer level that say
/// the same are one.
fn header(table: &Table, titles: &[String]) -> String {
    let headers: Vec<Vec<String>> = (0..table.columns.len()).map(|j| table.column_header(j)).collect();
    let levels = headers.first().map_or(0, Vec::len);
    let mut text = String::new();
    for level in 0..levels.saturating_sub(1) {
        let spans = spans(&headers, level);
        let blank = titles.iter().map(|_| String::new());
        let shown = spans.iter().map(|span| {
            format!("\\multicolumn{{{}}}{{c}}{{{}}}", span.len(), escape::latex(&headers[span.start][level]))
        });
        text.push_str(&line(blank.chain(shown)));
        text.extend(spans.iter().map(|span| {
            let (first, last) = (titles.len() + span.start + 1, titles.len() + span.end);
            format!("\\cmidrule(lr){{{first}-{last}}}\n")
        }));
    }
    let innermost =
        headers.iter().map(|header| header.last().map_or_else(String::new, |value| escape::latex(value)));
    text.push_str(&line(titles.iter().map(|title| escape::latex(title)).chain(innermost)));
    text
}

/// Runs of columns that are equal down to a level.
fn spans(headers: &[Vec<String>], level: usize) -> Vec<std::ops::Range<usize>> {
    let runs = headers.chunk_by(|a, b| a[..=level] == b[..=level]);
    let mut start = 0;
    runs.map(|run| {
        let span = start..start + run.len();
        start = span.end;
        span
    })
    .collect()
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("{} \\\\\n", cells.collect::<Vec<_>>().join(" & "))
}

fn cell_text(text: &CellText, best: bool) -> String {
    let dress = |score: &str| {
        let score = signs(score);
        if best { format!("\\textbf{{{score}}}") } else { score }
    };
    let difference = text.difference.as_deref().map(|difference| format!(" ({})", signs(difference)));
    format!("{}{}", text.line(dress, escape::latex), difference.unwrap_or_default())
}

/// A number with its signs as mathematics, its digits as text: these can be bold.
fn signs(number: &str) -> String {
    number.replace('-', "$-$").replace('+', "$+$").replace('±', "$\\pm$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_mathematics() {
        assert_eq!(signs("-0.012 ± 0.003"), "$-$0.012 $\\pm$ 0.003");
    }
}
