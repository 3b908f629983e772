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

    /// Whether values are addresses, which have networks.
    pub(super) fn is_address(self) -> bool {
        matches!(self, Self::Ipv4 | Self::Ipv6)
    }

    /// Writes a value as it is in a register; none if it is no value of this type.
    pub(super) fn encode(self, value: &Expression<'_>) -> Option<Vec<u8>> {
        if let Expression::Number(number) = value {
            self.encode_number(*number)
        } else if let Expression::String(text) = value {
            self.encode_text(text)
        } else if let Expression::List(words) = value {
            let bits = words.iter().map(|word| self.encode(word));
            let bits: Option<Vec<_>> = bits.collect();
            bits?
                .into_iter()
                .reduce(|all, one| all.iter().zip(one).map(|(all, one)| all | one).collect())
        } else {
            None
        }
    }

    fn encode_text(self, text: &str) -> Option<Vec<u8>> {
        if self == Self::Ifname {
            let mut name = text.as_bytes().to_vec();
            let fits = !name.is_empty() && name.len() < self.len();
            name.resize(self.len(), 0);
            fits.then_some(name)
        } else if self == Self::Ipv4 {
            Some(text.parse::<Ipv4Addr>().ok()?.octets().to_vec())
        } else if self == Self::Ipv6 {
            Some(text.parse::<Ipv6Addr>().ok()?.octets().to_vec())
        } else {
            self.encode_number(self.symbol(text)?)
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
        let text = if self == Self::Ifname {
            super::attribute::text(value)
        } else if self == Self::Ipv4 {
            Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).to_string()
        } else if self == Self::Ipv6 {
            Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).to_string()
        } else {
            let number = decode_number(value)?;
            match self.word(number) {
                Some(word) => word.to_owned(),
                None => return Some(Expression::Number(number)),
            }
        };
        Some(Expression::String(text.into()))
    }

    /// Reads a value of which each bit has a word: one word, or several in the order of their bits.
    pub(super) fn decode_bits(self, value: &[u8]) -> Option<Expression<'static>> {
        let number = decode_number(value)?;
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

    /// What values are sorted by.
    pub(super) fn rank(self, value: &[u8]) -> Vec<u8> {
        match value.try_into() {
            Ok(number) if !self.is_ordered() => u32::from_ne_bytes(number).to_be_bytes().to_vec(),
            _ => value.to_vec(),
        }
    }
}

fn decode_number(value: &[u8]) -> Option<u32> {
    match *value {
        [byte] => Some(byte.into()),
        [high, low] => Some(u16::from_be_bytes([high, low]).into()),
        _ => value.try_into().ok().map(u32::from_ne_bytes),
    }
}
