//! Names of interfaces.

use std::fmt;
use std::str::FromStr;

use super::Invalid;

/// The name of a network interface that a config file can have: 1 to 15 of `a-z A-Z 0-9 _ = + . -`, as wg-quick(8) allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ifname {
    // zero-padded, so that the derived order is that of the text
    bytes: [u8; Self::MAX],
}

impl Ifname {
    /// The longest name, in bytes: IFNAMSIZ less the final NUL.
    pub const MAX: usize = 15;

    /// The name that a text makes that is none: without the number of a second download (`wg0 (1)`), with hyphens for
    /// blanks, without what no name has, and cut off where it is too long. None if nothing is left.
    pub fn nearest(text: &str) -> Option<Self> {
        let text = match text.trim_end().rsplit_once('(') {
            Some((name, number)) if is_copy_number(number) => name,
            _ => text,
        };
        let hyphened = text.trim().replace(char::is_whitespace, "-");
        let kept: String = hyphened.chars().filter(|c| is_allowed(*c)).collect();
        let cut = kept.trim_start_matches('-').get(..Self::MAX);
        let cut = cut.unwrap_or(kept.trim_start_matches('-'));
        cut.trim_end_matches(['-', '_', '.']).parse().ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let len = self
            .bytes
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(Self::MAX);
        self.bytes
            .get(..len)
            .and_then(|name| std::str::from_utf8(name).ok())
            .unwrap_or_default()
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_=+.-".contains(c)
}

/// Whether this is what is behind the bracket of `NAME (1)`.
fn is_copy_number(text: &str) -> bool {
    let number = text.strip_suffix(')').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

impl FromStr for Ifname {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        if name.is_empty() {
            return Err(Invalid::new("an interface name must not be empty"));
        }
        if name.len() > Self::MAX {
            return Err(Invalid::new(format!(
                "an interface name has at most {} characters, and `{}` has {}",
                Self::MAX,
                name.escape_debug(),
                name.chars().count()
            )));
        }
        if let Some(bad) = name.chars().find(|&c| !is_allowed(c)) {
            let bad = bad.escape_debug();
            return Err(Invalid::new(format!(
                "an interface name cannot contain `{bad}`, only a-z A-Z 0-9 _ = + . -"
            )));
        }
        if name == "." || name == ".." {
            return Err(Invalid::new(format!("`{name}` is not an interface name"))); // the kernel refuses both
        }
        let mut bytes = [0; Self::MAX];
        bytes
            .iter_mut()
            .zip(name.bytes())
            .for_each(|(to, from)| *to = from);
        Ok(Self { bytes })
    }
}

impl fmt::Display for Ifname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Ifname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_an_interface_can_have() {
        for (text, name) in [
            ("wg0 (1)", Some("wg0")),
            ("my office", Some("my-office")),
            ("mullvad-se-got-wg-001", Some("mullvad-se-got")),
            ("Büro", Some("Bro")),
            ("-h x", Some("h-x")),
            ("a/b", Some("ab")),
            ("電話", None),
            ("", None),
            ("..", None),
            ("(1)", None),
        ] {
            let found = Ifname::nearest(text);
            assert_eq!(found.map(|it| it.to_string()).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn an_interface_name_is_what_wg_quick_takes() {
        for good in ["wg0", "a", "_=+.-", "0123456789abcde", "-h"] {
            assert_eq!(good.parse::<Ifname>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "0123456789abcdef",
            "../x",
            "a b",
            "wg0/",
            "ü",
            ".",
            "..",
        ] {
            assert!(bad.parse::<Ifname>().is_err(), "{bad}");
        }
    }
}
