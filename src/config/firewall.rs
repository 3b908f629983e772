//! What the file says of forwarding, NAT and the firewall.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use super::span::{Span, Spanned};
use crate::net::{Family, Ifname, Prefix};

mod check;
mod read;

pub(super) use check::check;
pub(super) use read::{exclude_ips, masquerade, port_forward, yes_or_no};

/// The keys of the firewall.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Firewall {
    /// `Forward`; none if the file does not say, and then other keys may.
    pub forward: Option<Spanned<bool>>,
    /// `Masquerade`
    pub masquerade: Spanned<Masquerade>,
    /// `OpenPort`
    pub open_port: Spanned<bool>,
    /// `PortForward`, in order.
    pub port_forwards: Vec<Spanned<PortForward>>,
    /// `ClampMSS`; none if the file does not say.
    pub clamp_mss: Option<Spanned<bool>>,
    /// `Isolate`
    pub isolate: Spanned<bool>,
    /// `KillSwitch`
    pub kill_switch: Spanned<bool>,
    /// `ExcludeIPs`, in order.
    pub exclude_ips: Vec<Spanned<Prefix>>,
    /// `KeepInbound`
    pub keep_inbound: Spanned<bool>,
}

impl Firewall {
    /// Whether packets pass between this tunnel and other interfaces; NAT of either kind needs it.
    pub fn forwards(&self) -> bool {
        self.forward.is_some_and(|forward| forward.value)
            || self.masquerade.value != Masquerade::No
            || !self.port_forwards.is_empty()
    }

    /// Whether other programs' firewalls may drop what the tunnel needs.
    pub fn asks_others(&self) -> bool {
        self.forwards() || self.open_port.value
    }

    /// The interfaces that are named, each with its key.
    pub fn interfaces(&self) -> impl Iterator<Item = (&'static str, Spanned<Ifname>)> {
        let masquerade = &self.masquerade;
        let names = match &masquerade.value {
            Masquerade::By(names) => Some(names),
            Masquerade::No | Masquerade::Anywhere => None,
        };
        let leaving = names.into_iter().flatten();
        let at = |value: Ifname, span: Span| Spanned { value, span };
        let leaving = leaving.map(move |&name| ("Masquerade", at(name, masquerade.span)));
        let coming = self
            .port_forwards
            .iter()
            .filter_map(move |forward| Some(("PortForward", at(forward.ifname?, forward.span))));
        leaving.chain(coming)
    }

    /// Whether the MSS of TCP connections is fitted to the tunnel; that of forwarded ones is, unless the file says no.
    pub fn clamps_mss(&self) -> bool {
        self.clamp_mss
            .map_or_else(|| self.forwards(), |clamp| clamp.value)
    }
}

/// Where what came in by the tunnel leaves with the address of this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Masquerade {
    /// Nowhere.
    #[default]
    No,
    /// By any other interface.
    Anywhere,
    /// By these alone. With the tunnel's own name among them, what leaves by the tunnel too has this host's address.
    By(BTreeSet<Ifname>),
}

/// Ports of this host that are a peer's. Prints as the file has it: `ens3:tcp/443 -> [fd00::2]:443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortForward {
    /// The interface by which connections come in; none is any.
    pub ifname: Option<Ifname>,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The ports here, from the first to the last.
    pub ports: RangeInclusive<u16>,
    /// The peer's address.
    pub to: IpAddr,
    /// The port there, for a single one here; none is the same.
    pub to_port: Option<u16>,
}

impl PortForward {
    /// Whether connections to a port of the other one, if it comes after this, go where this says.
    pub fn shadows(&self, other: &Self) -> bool {
        let overlap =
            self.ports.start() <= other.ports.end() && other.ports.start() <= self.ports.end();
        let same_way = self.ifname.is_none() || self.ifname == other.ifname;
        let same_family = Family::of(self.to) == Family::of(other.to);
        overlap && same_way && same_family && self.protocol == other.protocol
    }
}

impl fmt::Display for PortForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ifname) = self.ifname {
            write!(f, "{ifname}:")?;
        }
        let (first, last) = (self.ports.start(), self.ports.end());
        write!(f, "{}/{first}", self.protocol)?;
        if first != last {
            write!(f, "-{last}")?;
        }
        match self.to_port {
            Some(port) => write!(f, " -> {}", SocketAddr::new(self.to, port)),
            None => write!(f, " -> {}", self.to),
        }
    }
}

/// A protocol that has ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP
    Tcp,
    /// UDP
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}
