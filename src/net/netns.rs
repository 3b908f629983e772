//! Names of network namespaces.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// The name of a network namespace as ip-netns(8) takes it: that of a file in /run/netns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Netns(String);

impl Netns {
    /// The longest name, in bytes: `NAME_MAX`.
    pub const MAX: usize = 255;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Netns {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        Self::try_from(name.to_owned())
    }
}

impl TryFrom<String> for Netns {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        let is_bad = |c: char| c == '/' || c.is_whitespace() || c.is_control();
        let shown = name.escape_debug();
        if name.is_empty() || name == "." || name == ".." {
            Err(Invalid::new(format!(
                "`{shown}` is no name of a network namespace"
            )))
        } else if name.len() > Self::MAX {
            Err(Invalid::new(format!(
                "the name of a network namespace has at most {} bytes, and this one has {}",
                Self::MAX,
                name.len()
            )))
        } else if let Some(bad) = name.chars().find(|&c| is_bad(c)) {
            let bad = bad.escape_debug();
            Err(Invalid::new(format!(
                "the name of a network namespace cannot contain `{bad}`: it is that of a file in /run/netns"
            )))
        } else if name.starts_with('-') {
            Err(Invalid::new(format!(
                "`{shown}` would be an option of `ip netns add`"
            )))
        } else {
            Ok(Self(name))
        }
    }
}

impl From<Netns> for String {
    fn from(netns: Netns) -> Self {
        netns.0
    }
}

impl fmt::Display for Netns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_file() {
        for name in ["work", "a.b-c_d", "...", "cni-0a1b", "büro"] {
            assert_eq!(name.parse::<Netns>().unwrap().to_string(), name);
        }
        let long = "x".repeat(256);
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "/run/netns/a",
            "a b",
            "-a",
            "a\n",
            &long,
        ] {
            assert!(name.parse::<Netns>().is_err(), "{name:?}");
        }
    }
}
