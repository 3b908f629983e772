//! The sections of a file as a person sees them: which lines are one section's, and which comments belong to it.

use std::ops::Range;

use super::document::{Entry, Line, Section, Syntax, lines};
use super::span::Fragment;
use super::{keys, roster};

/// A file in lines and sections.
pub(super) struct Layout<'t> {
    lines: Vec<Line<'t>>,
    parts: Vec<Part>,
}

/// A section, by the numbers of its lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    section: Section,
    header: usize,
    /// The last line that is neither blank nor a comment.
    last: usize,
    /// The next header, or the end of the file.
    end: usize,
}

/// A comment that belongs to a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comment<'t> {
    pub(super) place: Place,
    /// Without the `#`s around it.
    pub(super) text: Fragment<'t>,
}

/// Where a comment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Above the section's header, with nothing between.
    Above,
    /// Behind the header.
    Header,
    /// On the line below it.
    Below,
    /// Further down.
    Inside,
}

impl Part {
    /// The number of its header's line, from 0.
    pub(super) fn header(self) -> usize {
        self.header
    }
}

impl<'t> Layout<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let lines: Vec<_> = lines(text).collect();
        let mut parts: Vec<Part> = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            match (line.syntax(), parts.last_mut()) {
                (Syntax::Section(section, _), _) => parts.push(Part {
                    section,
                    header: number,
                    last: number,
                    end: lines.len(),
                }),
                (Syntax::Entry(_) | Syntax::Other(_), Some(part)) => part.last = number,
                _ => {}
            }
        }
        let headers: Vec<_> = parts.iter().skip(1).map(|part| part.header).collect();
        for (part, next) in parts.iter_mut().zip(headers) {
            part.end = next;
        }
        Self { lines, parts }
    }

    /// The sections of that kind, in order.
    pub(super) fn parts_of(&self, section: Section) -> Vec<Part> {
        let parts = self.parts.iter().copied();
        parts.filter(|part| part.section == section).collect()
    }

    /// Where the first line begins.
    pub(super) fn start(&self) -> usize {
        self.lines.first().map_or(0, |line| line.whole.span().start)
    }

    /// The lines of a section with that key.
    pub(super) fn entries(&self, part: Part, name: &str) -> Vec<(Line<'t>, Entry<'t>)> {
        let lines = self.lines.get(part.header..part.end).unwrap_or_default();
        let entries = lines.iter().filter_map(|&line| match line.syntax() {
            Syntax::Entry(entry) => Some((line, entry)),
            Syntax::Blank | Syntax::Section(..) | Syntax::Other(_) => None,
        });
        entries
            .filter(|(_, entry)| {
                let key = keys::find(entry.key.as_str());
                key.is_some_and(|key| key.name == name)
            })
            .collect()
    }

    /// The comments of a section, from the first to the last; those behind its keys are none.
    pub(super) fn comments(&self, part: Part) -> Vec<Comment<'t>> {
        let comment = |number: usize| {
            let place = match number {
                _ if number < part.header => Place::Above,
                _ if number == part.header => Place::Header,
                _ if number == part.header + 1 => Place::Below,
                _ => Place::Inside,
            };
            let line = self.lines.get(number)?;
            let (before, text) = line.whole.split_once("#")?;
            let is_whole = before.trim().is_empty();
            (is_whole || place == Place::Header).then(|| Comment {
                place,
                text: text.trim_marks(),
            })
        };
        self.lines_of(part).filter_map(comment).collect()
    }

    /// The line of that number, from 1.
    pub(super) fn line(&self, number: usize) -> Option<Fragment<'t>> {
        Some(self.lines.get(number.checked_sub(1)?)?.whole)
    }

    /// The header of a section.
    pub(super) fn header(&self, part: Part) -> Option<Line<'t>> {
        self.lines.get(part.header).copied()
    }

    /// The last line of a section that says something.
    pub(super) fn last_line(&self, part: Part) -> Option<Line<'t>> {
        self.lines.get(part.last).copied()
    }

    /// The lines of a section with the comments that belong to it, by their numbers from 0.
    pub(super) fn lines_of(&self, part: Part) -> Range<usize> {
        self.lead(part)..self.tail(part)
    }

    /// The bytes of a section with the comments that belong to it and the blank lines before.
    pub(super) fn extent(&self, part: Part) -> Range<usize> {
        let mut first = self.lead(part);
        let mut end = self.tail(part);
        while first > 0 && self.is_blank(first - 1) {
            first -= 1;
        }
        while first == 0 && self.is_blank(end) {
            end += 1; // what follows becomes the first
        }
        let start_of = |line: usize| self.lines.get(line).map(|line| line.whole.span().start);
        let end_of_file = self.lines.last().map_or(0, |line| line.whole.span().end);
        start_of(first).unwrap_or(end_of_file)..start_of(end).unwrap_or(end_of_file)
    }

    /// The first line of the comment that stands directly above the header, or the header itself.
    fn lead(&self, part: Part) -> usize {
        let mut first = part.header;
        while first > 0 && self.comment(first - 1).is_some() && !self.is_end_marker(first - 1) {
            first -= 1;
        }
        first
    }

    /// The line after the comment that stands directly below the section's last line, unless that is the next one's.
    fn tail(&self, part: Part) -> usize {
        let first = part.last + 1;
        let mut end = first;
        while end < part.end && self.comment(end).is_some() {
            if self.is_end_marker(end) {
                return end + 1;
            }
            end += 1;
        }
        let next_one_s = end == part.end && end < self.lines.len();
        if next_one_s { first } else { end }
    }

    /// The text of a line that is a comment and nothing else.
    fn comment(&self, line: usize) -> Option<&'t str> {
        let whole = self.lines.get(line)?.whole.trim().as_str();
        (whole.starts_with('#') && !roster::is_off(whole)).then_some(whole)
    }

    /// Whether a comment ends something: `# END_PEER NAME`, `### end NAME ###`, `# NAME end`, as other tools write them.
    fn is_end_marker(&self, line: usize) -> bool {
        let mut words = self
            .comment(line)
            .unwrap_or_default()
            .split(|c: char| !c.is_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case("end"))
    }

    fn is_blank(&self, line: usize) -> bool {
        let line = self.lines.get(line);
        line.is_some_and(|line| line.whole.trim().is_empty())
    }
}
