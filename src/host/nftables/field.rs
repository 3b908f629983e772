//! What rules look at: the crate's words for it, the instruction that loads it, and the type of its values.

use std::collections::HashSet;

use nftables::expr::{
    CT, Expression, Fib, FibFlag, FibResult, Meta, MetaKey, NamedExpression, Payload, PayloadField,
};

use super::datatype::Datatype;
use super::instruction::{Comparison, Instruction};

/// Something of a packet, its connection or its addresses.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) expression: Expression<'static>,
    pub(super) load: Instruction,
    pub(super) datatype: Datatype,
    /// Which packets have it.
    pub(super) requires: Protocols,
}

/// A network protocol (`NFPROTO_*`) and a transport protocol (`IPPROTO_*`), where they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Protocols {
    pub(super) network: Option<u8>,
    pub(super) transport: Option<u8>,
}

/// `NFT_META_*`
const META: [(MetaKey, u32, Datatype); 5] = [
    (MetaKey::Mark, 3, Datatype::Mark),
    (MetaKey::Iifname, 6, Datatype::Ifname),
    (MetaKey::Oifname, 7, Datatype::Ifname),
    (MetaKey::Nfproto, NFPROTO, Datatype::Nfproto),
    (MetaKey::L4proto, L4PROTO, Datatype::L4proto),
];
const NFPROTO: u32 = 15;
const L4PROTO: u32 = 16;

/// `NFT_CT_*`
const CONNECTION: [(&str, u32, Datatype); 4] = [
    ("state", 0, Datatype::CtState),
    ("direction", 1, Datatype::CtDirection),
    ("status", 2, Datatype::CtStatus),
    ("mark", 3, Datatype::Mark),
];

/// The flags of a look-up in the routing tables (`NFTA_FIB_F_*`).
const FIB: [(FibFlag, u32); 5] = [
    (FibFlag::Saddr, 1 << 0),
    (FibFlag::Daddr, 1 << 1),
    (FibFlag::Mark, 1 << 2),
    (FibFlag::Iif, 1 << 3),
    (FibFlag::Oif, 1 << 4),
];

/// A header: its name, where it starts (`NFT_PAYLOAD_*_HEADER`), and which packets have it.
struct Header(&'static str, u32, Option<u8>, Option<u8>);

const IP: Header = Header("ip", 1, Some(2), None);
const IP6: Header = Header("ip6", 1, Some(10), None);
const TCP: Header = Header("tcp", 2, None, Some(6));
const UDP: Header = Header("udp", 2, None, Some(17));
const ICMP: Header = Header("icmp", 2, Some(2), Some(1));
const ICMPV6: Header = Header("icmpv6", 2, Some(10), Some(58));
/// Any transport protocol that has ports.
const TRANSPORT: Header = Header("th", 2, None, None);

/// The fields of headers: the header, the name, the offset in bytes.
const PAYLOAD: [(Header, &str, u32, Datatype); 13] = [
    (IP, "saddr", 12, Datatype::Ipv4),
    (IP, "daddr", 16, Datatype::Ipv4),
    (IP6, "saddr", 8, Datatype::Ipv6),
    (IP6, "daddr", 24, Datatype::Ipv6),
    (TCP, "sport", 0, Datatype::Port),
    (TCP, "dport", 2, Datatype::Port),
    (TCP, "flags", 13, Datatype::TcpFlags),
    (UDP, "sport", 0, Datatype::Port),
    (UDP, "dport", 2, Datatype::Port),
    (ICMP, "type", 0, Datatype::IcmpType),
    (ICMPV6, "type", 0, Datatype::Icmpv6Type),
    (TRANSPORT, "sport", 0, Datatype::Port),
    (TRANSPORT, "dport", 2, Datatype::Port),
];

impl Field {
    /// What tells the network protocol of a packet.
    pub(super) const NETWORK: Instruction = Instruction::Meta { key: NFPROTO };
    /// What tells the transport protocol of a packet.
    pub(super) const TRANSPORT: Instruction = Instruction::Meta { key: L4PROTO };

    /// Finds what an expression of the crate names; none if wgq does not use it.
    pub(super) fn of(expression: &Expression<'_>) -> Option<Self> {
        if let Expression::Named(NamedExpression::Fib(fib)) = expression {
            let flags = FIB.iter().filter(|(flag, _)| fib.flags.contains(flag));
            let flags = flags.map(|(_, bit)| bit).sum();
            return (fib.result == FibResult::Type).then(|| address_type(flags));
        }
        table().find(|field| field.expression == *expression)
    }

    /// Finds what an instruction loads from packets of these protocols; none if wgq does not use it.
    ///
    /// It may load the first bytes of a field only: those are the network of an address.
    pub(super) fn loaded_by(load: &Instruction, known: Protocols) -> Option<Self> {
        if let Instruction::AddressType { flags } = load {
            return Some(address_type(*flags));
        }
        table().find(|field| starts_alike(&field.load, load) && known.meet(field.requires))
    }
}

impl Protocols {
    /// Takes note of what a test lets pass.
    pub(super) fn learn(&mut self, load: &Instruction, how: Comparison, value: &[u8]) {
        let protocol = value.first().copied().filter(|_| how == Comparison::Equal);
        if *load == Field::NETWORK {
            self.network = protocol.or(self.network);
        } else if *load == Field::TRANSPORT {
            self.transport = protocol.or(self.transport);
        }
    }

    /// Whether nothing else is required than what is known.
    fn meet(self, required: Self) -> bool {
        let met = |known, required: Option<u8>| required.is_none() || required == known;
        met(self.network, required.network) && met(self.transport, required.transport)
    }
}

fn starts_alike(one: &Instruction, other: &Instruction) -> bool {
    use Instruction::Payload;
    match (one, other) {
        (
            Payload { base, offset, .. },
            Payload {
                base: other_base,
                offset: other_offset,
                ..
            },
        ) => (base, offset) == (other_base, other_offset),
        (one, other) => one == other,
    }
}

/// All fields but the types of addresses.
fn table() -> impl Iterator<Item = Field> {
    let meta = META.into_iter().map(|(key, number, datatype)| Field {
        expression: Expression::Named(NamedExpression::Meta(Meta { key })),
        load: Instruction::Meta { key: number },
        datatype,
        requires: Protocols::default(),
    });
    let connection = CONNECTION.into_iter().map(|(key, number, datatype)| Field {
        expression: Expression::Named(NamedExpression::CT(CT {
            key: key.into(),
            family: None,
            dir: None,
        })),
        load: Instruction::Ct { key: number },
        datatype,
        requires: Protocols::default(),
    });
    let payload = PAYLOAD
        .into_iter()
        .map(|(header, field, offset, datatype)| {
            let Header(protocol, base, network, transport) = header;
            let len = u32::try_from(datatype.len()).unwrap_or(0);
            Field {
                expression: Expression::Named(NamedExpression::Payload(Payload::PayloadField(
                    PayloadField {
                        protocol: protocol.into(),
                        field: field.into(),
                    },
                ))),
                load: Instruction::Payload { base, offset, len },
                datatype,
                requires: Protocols { network, transport },
            }
        });
    meta.chain(connection).chain(payload)
}

fn address_type(flags: u32) -> Field {
    let set = FIB.iter().filter(|(_, bit)| flags & bit != 0);
    let set: HashSet<_> = set.map(|(flag, _)| *flag).collect();
    Field {
        expression: Expression::Named(NamedExpression::Fib(Fib {
            result: FibResult::Type,
            flags: set,
        })),
        load: Instruction::AddressType { flags },
        datatype: Datatype::AddressType,
        requires: Protocols::default(),
    }
}
