//! Routes by an interface, by rtnetlink.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, Parseable};
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteProtocol, RouteScope, RouteType,
};

use super::netlink::{KernelError, Message};
use super::route_socket::RouteSocket;
use crate::net::{Address, Family, TableId};
use crate::state::Route;

/// `IP6_RT_PRIO_USER`: the metric of an IPv6 route that was added without one.
const IPV6_DEFAULT_METRIC: u32 = 1024;

/// The message that adds a route as `ip route add PREFIX dev LINK` does.
pub(super) fn add(index: u32, route: &Route) -> Message {
    let mut message = message(index, route);
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Link;
    Message::new(
        &RouteNetlinkMessage::NewRoute(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// The message that deletes a route, whoever added it.
pub(super) fn delete(index: u32, route: &Route) -> Message {
    let mut message = message(index, route);
    message.header.protocol = RouteProtocol::Unspec;
    message.header.scope = RouteScope::NoWhere; // any
    if route.metric.is_none() && route.prefix.family() == Family::V6 {
        // without one the kernel would delete the first route of any metric
        let metric = RouteAttribute::Priority(IPV6_DEFAULT_METRIC);
        message.attributes.push(metric);
    }
    Message::new(&RouteNetlinkMessage::DelRoute(message), 0)
}

fn message(index: u32, route: &Route) -> RouteMessage {
    let len = route.prefix.prefix_len();
    match route.prefix.ip() {
        IpAddr::V4(ip) => {
            let builder = RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(ip, len);
            by_link(builder, index, route)
        }
        IpAddr::V6(ip) => {
            let builder = RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(ip, len);
            by_link(builder, index, route)
        }
    }
}

fn by_link<T>(builder: RouteMessageBuilder<T>, index: u32, route: &Route) -> RouteMessage {
    let builder = builder.output_interface(index).table_id(route.table.0);
    match route.metric {
        Some(metric) => builder.priority(metric).build(),
        None => builder.build(),
    }
}

impl RouteSocket {
    /// Returns the link's routes in all tables, but for those that the kernel makes itself, and those that a [`Route`]
    /// cannot be: with a gateway, for some sources only, not unicast.
    pub fn routes(&mut self, index: u32) -> Result<BTreeSet<Route>, KernelError> {
        let mut routes = BTreeSet::new();
        for family in Family::BOTH {
            let filter = vec![RouteAttribute::Oif(index)];
            routes.extend(self.dump_routes(family, filter, |message| read(message, index))?);
        }
        Ok(routes)
    }

    /// Whether a table holds no route of the family.
    pub fn table_is_empty(&mut self, family: Family, table: TableId) -> Result<bool, KernelError> {
        let filter = vec![RouteAttribute::Table(table.0)];
        let found = self.dump_routes(family, filter, |message| {
            (table_of(message) == table).then_some(())
        })?;
        Ok(found.is_empty())
    }

    /// Returns what `pick` takes of the family's routes; none where the kernel lacks the family, the table or the link.
    ///
    /// Kernels before 4.20 do not know the filter, so `pick` has to look again.
    pub(super) fn dump_routes<T>(
        &mut self,
        family: Family,
        filter: Vec<RouteAttribute>,
        mut pick: impl FnMut(&RouteMessage) -> Option<T>,
    ) -> Result<Vec<T>, KernelError> {
        let mut message = RouteMessage::default();
        message.header.address_family = family.into();
        message.attributes = filter;
        let dump = Message::new(&RouteNetlinkMessage::GetRoute(message), 0);
        let found = self.netlink.dump(&dump, |answer| {
            // what cannot be decoded is some other program's, with an encapsulation of its own
            let message = RouteMessage::parse(answer.payload).ok();
            // without IPv6 the kernel lists all families
            Ok(message
                .filter(|message| message.header.address_family == family.into())
                .and_then(|message| pick(&message)))
        });
        match found {
            Err(error) if error.is_absent() || error.is_unsupported() => Ok(Vec::new()),
            found => found,
        }
    }
}

/// Reads a route, if it is one of this link that somebody added.
fn read(message: &RouteMessage, index: u32) -> Option<Route> {
    let header = &message.header;
    if header.kind != RouteType::Unicast
        || header.protocol == RouteProtocol::Kernel
        || header.source_prefix_length != 0
        || header.tos != 0
        || header.flags.contains(RouteFlags::Cloned)
    {
        return None;
    }
    let ipv6 = message.header.address_family == Family::V6.into();
    let mut ip = if ipv6 {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        IpAddr::from(Ipv4Addr::UNSPECIFIED)
    };
    let mut metric = None;
    let mut by_link = false;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(to)) => ip = (*to).into(),
            RouteAttribute::Destination(RouteAddress::Inet6(to)) => ip = (*to).into(),
            RouteAttribute::Priority(value) => metric = Some(*value),
            RouteAttribute::Oif(oif) => by_link = *oif == index,
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_) | RouteAttribute::MultiPath(_) => {
                return None;
            }
            _ => {}
        }
    }
    let address = Address::new(ip, header.destination_prefix_length)?;
    by_link.then(|| Route {
        prefix: address.prefix(),
        table: table_of(message),
        metric: metric.filter(|&metric| !ipv6 || metric != IPV6_DEFAULT_METRIC),
    })
}

/// The table: in the header if its number fits, else in an attribute.
pub(super) fn table_of(message: &RouteMessage) -> TableId {
    let attribute = message.attributes.iter().find_map(|attribute| {
        if let RouteAttribute::Table(table) = attribute {
            Some(*table)
        } else {
            None
        }
    });
    TableId(attribute.unwrap_or_else(|| message.header.table.into()))
}
