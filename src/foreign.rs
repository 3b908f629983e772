//! Other programs' firewalls, as far as a tunnel has to do with them.
//!
//! An accept in an own table is not the last word: every base chain on a hook is asked, and any of them can drop. So where
//! one drops what the tunnel needs, an accept is put into that chain, or into the one that its firewall keeps for the user.
//!
//! So it is with firewalld too, as long as it lets others change its table. Through firewall-cmd(1) there is no way, short
//! of new zones and policies in its files and a reload that forgets what else was only set for now, to forward for an
//! interface without opening this host to it or leaving out interfaces of other zones.

use std::collections::BTreeSet;
use std::fmt;

use crate::net::{Family, Ifname};

mod accept;
mod connection;
mod display;
mod iptables;
mod passage;
mod walk;

pub use accept::{Accept, Packets, Place, Tool, comment, found, needed};
pub use connection::{Connections, Tracked};
pub use passage::Passage;

/// `IPPROTO_UDP`
pub const UDP: u8 = 17;

/// The packets that a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableFamily {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// Both.
    Inet,
}

impl TableFamily {
    /// Whether packets of this family are asked about there.
    pub fn has(self, family: Family) -> bool {
        match self {
            Self::Ip => family == Family::V4,
            Self::Ip6 => family == Family::V6,
            Self::Inet => true,
        }
    }
}

impl fmt::Display for TableFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Inet => "inet",
        })
    }
}

/// Who can change a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, by `nf_tables`.
    Open,
    /// Only the running program that made it (`flags owner`), as newer firewalld does unless told otherwise.
    Owned,
    /// Only iptables-legacy(8): it is not of `nf_tables`.
    Legacy,
}

/// A table of another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The packets it is for.
    pub family: TableFamily,
    /// Its name.
    pub name: String,
    /// Who can change it.
    pub access: Access,
    /// Its chains.
    pub chains: Vec<Chain>,
}

/// Where in the kernel base chains of interest are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Packets for this host.
    Input,
    /// Packets that pass through.
    Forward,
    /// Packets about to leave, where their source may change.
    SrcNat,
}

/// A chain of rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where it is hooked in, if it is one of the base chains that matter.
    pub hook: Option<Hook>,
    /// Whether a base chain drops what no rule decides on.
    pub drops: bool,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// A rule: what it does to packets that meet all of its conditions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// What it asks.
    pub conditions: Vec<Condition>,
    /// What it does.
    pub action: Action,
    /// What was written beside it.
    pub comment: Option<String>,
}

/// What a rule asks of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The interface by which it came, or leaves.
    Interface {
        /// Whether it is the one by which it came.
        incoming: bool,
        /// The name, or its beginning.
        name: String,
        /// Whether it is but the beginning.
        is_prefix: bool,
        /// Whether it is to be another one.
        negated: bool,
    },
    /// Its transport protocol (`IPPROTO_*`).
    Protocol(u8),
    /// Its destination port.
    Port(u16),
    /// What connection tracking knows of it: any of these.
    Tracked(BTreeSet<Tracked>),
    /// Something else, which it may have or not.
    Unknown,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Action {
    /// Nothing that decides: it counts, logs or marks.
    #[default]
    None,
    /// Ends the base chain; the next one of the hook is asked.
    Accept,
    /// Drops or rejects.
    Drop,
    /// Goes back to the rule that jumped here, or to the policy.
    Return,
    /// Goes through a chain, and comes back unless that decides.
    Jump(String),
    /// Goes on in a chain, and does not come back.
    Goto(String),
}

impl Table {
    /// Whether this is what iptables(8) makes, and shows.
    fn is_iptables(&self) -> bool {
        let known = |chain: &Chain| matches!(chain.name.as_str(), "FORWARD" | "INPUT");
        self.family != TableFamily::Inet
            && self.name == "filter"
            && self
                .chains
                .iter()
                .any(|chain| known(chain) && chain.hook.is_some())
    }

    fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }
}

impl Rule {
    /// Whether it is one that a tunnel has put there.
    pub fn is_of(&self, ifname: Ifname) -> bool {
        self.comment.as_deref() == Some(comment(ifname).as_str())
    }
}
