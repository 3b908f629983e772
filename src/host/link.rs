//! Network interfaces: made, deleted, set and found by rtnetlink.

use std::fs::File;
use std::os::fd::AsRawFd as _;

use netlink_packet_core::{DecodeError, NLM_F_CREATE, NLM_F_EXCL, NlasIterator};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{
    LinkAttribute, LinkExtentMask, LinkFlags, LinkHeader, LinkMessage,
};
use rtnetlink::{LinkUnspec, LinkWireguard};

use super::netlink::{KernelError, Message};
use super::netns::OWN as OWN_NETNS;
use super::route_socket::RouteSocket;
use crate::net::Ifname;
use crate::state::LinkSettings;

// linux/if_link.h, rtnetlink(7)
const IFINFOMSG_LEN: usize = 16;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;

/// What a found link says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLink {
    /// Its number in this network namespace.
    pub index: u32,
    /// Who drives it: `wireguard`, `tun`, `veth`; none for a device of its own kind, such as a network card.
    pub kind: Option<String>,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Whether it is administratively up.
    pub up: bool,
}

/// The message that makes a kernel WireGuard interface.
pub(super) fn add_wireguard(ifname: Ifname) -> Message {
    let link = LinkWireguard::new(ifname.as_str()).build();
    Message::new(
        &RouteNetlinkMessage::NewLink(link),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// The message that deletes an interface.
pub(super) fn delete(ifname: Ifname) -> Message {
    let link = LinkUnspec::new_with_name(ifname.as_str()).build();
    Message::new(&RouteNetlinkMessage::DelLink(link), 0)
}

/// The message that sets an interface's MTU, and brings it up or down if that is to change.
pub(super) fn set(index: u32, from: LinkSettings, to: LinkSettings) -> Message {
    let link = LinkUnspec::new_with_index(index).mtu(to.mtu);
    let link = match (from.up, to.up) {
        (false, true) => link.up(),
        (true, false) => link.down(),
        _ => link,
    };
    Message::new(&RouteNetlinkMessage::SetLink(link.build()), 0)
}

impl RouteSocket {
    /// Makes a kernel `WireGuard` interface in the network namespace of this thread. Its UDP socket will be in that of this
    /// netlink socket, where the kernel has it born.
    pub(super) fn add_wireguard_to_us(&mut self, ifname: Ifname) -> Result<(), KernelError> {
        let us = File::open(OWN_NETNS)?;
        let link = LinkWireguard::new(ifname.as_str());
        let link = link.setns_by_fd(us.as_raw_fd()).build();
        let message = RouteNetlinkMessage::NewLink(link);
        let message = Message::new(&message, NLM_F_CREATE | NLM_F_EXCL);
        self.netlink.request(message)
    }

    /// Moves an interface into the network namespace of this thread from that of this netlink socket.
    pub(super) fn move_to_us(&mut self, ifname: Ifname) -> Result<(), KernelError> {
        let us = File::open(OWN_NETNS)?;
        let link = LinkUnspec::new_with_name(ifname.as_str());
        let link = link.setns_by_fd(us.as_raw_fd()).build();
        let message = RouteNetlinkMessage::SetLink(link);
        self.netlink.request(Message::new(&message, 0))
    }

    /// Brings up the loopback interface of a new network namespace.
    pub(super) fn bring_up_loopback(&mut self) -> Result<(), KernelError> {
        let link = LinkUnspec::new_with_name("lo").up().build();
        let message = RouteNetlinkMessage::SetLink(link);
        self.netlink.request(Message::new(&message, 0))
    }

    /// Returns the link of that name, if there is one.
    pub fn link(&mut self, ifname: Ifname) -> Result<Option<FoundLink>, KernelError> {
        let link = LinkUnspec::new_with_name(ifname.as_str()).build();
        self.get_link(link)
    }

    /// Returns the names of the kernel's WireGuard interfaces, in its own order, but of those that no config file can have.
    pub(super) fn wireguard_links(&mut self) -> Result<Vec<Ifname>, KernelError> {
        let mut all = LinkMessage::default();
        all.attributes.push(without_statistics());
        let dump = Message::new(&RouteNetlinkMessage::GetLink(all), 0);
        self.netlink
            .dump(&dump, |answer| wireguard_name(answer.payload))
    }

    /// Returns the link's MTU in bytes, if it is still there.
    pub(super) fn mtu(&mut self, index: u32) -> Result<Option<u32>, KernelError> {
        let link = self.get_link(LinkUnspec::new_with_index(index).build())?;
        Ok(link.map(|link| link.mtu))
    }

    fn get_link(&mut self, mut link: LinkMessage) -> Result<Option<FoundLink>, KernelError> {
        link.attributes.push(without_statistics());
        let request = Message::new(&RouteNetlinkMessage::GetLink(link), 0);
        let found = self.netlink.get(request, |answer| parse(answer.payload));
        match found {
            Err(error) if error.is_absent() => Ok(None),
            found => found,
        }
    }
}

fn without_statistics() -> LinkAttribute {
    LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats])
}

/// Reads a link.
///
/// Only what is looked for is decoded: a new kernel's links have attributes, and longer ones, that no crate knows yet.
fn parse(payload: &[u8]) -> Result<FoundLink, DecodeError> {
    let header = LinkHeader::parse(payload)?;
    let mut link = FoundLink {
        index: header.index,
        kind: None,
        mtu: 0,
        up: header.flags.contains(LinkFlags::Up),
    };
    for attribute in NlasIterator::new(payload.get(IFINFOMSG_LEN..).unwrap_or_default()) {
        let attribute = attribute?;
        match attribute.kind() {
            IFLA_MTU => link.mtu = netlink_packet_core::parse_u32(attribute.value())?,
            IFLA_LINKINFO => link.kind = kind(attribute.value()),
            _ => {}
        }
    }
    Ok(link)
}

/// Reads the name of a link, if it is a WireGuard one.
fn wireguard_name(payload: &[u8]) -> Result<Option<Ifname>, DecodeError> {
    let mut name = None;
    let mut is_wireguard = false;
    for attribute in NlasIterator::new(payload.get(IFINFOMSG_LEN..).unwrap_or_default()) {
        let attribute = attribute?;
        match attribute.kind() {
            IFLA_IFNAME => name = text(attribute.value()).parse().ok(),
            IFLA_LINKINFO => is_wireguard = kind(attribute.value()).as_deref() == Some("wireguard"),
            _ => {}
        }
    }
    Ok(name.filter(|_| is_wireguard))
}

/// Who drives a link.
fn kind(linkinfo: &[u8]) -> Option<String> {
    NlasIterator::new(linkinfo)
        .filter_map(Result::ok)
        .find(|info| info.kind() == IFLA_INFO_KIND)
        .map(|info| text(info.value()))
}

/// A string attribute, with or without its final NUL.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value)
        .trim_end_matches('\0')
        .to_owned()
}
