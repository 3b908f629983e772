//! What routers' advertisements (RFC 4861) have made of the host's routes.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use std::collections::BTreeSet;

use nix::net::if_::if_indextoname;
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol};

use super::netlink::KernelError;
use super::route_socket::RouteSocket;
use crate::net::{Family, Ifname, TableId};

impl RouteSocket {
    /// Returns the interfaces by which an advertisement has made a default route.
    pub(super) fn advertised_uplinks(&mut self) -> Result<Vec<Ifname>, KernelError> {
        let main = vec![RouteAttribute::Table(TableId::MAIN.0)];
        let indexes: BTreeSet<u32> = self
            .dump_routes(Family::V6, main, advertised_uplink)?
            .into_iter()
            .collect();
        let name = |index| if_indextoname(index).ok()?.to_str().ok()?.parse().ok();
        Ok(indexes.into_iter().filter_map(name).collect())
    }
}

fn advertised_uplink(message: &RouteMessage) -> Option<u32> {
    let header = &message.header;
    let is_one = header.protocol == RouteProtocol::Ra && header.destination_prefix_length == 0;
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        })
        .filter(|_| is_one)
}
