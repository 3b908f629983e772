//! The words of nft(8) for numbers.

use super::datatype::Datatype;

impl Datatype {
    /// The number of a word.
    pub(super) fn symbol(self, word: &str) -> Option<u32> {
        let symbol = self.symbols().iter().find(|(symbol, _)| *symbol == word);
        symbol.map(|(_, number)| *number)
    }

    /// The word for a number.
    pub(super) fn word(self, number: u32) -> Option<&'static str> {
        let symbol = self.symbols().iter().find(|(_, symbol)| *symbol == number);
        symbol.map(|(word, _)| *word)
    }

    /// All words, in the order of their numbers.
    pub(super) fn symbols(self) -> &'static [(&'static str, u32)] {
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
