//! Changes to a text as diff(1) shows them: by whole lines, and with no secrets in them.

use std::fmt::Write as _;
use std::ops::Range;

use super::document::lines;
use super::secret::hide_keys;

/// A range of bytes, and what comes in their place.
pub(super) type Change = (Range<usize>, String);

/// The changes in the form of `diff -U0`, without the two lines on files; nothing if there are none. They are in order
/// and do not overlap. Secret keys are hidden.
pub(super) fn hunks(text: &str, changes: &[Change]) -> String {
    let mut shown = String::new();
    let (mut old_line, mut new_line, mut from) = (1, 1, 0);
    for (bytes, with) in by_lines(text, changes) {
        let between = text.get(from..bytes.start).unwrap_or_default();
        let old = text.get(bytes.clone()).unwrap_or_default();
        old_line += count(between);
        new_line += count(between);
        let places = (place(old_line, count(old)), place(new_line, count(&with)));
        let _ = writeln!(shown, "@@ -{} +{} @@", places.0, places.1);
        for (sign, part) in [('-', old), ('+', &with)] {
            for line in lines(part) {
                let _ = writeln!(shown, "{sign}{}", hide_keys(line));
            }
        }
        old_line += count(old);
        new_line += count(&with);
        from = bytes.end;
    }
    shown
}

/// The same changes, each of whole lines; those of the same or adjacent lines are one.
fn by_lines(text: &str, changes: &[Change]) -> Vec<Change> {
    let mut whole: Vec<Change> = Vec::new();
    for (bytes, with) in changes {
        let wide = widen(text, bytes);
        // where the change before took in what this one changes, that is cut off again
        let (start, mut new) = match whole.pop() {
            Some((before, new)) if wide.start <= before.end => {
                let rest = before.end.saturating_sub(bytes.start);
                let kept = new.len().saturating_sub(rest);
                let between = text.get(before.end..bytes.start).unwrap_or_default();
                (
                    before.start,
                    new.get(..kept).unwrap_or_default().to_owned() + between,
                )
            }
            last => {
                whole.extend(last);
                let lead = text.get(wide.start..bytes.start);
                (wide.start, lead.unwrap_or_default().to_owned())
            }
        };
        new += with;
        new += text.get(bytes.end..wide.end).unwrap_or_default();
        whole.push((start..wide.end, new));
    }
    whole
}

/// The lines that a range is on; none for a place between two lines.
fn widen(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let before = text.get(..bytes.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let ends_line = |at: usize| {
        text.get(..at)
            .is_none_or(|text| text.is_empty() || text.ends_with('\n'))
    };
    if ends_line(bytes.end) && (start == bytes.start || !bytes.is_empty()) {
        return start..bytes.end;
    }
    let after = text.get(bytes.end..).unwrap_or_default();
    let end = after.find('\n').map_or(text.len(), |at| bytes.end + at + 1);
    start..end
}

/// How many lines a text of whole lines has.
fn count(text: &str) -> usize {
    text.split_inclusive('\n').count()
}

/// Where lines are: the first one's number and how many there are; for none, the number of the line before.
fn place(first: usize, count: usize) -> String {
    match count {
        0 => format!("{},0", first - 1),
        1 => first.to_string(),
        _ => format!("{first},{count}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, changes: &[Change]) -> String {
        let last_first = changes.iter().rev();
        last_first.fold(text.to_owned(), |mut text, (bytes, with)| {
            text.replace_range(bytes.clone(), with);
            text
        })
    }

    #[test]
    fn changes_are_shown_by_lines_as_diff_shows_them() {
        let text = "MTU = 1\nDNS = 2, 3\n[Peer]\nEndpoint = 4\n# d";
        let at = |piece: &str| {
            let start = text.find(piece).unwrap_or_default();
            start..start + piece.len()
        };
        let end = text.len();
        for (changes, shown) in [
            (vec![], ""),
            (vec![(at("1"), "7")], "@@ -1 +1 @@\n-MTU = 1\n+MTU = 7\n"),
            (
                vec![(at("DNS = 2, 3\n"), "")],
                "@@ -2 +1,0 @@\n-DNS = 2, 3\n",
            ),
            (vec![(0..0, "MTU = 0\n")], "@@ -0,0 +1 @@\n+MTU = 0\n"),
            (
                vec![(at("2"), "8"), (at("3"), "9, 10"), (at("4"), "11")],
                "@@ -2 +2 @@\n-DNS = 2, 3\n+DNS = 8, 9, 10\n\
                 @@ -4 +4 @@\n-Endpoint = 4\n+Endpoint = 11\n",
            ),
            (
                vec![
                    (8..8, "MTU = 5\n"),
                    (at("[Peer]\nEndpoint = 4\n# d"), ""),
                    (end..end, "\nMTU = 6\n"),
                ],
                "@@ -1,0 +2 @@\n+MTU = 5\n\
                 @@ -3,3 +4,2 @@\n-[Peer]\n-Endpoint = 4\n-# d\n+\n+MTU = 6\n",
            ),
        ] {
            let changes: Vec<Change> = changes
                .into_iter()
                .map(|(bytes, with)| (bytes, with.to_owned()))
                .collect();
            assert_eq!(hunks(text, &changes), shown);
            let whole = by_lines(text, &changes);
            assert_eq!(changed(text, &whole), changed(text, &changes));
        }
    }
}
