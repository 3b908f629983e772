//! What the readers of values share: the host's names, the report, and who has which prefix.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};

use super::model::Peer;
use super::report::{Fault, Report};
use super::span::Fragment;
use crate::net::{Ifname, Prefix};

/// What names stand for on this host, for the values that may be names; each kind is read when a value is one.
#[derive(Debug, Default)]
pub struct Names {
    /// The interface's own, where it is known.
    pub ifname: Option<Ifname>,
    /// Routing tables, from `rt_tables`.
    pub tables: LazyCell<BTreeMap<String, u32>>,
    /// Ports of UDP services, from /etc/services.
    pub services: LazyCell<BTreeMap<String, u16>>,
}

impl Names {
    /// The number of a routing table; iproute2 knows three without a file.
    pub(super) fn table(&self, name: &str) -> Option<u32> {
        self.tables.get(name).copied().or(match name {
            "default" => Some(253),
            "main" => Some(254),
            "local" => Some(255),
            _ => None,
        })
    }
}

/// What the readers of values share.
pub(super) struct Reader<'a> {
    pub(super) names: &'a Names,
    pub(super) report: Report<'a>,
    /// The peer that is being read, by its number.
    pub(super) peer: usize,
    owners: HashMap<Prefix, Owner>,
    /// What later peers took from the one of that number.
    taken: Vec<(usize, Prefix)>,
}

/// The peer that has a prefix, by its number, and the line that says so.
struct Owner {
    peer: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, names: &'a Names) -> Self {
        Self {
            names,
            report: Report::new(text),
            peer: 0,
            owners: HashMap::new(),
            taken: Vec::new(),
        }
    }

    /// Gives a prefix to the peer that is being read, and takes it from whoever had it: as the kernel does.
    pub(super) fn claim(&mut self, prefix: Prefix, part: Fragment<'_>) {
        let (peer, line) = (self.peer, part.span().line);
        if let Some(other) = self.owners.insert(prefix, Owner { peer, line })
            && other.peer != peer
        {
            self.taken.push((other.peer, prefix));
            let told = format!("{prefix} is on line {} too, for another peer", other.line);
            let fault = Fault::new(part, told);
            self.report
                .warning(fault.hint("a prefix has one peer: the last that names it gets it"));
        }
    }

    /// Takes a prefix from the peer that is being read, if it is that one's.
    pub(super) fn release(&mut self, prefix: Prefix) {
        if self
            .owners
            .get(&prefix)
            .is_some_and(|owner| owner.peer == self.peer)
        {
            self.owners.remove(&prefix);
        }
    }

    /// Takes from each peer what a later one got. The report is what is left to look at.
    pub(super) fn settle(self, peers: &mut [Peer]) -> Report<'a> {
        for (number, prefix) in self.taken {
            if let Some(peer) = peers.get_mut(number) {
                peer.allowed_ips.remove(&prefix);
            }
        }
        self.report
    }
}
