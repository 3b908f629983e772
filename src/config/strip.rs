//! What wg(8) is to read of a file: without what is wg-quick's or ours.

use super::document::{Line, Section, Syntax, lines};
use super::keys::{self, Owner, Read};

/// The text that `wg setconf` takes, byte for byte as `wg-quick strip` prints it: comments stay, spaces and tabs around
/// the lines do not, and there is an empty line at the end.
pub fn strip(text: &str) -> String {
    let mut stripped = String::with_capacity(text.len() + 2);
    let mut section = Section::Unknown;
    for line in lines(text) {
        if let Syntax::Section(entered, _) = line.syntax() {
            section = entered;
        }
        let whole = line.whole.as_str();
        let content = whole.trim_end_matches('\n').trim_matches([' ', '\t']);
        let is_line = whole.ends_with('\n') || !content.is_empty();
        if is_line && !is_beyond_wg(line, section) {
            stripped += content;
            stripped.push('\n');
        }
    }
    stripped.push('\n');
    stripped
}

/// Whether the line has a key that wg would not know there.
fn is_beyond_wg(line: Line<'_>, section: Section) -> bool {
    let key = match line.syntax() {
        Syntax::Entry(entry) => keys::find(entry.key.as_str()),
        Syntax::Other(word) => keys::find(word.as_str()), // wg-quick does not need the `=`
        Syntax::Blank | Syntax::Section(..) => None,
    };
    key.is_some_and(|key| {
        let belongs = match key.read {
            Read::Interface(_) => section == Section::Interface,
            Read::Peer(_) => section == Section::Peer,
        };
        belongs && key.owner != Owner::Wg
    })
}
