//! Networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Address, Family, Invalid};

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

    /// All addresses of a family: `0.0.0.0/0` or `::/0`.
    pub fn all(family: Family) -> Self {
        let ip = match family {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        Self { ip, len: 0 }
    }

    /// The network of `len` bits, at most those of the family, that an address is in.
    pub(super) fn masked(ip: IpAddr, len: u8) -> Self {
        Self {
            ip: mask(ip, len),
            len,
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_prefix_contains_its_parts() {
        let prefix = |text: &str| text.parse::<Prefix>().unwrap();
        assert!(prefix("10.0.0.0/8").contains(prefix("10.1.0.0/16")));
        assert!(prefix("10.0.0.0/8").contains(prefix("10.0.0.0/8")));
        assert!(!prefix("10.1.0.0/16").contains(prefix("10.0.0.0/8")));
        assert!(!prefix("0.0.0.0/0").contains(prefix("::/0")));
    }
}
