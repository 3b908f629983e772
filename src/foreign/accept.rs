//! The accepts of a tunnel in other programs' firewalls: which there are, and which are needed.

use std::collections::BTreeSet;

use super::connection::Connections;
use super::display::out_of_reach;
use super::walk::Drops;
use super::{Access, Action, Chain, Condition, Hook, Rule, Table, TableFamily, UDP};
use crate::net::{Family, Ifname};

/// A rule of a tunnel in another program's chain, which it is known by: its comment is `wgq IFNAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Accept {
    /// The packets that the table is for.
    pub family: TableFamily,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// What is accepted.
    pub packets: Packets,
    /// The tunnel that needs it.
    pub ifname: Ifname,
    /// Where in the chain.
    pub place: Place,
    /// Whose table it is.
    pub tool: Tool,
}

/// Packets that a tunnel needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Packets {
    /// Those of these connections that came in by it, to be forwarded.
    From(Connections),
    /// Those of these connections that are forwarded into it.
    To(Connections),
    /// WireGuard's own, by their UDP port.
    Port(u16),
}

/// A place in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// That of the rule which has this number, from 1; it and all after it move on.
    Before(usize),
    /// After all others.
    End,
}

/// The program that a chain is looked at with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// iptables(8) and ip6tables(8)
    Iptables,
    /// nft(8)
    Nft,
}

/// Returns the comment by which the rules of a tunnel are known.
pub fn comment(ifname: Ifname) -> String {
    format!("wgq {ifname}")
}

impl Packets {
    fn hook(self) -> Hook {
        match self {
            Self::From(_) | Self::To(_) => Hook::Forward,
            Self::Port(_) => Hook::Input,
        }
    }

    /// Returns what a rule accepts, if it is one that wgq makes for this interface.
    pub fn accepted_by(rule: &Rule, ifname: Ifname) -> Option<Self> {
        match (rule.conditions.as_slice(), &rule.action) {
            ([Condition::Protocol(UDP), Condition::Port(port)], Action::Accept) => {
                Some(Self::Port(*port))
            }
            ([way], Action::Accept) => Self::of_way(way, ifname, Connections::Any),
            ([way, Condition::Tracked(tracked)], Action::Accept) => {
                Self::of_way(way, ifname, Connections::of(tracked)?)
            }
            _ => None,
        }
    }

    /// The packets of the connections that come in or leave as the condition has it, if that is by this interface.
    fn of_way(way: &Condition, ifname: Ifname, connections: Connections) -> Option<Self> {
        let Condition::Interface {
            incoming,
            name,
            is_prefix: false,
            negated: false,
        } = way
        else {
            return None;
        };
        (name == ifname.as_str()).then_some(if *incoming {
            Self::From(connections)
        } else {
            Self::To(connections)
        })
    }
}

impl Accept {
    /// Whether both are the same rule; it may have moved in its chain.
    fn is_like(&self, other: &Self) -> bool {
        let place = other.place;
        Self {
            place,
            ..self.clone()
        } == *other
    }

    /// The accept, once these are added; the places of all are those in the chain as it was.
    fn after(&self, added: &[Self]) -> Self {
        let is_before = |it: &&Self| {
            (it.family, &it.table, &it.chain) == (self.family, &self.table, &self.chain)
                && it.place <= self.place
        };
        Self {
            place: match self.place {
                Place::Before(number) => {
                    Place::Before(number + added.iter().filter(is_before).count())
                }
                Place::End => Place::End,
            },
            ..self.clone()
        }
    }
}

/// Returns the accepts of a tunnel that are there.
pub fn found(ifname: Ifname, tables: &[Table]) -> BTreeSet<Accept> {
    let mut accepts: Vec<Accept> = Vec::new();
    for table in tables.iter().filter(|table| table.access == Access::Open) {
        for chain in &table.chains {
            for (rule, number) in chain.rules.iter().zip(1..) {
                let packets = Packets::accepted_by(rule, ifname).filter(|_| rule.is_of(ifname));
                let place = Place::Before(number);
                let found = packets.map(|packets| accept(ifname, table, chain, packets, place));
                // two alike are one, and removed as one
                accepts.extend(found.filter(|found| !accepts.iter().any(|it| it.is_like(found))));
            }
        }
    }
    accepts.into_iter().collect()
}

fn accept(ifname: Ifname, table: &Table, chain: &Chain, packets: Packets, place: Place) -> Accept {
    Accept {
        family: table.family,
        table: table.name.clone(),
        chain: chain.name.clone(),
        packets,
        ifname,
        place,
        tool: if table.is_iptables() {
            Tool::Iptables
        } else {
            Tool::Nft
        },
    }
}

/// Returns the accepts without which a firewall drops `packets` of one of the families, and sentences on the firewalls that
/// drop them and that wgq cannot change. Those of `now` that are needed stay where they are.
pub fn needed(
    ifname: Ifname,
    packets: &BTreeSet<Packets>,
    families: &[Family],
    tables: &[Table],
    now: &BTreeSet<Accept>,
) -> (BTreeSet<Accept>, Vec<String>) {
    let mut accepts = BTreeSet::new();
    let mut added = Vec::new();
    let mut warnings = Vec::new();
    let is_used = |table: &&Table| families.iter().any(|&family| table.family.has(family));
    for table in tables.iter().filter(is_used) {
        for base in &table.chains {
            let asked = packets.iter().filter(|it| base.hook == Some(it.hook()));
            let dropped = asked.filter_map(|&it| Some((it, Drops::of(table, base, it, ifname)?)));
            let dropped: Vec<(Packets, Drops<'_>)> = dropped.collect();
            if table.access == Access::Open {
                for (packets, drops) in dropped {
                    let needed = accept(ifname, table, drops.chain, packets, drops.place);
                    if let Some(there) = now.iter().find(|it| it.is_like(&needed)) {
                        accepts.insert(there.clone());
                    } else if !added.iter().any(|it: &Accept| it.is_like(&needed)) {
                        accepts.insert(needed.after(&added));
                        added.push(needed);
                    }
                }
            } else if !dropped.is_empty() {
                let dropped: Vec<_> = dropped
                    .iter()
                    .map(|(it, drops)| (*it, drops.chain))
                    .collect();
                warnings.push(out_of_reach(ifname, table, base, &dropped));
            }
        }
    }
    (accepts, warnings)
}
