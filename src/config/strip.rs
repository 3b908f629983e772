//! What wg(8) is to read of a file: without what is wg-quick's or ours.

use std::convert::Infallible;

use zeroize::Zeroizing;

use super::document::{Line, Section, Syntax, lines};
use super::keys::{self, Owner, Read};
use super::span::Spanned;

/// The text that `wg setconf` takes, byte for byte as `wg-quick strip` prints it: comments stay, spaces and tabs around
/// the lines do not, and there is an empty line at the end.
pub fn strip(text: &str) -> String {
    let Ok(stripped) = strip_with_keys(text, |_, _| Ok::<_, Infallible>(None));
    stripped
}

/// As [`strip`], with the key in place of the name of a file that has one: without, `wg setconf` would take it from the
/// interface or peer. `key_in` is given the path as written and its line, and reads `PrivateKeyFile` or
/// `PresharedKeyFile` as a whole line: `PrivateKey = ...`.
pub fn strip_with_keys<E>(
    text: &str,
    key_in: impl Fn(&'static str, Spanned<&str>) -> Result<Option<Zeroizing<String>>, E>,
) -> Result<String, E> {
    let mut stripped = String::with_capacity(text.len() + 2);
    let mut section = Section::Unknown;
    for line in lines(text) {
        if let Syntax::Section(entered, _) = line.syntax() {
            section = entered;
        }
        let whole = line.whole.as_str();
        let content = whole.trim_end_matches('\n').trim_matches([' ', '\t']);
        let is_line = whole.ends_with('\n') || !content.is_empty();
        if !is_line {
            continue;
        }
        match beyond_wg(line, section) {
            None => {
                stripped += content;
                stripped.push('\n');
            }
            Some(key) => {
                if let Syntax::Entry(entry) = line.syntax()
                    && let Some(line) = key_in(key, entry.value.spanned(entry.value.as_str()))?
                {
                    stripped += &line;
                    stripped.push('\n');
                }
            }
        }
    }
    stripped.push('\n');
    Ok(stripped)
}

/// The key of the line, if it is one that wg would not know there.
fn beyond_wg(line: Line<'_>, section: Section) -> Option<&'static str> {
    let key = match line.syntax() {
        Syntax::Entry(entry) => keys::find(entry.key.as_str()),
        Syntax::Other(word) => keys::find(word.as_str()), // wg-quick does not need the `=`
        Syntax::Blank | Syntax::Section(..) => None,
    };
    let belongs = |key: &&keys::Key| match key.read {
        Read::Interface(_) => section == Section::Interface,
        Read::Peer(_) => section == Section::Peer,
    };
    let beyond = key.filter(belongs).filter(|key| key.owner != Owner::Wg);
    beyond.map(|key| key.name)
}
