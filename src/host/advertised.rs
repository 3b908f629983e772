//! What routers' advertisements (RFC 4861) have made of the host's routes.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use std::collections::BTreeMap;

use nix::net::if_::if_indextoname;
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol};

use super::netlink::KernelError;
use super::route_socket::RouteSocket;
use crate::net::{Family, Ifname, TableId};

impl RouteSocket {
    /// Returns the interfaces with a default route of either family, each with whether an advertisement has made one: where
    /// none has, it may come later.
    pub(super) fn uplinks(&mut self) -> Result<BTreeMap<Ifname, bool>, KernelError> {
        let mut uplinks = BTreeMap::new();
        for family in Family::BOTH {
            let main = vec![RouteAttribute::Table(TableId::MAIN.0)];
            for (index, is_advertised) in self.dump_routes(family, main, uplink)? {
                let name = if_indextoname(index).ok(); // none if it is gone by now
                if let Some(ifname) = name.and_then(|name| name.to_str().ok()?.parse().ok()) {
                    *uplinks.entry(ifname).or_default() |= is_advertised;
                }
            }
        }
        Ok(uplinks)
    }
}

fn uplink(message: &RouteMessage) -> Option<(u32, bool)> {
    let header = &message.header;
    let is_advertised = header.protocol == RouteProtocol::Ra;
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some((*index, is_advertised)),
            _ => None,
        })
        .filter(|_| header.destination_prefix_length == 0)
}
