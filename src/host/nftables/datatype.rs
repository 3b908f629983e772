//! The types of values, as nft(8) has them: how wide they are in a register, and what words stand for which number.

use std::net::{Ipv4Addr, Ipv6Addr};

use nftables::expr::Expression;

/// The type of what a rule compares or sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Datatype {
    Ifname,
    Mark,
    Nfproto,
    L4proto,
    Ipv4,
    Ipv6,
    Port,
    TcpFlags,
    IcmpType,
    Icmpv6Type,
    CtState,
    CtStatus,
    CtDirection,
    AddressType,
}

impl Datatype {
    const ALL: [Self; 14] = [
        Self::Ifname,
        Self::Mark,
        Self::Nfproto,
        Self::L4proto,
        Self::Ipv4,
        Self::Ipv6,
        Self::Port,
        Self::TcpFlags,
        Self::IcmpType,
        Self::Icmpv6Type,
        Self::CtState,
        Self::CtStatus,
        Self::CtDirection,
        Self::AddressType,
    ];

    /// How many bytes a value takes.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Ifname | Self::Ipv6 => 16,
            Self::Mark | Self::Ipv4 | Self::CtState | Self::CtStatus | Self::AddressType => 4,
            Self::Port => 2,
            Self::Nfproto
            | Self::L4proto
            | Self::TcpFlags
            | Self::IcmpType
            | Self::Icmpv6Type
            | Self::CtDirection => 1,
        }
    }

    /// nft's own number of the type (`enum datatypes`), by which it lists the elements of a set.
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Nfproto => 2,
            Self::Ipv4 => 7,
            Self::Ipv6 => 8,
            Self::L4proto => 12,
            Self::Port => 13,
            Self::IcmpType => 14,
            Self::TcpFlags => 15,
            Self::Mark => 19,
            Self::CtState => 26,
            Self::CtDirection => 27,
            Self::CtStatus => 28,
            Self::Icmpv6Type => 29,
            Self::AddressType => 38,
            Self::Ifname => 41,
        }
    }

    /// Finds the type of that number.
    pub(super) fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// Whether values can be more or less than others: they are in network order.
    pub(super) fn is_ordered(self) -> bool {
        matches!(self, Self::Ipv4 | Self::Ipv6 | Self::Port)
    }

    /// Writes a value as it is in a register; none if it is no value of this type.
    pub(super) fn encode(self, value: &Expression<'_>) -> Option<Vec<u8>> {
        match value {
            Expression::Number(number) => self.encode_number(*number),
            Expression::List(words) => {
                let bits = words.iter().map(|word| match word {
                    Expression::String(word) => self.symbol(word),
                    _ => None,
                });
                self.encode_number(bits.sum::<Option<u32>>()?)
            }
            Expression::String(text) => match self {
                Self::Ifname => {
                    let mut name = text.as_bytes().to_vec();
                    let fits = !name.is_empty() && name.len() < self.len();
                    name.resize(self.len(), 0);
                    fits.then_some(name)
                }
                Self::Ipv4 => Some(text.parse::<Ipv4Addr>().ok()?.octets().to_vec()),
                Self::Ipv6 => Some(text.parse::<Ipv6Addr>().ok()?.octets().to_vec()),
                _ => self.encode_number(self.symbol(text)?),
            },
            _ => None,
        }
    }

    fn encode_number(self, number: u32) -> Option<Vec<u8>> {
        match self.len() {
            1 => Some(vec![u8::try_from(number).ok()?]),
            2 => Some(u16::try_from(number).ok()?.to_be_bytes().to_vec()),
            4 if !self.is_ordered() => Some(number.to_ne_bytes().to_vec()),
            _ => None,
        }
    }

    /// Reads a value from a register.
    pub(super) fn decode(self, value: &[u8]) -> Option<Expression<'static>> {
        let text = match self {
            Self::Ifname => super::attribute::text(value),
            Self::Ipv4 => Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).to_string(),
            Self::Ipv6 => Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).to_string(),
            _ => {
                let number = self.decode_number(value)?;
                match self.symbols().iter().find(|(_, symbol)| *symbol == number) {
                    Some((word, _)) => (*word).to_owned(),
                    None => return Some(Expression::Number(number)),
                }
            }
        };
        Some(Expression::String(text.into()))
    }

    /// Reads a value of which each bit has a word: one word, or several in the order of their bits.
    pub(super) fn decode_bits(self, value: &[u8]) -> Option<Expression<'static>> {
        let number = self.decode_number(value)?;
        let words = self.symbols().iter().filter(|(_, bit)| number & bit != 0);
        let mut words: Vec<_> = words
            .map(|(word, _)| Expression::String((*word).into()))
            .collect();
        if words.len() == 1 {
            words.pop()
        } else {
            Some(Expression::List(words))
        }
    }

    fn decode_number(self, value: &[u8]) -> Option<u32> {
        match *value {
            [byte] => Some(byte.into()),
            [high, low] => Some(u16::from_be_bytes([high, low]).into()),
            _ => value.try_into().ok().map(u32::from_ne_bytes),
        }
    }

    /// What values are sorted by.
    pub(super) fn rank(self, value: &[u8]) -> Vec<u8> {
        match value.try_into() {
            Ok(number) if !self.is_ordered() => u32::from_ne_bytes(number).to_be_bytes().to_vec(),
            _ => value.to_vec(),
        }
    }

    fn symbol(self, word: &str) -> Option<u32> {
        let symbol = self.symbols().iter().find(|(symbol, _)| *symbol == word);
        symbol.map(|(_, number)| *number)
    }

    /// The words of nft(8), in the order of their numbers.
    fn symbols(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Nfproto => &[("ipv4", 2), ("ipv6", 10)],
            Self::L4proto => &[("icmp", 1), ("tcp", 6), ("udp", 17), ("ipv6-icmp", 58)],
            Self::TcpFlags => &[
                ("fin", 0x01),
                ("syn", 0x02),
                ("rst", 0x04),
                ("psh", 0x08),
                ("ack", 0x10),
                ("urg", 0x20),
                ("ecn", 0x40),
                ("cwr", 0x80),
            ],
            Self::IcmpType => &[
                ("echo-reply", 0),
                ("destination-unreachable", 3),
                ("redirect", 5),
                ("echo-request", 8),
                ("router-advertisement", 9),
                ("router-solicitation", 10),
                ("time-exceeded", 11),
                ("parameter-problem", 12),
            ],
            Self::Icmpv6Type => &[
                ("destination-unreachable", 1),
                ("packet-too-big", 2),
                ("time-exceeded", 3),
                ("parameter-problem", 4),
                ("echo-request", 128),
                ("echo-reply", 129),
                ("mld-listener-query", 130),
                ("mld-listener-report", 131),
                ("mld-listener-done", 132),
                ("nd-router-solicit", 133),
                ("nd-router-advert", 134),
                ("nd-neighbor-solicit", 135),
                ("nd-neighbor-advert", 136),
                ("nd-redirect", 137),
                ("mld2-listener-report", 143),
            ],
            Self::CtState => &[
                ("invalid", 0x01),
                ("established", 0x02),
                ("related", 0x04),
                ("new", 0x08),
                ("untracked", 0x40),
            ],
            Self::CtStatus => &[
                ("expected", 0x01),
                ("seen-reply", 0x02),
                ("assured", 0x04),
                ("confirmed", 0x08),
                ("snat", 0x10),
                ("dnat", 0x20),
                ("dying", 0x200),
            ],
            Self::CtDirection => &[("original", 0), ("reply", 1)],
            Self::AddressType => &[
                ("unspec", 0),
                ("unicast", 1),
                ("local", 2),
                ("broadcast", 3),
                ("anycast", 4),
                ("multicast", 5),
                ("blackhole", 6),
                ("unreachable", 7),
                ("prohibit", 8),
            ],
            Self::Ifname | Self::Mark | Self::Ipv4 | Self::Ipv6 | Self::Port => &[],
        }
    }
}
