//! Where things stand in a config file: spans, values with their span, and pieces of text that know theirs.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};

/// A place in a file. The default one, on line 0, is of what no line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The line's number, from 1.
    pub line: usize,
    /// The first byte, counted from the start of the file.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The bytes of it, in the file's text.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A value and where the file says it. Equality is that of the values: two files that say the same are equal.
#[derive(Clone, Copy, Default)]
pub struct Spanned<T> {
    /// What the file says.
    pub value: T,
    /// Where it says so.
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Whether a character is a blank to wg and wg-quick: `isspace` of the C locale, which `char::is_whitespace` is not.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

/// A piece of one line of a file, which knows where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'t> {
    text: &'t str,
    line: usize,
    start: usize,
}

impl<'t> Fragment<'t> {
    /// The piece that begins at byte `start` of the file, on the line of that number.
    pub(super) fn new(text: &'t str, line: usize, start: usize) -> Self {
        Self { text, line, start }
    }

    /// The text itself.
    pub(super) fn as_str(self) -> &'t str {
        self.text
    }

    /// Where it is.
    pub(super) fn span(self) -> Span {
        Span {
            line: self.line,
            start: self.start,
            end: self.start + self.text.len(),
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// A value that was read from this piece, with its place.
    pub(super) fn spanned<T>(self, value: T) -> Spanned<T> {
        Spanned {
            value,
            span: self.span(),
        }
    }

    /// The piece without blanks around it; of nothing but blanks the place before them.
    pub(super) fn trim(self) -> Self {
        self.trim_matches(is_blank)
    }

    /// The piece without blanks and `#`s around it.
    pub(super) fn trim_marks(self) -> Self {
        self.trim_matches(|c| c == '#' || is_blank(c))
    }

    fn trim_matches(self, is_around: fn(char) -> bool) -> Self {
        let end = self.text.trim_end_matches(is_around).len();
        let text = self.text.get(..end).unwrap_or_default();
        let start = end - text.trim_start_matches(is_around).len();
        self.slice(start..end)
    }

    /// What is before and after the first such text, if there is one.
    pub(super) fn split_once(self, separator: &str) -> Option<(Self, Self)> {
        let at = match separator.as_bytes() {
            // the search for texts costs more than short lines are long
            [one] => self.text.bytes().position(|byte| byte == *one),
            _ => self.text.find(separator),
        };
        Some(self.split_around(at?, separator))
    }

    /// What is before and after the last such text, if there is one.
    pub(super) fn rsplit_once(self, separator: &str) -> Option<(Self, Self)> {
        Some(self.split_around(self.text.rfind(separator)?, separator))
    }

    fn split_around(self, at: usize, separator: &str) -> (Self, Self) {
        let after = at + separator.len();
        (self.slice(0..at), self.slice(after..self.text.len()))
    }

    /// The piece without that character in front, if it is there.
    pub(super) fn strip_prefix(self, first: char) -> Option<Self> {
        self.text
            .starts_with(first)
            .then(|| self.slice(first.len_utf8()..self.text.len()))
    }

    /// The pieces between the characters that separate, empty ones too.
    pub(super) fn split(self, separates: fn(char) -> bool) -> impl Iterator<Item = Self> {
        let mut start = 0;
        self.text.split(separates).map(move |part| {
            let piece = self.slice(start..start + part.len());
            let rest = self.text.get(start + part.len()..).unwrap_or_default();
            start += part.len() + rest.chars().next().map_or(0, char::len_utf8);
            piece
        })
    }

    /// The text as wg sees it: it takes every blank out, those inside too.
    pub(super) fn squashed(self) -> Cow<'t, str> {
        if self.text.contains(is_blank) {
            Cow::Owned(self.text.replace(is_blank, ""))
        } else {
            Cow::Borrowed(self.text)
        }
    }

    fn slice(self, range: Range<usize>) -> Self {
        Self {
            start: self.start + range.start,
            text: self.text.get(range).unwrap_or_default(),
            line: self.line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_where_it_says() {
        let text = "\n \tkey =  a, ü,,c \r\n";
        let whole = Fragment::new(text.get(1..).unwrap(), 2, 1);
        let (key, value) = whole.split_once("=").unwrap();
        let mut pieces = vec![key.trim(), value.trim()];
        pieces.extend(value.split(|c| c == ',' || is_blank(c)));
        for piece in &pieces {
            assert_eq!(text.get(piece.span().range()), Some(piece.as_str()));
        }
        let shown: Vec<_> = pieces.iter().map(|piece| piece.as_str()).collect();
        assert_eq!(
            shown,
            ["key", "a, ü,,c", "", "", "a", "", "ü", "", "c", "", "", ""]
        );
    }

    #[test]
    fn blanks_are_those_of_c() {
        assert_eq!(
            Fragment::new("a \x0b\tb\u{a0}", 1, 0).squashed(),
            "ab\u{a0}"
        );
    }
}
