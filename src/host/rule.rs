//! The rules of the routing policy database, by rtnetlink.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use netlink_packet_core::{DecodeError, NLM_F_CREATE, NLM_F_EXCL, Parseable};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::RouteProtocol;
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage};

use super::netlink::{KernelError, Message};
use super::route_socket::RouteSocket;
use crate::net::{Family, FwMark, TableId};
use crate::state::{PolicyRule, Selector};

/// A suppressed prefix length that is none: -1.
const UNSET: u32 = u32::MAX;

/// The message that adds a rule; none for a foreign one.
pub(super) fn add(rule: &PolicyRule) -> Option<Message> {
    let mut message = message(rule)?;
    // systemd-networkd deletes the rules of others but for those of the kernel
    let protocol = RuleAttribute::Protocol(RouteProtocol::Kernel);
    message.attributes.push(protocol);
    Some(Message::new(
        &RouteNetlinkMessage::NewRule(message),
        NLM_F_CREATE | NLM_F_EXCL,
    ))
}

/// The message that deletes a rule, of whatever protocol: wg-quick's are of another; none for a foreign one.
pub(super) fn delete(rule: &PolicyRule) -> Option<Message> {
    let message = message(rule)?;
    Some(Message::new(&RouteNetlinkMessage::DelRule(message), 0))
}

fn message(rule: &PolicyRule) -> Option<RuleMessage> {
    let mut message = RuleMessage::default();
    message.header.family = rule.family.into();
    message.header.action = RuleAction::ToTable;
    // a table beyond the header's byte is in the attribute alone, which every kernel since 2.6.19 reads
    message.attributes = vec![
        RuleAttribute::Priority(rule.priority),
        RuleAttribute::Table(rule.table.0),
    ];
    match rule.selector {
        Selector::NotFwMark(mark) => {
            message.header.flags = RuleFlags::Invert;
            message.attributes.push(RuleAttribute::FwMark(mark.0));
            message.attributes.push(RuleAttribute::FwMask(u32::MAX));
        }
        Selector::SuppressPrefixLength(len) => {
            message
                .attributes
                .push(RuleAttribute::SuppressPrefixLen(len));
        }
        Selector::Foreign => return None,
    }
    Some(message)
}

impl RouteSocket {
    /// Returns the rules of both families in the order in which they are asked; those of a family the kernel lacks are none.
    pub fn rules(&mut self) -> Result<Vec<PolicyRule>, KernelError> {
        let mut rules = Vec::new();
        for family in Family::BOTH {
            let mut filter = RuleMessage::default();
            filter.header.family = family.into();
            let dump = Message::new(&RouteNetlinkMessage::GetRule(filter), 0);
            match self
                .netlink
                .dump(&dump, |answer| parse(answer.payload, family))
            {
                Err(error) if error.is_unsupported() => {}
                found => rules.extend(found?),
            }
        }
        Ok(rules)
    }
}

/// Reads a rule, if it is of the family.
fn parse(payload: &[u8], family: Family) -> Result<Option<PolicyRule>, DecodeError> {
    let message = RuleMessage::parse(payload)?;
    if message.header.family != family.into() {
        return Ok(None);
    }
    let mut rule = PolicyRule {
        family,
        priority: 0,
        selector: Selector::Foreign,
        table: TableId(message.header.table.into()),
    };
    let mut mark = None;
    let mut suppressed = None;
    let mut is_plain = is_plain(&message);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Priority(priority) => rule.priority = *priority,
            RuleAttribute::Table(table) => rule.table = TableId(*table),
            RuleAttribute::FwMark(value) => mark = Some(FwMark(*value)),
            RuleAttribute::SuppressPrefixLen(len) => {
                suppressed = Some(*len).filter(|&len| len != UNSET);
            }
            RuleAttribute::FwMask(u32::MAX) | RuleAttribute::Protocol(_) => {}
            _ => is_plain = false,
        }
    }
    let inverted = message.header.flags == RuleFlags::Invert;
    rule.selector = match (is_plain, inverted, mark, suppressed) {
        (true, true, Some(mark), None) => Selector::NotFwMark(mark),
        (true, false, None, Some(len)) => Selector::SuppressPrefixLength(len),
        _ => Selector::Foreign,
    };
    Ok(Some(rule))
}

/// Whether the header asks for nothing but a look-up in a table, of all packets or of all but some.
fn is_plain(message: &RuleMessage) -> bool {
    let header = &message.header;
    header.action == RuleAction::ToTable
        && header.dst_len == 0
        && header.src_len == 0
        && header.tos == 0
        && RuleFlags::Invert.contains(header.flags)
}
