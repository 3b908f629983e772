//! The line of a file that a diagnostic shows, fit for a terminal, and the caret under a part of it.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::document::Line;
use super::secret;
use super::span::{Fragment, Span, is_blank};

/// How many characters are shown before and after the start of what is wrong.
const BEFORE: usize = 60;
const AFTER: usize = 60;

/// How many bytes around it are looked at: more than are shown, so that a key at the edge is seen as one.
const WINDOW: usize = 4096;

/// What stands for text that was cut off.
const CUT: char = '…';

/// A line and a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    line: String,
    /// The part, in columns of the terminal.
    part: Range<usize>,
}

impl Excerpt {
    /// The line on which the span begins.
    pub(super) fn of(text: &str, span: Span) -> Self {
        let (before, after) = text.split_at_checked(span.start).unwrap_or_default();
        let head = before.rsplit('\n').next().unwrap_or_default();
        let tail = after.split('\n').next().unwrap_or_default();
        let tail = tail.trim_end_matches(is_blank);
        let start = span.start - head.len();
        let whole = text.get(start..span.start + tail.len()).unwrap_or_default();

        let first = whole.ceil_char_boundary(head.len().saturating_sub(WINDOW));
        let last = whole.floor_char_boundary(head.len() + tail.len().min(WINDOW));
        let line = Line {
            whole: Fragment::new(whole, span.line, start),
        };
        let shown: Vec<char> = secret::mask_line(line, first..last).chars().collect();

        let count = |range: Range<usize>| whole.get(range).unwrap_or_default().chars().count();
        let begin = count(first..head.len());
        let len = count(head.len()..last.min(head.len() + span.range().len()));
        Self::cut(&shown, begin..begin + len)
    }

    fn cut(line: &[char], part: Range<usize>) -> Self {
        let first = part.start.saturating_sub(BEFORE);
        let last = line.len().min(part.start + AFTER);
        let mut shown = Self {
            line: String::new(),
            part: 0..0,
        };
        let mut column = 0;
        if first > 0 {
            shown.line.push(CUT);
            column += 1;
        }
        for (index, &c) in line.iter().enumerate().take(last).skip(first) {
            if index == part.start {
                shown.part = column..column;
            }
            let (c, width) = printable(c);
            shown.line.push(c);
            column += width;
            if part.contains(&index) {
                shown.part.end = column;
            }
        }
        if part.start >= last {
            shown.part = column..column; // what is missing at the end of the line
        }
        if last < line.len() {
            shown.line.push(CUT);
        }
        shown
    }

    /// The line, without blanks at its end.
    pub(super) fn line(&self) -> &str {
        self.line.trim_end()
    }

    /// What goes below it: blanks, and a caret under each column of the part, or one where it would begin.
    pub(super) fn caret(&self) -> String {
        " ".repeat(self.part.start) + &"^".repeat(self.part.len().max(1))
    }
}

/// The character to print and its columns. What moves the cursor or writes backwards would part the caret from the line.
fn printable(c: char) -> (char, usize) {
    match c {
        '\t' => (' ', 1),
        _ => match c.width() {
            Some(width @ 1..) => (c, width),
            Some(0) | None => (char::REPLACEMENT_CHARACTER, 1),
        },
    }
}
