//! Addresses of an interface, by rtnetlink.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use std::net::IpAddr;

use netlink_packet_core::{DecodeError, NLM_F_CREATE, NLM_F_EXCL, Parseable};
use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, AddressScope,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::netlink::{KernelError, Message};
use super::route_socket::RouteSocket;
use crate::net::{Address, Family};

impl From<Family> for AddressFamily {
    fn from(family: Family) -> Self {
        match family {
            Family::V4 => Self::Inet,
            Family::V6 => Self::Inet6,
        }
    }
}

/// The message that adds an address as `ip address add` does: without a broadcast address.
///
/// An IPv6 one is ready at once. A tunnel has no neighbours to have the same, yet the kernel finds that out in the
/// background, and a program that connects meanwhile is given an address of another link.
pub(super) fn add(index: u32, address: Address) -> Message {
    let mut message = message(index, address);
    if address.family() == Family::V6 {
        let ready = AddressAttribute::Flags(AddressFlags::Nodad);
        message.attributes.push(ready);
    }
    if matches!(address.ip(), IpAddr::V4(ip) if ip.is_loopback()) {
        message.header.scope = AddressScope::Host;
    }
    Message::new(
        &RouteNetlinkMessage::NewAddress(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// The message that deletes an address.
pub(super) fn delete(index: u32, address: Address) -> Message {
    Message::new(&RouteNetlinkMessage::DelAddress(message(index, address)), 0)
}

// rtnetlink's AddressMessageBuilder sets a broadcast address, and leaves out multicast ones
fn message(index: u32, address: Address) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = address.family().into();
    message.header.prefix_len = address.prefix_len();
    message.header.index = index;
    message.attributes = vec![
        AddressAttribute::Local(address.ip()),
        AddressAttribute::Address(address.ip()),
    ];
    message
}

impl RouteSocket {
    /// Returns the addresses that somebody added to the link, not those that the kernel gave it, in the kernel's order.
    ///
    /// That order is, for IPv4, primary addresses as they were added, then secondary ones; for IPv6, the newest first.
    pub fn addresses(&mut self, index: u32) -> Result<Vec<Address>, KernelError> {
        let mut filter = AddressMessage::default();
        filter.header.index = index;
        let dump = Message::new(&RouteNetlinkMessage::GetAddress(filter), 0);
        let found = self
            .netlink
            .dump(&dump, |answer| parse(answer.payload, index));
        match found {
            Err(error) if error.is_absent() => Ok(Vec::new()),
            found => found,
        }
    }
}

/// Reads an address, if it is one of this link that was added.
fn parse(payload: &[u8], index: u32) -> Result<Option<Address>, DecodeError> {
    let message = AddressMessage::parse(payload)?;
    // kernels before 4.20 send those of all links
    if message.header.index != index || is_automatic(&message) {
        return Ok(None);
    }
    let ip =
        |pick: fn(&AddressAttribute) -> Option<IpAddr>| message.attributes.iter().find_map(pick);
    // where there is a peer's address, IFA_ADDRESS is that; IPv6 without one has no IFA_LOCAL
    let ip = ip(local).or_else(|| ip(other));
    Ok(ip.and_then(|ip| Address::new(ip, message.header.prefix_len)))
}

fn local(attribute: &AddressAttribute) -> Option<IpAddr> {
    if let AddressAttribute::Local(ip) = attribute {
        Some(*ip)
    } else {
        None
    }
}

fn other(attribute: &AddressAttribute) -> Option<IpAddr> {
    if let AddressAttribute::Address(ip) = attribute {
        Some(*ip)
    } else {
        None
    }
}

/// Whether the kernel made the address itself: a link-local one, or one of a router's prefix.
///
/// It says so since Linux 5.18. Before, a TUN device's link-local address can be told by its random half.
fn is_automatic(message: &AddressMessage) -> bool {
    let mut permanent = false;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Protocol(
                AddressProtocol::Loopback
                | AddressProtocol::RouterAnnouncement
                | AddressProtocol::LinkLocal,
            ) => return true,
            AddressAttribute::Flags(flags) => {
                permanent = flags.contains(AddressFlags::Permanent);
                if flags.contains(AddressFlags::StablePrivacy) {
                    return true;
                }
            }
            _ => {}
        }
    }
    !permanent
}
