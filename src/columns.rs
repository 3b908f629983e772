//! Tables of text for a terminal.

use unicode_width::UnicodeWidthStr as _;

/// What stands between two columns.
const GAP: &str = "  ";

/// Returns the rows below their heads, in columns as wide as what is in them.
pub fn table<const N: usize>(heads: [&str; N], rows: Vec<[String; N]>) -> String {
    let heads = heads.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heads)
        .chain(rows)
        .map(|row| row.map(|cell| visible(&cell)))
        .collect();
    let widths = std::array::from_fn(|at| {
        rows.iter()
            .filter_map(|row| Some(row.get(at)?.width()))
            .max()
    });
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn line<const N: usize>(row: &[String; N], widths: &[Option<usize>; N]) -> String {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths) {
        line += cell;
        let rest = width.unwrap_or_default().saturating_sub(cell.width());
        line.extend(std::iter::repeat_n(' ', rest));
        line += GAP;
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

/// Returns a text of a file or a peer as it may go to a terminal: control characters, and those that turn the direction of
/// writing, are shown by their number.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a character is a line or paragraph separator, a zero-width one, or a mark of direction (Unicode Standard Annex 9).
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [["名前", "10.0.0.2/32", ""], ["a\u{202e}\x1b", "-", "x"]];
        let rows = rows.map(|row| row.map(str::to_owned)).to_vec();
        let shown = "NAME             ADDRESS      STATE\n名前             10.0.0.2/32\na\\u{202e}\\u{1b}  -            x\n";
        assert_eq!(table(["NAME", "ADDRESS", "STATE"], rows), shown);
    }
}
