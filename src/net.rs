//! Small values of the network layer: interface names, addresses, prefixes, marks, table numbers.
//!
//! Each parses from the text that `ip` and `wg` take and prints as they print it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// The name of a network interface that a config file can have: 1 to 15 of `a-z A-Z 0-9 _ = + . -`, as wg-quick(8) allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ifname {
    // zero-padded, so that the derived order is that of the text
    bytes: [u8; Self::MAX],
}

impl Ifname {
    /// The longest name, in bytes: IFNAMSIZ less the final NUL.
    pub const MAX: usize = 15;

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
        if let Some(bad) = name
            .chars()
            .find(|&c| !(c.is_ascii_alphanumeric() || "_=+.-".contains(c)))
        {
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

/// An address family; prints as the option of `ip` that selects it (`-4`, `-6`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// Both, IPv4 first.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The length of an address, in bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "-4",
            Self::V6 => "-6",
        })
    }
}

/// An address with the length of its network: `10.0.0.1/24`. The host bits are kept; without a length it is the whole address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    ip: IpAddr,
    prefix_len: u8,
}

impl Address {
    /// An address in a network of `prefix_len` bits, if the family has that many.
    pub fn new(ip: IpAddr, prefix_len: u8) -> Option<Self> {
        (prefix_len <= Family::of(ip).bits()).then_some(Self { ip, prefix_len })
    }

    /// The address itself.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// The length of the network, in bits.
    pub fn prefix_len(self) -> u8 {
        self.prefix_len
    }

    /// The address's family.
    pub fn family(self) -> Family {
        Family::of(self.ip)
    }

    /// The network it is in.
    pub fn prefix(self) -> Prefix {
        Prefix {
            ip: mask(self.ip, self.prefix_len),
            len: self.prefix_len,
        }
    }
}

impl From<IpAddr> for Address {
    /// An address alone: with all bits of its family.
    fn from(ip: IpAddr) -> Self {
        let prefix_len = Family::of(ip).bits();
        Self { ip, prefix_len }
    }
}

impl FromStr for Address {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (ip, len) = text
            .split_once('/')
            .map_or((text, None), |(ip, len)| (ip, Some(len)));
        let ip: IpAddr = ip
            .parse()
            .map_err(|_| Invalid::new(format!("`{}` is not an IP address", ip.escape_debug())))?;
        let bits = Family::of(ip).bits();
        let prefix_len = match len {
            None => bits,
            Some(len) => parse_len(len, bits)?,
        };
        Ok(Self { ip, prefix_len })
    }
}

/// Reads a prefix length as wg does: decimal digits only, leading zeros allowed.
fn parse_len(len: &str, bits: u8) -> Result<u8, Invalid> {
    let digits = !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { len.parse().ok() } else { None };
    value.filter(|&value| value <= bits).ok_or_else(|| {
        let found = if len.is_empty() {
            "nothing".into()
        } else {
            len.escape_debug().to_string()
        };
        Invalid::new(format!("prefix length must be 0-{bits}, not {found}"))
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix_len)
    }
}

/// A network: an address whose host bits are zero, and its length. Prints as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    ip: IpAddr,
    len: u8,
}

