//! What a fact that hooks make means as a key; or why there is none that means just this.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::Here;
use super::fact::{Fact, Interface, Is, Matches, Route, Rule, Target};
use super::shell::Why;
use crate::config::{Config, PortForward, Protocol, Table};
use crate::net::{Family, Ifname, Prefix};

/// What a key, or no key, is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing: it is so without a key.
    Nothing,
    Forward,
    /// A forwarded service is let in, which needs no key beside its `PortForward`.
    LetIn(Service),
    /// By that interface, or by any but the tunnel.
    Masquerade(Option<Ifname>),
    OpenPort,
    PortForward(Vec<PortForward>),
    ClampMss,
    Isolate,
    KillSwitch,
    ExcludeIps(Prefix),
    KeepInbound,
    DnsServers(Vec<IpAddr>),
    DnsDomains(Vec<String>),
    PrivateKeyFile(PathBuf),
}

/// Ports of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    to: Option<Prefix>,
    protocol: Protocol,
    ports: Vec<RangeInclusive<u16>>,
}

impl Service {
    /// Whether that is where the ports are forwarded to.
    pub(super) fn is_of(&self, forward: &PortForward) -> bool {
        let port = forward.to_port.unwrap_or(*forward.ports.start());
        let to = crate::net::Address::from(forward.to).prefix();
        self.protocol == forward.protocol
            && self.to.is_none_or(|prefix| prefix.contains(to))
            && self.ports.iter().any(|ports| ports.contains(&port))
    }
}

/// What decides about the meaning of hooks beside their text.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) ifname: Ifname,
    pub(super) config: &'a Config,
    pub(super) here: &'a Here,
}

