//! Foreign text made harmless, one function for each language that it is written in.
//!
//! Names of systems, tasks, tables and groups, messages of errors and the last words of
//! workers come from files and processes of other people. Each function gives text that
//! says what it is and does no more; it is called where text is written, on the foreign
//! part alone, and never twice.

/// For a terminal, or a log: one line, without what steers the terminal or turns the
/// direction of reading.
pub fn line(text: &str) -> String {
    escaped(text, steers)
}

/// As [`line()`], of several lines: their ends stay, and tabs.
pub fn lines(text: &str) -> String {
    escaped(text, |c| !matches!(c, '\n' | '\t') && steers(c))
}

/// As [`lines()`], with what nobody sees spelt out too: for messages about text that looks
/// right and is not.
pub fn spelt_out(text: &str) -> String {
    escaped(text, |c| !matches!(c, '\n' | '\t') && (steers(c) || is_unseen(c)))
}

fn escaped(text: &str, is_harmful: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Control characters, ends of lines that only Unicode knows, and marks that turn the
/// direction of what follows (Boucher and Anderson 2021, "Trojan Source").
fn steers(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Spaces that are no spaces, and characters without width, which make a wrong name look
/// like the right one.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{a0}' | '\u{ad}' | '\u{feff}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{e0000}'..='\u{e007f}')
}

/// For a cell or a paragraph of Markdown (GitHub's).
pub fn markdown(text: &str) -> String {
    let text = line(text);
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

/// For the body of a LaTeX document.
pub fn latex(text: &str) -> String {
    let mut shown = String::new();
    for c in line(text).chars() {
        match c {
            '\\' => shown.push_str("\\textbackslash{}"),
            '~' => shown.push_str("\\textasciitilde{}"),
            '^' => shown.push_str("\\textasciicircum{}"),
            '<' => shown.push_str("\\textless{}"),
            '>' => shown.push_str("\\textgreater{}"),
            '|' => shown.push_str("\\textbar{}"),
            '±' => shown.push_str("$\\pm$"),
            '–' => shown.push_str("--"),
            '{' | '}' | '&' | '%' | '$' | '#' | '_' => {
                shown.push('\\');
                shown.push(c);
            }
            // A row must not start with what the line break before it takes for its own.
            '[' | ']' | '*' => {
                shown.push('{');
                shown.push(c);
                shown.push('}');
            }
            // Two in a row would become one longer dash or quote.
            '-' | '\'' if shown.ends_with(c) => {
                shown.push_str("{}");
                shown.push(c);
            }
            '`' => shown.push_str("\\textasciigrave{}"),
            '"' => shown.push_str("{\\char34}"),
            _ => shown.push(c),
        }
    }
    shown
}

/// For a field of a CSV file that a spreadsheet may open: no formula. A number stays one.
/// The quotes of CSV are the writer's.
pub fn csv(text: &str) -> String {
    let text = line(text);
    // Wide forms are read as well, by spreadsheets of languages that use them.
    let begins = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let is_formula = text.trim_start().starts_with(begins) && text.trim_start().parse::<f64>().is_err();
    if is_formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_steers_terminals_is_escaped() {
        assert_eq!(line("a\u{1b}[31mb\r\n\tc"), "a\\u{1b}[31mb\\r\\n\\tc");
        assert_eq!(line("a\u{202e}b\u{85}\u{9b}2J\u{7f}"), "a\\u{202e}b\\u{85}\\u{9b}2J\\u{7f}");
        assert_eq!(line("\u{2028}\u{200f}\u{61c}"), "\\u{2028}\\u{200f}\\u{61c}");
        assert_eq!(line("größe ± 1"), "größe ± 1");
        assert_eq!(spelt_out("a\u{a0}b\u{200b}\n"), "a\\u{a0}b\\u{200b}\n");
        assert_eq!(lines("a\tc\nb\u{1b}]0;title\u{7}"), "a\tc\nb\\u{1b}]0;title\\u{7}");
    }

    #[test]
    fn foreign_text_cannot_break_out_of_a_cell_of_markdown() {
        assert_eq!(markdown("a|b\n<script>*x*_y_"), "a\\|b\\\\n\\<script\\>\\*x\\*\\_y\\_");
        assert_eq!(markdown("prom_300_tata"), "prom_300_tata");
        assert_eq!(markdown("![x](javascript:y)"), "!\\[x\\](javascript:y)");
    }

    #[test]
    fn foreign_text_is_no_command_of_latex() {
        assert_eq!(latex("a_b & 5% \\input{x}"), "a\\_b \\& 5\\% \\textbackslash{}input\\{x\\}");
        assert_eq!(latex("[1] --"), "{[}1{]} -{}-");
        assert_eq!(latex("^^5cinput"), "\\textasciicircum{}\\textasciicircum{}5cinput");
    }

    #[test]
    fn formulas_are_text_and_numbers_are_numbers() {
        for formula in ["=1+2", "@SUM(A1)", "-cmd", "+1+cmd|' /C calc'!A0", " =1", "＝1"] {
            assert_eq!(csv(formula), format!("'{formula}"));
        }
        for number in ["-1.5", "-0.03", "+2", "1e-5"] {
            assert_eq!(csv(number), number);
        }
        assert_eq!(csv("\t=1"), "\\t=1");
        assert_eq!(csv("\r=1"), "\\r=1");
    }
}
