//! Text from a file on a terminal: what would steer the terminal, or turn the order of the letters around, is shown by its
//! number instead.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns a text as it can be shown on a terminal: `\u{1b}` stands for an escape character.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return text.into();
    }
    let mut shown = String::with_capacity(2 * text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// Whether a character is a control character, a line's end by Unicode, or one that turns the direction of text around (UAX #9).
pub fn is_unsafe(c: char) -> bool {
    let is_bidi = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_bidi || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_steers_the_terminal() {
        assert_eq!(visible("Jörgs Telefon 📱"), "Jörgs Telefon 📱");
        assert_eq!(visible("a\x1b[2Jb\u{9b}c"), "a\\u{1b}[2Jb\\u{9b}c");
        assert_eq!(visible("a\u{202e}b\tc\n"), "a\\u{202e}b\\u{9}c\\u{a}");
    }
}
