//! The file as lines: what a line is, and where on it key, value and comment stand. Nothing is lost: the lines put
//! together are the file.

use super::diagnostic::Diagnostic;
use super::span::Fragment;

/// The most bytes a config may have. 20,000 peers with preshared keys take 4 MB; what is larger by far is no config.
pub const MAX_BYTES: usize = 8 << 20;

/// What some editors put in front of UTF-8 text.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A file's bytes as text.
///
/// # Errors
/// They are no text: too many, not UTF-8, or with a NUL among them.
pub fn decode(bytes: &[u8]) -> Result<&str, Diagnostic> {
    if bytes.len() > MAX_BYTES {
        return Err(Diagnostic::error(format!(
            "the file has {} bytes, and a config at most {MAX_BYTES}",
            bytes.len()
        )));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Diagnostic::error("the file is UTF-16, not UTF-8")
            .hint("`iconv -f UTF-16 -t UTF-8` converts it"));
    }
    // wg-quick: it takes any bytes in a comment
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (before, rest) = bytes
            .split_at_checked(error.valid_up_to())
            .unwrap_or_default();
        let byte = rest.first().copied().unwrap_or_default();
        Diagnostic::error(format!("byte {byte:#04x} is not UTF-8 text"))
            .after(std::str::from_utf8(before).unwrap_or_default())
            .hint("if the file is in an older encoding, `iconv -f ISO-8859-1 -t UTF-8` converts it")
    })?;
    match text.split_once('\0') {
        None => Ok(text),
        Some((before, _)) => {
            Err(Diagnostic::error("there is a NUL byte: this is no text file").after(before))
        }
    }
}

/// One line of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// The whole of it, up to and with its line feed; the last line may have none.
    pub(super) whole: Fragment<'t>,
}

/// What a line says. Everything from a `#` on is a comment, and blanks around the parts do not count.
#[derive(Debug, Clone, Copy)]
pub(super) enum Syntax<'t> {
    /// Nothing: the line is empty or has only a comment.
    Blank,
    /// The header of a section, with its brackets.
    Section(Section, Fragment<'t>),
    /// A key and its value.
    Entry(Entry<'t>),
    /// Something else: there is no `=` in it.
    Other(Fragment<'t>),
}

/// A section, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Interface,
    Peer,
    /// None that a config has.
    Unknown,
}

impl Section {
    fn of(header: Fragment<'_>) -> Self {
        // wg-quick: it wants no blanks inside and wg does not mind, so that up fails on the first Address
        let name = header.squashed();
        if name.eq_ignore_ascii_case("[Interface]") {
            Self::Interface
        } else if name.eq_ignore_ascii_case("[Peer]") {
            Self::Peer
        } else {
            Self::Unknown
        }
    }
}

/// A line with a key and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'t> {
    /// What is before the first `=`.
    pub(super) key: Fragment<'t>,
    /// What is after it.
    pub(super) value: Fragment<'t>,
    /// What is after it with a comment, which in a hook is the shell's to find.
    pub(super) verbatim: Fragment<'t>,
}

impl<'t> Line<'t> {
    /// What the line says.
    pub(super) fn syntax(self) -> Syntax<'t> {
        let content = self.content();
        if content.is_empty() {
            Syntax::Blank
        } else if content.as_str().starts_with('[') {
            Syntax::Section(Section::of(content), content)
        } else if let Some((key, value)) = content.split_once("=") {
            let verbatim = self.whole.split_once("=").map_or(value, |(_, rest)| rest);
            Syntax::Entry(Entry {
                key: key.trim(),
                value: value.trim(),
                verbatim: verbatim.trim(),
            })
        } else {
            Syntax::Other(content)
        }
    }

    fn content(self) -> Fragment<'t> {
        self.whole
            .split_once("#")
            .map_or(self.whole, |(before, _)| before)
            .trim()
    }
}

/// The lines of a text, in order. A byte-order mark in front is on none of them.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let (mark, body) = text
        .strip_prefix(BYTE_ORDER_MARK)
        .map_or(("", text), |body| (BYTE_ORDER_MARK, body));
    let mut start = mark.len();
    body.split_inclusive('\n')
        .enumerate()
        .map(move |(index, whole)| {
            let line = Line {
                whole: Fragment::new(whole, index + 1, start),
            };
            start += whole.len();
            line
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_in(text: &str, piece: Fragment<'_>) -> bool {
        let span = piece.span();
        let before = text.get(..span.start).unwrap_or_default();
        text.get(span.range()) == Some(piece.as_str())
            && before.matches('\n').count() + 1 == span.line
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_lines_are_the_file(text in "\u{feff}?([\\[\\]=# \t\r\n\u{b};a-cü]|\\PC)*") {
            let lines: Vec<_> = lines(&text).collect();
            let joined: String = lines.iter().map(|line| line.whole.as_str()).collect();
            prop_assert_eq!(&joined, text.trim_start_matches('\u{feff}'));
            for line in lines {
                let mut pieces = vec![line.whole];
                match line.syntax() {
                    Syntax::Blank => {}
                    Syntax::Section(_, piece) | Syntax::Other(piece) => pieces.push(piece),
                    Syntax::Entry(entry) => pieces.extend([entry.key, entry.value, entry.verbatim]),
                }
                for piece in pieces {
                    prop_assert!(is_in(&text, piece), "{:?}", piece);
                }
            }
        }
    }

    #[test]
    fn a_comment_begins_anywhere_but_in_a_hook() {
        let Some(Syntax::Entry(entry)) = lines(" k = a=b # c = d \r\n").next().map(Line::syntax)
        else {
            panic!("it is an entry");
        };
        assert_eq!(entry.key.as_str(), "k");
        assert_eq!(entry.value.as_str(), "a=b");
        assert_eq!(entry.verbatim.as_str(), "a=b # c = d");
    }
}
