//! The lines with keys that are ours alone, and a file without them.

use super::document::{Line, Section, Syntax, lines};
use super::keys::{self, Owner, Read};
use super::layout::Layout;
use super::save::line_end;
use super::span::Span;

/// A line with a key that wg-quick(8) does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnLine {
    /// The key.
    pub key: &'static str,
    /// Where its value is.
    pub span: Span,
    /// The value, without a comment.
    pub value: String,
    section: Section,
}

/// The lines with keys of our own, in the file's order.
pub fn own_lines(text: &str) -> Vec<OwnLine> {
    own(text).into_iter().map(|(_, own)| own).collect()
}

/// Turns lines with keys of our own into comments, each with what `note` has to say of it as a comment more, and puts
/// `instead`, whole lines, where the first of them stood in `[Interface]`, or else at that section's end. All else stays byte
/// for byte, but for a byte-order mark, which wg-quick(8) would choke on.
pub fn without_own_keys(
    text: &str,
    instead: &[String],
    note: impl Fn(&OwnLine) -> Option<String>,
) -> String {
    let end = line_end(text);
    let own = own(text);
    let place = place(text, &own);
    let mut own = own.into_iter().peekable();
    let mut out = String::with_capacity(text.len());
    for line in lines(text) {
        let (whole, number) = (line.whole.as_str(), line.whole.span().line);
        let insert = |out: &mut String| {
            for line in instead {
                out.push_str(line);
                out.push_str(end);
            }
        };
        if place == Some(Place::Before(number)) {
            insert(&mut out);
        }
        match own.next_if(|(at, _)| *at == number) {
            None => out.push_str(whole),
            Some((_, own)) => {
                out.push_str("# ");
                out.push_str(whole);
                if let Some(note) = note(&own) {
                    complete(&mut out, end);
                    out.push_str("# wgq: ");
                    out.push_str(&note);
                    out.push_str(end);
                }
            }
        }
        if place == Some(Place::After(number)) {
            complete(&mut out, end);
            insert(&mut out);
        }
    }
    out
}

/// By the number of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before(usize),
    After(usize),
}

fn place(text: &str, own: &[(usize, OwnLine)]) -> Option<Place> {
    let mut own = own.iter();
    if let Some((line, _)) = own.find(|(_, own)| own.section == Section::Interface) {
        return Some(Place::Before(*line));
    }
    let layout = Layout::of(text);
    let part = layout.parts_of(Section::Interface).pop()?;
    let last = layout.last_line(part)?;
    Some(Place::After(last.whole.span().line))
}

/// Ends the last line of a file that has no line feed there.
fn complete(out: &mut String, end: &str) {
    if !out.ends_with('\n') {
        out.push_str(end);
    }
}

/// The lines with keys of our own, each with its number.
fn own(text: &str) -> Vec<(usize, OwnLine)> {
    let mut section = Section::Unknown;
    let mut found = Vec::new();
    for line in lines(text) {
        if let Syntax::Section(entered, _) = line.syntax() {
            section = entered;
        }
        found.extend(own_line(line, section).map(|own| (line.whole.span().line, own)));
    }
    found
}

fn own_line(line: Line<'_>, section: Section) -> Option<OwnLine> {
    let Syntax::Entry(entry) = line.syntax() else {
        return None;
    };
    let key = keys::find(entry.key.as_str())?;
    let belongs = match key.read {
        Read::Interface(_) => section == Section::Interface,
        Read::Peer(_) => section == Section::Peer,
    };
    (belongs && key.owner == Owner::Wgq).then(|| OwnLine {
        key: key.name,
        span: entry.value.span(),
        value: entry.value.as_str().to_owned(),
        section,
    })
}
