//! The frame of messages to the firewall, as in `linux/netfilter/nfnetlink.h`.

use std::fmt;

use super::attribute::Attributes;
use crate::host::netlink::Message;

/// `NFNL_SUBSYS_NFTABLES`
const SUBSYSTEM: u8 = 10;
/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END`
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;

/// The length of `struct nfgenmsg`, which is before the attributes.
const HEADER_LEN: usize = 4;

/// Which packets a table is for (`NFPROTO_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family(pub(super) u8);

impl Family {
    /// All, where tables are listed.
    pub(super) const ANY: Self = Self(0);
    /// IPv4 and IPv6 in one.
    pub(super) const INET: Self = Self(1);
    pub(super) const IP: Self = Self(2);
    pub(super) const IP6: Self = Self(10);
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INET => f.write_str("inet"),
            Self::IP => f.write_str("ip"),
            Self::IP6 => f.write_str("ip6"),
            Self(other) => write!(f, "{other}"),
        }
    }
}

/// What a message asks for: `NFT_MSG_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageType {
    NewTable,
    GetTable,
    DeleteTable,
    NewChain,
    GetChain,
    NewRule,
    GetRule,
    DeleteRule,
    NewSet,
    GetSet,
    NewSetElement,
    GetSetElement,
}

/// The type of a netlink message.
pub(super) fn message_type(kind: MessageType) -> u16 {
    let kind = match kind {
        MessageType::NewTable => 0,
        MessageType::GetTable => 1,
        MessageType::DeleteTable => 2,
        MessageType::NewChain => 3,
        MessageType::GetChain => 4,
        MessageType::NewRule => 6,
        MessageType::GetRule => 7,
        MessageType::DeleteRule => 8,
        MessageType::NewSet => 9,
        MessageType::GetSet => 10,
        MessageType::NewSetElement => 12,
        MessageType::GetSetElement => 13,
    };
    u16::from_be_bytes([SUBSYSTEM, kind])
}

/// A message about what is in a family's tables.
pub(super) fn payload(family: Family, attributes: Attributes) -> Vec<u8> {
    [&[family.0, 0, 0, 0], attributes.into_bytes().as_slice()].concat()
}

/// The family and the attributes of an answer.
pub(super) fn parse(payload: &[u8]) -> (Family, &[u8]) {
    let family = payload.first().copied().map_or(Family::ANY, Family);
    (family, payload.get(HEADER_LEN..).unwrap_or_default())
}

/// A question, asked of one object or of all.
pub(super) fn question(kind: MessageType, family: Family, attributes: Attributes) -> Message {
    Message::from_payload(message_type(kind), 0, payload(family, attributes))
}

/// The frame around the messages that are done all or none.
pub(super) fn batch_begin() -> Message {
    Message::from_payload(BATCH_BEGIN, 0, vec![0, 0, 0, SUBSYSTEM])
}

pub(super) fn batch_end() -> Message {
    Message::from_payload(BATCH_END, 0, vec![0, 0, 0, SUBSYSTEM])
}
