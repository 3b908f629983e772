//! What must not be shown of a config file: keys, whole or broken, wherever they stand.

use std::ops::Range;

use super::document::{Entry, Line, Syntax};
use super::span::is_blank;
use super::{keys, values};
use crate::key::PublicKey;

/// As many characters of base64 in a row are taken for a key, or a part of one.
const LONGEST_WORD: usize = 19; // PersistentKeepalive

/// What stands for a character that is not shown.
const MASK: char = '*';

/// The text with a mask over whatever may be a key. The number of characters stays.
pub(super) fn mask_keys(text: &str) -> String {
    text.split_inclusive(|c| !is_base64(c))
        .map(|run| {
            let word = run.trim_end_matches(|c| !is_base64(c));
            if looks_like_key(word) {
                run.replacen(word, &mask(word), 1)
            } else {
                run.to_owned()
            }
        })
        .collect()
}

/// A part of the line, given in bytes, with a mask over what may be a secret. Only the value of a key that is known,
/// and known to hold none, is shown.
pub(super) fn mask_line(line: Line<'_>, part: Range<usize>) -> String {
    let text = line.whole.as_str();
    let shown = match line.syntax() {
        Syntax::Blank => text.len(),
        Syntax::Section(..) => text.find('=').map_or(text.len(), |equals| equals + 1),
        Syntax::Entry(Entry { key, value, .. }) => match keys::find(key.as_str()) {
            Some(key) if !key.is_secret() => text.len(),
            None if value.is_empty() || !keys::is_word(key.as_str()) => 0,
            _ => text.find('=').map_or(0, |equals| equals + 1),
        },
        Syntax::Other(word) if keys::find(word.as_str()).is_some() => text.len(),
        Syntax::Other(_) => 0,
    };
    let shown = shown.clamp(part.start, part.end);
    let (open, hidden) = (text.get(part.start..shown), text.get(shown..part.end));
    mask_keys(open.unwrap_or_default()) + &mask(hidden.unwrap_or_default())
}

/// The line, without its end, with `(hidden)` for a secret key, and a mask over what else may be one. A public key is
/// shown where it belongs.
pub(super) fn hide_keys(line: Line<'_>) -> String {
    let text = line.whole.as_str().trim_end_matches(['\n', '\r']);
    if let Syntax::Entry(Entry { key, value, .. }) = line.syntax() {
        let name = keys::find(key.as_str()).map(|key| key.name);
        let start = line.whole.span().start;
        let at = |byte: usize| text.split_at_checked(byte - start).unwrap_or_default();
        let (before, _) = at(value.span().start);
        let (upto, after) = at(value.span().end);
        match name {
            Some("PrivateKey" | "PresharedKey") => {
                return format!("{before}(hidden){}", mask_keys(after));
            }
            Some("PublicKey") if values::key::<PublicKey>(value).is_ok() => {
                return upto.to_owned() + &mask_keys(after);
            }
            _ => {}
        }
    }
    mask_line(line, 0..text.len())
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/')
}

/// Paths and host names are long too, and in lower case.
fn looks_like_key(word: &str) -> bool {
    word.len() > LONGEST_WORD && !word.chars().all(|c| c.is_ascii_lowercase() || c == '/')
}

fn mask(text: &str) -> String {
    text.chars()
        .map(|c| if is_blank(c) { c } else { MASK })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::document::lines;

    const KEY: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

    #[test]
    fn a_key_is_masked_in_any_text() {
        assert_eq!(
            mask_keys(&format!("`{KEY}` is not a port")),
            format!("`{}=` is not a port", "*".repeat(43))
        );
        for shown in [
            "PersistentKeepalive: ü",
            "/etc/wireguard/keys/private/of/this/host",
            "fd00:1111:2222:3333:4444:5555:6666:7777/128",
        ] {
            assert_eq!(mask_keys(shown), shown);
        }
    }

    #[test]
    fn a_secret_key_is_hidden_and_a_public_one_is_shown() {
        let shown = |text: &str| hide_keys(lines(text).next().unwrap());
        let public = format!(" publickey={KEY} # of KEY");
        assert_eq!(shown(&format!("{public}\r\n")), public);
        let masked = format!(" publickey={KEY} # of {}=", "*".repeat(43));
        assert_eq!(shown(&public.replace("KEY", KEY)), masked);
        assert_eq!(
            shown(&format!("PresharedKey = {KEY}# psk\n")),
            "PresharedKey = (hidden)# psk"
        );
        assert_eq!(shown("Private Key=x y\n"), "Private Key=(hidden)");
        assert_eq!(shown("PublicKey = abc\n"), "PublicKey = ***");
        assert_eq!(shown("PrivatKey = abc\n"), "PrivatKey = ***");
        assert_eq!(shown("[Peer]\n"), "[Peer]");
    }

    #[test]
    fn a_line_shows_the_values_of_public_keys_only() {
        let shown = |text: &str| mask_line(lines(text).next().unwrap(), 0..text.len());
        assert_eq!(shown("MTU = x1 # note"), "MTU = x1 # note");
        assert_eq!(shown("allowed ips = 1"), "allowed ips = 1");
        assert_eq!(shown("PrivateKey = abc # de"), "PrivateKey = *** * **");
        assert_eq!(shown("PresharedKey = # psk"), "PresharedKey = * ***");
        assert_eq!(shown("PrivatKey = abc"), "PrivatKey = ***");
        assert_eq!(shown("PrivateKey: abc="), "*********** ****");
        assert_eq!(shown("tjizlMNqhdrYUI="), "***************");
        assert_eq!(shown("lXXJte14"), "********");
        assert_eq!(shown("Address"), "Address");
        assert_eq!(
            shown("# psk = lXXJte14tji3zlMNq+hd"),
            format!("# psk = {}", "*".repeat(20))
        );
    }
}
