//! The names of peers: WireGuard has none, so people and programs write them into comments.
//!
//! Ours is a line `# Name = phone` in the section. Those of others are understood too: `# friendly_name=phone`,
//! `# Client: phone (id)`, `### Client phone`, `# BEGIN_PEER phone`, `### begin phone ###`, and a comment that is just the name,
//! above the header, behind it or below it.

use std::collections::BTreeMap;

use super::document::Section;
use super::edit::Edit;
use super::layout::{Comment, Layout, Part, Place};
use super::save::{ended, line_end};
use super::span::Fragment;
use super::values;
use crate::columns::is_invisible;
use crate::key::{PresharedKey, PrivateKey, PublicKey};

/// The key that a client's config has, or a comment in its place.
const PRIVATE_KEY: &str = "PrivateKey";

/// The names of peers, by their keys; not all may have one.
pub fn peer_names(text: &str) -> BTreeMap<PublicKey, String> {
    let layout = Layout::of(text);
    let parts = layout.parts_of(Section::Peer).into_iter();
    parts
        .filter_map(|part| {
            let (_, entry) = layout.entries(part, "PublicKey").pop()?;
            let key = values::public_key(entry.value).ok()?;
            Some((key, name(&layout, part)?.text().to_owned()))
        })
        .collect()
}

/// The value of a comment of the `[Interface]` section that has the form of a key: `# Endpoint = vpn.example.com:51820`.
pub fn interface_note(text: &str, key: &str) -> Option<String> {
    let layout = Layout::of(text);
    let found = interface_comment(&layout, key)?;
    Some(found.as_str().to_owned()).filter(|value| !value.is_empty())
}

/// The text with such a comment changed, or added below the section's header.
pub fn with_interface_note(text: &str, key: &str, value: &str) -> String {
    let line_end = line_end(text);
    let text = ended(text, line_end);
    let layout = Layout::of(&text);
    let mut edit = Edit::of(&layout, line_end);
    let parts = layout.parts_of(Section::Interface);
    if let Some(old) = interface_comment(&layout, key) {
        edit.replace(old.span().range(), value.to_owned());
    } else if let Some(part) = parts.first() {
        edit.add_below(*part, &format!("# {key} = {value}"));
    }
    edit.apply(&text)
}

fn interface_comment<'t>(layout: &Layout<'t>, key: &str) -> Option<Fragment<'t>> {
    let parts = layout.parts_of(Section::Interface);
    let mut comments = parts.iter().flat_map(|part| layout.comments(*part));
    comments.find_map(|comment| after_key(comment.text, &[key]))
}

/// The text with another endpoint for the peer with that key.
pub fn with_endpoint(text: &str, of: PublicKey, endpoint: &str) -> String {
    let layout = Layout::of(text);
    let mut edit = Edit::of(&layout, line_end(text));
    let is_it = |part: &Part| {
        let mut entries = layout.entries(*part, "PublicKey").into_iter();
        entries.any(|(_, entry)| values::public_key(entry.value).is_ok_and(|key| key == of))
    };
    let parts = layout.parts_of(Section::Peer);
    for part in parts.into_iter().filter(is_it) {
        edit.set(&[part], "Endpoint", Some(endpoint));
    }
    edit.apply(text)
}

/// Whether a config has its private key, or the file that holds it.
pub fn has_private_key(text: &str) -> bool {
    let layout = Layout::of(text);
    let interface = layout.parts_of(Section::Interface);
    let has = |key| {
        interface
            .iter()
            .any(|part| !layout.entries(*part, key).is_empty())
    };
    has(PRIVATE_KEY) || has("PrivateKeyFile")
}

