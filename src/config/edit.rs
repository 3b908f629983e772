//! Changes to a file's text, key by key: what is not named by one stays as it is, byte for byte.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;

use super::document::{Entry, Line};
use super::hunk::{Change, hunks};
use super::layout::{Layout, Part};
use super::span::{Fragment, Span, is_blank};

/// Changes that do not overlap, each a range of bytes and what comes in their place.
pub(super) struct Edit<'l, 't> {
    layout: &'l Layout<'t>,
    line_end: &'static str,
    changes: Vec<Change>,
}

impl<'l, 't> Edit<'l, 't> {
    /// No changes yet to a file whose lines all end so.
    pub(super) fn of(layout: &'l Layout<'t>, line_end: &'static str) -> Self {
        Self {
            layout,
            line_end,
            changes: Vec::new(),
        }
    }

    /// The file's text with the changes made.
    pub(super) fn apply(self, text: &str) -> String {
        let mut edited = String::with_capacity(text.len());
        let mut from = 0;
        for (bytes, with) in self.in_order() {
            edited += text.get(from..bytes.start).unwrap_or_default();
            edited += &with;
            from = bytes.end;
        }
        edited + text.get(from..).unwrap_or_default()
    }

    /// The changes by lines, with secret keys hidden; nothing if there are none.
    pub(super) fn show(self, text: &str) -> String {
        hunks(text, &self.in_order())
    }

    fn in_order(mut self) -> Vec<Change> {
        self.changes.sort_by_key(|(bytes, _)| bytes.start); // stable: what comes to one place keeps its order
        self.changes
    }

    /// Takes those bytes away.
    pub(super) fn delete(&mut self, bytes: Range<usize>) {
        self.replace(bytes, String::new());
    }

    /// Makes a key that counts once say this, or nothing.
    pub(super) fn set(&mut self, parts: &[Part], name: &str, value: Option<impl Display>) {
        let entries = self.entries(parts, name);
        match (value, entries.last()) {
            (Some(value), Some((_, last))) => {
                self.replace(last.value.span().range(), value.to_string());
            }
            (Some(value), None) => self.add_line(parts, name, &value.to_string()),
            (None, _) => {
                for (line, _) in entries {
                    self.delete(line.whole.span().range());
                }
            }
        }
    }

    /// Makes a key that adds up say these and no others, in all its lines together.
    pub(super) fn set_list<T: Ord + Copy + Display>(
        &mut self,
        parts: &[Part],
        name: &str,
        wanted: &[T],
        items: fn(Fragment<'t>) -> Vec<Fragment<'t>>,
        read: fn(Fragment<'t>) -> Option<T>,
    ) {
        let mut missing: BTreeSet<T> = wanted.iter().copied().collect();
        let mut lists = Vec::new();
        for (line, entry) in self.entries(parts, name) {
            let written = items(entry.value);
            let mut kept = Vec::new();
            for item in &written {
                if read(*item).is_some_and(|value| missing.remove(&value)) {
                    kept.push(item.as_str().to_owned());
                }
            }
            let changed = kept.len() < written.len();
            lists.push((line, entry, kept, changed));
        }

        let added = wanted.iter().filter(|value| missing.contains(value));
        let added: Vec<String> = added.map(T::to_string).collect();
        match lists.last_mut() {
            _ if added.is_empty() => {}
            Some((_, _, kept, changed)) => {
                kept.extend(added);
                *changed = true;
            }
            None => self.add_line(parts, name, &joined(added)),
        }
        for (line, entry, kept, _) in lists.iter().filter(|(.., changed)| *changed) {
            if kept.is_empty() {
                self.delete(line.whole.span().range());
            } else {
                self.replace(entry.value.span().range(), kept.join(", "));
            }
        }
    }

    fn entries(&self, parts: &[Part], name: &str) -> Vec<(Line<'t>, Entry<'t>)> {
        let entries = parts.iter().map(|part| self.layout.entries(*part, name));
        entries.flatten().collect()
    }

    /// A line more below a section's header.
    pub(super) fn add_below(&mut self, part: Part, line: &str) {
        if let Some(header) = self.layout.header(part) {
            let line = format!("{line}{}", self.line_end);
            self.insert(header.whole.span().end, line);
        }
    }

    /// A line more at the end of a section, or of one that the file does not have.
    fn add_line(&mut self, parts: &[Part], name: &str, value: &str) {
        let end = self.line_end;
        let Some(last) = parts.last().and_then(|part| self.layout.last_line(*part)) else {
            let section = format!("[Interface]{end}{name} = {value}{end}{end}");
            return self.insert(self.layout.start(), section);
        };
        let text = last.whole.as_str();
        let indent = text.len() - text.trim_start_matches(is_blank).len();
        let indent = text.get(..indent).unwrap_or_default();
        let line = format!("{indent}{name} = {value}{end}");
        self.insert(last.whole.span().end, line);
    }

    /// Puts a text before that byte.
    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.replace(at..at, text);
    }

    /// Puts a text in place of the line that something is on.
    pub(super) fn replace_line(&mut self, at: Span, line: &str) {
        if let Some(whole) = self.layout.line(at.line) {
            let line = format!("{line}{}", self.line_end);
            self.replace(whole.span().range(), line);
        }
    }

    /// Puts a text in place of those bytes.
    pub(super) fn replace(&mut self, bytes: Range<usize>, with: String) {
        self.changes.push((bytes, with));
    }
}

/// The values as a list in a file.
pub(super) fn joined<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(", ")
}
