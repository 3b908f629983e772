//! The networks of the host's own interfaces, by rtnetlink.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use std::collections::BTreeSet;
use std::net::IpAddr;

use netlink_packet_core::Parseable;
use nix::net::if_::if_indextoname;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};

use super::netlink::{KernelError, Message};
use super::route_socket::RouteSocket;
use crate::net::{Address, Ifname, Prefix};

impl RouteSocket {
    /// Returns the networks of the addresses of all interfaces but this one, each with its interface; those that every
    /// interface has are left out.
    pub(super) fn lan(&mut self, but: Ifname) -> Result<BTreeSet<(Ifname, Prefix)>, KernelError> {
        let all = Message::new(
            &RouteNetlinkMessage::GetAddress(AddressMessage::default()),
            0,
        );
        let found = self.netlink.dump(&all, |answer| {
            let message = AddressMessage::parse(answer.payload)?;
            Ok(network(&message).map(|prefix| (message.header.index, prefix)))
        })?;
        let named = found.into_iter().filter_map(|(index, prefix)| {
            let name = if_indextoname(index).ok()?; // none if it is gone by now
            Some((name.to_str().ok()?.parse().ok()?, prefix))
        });
        Ok(named.filter(|(ifname, _)| *ifname != but).collect())
    }
}

/// The network that an address makes its interface lead to: with a peer's address, that alone.
fn network(message: &AddressMessage) -> Option<Prefix> {
    let mut local = None;
    let mut other = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => other = Some(*ip),
            _ => {}
        }
    }
    let ip: IpAddr = other.or(local)?;
    let prefix = Address::new(ip, message.header.prefix_len)?.prefix();
    let is_everywhere = ip.is_loopback() || Prefix::LINK_LOCAL.contains(prefix);
    (!is_everywhere && !prefix.is_default()).then_some(prefix)
}