/// The text of a client's config with other keys; one that has no preshared key goes without.
pub fn with_client_keys(text: &str, key: &PrivateKey, preshared: Option<&PresharedKey>) -> String {
    let layout = Layout::of(text);
    let mut edit = Edit::of(&layout, line_end(text));
    let interface = layout.parts_of(Section::Interface);
    match interface_comment(&layout, PRIVATE_KEY) {
        // the place where it would be if the client had not made it
        Some(note) => edit.replace_line(
            note.span(),
            &format!("{PRIVATE_KEY} = {}", *key.to_base64()),
        ),
        None => edit.set(&interface, PRIVATE_KEY, Some(&*key.to_base64())),
    }
    for part in layout.parts_of(Section::Peer) {
        let preshared = preshared.map(PresharedKey::to_base64);
        edit.set(&[part], "PresharedKey", preshared.as_deref());
    }
    edit.apply(text)
}

/// The most bytes that a name may have, so that one is a file's name too whatever is in it.
const LONGEST_NAME: usize = 64;

/// Refuses a text that cannot be a peer's name: it is one line of a comment, and others must be able to type it.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.trim() != name {
        return Err("a name neither begins nor ends with a blank, and is not empty");
    }
    if name.len() > LONGEST_NAME {
        return Err("a name has at most 64 bytes");
    }
    if name.starts_with('#') || name.ends_with('#') {
        return Err("a name neither begins nor ends with `#`");
    }
    if name.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err("a name has no control characters, and none that cannot be seen");
    }
    Ok(())
}

/// Whether a comment is short enough to be a name. Others may have put anything into it.
fn may_be_name(text: Fragment<'_>) -> bool {
    !text.is_empty() && text.as_str().len() <= LONGEST_NAME
}

/// A name, and in what form it stands there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'t> {
    /// After `Name =`: this can be changed where it is.
    Own(Fragment<'t>),
    /// As another program or a person wrote it.
    Foreign(Fragment<'t>),
}

impl<'t> Name<'t> {
    pub(super) fn text(self) -> &'t str {
        let (Self::Own(name) | Self::Foreign(name)) = self;
        name.as_str()
    }
}

/// The name that the comments of a section give its peer. What says that it is a name comes before what only may be one.
pub(super) fn name<'t>(layout: &Layout<'t>, part: Part) -> Option<Name<'t>> {
    let comments = layout.comments(part);
    let first = |read: fn(&Comment<'t>) -> Option<Fragment<'t>>| {
        let mut named = comments.iter().filter_map(read);
        named.find(|name| may_be_name(*name))
    };
    if let Some(name) = first(|comment| after_key(comment.text, &["name"])) {
        return Some(Name::Own(name));
    }
    let foreign = first(|comment| after_key(comment.text, &["friendly_name", "friendly-name"]))
        .or_else(|| first(|comment| client(comment.text)))
        .or_else(|| first(|comment| after_word(comment.text)))
        .or_else(|| plain(&comments))?;
    Some(Name::Foreign(foreign))
}

/// `Name = phone`
fn after_key<'t>(text: Fragment<'t>, keys: &[&str]) -> Option<Fragment<'t>> {
    let (key, value) = text.split_once("=")?;
    let key = key.trim().as_str();
    let is_it = keys.iter().any(|it| key.eq_ignore_ascii_case(it));
    is_it.then(|| value.trim())
}