impl Prefix {
    /// The IPv6 addresses that no router forwards: `fe80::/10`.
    pub const LINK_LOCAL: Self = Self {
        ip: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)),
        len: 10,
    };

    /// The IPv6 addresses that are nobody's outside of a site (RFC 4193): `fc00::/7`.
    pub const UNIQUE_LOCAL: Self = Self {
        ip: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)),
        len: 7,
    };

    /// All hosts of a link, which no router forwards (RFC 919): `255.255.255.255/32`.
    pub const BROADCAST: Self = Self {
        ip: IpAddr::V4(Ipv4Addr::BROADCAST),
        len: 32,
    };

    /// The addresses by which a host speaks with itself: `127.0.0.0/8`, or `::1/128`.
    pub fn loopback(family: Family) -> Self {
        match family {
            Family::V4 => Self {
                ip: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)),
                len: 8,
            },
            Family::V6 => Self {
                ip: IpAddr::V6(Ipv6Addr::LOCALHOST),
                len: 128,
            },
        }
    }

    /// The first address of the network.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// The length, in bits.
    pub fn prefix_len(self) -> u8 {
        self.len
    }

    /// Whether it holds every address of its family: `0.0.0.0/0` or `::/0`.
    pub fn is_default(self) -> bool {
        self.len == 0
    }

    /// The network's family.
    pub fn family(self) -> Family {
        Family::of(self.ip)
    }

    /// Whether every address of `other` is in this network.
    pub fn contains(self, other: Self) -> bool {
        self.family() == other.family()
            && self.len <= other.len
            && mask(other.ip, self.len) == self.ip
    }

    /// Its two halves; none of a single address.
    pub fn halves(self) -> Option<[Self; 2]> {
        let len = self.len + 1;
        let upper = match self.ip {
            IpAddr::V4(ip) => {
                let bit = 1_u32.checked_shl(u32::BITS.checked_sub(len.into())?)?;
                Ipv4Addr::from_bits(ip.to_bits() | bit).into()
            }
            IpAddr::V6(ip) => {
                let bit = 1_u128.checked_shl(u128::BITS.checked_sub(len.into())?)?;
                Ipv6Addr::from_bits(ip.to_bits() | bit).into()
            }
        };
        Some([self.ip, upper].map(|ip| Self { ip, len }))
    }
}

impl FromStr for Prefix {
    type Err = Invalid;

    /// Reads `10.0.0.0/8` or a bare address; host bits are cleared, as the kernel does.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Address::prefix)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.len)
    }
}

/// Clears all but the first `len` bits.
fn mask(ip: IpAddr, len: u8) -> IpAddr {
    let len = u32::from(len);
    match ip {
        IpAddr::V4(ip) => {
            Ipv4Addr::from_bits(ip.to_bits() & u32::MAX.checked_shl(32 - len).unwrap_or(0)).into()
        }
        IpAddr::V6(ip) => {
            Ipv6Addr::from_bits(ip.to_bits() & u128::MAX.checked_shl(128 - len).unwrap_or(0)).into()
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_prefix_has_no_host_bits() {
        assert_eq!(
            "10.1.2.3/8".parse::<Prefix>().unwrap().to_string(),
            "10.0.0.0/8"
        );
        assert_eq!(
            "fd00::1".parse::<Prefix>().unwrap().to_string(),
            "fd00::1/128"
        );
        assert_eq!("::1/0".parse::<Prefix>().unwrap().to_string(), "::/0");
        assert_eq!(
            "1.2.3.4/0".parse::<Prefix>().unwrap().to_string(),
            "0.0.0.0/0"
        );
    }

    #[test]
    fn a_length_beyond_the_family_is_told() {
        let why = |text: &str| text.parse::<Address>().unwrap_err().to_string();
        assert_eq!(why("10.0.0.0/33"), "prefix length must be 0-32, not 33");
        assert_eq!(why("::/129"), "prefix length must be 0-128, not 129");
        assert_eq!(why("10.0.0.0/+8"), "prefix length must be 0-32, not +8");
        assert_eq!(why("10.0.0.0/"), "prefix length must be 0-32, not nothing");
        assert_eq!(why("010.0.0.1"), "`010.0.0.1` is not an IP address");
    }

    #[test]
    fn a_prefix_contains_its_parts() {
        let prefix = |text: &str| text.parse::<Prefix>().unwrap();
        assert!(prefix("10.0.0.0/8").contains(prefix("10.1.0.0/16")));
        assert!(prefix("10.0.0.0/8").contains(prefix("10.0.0.0/8")));
        assert!(!prefix("10.1.0.0/16").contains(prefix("10.0.0.0/8")));
        assert!(!prefix("0.0.0.0/0").contains(prefix("::/0")));
    }
}
