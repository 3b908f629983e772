//! What a fact that hooks make means as a key; or why there is none that means just this.

mod rule;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::Here;
use super::fact::{Fact, Interface, Route};
use super::passage::Passage;
use super::shell::Why;
use crate::config::{Config, PortForward, Protocol, Table};
use crate::net::{Address, Family, Ifname, Prefix};

/// What a key, or no key, is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing: it is so without a key.
    Nothing,
    /// Packets are forwarded, as far as no firewall drops them.
    Forwarding,
    /// Connections pass where a firewall drops.
    Pass(Vec<Passage>),
    /// What belongs to connections that began passes.
    Answers,
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
        let to = Address::from(forward.to).prefix();
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
            Fact::Sysctl { name, value } => self.sysctl(name, value),
            Fact::Route(route) => self.route(route),
            Fact::LookupMain { from, prefix } => self.lookup_main(*from, *prefix),
            Fact::OpenPort { port, .. } if self.is_listen_port(*port) => Ok(Wish::OpenPort),
            Fact::OpenPort { .. } => Err("this is not the tunnel's ListenPort".into()),
            Fact::Forward { passages, .. } => Ok(Wish::Pass(passages.clone())),
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
            Fact::Table(_) | Fact::Dns => Ok(Wish::Nothing),
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

    fn sysctl(self, name: &str, value: &str) -> Result<Wish, Why> {
        match (name, value) {
            (name, "1") if is_forwarding(name) => Ok(Wish::Forwarding),
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
    pub(super) fn networks(self, family: Family) -> Vec<Prefix> {
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
    pub(super) fn unique_local(self, family: Family) -> Result<(), Why> {
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
