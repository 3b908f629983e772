//! Changes to a text, given by the bytes they replace: all else stays as it is.

use std::ops::Range;

/// Changes that do not overlap, in any order.
#[derive(Debug, Default)]
pub(super) struct Edits {
    changes: Vec<(Range<usize>, String)>,
}

impl Edits {
    /// Puts a text in the place of those bytes.
    pub(super) fn replace(&mut self, bytes: Range<usize>, with: impl Into<String>) {
        self.changes.push((bytes, with.into()));
    }

    /// Takes those bytes away.
    pub(super) fn delete(&mut self, bytes: Range<usize>) {
        self.replace(bytes, "");
    }

    /// Puts a text before the byte at that place, after what was put there before.
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// The text with the changes made.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.changes.sort_by_key(|(bytes, _)| bytes.start); // stable: insertions at one place keep their order
        let mut edited = String::with_capacity(text.len());
        let mut from = 0;
        for (bytes, with) in self.changes {
            edited += text.get(from..bytes.start).unwrap_or_default();
            edited += &with;
            from = bytes.end;
        }
        edited + text.get(from..).unwrap_or_default()
    }
}
