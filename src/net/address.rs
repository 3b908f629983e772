//! Addresses with the length of their network.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Family, Invalid, Prefix};

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
        Prefix::masked(self.ip, self.prefix_len)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_the_family_is_told() {
        let why = |text: &str| text.parse::<Address>().unwrap_err().to_string();
        assert_eq!(why("10.0.0.0/33"), "prefix length must be 0-32, not 33");
        assert_eq!(why("::/129"), "prefix length must be 0-128, not 129");
        assert_eq!(why("10.0.0.0/+8"), "prefix length must be 0-32, not +8");
        assert_eq!(why("10.0.0.0/"), "prefix length must be 0-32, not nothing");
        assert_eq!(why("010.0.0.1"), "`010.0.0.1` is not an IP address");
    }
}
