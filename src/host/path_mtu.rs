//! The MTU of the way to an address, as far as this host knows it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use netlink_packet_core::Parseable;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage, RouteMetric, RouteType};

use super::netlink::{KernelError, Message};
use super::route::table_of;
use super::route_socket::RouteSocket;
use crate::net::{Family, FwMark, TableId};

/// What a route says of the MTU: itself, or by its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Path {
    mtu: Option<u32>,
    link: Option<u32>,
}

impl RouteSocket {
    /// Returns the MTU in bytes of the way to each address: that of the route, else that of its link. Where there is no
    /// route, there is none. With a mark, the way is that of packets which carry it, such as a tunnel's own; by the tunnel's
    /// own link no way leads there.
    pub fn path_mtus(
        &mut self,
        addresses: &BTreeSet<IpAddr>,
        mark: Option<FwMark>,
        tunnel: Option<u32>,
    ) -> Result<BTreeMap<IpAddr, u32>, KernelError> {
        let questions = addresses.iter().map(|&address| question(address, mark));
        let paths = self.netlink.get_each(questions, |answer| {
            Ok(path(&RouteMessage::parse(answer.payload)?))
        })?;
        let mut links = BTreeMap::new();
        let mut mtus = BTreeMap::new();
        for (&address, found) in addresses.iter().zip(paths) {
            // every refusal says in its own way that nothing can be sent there
            let Ok(Some(Some(path))) = found else {
                continue;
            };
            if tunnel.is_some() && path.link == tunnel {
                continue;
            }
            if let Some(mtu) = self.mtu_of(path, &mut links)? {
                mtus.insert(address, mtu);
            }
        }
        Ok(mtus)
    }

    /// Returns the MTU in bytes of the default route, IPv4's if there is one, else IPv6's.
    pub fn default_path_mtu(&mut self) -> Result<Option<u32>, KernelError> {
        for family in Family::BOTH {
            let main = vec![RouteAttribute::Table(TableId::MAIN.0)];
            let paths = self.dump_routes(family, main, |message| {
                let is_default = message.header.destination_prefix_length == 0
                    && table_of(message) == TableId::MAIN;
                path(message).filter(|_| is_default)
            })?;
            if let Some(&first) = paths.first() {
                return self.mtu_of(first, &mut BTreeMap::new());
            }
        }
        Ok(None)
    }

    /// Whether packets can be sent to the address; with a mark, those that carry it.
    pub fn has_route(
        &mut self,
        address: IpAddr,
        mark: Option<FwMark>,
    ) -> Result<bool, KernelError> {
        let mtus = self.path_mtus(&BTreeSet::from([address]), mark, None)?;
        Ok(!mtus.is_empty())
    }

    /// `links` are the MTUs by index that are known already.
    fn mtu_of(
        &mut self,
        path: Path,
        links: &mut BTreeMap<u32, Option<u32>>,
    ) -> Result<Option<u32>, KernelError> {
        if let (None, Some(index)) = (path.mtu, path.link) {
            if let Some(&known) = links.get(&index) {
                return Ok(known);
            }
            let mtu = self.mtu(index)?;
            links.insert(index, mtu);
            return Ok(mtu);
        }
        Ok(path.mtu)
    }
}

/// The message that asks as `ip route get ADDRESS mark MARK` does.
fn question(address: IpAddr, mark: Option<FwMark>) -> Message {
    let family = Family::of(address);
    let mut message = RouteMessage::default();
    message.header.address_family = family.into();
    message.header.destination_prefix_length = family.bits();
    message.attributes = vec![RouteAttribute::Destination(address.into())];
    message
        .attributes
        .extend(mark.map(|mark| RouteAttribute::Mark(mark.0)));
    Message::new(&RouteNetlinkMessage::GetRoute(message), 0)
}

/// Returns the path of a route; none if it leads nowhere.
fn path(message: &RouteMessage) -> Option<Path> {
    if !matches!(
        message.header.kind,
        RouteType::Unicast | RouteType::Local | RouteType::Broadcast | RouteType::Anycast
    ) {
        return None;
    }
    let mut path = Path {
        mtu: None,
        link: None,
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(index) => path.link = Some(*index),
            RouteAttribute::MultiPath(hops) => {
                path.link = hops.first().map(|hop| hop.interface_index);
            }
            RouteAttribute::Metrics(metrics) => path.mtu = metrics.iter().find_map(mtu),
            _ => {}
        }
    }
    Some(path)
}

fn mtu(metric: &RouteMetric) -> Option<u32> {
    if let RouteMetric::Mtu(mtu) = metric {
        Some(*mtu)
    } else {
        None
    }
}
