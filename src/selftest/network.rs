//! Links between machines, with their addresses and routes.

use std::fs;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_sys::protocols::NETLINK_ROUTE;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::{LinkUnspec, LinkVeth, RouteMessageBuilder};

use super::machine::Machine;
use crate::host::netlink::{Message, Netlink};
use crate::host::route_socket::RouteSocket;
use crate::net::{Address, Family, Ifname, Prefix};
use crate::state::LinkSettings;
use crate::step::Step;

/// The kernel's list of IPv6 addresses of the machine of this thread.
const IF_INET6: &str = "/proc/thread-self/net/if_inet6";

/// How long links may take to come up; the kernel needs a second when it is busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// A link's own name, and its addresses.
type Link<'a> = (&'a str, &'a [&'a str]);

/// Lays a cable between two machines; the link at each end has the name of the machine at the other.
pub(super) fn connect(one: &Machine, other: &Machine) -> Result<()> {
    let far_end = LinkUnspec::new_with_name(one.name).setns_by_fd(other.network());
    let far_end = InfoData::Veth(InfoVeth::Peer(far_end.build()));
    let cable = LinkVeth::new(other.name, one.name).set_info_data(far_end);
    let add = Message::new(
        &RouteNetlinkMessage::NewLink(cable.build()),
        NLM_F_CREATE | NLM_F_EXCL,
    );
    one.run(|| Ok(Netlink::open(NETLINK_ROUTE)?.request(add)?))
        .with_context(|| {
            let (near, far) = (other.name, one.name);
            format!("ip link add {near} type veth peer name {far}")
        })
}

/// Brings a machine's links up, with their addresses, and then adds routes by gateways; all of it of these families alone.
pub(super) fn configure(
    machine: &Machine,
    families: &[Family],
    links: &[Link<'_>],
    routes: &[(&str, &str)],
) -> Result<()> {
    let configure = || {
        let mut steps = Vec::new();
        for &(ifname, addresses) in links {
            let ifname: Ifname = ifname.parse()?;
            steps.push(bring_up(ifname)?);
            for address in addresses {
                let address: Address = address.parse()?;
                if families.contains(&address.family()) {
                    steps.push(Step::AddAddress { ifname, address });
                }
            }
        }
        if let Some(failure) = RouteSocket::open()?.execute(&steps).into_iter().next() {
            let step = steps.get(failure.index).map(Step::to_string);
            return Err(failure.error).context(step.unwrap_or_default());
        }
        let mut netlink = Netlink::open(NETLINK_ROUTE)?;
        for &(to, gateway) in routes {
            let to: Prefix = to.parse()?;
            if families.contains(&to.family()) {
                let added = netlink.request(add_route(to, gateway.parse()?)?);
                added.with_context(|| format!("ip route add {to} via {gateway}"))?;
            }
        }
        Ok(())
    };
    machine
        .run(configure)
        .with_context(|| format!("the machine `{}'", machine.name))
}

/// Waits until IPv6 addresses of the machine of this thread can be used: they can once their links are up.
pub(super) fn settle() -> Result<()> {
    let start = Instant::now();
    while is_tentative(&fs::read_to_string(IF_INET6).unwrap_or_default()) {
        ensure!(start.elapsed() < PATIENCE, "the links do not come up");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Whether an address of the list cannot be used yet. The fifth of six columns are its flags, in hexadecimal.
fn is_tentative(if_inet6: &str) -> bool {
    const IFA_F_TENTATIVE: u8 = 0x40;
    let flags = if_inet6
        .lines()
        .filter_map(|line| u8::from_str_radix(line.split_whitespace().nth(4)?, 16).ok());
    flags.into_iter().any(|flags| flags & IFA_F_TENTATIVE != 0)
}

fn bring_up(ifname: Ifname) -> Result<Step> {
    let found = RouteSocket::open()?.link(ifname)?;
    let mtu = found.with_context(|| format!("no link {ifname}"))?.mtu;
    Ok(Step::SetLink {
        ifname,
        from: LinkSettings { mtu, up: false },
        to: LinkSettings { mtu, up: true },
    })
}

fn add_route(to: Prefix, gateway: IpAddr) -> Result<Message> {
    let route = RouteMessageBuilder::<IpAddr>::new()
        .destination_prefix(to.ip(), to.prefix_len())?
        .gateway(gateway)?
        .build();
    Ok(Message::new(
        &RouteNetlinkMessage::NewRoute(route),
        NLM_F_CREATE | NLM_F_EXCL,
    ))
}