/// `Client: phone (4f1c…)`
fn client(text: Fragment<'_>) -> Option<Fragment<'_>> {
    let (word, rest) = text.split_once(":")?;
    let name = match rest.rsplit_once("(") {
        Some((name, id)) if id.as_str().ends_with(')') => name,
        _ => rest,
    };
    let is_it = word.trim().as_str().eq_ignore_ascii_case("client");
    is_it.then(|| name.trim())
}

/// `BEGIN_PEER phone`, `begin phone`, `Client phone`
fn after_word(text: Fragment<'_>) -> Option<Fragment<'_>> {
    let (word, name) = text.split_once(" ")?;
    let words = ["begin_peer", "begin", "client"];
    let is_it = words
        .iter()
        .any(|it| word.as_str().eq_ignore_ascii_case(it));
    is_it.then(|| name.trim())
}

/// A comment behind the header, on the line below it, or on the line above.
fn plain<'t>(comments: &[Comment<'t>]) -> Option<Fragment<'t>> {
    let at = |place: Place| {
        let mut there = comments
            .iter()
            .filter(move |comment| comment.place == place);
        let text = there.next_back()?.text;
        // what has a `=` is a line that was commented out
        let is_name = may_be_name(text) && !text.as_str().contains('=');
        is_name.then_some(text)
    };
    at(Place::Header)
        .or_else(|| at(Place::Below))
        .or_else(|| at(Place::Above))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "PublicKey = m8E4BNcW6eVRmWTXzkXmVyDWkaNNxkwDwUWHhVrBqmM=\n";

    fn named(before: &str, header: &str, body: &str, after: &str) -> Option<String> {
        let text =
            format!("[Interface]\n# of no peer\n\n{before}[Peer]{header}\n{body}{KEY}{after}");
        peer_names(&text).into_values().next()
    }

    #[test]
    fn names_are_found_in_every_form() {
        for (before, header, body, after) in [
            ("", "", "# Name = phone\n", ""),
            ("", "", "#name=phone\n# other\n", ""),
            ("", "", "", "# friendly_name = phone\n"),
            ("", "", "# Client: phone (4f1c-9)\n", ""),
            ("### Client phone\n", "", "", ""),
            ("# BEGIN_PEER phone\n", "", "", "# END_PEER phone\n"),
            ("### begin phone ###\n", "", "", "### end phone ###\n"),
            ("# phone\n", "", "", ""),
            ("", " # phone", "", ""),
            ("", "", "# phone\n", ""),
            ("# about it\n", "", "# Name = phone\n", ""),
            ("# Endpoint = a:1\n", "", "# phone\n", ""),
        ] {
            let name = named(before, header, body, after);
            assert_eq!(
                name.as_deref(),
                Some("phone"),
                "{before}{header}{body}{after}"
            );
        }
    }

    #[test]
    fn what_clients_are_told_is_a_comment_that_can_change() {
        let text = "[Interface]\nListenPort = 1\n# Endpoint = a:1\n\n[Peer]\n# Endpoint = b:2\n";
        assert_eq!(interface_note(text, "Endpoint").as_deref(), Some("a:1"));
        assert_eq!(interface_note(text, "DNS"), None);
        let changed = with_interface_note(text, "Endpoint", "c:3");
        assert_eq!(changed, text.replace("a:1", "c:3"));
        let changed = with_interface_note(text, "DNS", "192.0.2.1");
        assert_eq!(changed, text.replace("\nL", "\n# DNS = 192.0.2.1\nL"));
        let text = format!("[Peer]\n{KEY}Endpoint = a:1 # there\n");
        let key = peer_key(KEY);
        assert_eq!(
            with_endpoint(&text, key, "[::1]:2"),
            text.replace("a:1", "[::1]:2")
        );
    }

    fn peer_key(line: &str) -> PublicKey {
        line.trim()
            .trim_start_matches("PublicKey = ")
            .parse()
            .unwrap()
    }

    #[test]
    fn names_are_any_text_that_is_one_line() {
        for good in [
            "phone",
            "Büro 2. Stock",
            "a/b",
            "..",
            "名前",
            "x # y",
            "[Peer]",
            "=",
            "-v",
        ] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " a",
            "a ",
            "a\nb",
            "a\u{202e}b",
            "#a",
            "a#",
            "\u{7f}",
            &"ü".repeat(33),
        ] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        assert_eq!(named("", "", "", ""), None);
        assert_eq!(named("# phone\n\n", "", "", ""), None);
        assert_eq!(named("# Endpoint = a:1\n", "", "", ""), None);
        assert_eq!(named("", "", "# Name =\n", ""), None);
        assert_eq!(named("", "", "", "# PersistentKeepalive = 25\n"), None);
    }

    #[test]
    fn the_comment_above_the_next_header_is_the_next_one_s() {
        let other = "PublicKey = ydFdgfFMF2PQ5UQnlJnGNGAZbrhNWvRFeN6aVURQQ3c=\n";
        let text = format!("[Peer]\n{KEY}\n# laptop\n[Peer]\n{other}");
        let names: Vec<_> = peer_names(&text).into_values().collect();
        assert_eq!(names, ["laptop"]);
    }
}
