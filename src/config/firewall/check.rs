//! Keys of the firewall that contradict each other, or that together do what nobody means.

use std::collections::BTreeSet;

use super::{Firewall, Masquerade, Protocol};
use crate::config::model::{Config, Table};
use crate::config::report::{Fault, Report};
use crate::config::span::Spanned;
use crate::net::{Address, Family, Ifname, Prefix, carve};

/// The port of ssh(1).
const SSH: u16 = 22;

/// Tells what is wrong with the keys of the firewall as a whole.
pub(in crate::config) fn check(config: &Config, ifname: Option<Ifname>, report: &mut Report<'_>) {
    let firewall = &config.interface.firewall;
    forward(firewall, report);
    open_port(config, report);
    port_forwards(config, ifname, report);
    client(config, report);
}

fn forward(firewall: &Firewall, report: &mut Report<'_>) {
    if let Some(forward) = firewall.forward.filter(|forward| !forward.value) {
        report.key = Some("Forward");
        let needs = if firewall.masquerade.value == Masquerade::No {
            let first = firewall.port_forwards.first();
            first.map(|first| ("PortForward", first.span.line))
        } else {
            Some(("Masquerade", firewall.masquerade.span.line))
        };
        if let Some((key, line)) = needs {
            let told = format!("{key} on line {line} needs forwarding");
            report.error(Fault::at(forward.span, told));
        }
    }
    report.key = Some("ClampMSS");
    if let Some(clamp) = firewall.clamp_mss.filter(|clamp| clamp.value)
        && !firewall.forwards()
    {
        let told = "nothing is forwarded, so there is no connection to fit";
        report.warning(Fault::at(clamp.span, told).hint("`Forward = yes` forwards"));
    }
}

fn open_port(config: &Config, report: &mut Report<'_>) {
    report.key = Some("OpenPort");
    let open = config.interface.firewall.open_port;
    if open.value && config.interface.listen_port.is_none_or(|port| port == 0) {
        let told = "without a ListenPort it is another port each time";
        report.error(Fault::at(open.span, told).hint("`ListenPort = 51820` is the usual one"));
    }
    if open.value
        && let Some(netns) = &config.interface.netns
    {
        let told = format!(
            "with Netns on line {} the port is not where the tunnel is and its rules are",
            netns.span.line
        );
        let hint = "open the port in the firewall of the host itself";
        report.error(Fault::at(open.span, told).hint(hint));
    }
}

fn port_forwards(config: &Config, ifname: Option<Ifname>, report: &mut Report<'_>) {
    report.key = Some("PortForward");
    let interface = &config.interface;
    let all = &interface.firewall.port_forwards;
    for (index, forward) in all.iter().enumerate() {
        if interface.addresses.iter().any(|own| own.ip() == forward.to) {
            let told = format!("{} is this interface's own address", forward.to);
            report.warning(Fault::at(forward.span, told).hint("name that of a peer"));
        } else if !is_a_peers(config, Address::from(forward.to).prefix()) {
            let told = format!("{} is in no peer's AllowedIPs", forward.to);
            report.warning(Fault::at(forward.span, told).hint(
                "add it to those of the peer that it is of; the kernel sends nothing there without",
            ));
        }
        let takes = |port: &u16| forward.protocol == Protocol::Udp && forward.ports.contains(port);
        if let Some(port) = interface.listen_port.filter(takes)
            && forward
                .ifname
                .is_none_or(|limit| ifname.is_some_and(|own| own != limit))
        {
            let told = format!("{port} is the ListenPort: the peers would not be heard any more");
            report.error(Fault::at(forward.span, told));
        }
        if forward.protocol == Protocol::Tcp && forward.ports.contains(&SSH) {
            let told = "who comes for this host's own ssh(1) gets to the peer";
            let fault = Fault::at(forward.span, told);
            report.warning(fault.hint("`tcp/2222 -> ADDRESS:22` leaves it alone"));
        }
        let mut before = all.iter().take(index);
        if let Some(first) = before.find(|first| first.shadows(forward)) {
            let told = format!(
                "what comes there goes to {} by line {} already",
                first.to, first.span.line
            );
            report.error(Fault::at(forward.span, told));
        }
    }
}

/// What is for a full tunnel, and what is carved out of wide prefixes.
fn client(config: &Config, report: &mut Report<'_>) {
    let firewall = &config.interface.firewall;
    let policy = config.is_full_tunnel() && config.interface.table.value == Table::Auto;
    report.key = Some("KillSwitch");
    if firewall.kill_switch.value && !policy {
        let told = "this is no full tunnel: all that is not for the peers would be dropped";
        let fault = Fault::at(firewall.kill_switch.span, told);
        report.error(fault.hint("a full tunnel has AllowedIPs = 0.0.0.0/0, ::/0 and Table = auto"));
    }
    report.key = Some("KeepInbound");
    if firewall.keep_inbound.value && !policy {
        let told = "this is no full tunnel: answers leave by the way that the main table says";
        report.warning(Fault::at(firewall.keep_inbound.span, told));
    }
    report.key = Some("ExcludeIPs");
    for exclude in &firewall.exclude_ips {
        excluded(config, exclude, report);
    }
    for family in Family::BOTH {
        excluded_in_parts(&firewall.exclude_ips, family, report);
    }
}

fn excluded(config: &Config, exclude: &Spanned<Prefix>, report: &mut Report<'_>) {
    if exclude.is_default() {
        let told = "nothing would be left of the tunnel";
        report.error(Fault::at(exclude.span, told));
    } else if config.interface.table.value == Table::Off {
        let told = "with Table = off there are no routes to carve anything out of";
        report.warning(Fault::at(exclude.span, told));
    } else if let Some(own) = own_network(config, exclude.value) {
        let told = format!(
            "{} is in the interface's own network: Address = {} on line {} leads it into the tunnel",
            exclude.value, own.value, own.span.line
        );
        let hint = format!(
            "`Address = {}/{}` is no network",
            own.ip(),
            own.family().bits()
        );
        report.warning(Fault::at(exclude.span, told).hint(hint));
    } else if !is_a_peers(config, exclude.value) {
        let told = format!("{} is in no peer's AllowedIPs anyway", exclude.value);
        report.warning(Fault::at(exclude.span, told));
    }
}

/// The address in whose network the prefix is; to that the kernel makes a route, which leads into the tunnel.
fn own_network(config: &Config, prefix: Prefix) -> Option<Spanned<Address>> {
    let mut addresses = config.interface.addresses.iter().copied();
    addresses.find(|own| own.prefix_len() < own.family().bits() && own.prefix().contains(prefix))
}

/// Prefixes that together are all of a family; one that is so alone was told.
fn excluded_in_parts(all: &[Spanned<Prefix>], family: Family, report: &mut Report<'_>) {
    let mut of_family = all.iter().filter(|exclude| exclude.family() == family);
    let holes: BTreeSet<Prefix> = of_family.clone().map(|exclude| exclude.value).collect();
    let everything = Prefix::all(family);
    if let Some(last) = of_family.next_back()
        && !holes.contains(&everything)
        && carve(everything, &holes).is_empty()
    {
        let told =
            format!("with the others this is {everything}: nothing would be left of the tunnel");
        report.error(Fault::at(last.span, told));
    }
}

/// Whether a peer may have all of these addresses.
fn is_a_peers(config: &Config, prefix: Prefix) -> bool {
    let mut all = config.peers.iter().flat_map(|peer| &peer.allowed_ips);
    all.any(|allowed| allowed.contains(prefix))
}