impl Context<'_> {
    /// What a key is to say in the place of a command that makes this fact.
    pub(super) fn wish(self, fact: &Fact) -> Result<Wish, Why> {
        match fact {
            Fact::Rule(rule) => self.rule(rule),
            Fact::Table(_) => Ok(Wish::Nothing),
            Fact::Sysctl { name, value } => self.sysctl(name, value),
            Fact::Route(route) => self.route(route),
            Fact::LookupMain { from, prefix } => self.lookup_main(*from, *prefix),
            Fact::OpenPort { port, .. } if self.is_listen_port(*port) => Ok(Wish::OpenPort),
            Fact::OpenPort { .. } => Err("this is not the tunnel's ListenPort".into()),
            Fact::Forward { .. } => Ok(Wish::Forward),
            Fact::Masquerade {
                from: Some(from), ..
            } if self.is_whole(*from) => {
                self.unique_local(from.family())?;
                Ok(Wish::Masquerade(None))
            }
            Fact::Masquerade {
                from: Some(from), ..
            } => Err(self.not_whole(*from)),
            Fact::Masquerade { from: None, .. } => Err(EVERYTHING.into()),
            Fact::DnsServers(servers) => self.dns_servers(servers),
            Fact::DnsDomains(domains) => self.dns_domains(domains),
            Fact::Dns => Ok(Wish::Nothing),
            Fact::PrivateKeyFile(path) => {
                let interface = &self.config.interface;
                let given = interface.private_key.is_some() || interface.private_key_file.is_some();
                if given {
                    return Err("the file has a key already, which this one comes after".into());
                }
                Ok(Wish::PrivateKeyFile(path.clone()))
            }
        }
    }

    fn rule(self, rule: &Rule) -> Result<Wish, Why> {
        let matches = &rule.matches;
        if let Target::Other(why) = &rule.target {
            return Err(format!("no key stands for {why}"));
        }
        if let Some(other) = &matches.other {
            return Err(format!("no key stands for a rule with {other}"));
        }
        let chain = (rule.chain.table.as_str(), rule.chain.name.as_str());
        match (chain, &rule.target) {
            (("filter", _), Target::Accept) if rule.is_of_forwarded() => self.accept(matches),
            (("filter", "FORWARD"), Target::Drop) => isolate(matches),
            (("filter", "INPUT"), Target::Accept) => self.input(matches),
            (("filter", "OUTPUT"), Target::Drop) => self.kill_switch(matches),
            (("nat", "POSTROUTING"), Target::Masquerade) => {
                self.masquerade(matches, rule.chain.family)
            }
            (("nat", "PREROUTING"), Target::Dnat(to, ports)) => {
                self.port_forward(matches, *to, ports.as_ref())
            }
            ((_, "FORWARD" | "POSTROUTING"), Target::ClampMss) => Ok(Wish::ClampMss),
            ((_, ""), _) => Err("it is not known which packets come to this chain of nft".into()),
            ((table, name), _) => Err(format!(
                "no key stands for such a rule in {name} of {table}"
            )),
        }
    }

    fn accept(self, matches: &Matches) -> Result<Wish, Why> {
        let from_tunnel = is_tunnel(matches.input.as_ref());
        let to_tunnel = is_tunnel(matches.output.as_ref());
        let whole = |prefix: &Option<Is<Prefix>>| {
            prefix
                .as_ref()
                .is_some_and(|is| !is.not && self.is_whole(is.value))
        };
        let from_peers = whole(&matches.source);
        let to_peers = whole(&matches.destination);
        if !(from_tunnel || to_tunnel || from_peers || to_peers || matches.established) {
            return Err("it does not name the tunnel".into());
        }
        if let Some(source) = matches.source.as_ref().filter(|_| !from_peers) {
            return Err(limited("comes from", source));
        }
        if let Some(protocol) = matches.protocol {
            if !to_tunnel || matches.ports.is_empty() {
                return Err("Forward lets pass every protocol".into());
            }
            return Ok(Wish::LetIn(Service {
                to: matches.destination.as_ref().map(|is| is.value),
                protocol,
                ports: matches.ports.clone(),
            }));
        }
        match matches.destination.as_ref().filter(|_| !to_peers) {
            Some(destination) => Err(limited("goes to", destination)),
            None => Ok(Wish::Forward),
        }
    }

    fn input(self, matches: &Matches) -> Result<Wish, Why> {
        if is_tunnel(matches.input.as_ref()) {
            return Err("no key lets in what comes to this host by the tunnel".into());
        }
        let port = match matches.ports.as_slice() {
            [ports] if ports.start() == ports.end() => Some(*ports.start()),
            _ => None,
        };
        let udp = matches.protocol == Some(Protocol::Udp);
        let limited = matches.source.is_some() || matches.established;
        match port {
            Some(port) if udp && !limited && self.is_listen_port(port) => Ok(Wish::OpenPort),
            _ => Err("of what comes to this host, a key lets in only UDP to ListenPort".into()),
        }
    }

    fn kill_switch(self, matches: &Matches) -> Result<Wish, Why> {
        let others = matches.output.as_ref();
        let elsewhere = others.is_some_and(|is| is.not && is.value == Interface::Tunnel);
        if !elsewhere || !matches.not_own {
            return Err("this is not the kill switch of wg-quick(8)".into());
        }
        if let Some(destination) = &matches.destination {
            return Err(format!(
                "it exempts {}, and KillSwitch the networks of this host's interfaces",
                destination.value
            ));
        }
        if !self.is_full_tunnel() {
            return Err("KillSwitch is for a full tunnel, which this is not".into());
        }
        Ok(Wish::KillSwitch)
    }

    fn masquerade(self, matches: &Matches, family: Family) -> Result<Wish, Why> {
        if matches.protocol.is_some() {
            return Err("Masquerade is for every protocol".into());
        }
        let source = matches.source.as_ref().map(|is| (is.not, is.value));
        let destination = matches.destination.as_ref().map(|is| (is.not, is.value));
        let from_tunnel = is_tunnel(matches.input.as_ref());
        match destination {
            None => {}
            Some((true, prefix)) if source == Some((false, prefix)) => {} // between peers nothing is masqueraded
            Some((_, prefix)) => {
                return Err(format!(
                    "Masquerade does not ask whether a packet goes to {prefix}"
                ));
            }
        }
        let scoped = match source {
            None => from_tunnel,
            Some((false, prefix)) if self.is_whole(prefix) => true,
            Some((true, prefix)) => return Err(format!("it exempts {prefix}")),
            Some((_, prefix)) => return Err(self.not_whole(prefix)),
        };
        self.unique_local(family)?;
        match &matches.output {
            None if scoped => Ok(Wish::Masquerade(None)),
            None => Err(EVERYTHING.into()),
            Some(Is {
                not: true,
                value: Interface::Tunnel,
            }) => Ok(Wish::Masquerade(None)),
            Some(Is {
                not: false,
                value: Interface::Tunnel,
            }) if source.is_none() => Ok(Wish::Masquerade(Some(self.ifname))),
            Some(Is {
                not: false,
                value: Interface::Named(name),
            }) => {
                let name = name
                    .parse()
                    .map_err(|_| format!("{name} is no name of an interface"))?;
                Ok(Wish::Masquerade(Some(name)))
            }
            Some(Is {
                not: false,
                value: Interface::Pattern(begin),
            }) => Err(format!(
                "Masquerade takes names of interfaces, and `{begin}+` is many"
            )),
            Some(_) => Err("Masquerade takes the interfaces by which packets leave".into()),
        }
    }

    fn port_forward(
        self,
        matches: &Matches,
        to: IpAddr,
        to_ports: Option<&RangeInclusive<u16>>,
    ) -> Result<Wish, Why> {
        let Some(protocol) = matches.protocol.filter(|_| !matches.ports.is_empty()) else {
            return Err("PortForward needs a protocol and its ports".into());
        };
        if matches.source.is_some() || matches.destination.is_some() {
            return Err("PortForward does not ask for addresses".into());
        }
        if !self.is_a_peers(crate::net::Address::from(to).prefix()) {
            return Err(format!("{to} is in no peer's AllowedIPs"));
        }
        let ifname = match &matches.input {
            None
            | Some(Is {
                not: true,
                value: Interface::Tunnel,
            }) => None,
            Some(Is {
                not: false,
                value: Interface::Named(name),
            }) => Some(
                name.parse()
                    .map_err(|_| format!("{name} is no name of an interface"))?,
            ),
            Some(_) => {
                return Err("PortForward takes the interface by which connections come in".into());
            }
        };
        let forward = |ports: &RangeInclusive<u16>| {
            let single = |ports: &RangeInclusive<u16>| ports.start() == ports.end();
            let to_port = match to_ports {
                None => None,
                Some(there) if there == ports => None,
                Some(there) if single(there) && single(ports) => Some(*there.start()),
                Some(_) => return Err("several ports would go to other ones".to_owned()),
            };
            Ok(PortForward {
                ifname,
                protocol,
                ports: ports.clone(),
                to,
                to_port,
            })
        };
        let forwards: Result<Vec<_>, Why> = matches.ports.iter().map(forward).collect();
        Ok(Wish::PortForward(forwards?))
    }

    fn sysctl(self, name: &str, value: &str) -> Result<Wish, Why> {
        match (name, value) {
            (name, "1") if is_forwarding(name) => Ok(Wish::Forward),
            ("net.ipv4.conf.all.src_valid_mark", "1") if self.is_full_tunnel() => Ok(Wish::Nothing),
            _ => Err(format!("no key sets {name} to {value}")),
        }
    }

    fn route(self, route: &Route) -> Result<Wish, Why> {
        let auto = self.config.interface.table.value == Table::Auto;
        let prefix = route.prefix;
        if !auto || !self.is_a_peers(prefix) {
            return Err(if auto {
                format!("{prefix} is in no peer's AllowedIPs")
            } else {
                "with such a Table there is no other way to make this route".into()
            });
        }
        match (&route.dev, route.via) {
            (Some(Interface::Tunnel), None) => Ok(Wish::Nothing), // AllowedIPs make it
            (dev, Some(via)) if self.is_default_route(dev.as_ref(), via) => {
                Ok(Wish::ExcludeIps(prefix))
            }
            (_, Some(via)) => Err(format!(
                "what ExcludeIPs names goes by this host's default route, which is not by {via}"
            )),
            _ => Err(format!("no key says by what way {prefix} goes")),
        }
    }

    fn is_default_route(self, dev: Option<&Interface>, via: IpAddr) -> bool {
        let mut defaults = self.here.default_routes.iter();
        defaults.any(|(name, gateway)| {
            let same = dev.is_none_or(|dev| *dev == Interface::Named(name.clone()));
            same && *gateway == Some(via)
        })
    }

    fn lookup_main(self, from: bool, prefix: Prefix) -> Result<Wish, Why> {
        if !self.is_full_tunnel() {
            return Err("without a full tunnel everything is looked up in the main table".into());
        }
        if !from {
            return Ok(Wish::ExcludeIps(prefix));
        }
        if prefix.prefix_len() != prefix.family().bits() {
            return Err(format!("{prefix} is more than one address of this host"));
        }
        Ok(Wish::KeepInbound)
    }

    fn dns_servers(self, servers: &[IpAddr]) -> Result<Wish, Why> {
        match self.config.interface.dns.servers.as_slice() {
            [] => Ok(Wish::DnsServers(servers.to_owned())),
            given if given == servers => Ok(Wish::Nothing),
            _ => Err("the file has DNS already, with other servers".into()),
        }
    }

    fn dns_domains(self, domains: &[String]) -> Result<Wish, Why> {
        if domains.iter().all(|domain| domain == "~.") {
            return if self.config.is_full_tunnel() {
                Ok(Wish::Nothing)
            } else {
                Err("DNS asks for all names by the tunnel only if it is a full one".into())
            };
        }
        match domains.iter().find(|domain| domain.starts_with('~')) {
            Some(domain) => Err(format!("DNS has no form for the routing domain {domain}")),
            None => Ok(Wish::DnsDomains(domains.to_owned())),
        }
    }

    /// Whether all that the tunnel brings comes from within the prefix.
    fn is_whole(self, prefix: Prefix) -> bool {
        let all = self.networks(prefix.family());
        !all.is_empty() && all.iter().all(|network| prefix.contains(*network))
    }

    fn not_whole(self, prefix: Prefix) -> Why {
        let mut networks = self.networks(prefix.family()).into_iter();
        match networks.find(|network| !prefix.contains(*network)) {
            Some(network) => format!("it is for {prefix} alone, and the tunnel has {network} too"),
            None => format!("it is for {prefix}, which the tunnel has nothing of"),
        }
    }

    /// Whence packets come by the tunnel: the peers' addresses, or as long as there are none its own network.
    fn networks(self, family: Family) -> Vec<Prefix> {
        let peers = self.config.peers.iter().flat_map(|peer| &peer.allowed_ips);
        let peers: Vec<_> = peers
            .copied()
            .filter(|prefix| prefix.family() == family)
            .collect();
        if !peers.is_empty() {
            return peers;
        }
        let own = self
            .config
            .interface
            .addresses
            .iter()
            .map(|address| address.prefix());
        own.filter(|prefix| prefix.family() == family).collect()
    }

    /// Masquerade is for unique local addresses where it comes to IPv6.
    fn unique_local(self, family: Family) -> Result<(), Why> {
        let is_local = |prefix: &Prefix| match prefix.ip() {
            IpAddr::V6(ip) => {
                ip.is_unique_local() || ip.is_unicast_link_local() || prefix.is_default()
            }
            IpAddr::V4(_) => true,
        };
        let networks = self.networks(family);
        match networks.iter().find(|prefix| !is_local(prefix)) {
            Some(prefix) => Err(format!(
                "Masquerade leaves {prefix} alone, as it is no unique local prefix"
            )),
            None => Ok(()),
        }
    }

    fn is_a_peers(self, prefix: Prefix) -> bool {
        let mut all = self.config.peers.iter().flat_map(|peer| &peer.allowed_ips);
        all.any(|allowed| allowed.contains(prefix))
    }

    fn is_listen_port(self, port: u16) -> bool {
        self.config.interface.listen_port == Some(port)
    }

    /// Whether packets are sent into the tunnel by policy rules.
    pub(super) fn is_full_tunnel(self) -> bool {
        self.config.is_full_tunnel() && self.config.interface.table.value == Table::Auto
    }
}

const EVERYTHING: &str = "it is for all that leaves this host, not only for what came by the tunnel, as `Masquerade = yes` is";

/// Whether the variable turns forwarding on for a family as a whole.
pub(super) fn is_forwarding(name: &str) -> bool {
    matches!(
        name,
        "net.ipv4.ip_forward" | "net.ipv4.conf.all.forwarding" | "net.ipv6.conf.all.forwarding"
    )
}

fn is_tunnel(interface: Option<&Is<Interface>>) -> bool {
    interface.is_some_and(|is| !is.not && is.value == Interface::Tunnel)
}

fn limited(verb: &str, prefix: &Is<Prefix>) -> Why {
    let not = if prefix.not { " not" } else { "" };
    format!(
        "it is for what{not} {verb} {}, and Forward is for all",
        prefix.value
    )
}

fn isolate(matches: &Matches) -> Result<Wish, Why> {
    let between = is_tunnel(matches.input.as_ref()) && is_tunnel(matches.output.as_ref());
    let limited = matches.source.is_some()
        || matches.destination.is_some()
        || matches.protocol.is_some()
        || matches.established;
    if between && !limited {
        Ok(Wish::Isolate)
    } else {
        Err("no key drops just this".into())
    }
}
