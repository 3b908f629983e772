//! Small values of the network layer: interface names, addresses, prefixes, marks, table numbers.
//!
//! Each parses from the text that `ip` and `wg` take and prints as they print it.

use std::fmt;

use serde::{Deserialize, Serialize};

mod address;
mod carve;
mod family;
mod ifname;
mod netns;
mod prefix;

pub use address::Address;
pub use carve::carve;
pub use family::Family;
pub use ifname::Ifname;
pub use netns::Netns;
pub use prefix::Prefix;

/// Why a text is none of this module's values; a lower-case phrase that says what was expected and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

impl Invalid {
    /// An error with the given phrase.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Has a value written into records as its text.
macro_rules! recorded_as_text {
    ($($value:ty),+) => {$(
        impl serde::Serialize for $value {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $value {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

pub(crate) use recorded_as_text;

recorded_as_text!(Address, Prefix);

/// A packet mark (`SO_MARK`); 0 is none. Prints as `ip` and `wg` print it: `0xca6c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FwMark(pub u32);

impl fmt::Display for FwMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The number of a routing table (FIB). Prints as `ip` takes it: a number, or `main`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableId(pub u32);

impl TableId {
    /// The table of ordinary routes: `RT_TABLE_MAIN`.
    pub const MAIN: Self = Self(254);

    /// Whether the kernel itself keeps routes or a meaning there: unspec, default, main, local (rtnetlink.h).
    pub fn is_reserved(self) -> bool {
        matches!(self.0, 0 | 253..=255)
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MAIN => f.write_str("main"),
            Self(number) => write!(f, "{number}"),
        }
    }
}
