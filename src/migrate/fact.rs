//! What a command of a hook does to the host, in types.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::passage::Passage;
use super::shell::Why;
use crate::config::Protocol;
use crate::net::{Family, Prefix};

/// What a command does with a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Makes it so, after what is there of its kind.
    Append,
    /// Makes it so, before what is there of its kind.
    Insert,
    /// Undoes it.
    Delete,
    /// Looks whether it is so.
    Check,
}

/// What one command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) sign: Sign,
    pub(super) fact: Fact,
}

/// Something that is so on a host, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    /// A rule of iptables or nftables.
    Rule(Box<Rule>),
    /// A table of nftables, with its chains and all that is in them.
    Table(Table),
    /// A kernel variable, with dots in its name. Setting it to anything undoes another value.
    Sysctl { name: String, value: String },
    /// A route.
    Route(Route),
    /// A policy rule: where packets to or from somewhere are looked up in the main table.
    LookupMain { from: bool, prefix: Prefix },
    /// The UDP port is open, by the words of that firewall.
    OpenPort { firewall: &'static str, port: u16 },
    /// What comes from the tunnel, or goes there, is let pass.
    Forward {
        firewall: &'static str,
        passages: Vec<Passage>,
    },
    /// What comes from the prefix, or from anywhere, is masqueraded.
    Masquerade {
        firewall: &'static str,
        from: Option<Prefix>,
    },
    /// The servers of the tunnel.
    DnsServers(Vec<IpAddr>),
    /// The domains of the tunnel; `~.` is all names.
    DnsDomains(Vec<String>),
    /// Nothing is resolved by the tunnel any more; never appended.
    Dns,
    /// The interface has its key from this file.
    PrivateKeyFile(PathBuf),
}

/// A route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) prefix: Prefix,
    pub(super) via: Option<IpAddr>,
    pub(super) dev: Option<Interface>,
}

/// A table of nftables, by its family (`ip`, `inet` ...) and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) family: String,
    pub(super) name: String,
}

/// A rule of a packet filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) chain: Chain,
    pub(super) matches: Matches,
    pub(super) target: Target,
}

/// A chain, by what iptables calls it: `filter`, `FORWARD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) family: Family,
    pub(super) table: String,
    pub(super) name: String,
    /// The table of nftables that it is in, if it is in one.
    pub(super) nft: Option<Table>,
    /// Hooks made it, so that it drops nothing that an accept in it could save.
    pub(super) own: bool,
}

/// For which packets a rule is; nothing is for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own"
)]
pub(super) struct Matches {
    pub(super) input: Option<Is<Interface>>,
    pub(super) output: Option<Is<Interface>>,
    pub(super) source: Option<Is<Prefix>>,
    pub(super) destination: Option<Is<Prefix>>,
    pub(super) protocol: Option<Protocol>,
    pub(super) ports: Vec<RangeInclusive<u16>>,
    /// Only packets of connections that are known already.
    pub(super) established: bool,
    /// Only the first packets of TCP connections.
    pub(super) syn: bool,
    /// Not those that WireGuard itself sends.
    pub(super) not_own: bool,
    /// Not those for this host itself.
    pub(super) not_local: bool,
    /// What else is asked; not understood.
    pub(super) other: Option<Why>,
}

/// A value that packets have, or must not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Is<T> {
    pub(super) not: bool,
    pub(super) value: T,
}

/// An interface that a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interface {
    /// The tunnel itself, by its name or a pattern that it matches.
    Tunnel,
    /// Another.
    Named(String),
    /// Others that begin so.
    Pattern(String),
}

/// What becomes of the packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Accept,
    /// Dropped, in silence or not.
    Drop,
    Masquerade,
    /// Sent to another address, and port if given.
    Dnat(IpAddr, Option<RangeInclusive<u16>>),
    /// The TCP MSS is fitted to the path.
    ClampMss,
    /// Something else; not understood.
    Other(Why),
}

impl Fact {
    /// The rule, if it is one.
    pub(super) fn rule(&self) -> Option<&Rule> {
        if let Self::Rule(rule) = self {
            Some(rule)
        } else {
            None
        }
    }

    /// Whether a command about this fact undoes, or does again, what one about the other did.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sysctl { name: a, .. }, Self::Sysctl { name: b, .. }) => a == b,
            (Self::Dns, Self::DnsServers(_) | Self::DnsDomains(_))
            | (Self::DnsServers(_) | Self::DnsDomains(_), Self::Dns) => true,
            // whoever deletes a route need not say by what way it goes
            (Self::Route(a), Self::Route(b)) => {
                let agree = a.via.is_none() || b.via.is_none() || a.via == b.via;
                a.prefix == b.prefix && agree
            }
            _ => self == other,
        }
    }
}

impl Rule {
    /// Whether forwarded packets are let pass or dropped by it: `FORWARD`, or a chain that Docker or ufw keep for such rules.
    pub(super) fn is_of_forwarded(&self) -> bool {
        const CHAINS: [&str; 6] = [
            "FORWARD",
            "DOCKER-USER",
            "ufw-user-forward",
            "ufw-before-forward",
            "ufw6-user-forward",
            "ufw6-before-forward",
        ];
        self.chain.table == "filter" && CHAINS.contains(&self.chain.name.as_str())
    }

    /// Whether it depends on the rules around it: all but those that let packets pass a filter do.
    pub(super) fn needs_its_place(&self) -> bool {
        self.target != Target::Accept || self.chain.table != "filter"
    }
}

impl<T> Is<T> {
    pub(super) fn only(value: T) -> Self {
        Self { not: false, value }
    }
}

impl Interface {
    /// The interface of that name, for a tunnel of the other; `wg+` and `wg*` are patterns.
    pub(super) fn of(name: &str, tunnel: &str) -> Self {
        let pattern = name.strip_suffix(['+', '*']);
        if name == tunnel || pattern.is_some_and(|begin| tunnel.starts_with(begin)) {
            Self::Tunnel
        } else if let Some(begin) = pattern {
            Self::Pattern(begin.to_owned())
        } else {
            Self::Named(name.to_owned())
        }
    }
}
