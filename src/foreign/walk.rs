//! What becomes of a packet in another program's chains, as far as its rules can be read.

use std::collections::BTreeSet;

use super::{Action, Chain, Condition, Connections, Packets, Place, Rule, Table, Tracked, UDP};
use crate::net::Ifname;

/// The chains that firewalls keep for the user's rules, and leave alone: Docker's and ufw's. One of them is the place for an
/// accept if packets get there.
const USERS: [&str; 5] = [
    "DOCKER-USER",
    "ufw-user-forward",
    "ufw6-user-forward",
    "ufw-user-input",
    "ufw6-user-input",
];

/// How deep chains can jump (`NFT_JUMP_STACK_SIZE`).
const DEPTH: usize = 16;

/// That a base chain drops packets, and where an accept helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drops<'a> {
    /// The chain in which to accept.
    pub(super) chain: &'a Chain,
    /// Where in it.
    pub(super) place: Place,
}

impl<'a> Drops<'a> {
    /// Finds out whether a base chain of the table drops the packets; the tunnel's own accepts do not count.
    pub(super) fn of(
        table: &'a Table,
        base: &'a Chain,
        packets: Packets,
        ifname: Ifname,
    ) -> Option<Self> {
        let mut walk = Walk {
            table,
            packets,
            ifname,
            passed: Vec::new(),
        };
        let drops = match walk.end(base, 0) {
            End::Accept => false,
            End::Drop => true,
            End::Return => base.drops,
        };
        if !drops {
            return None;
        }
        let passed = std::mem::take(&mut walk.passed);
        let of_user = USERS
            .iter()
            .find_map(|name| passed.iter().copied().find(|chain| chain.name == *name));
        let chain = of_user.unwrap_or(base);
        Some(Self {
            chain,
            place: walk.place(chain),
        })
    }
}

/// How a chain ends for a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Accept,
    Drop,
    /// It decides nothing, or nobody can say.
    Return,
}

/// Whether a rule is for a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meets {
    No,
    Perhaps,
    Yes,
}

/// Whether all packets of these connections have any of what is asked; that none has is not looked for.
fn meet(connections: Connections, asked: &BTreeSet<Tracked>) -> Meets {
    let is = match connections {
        Connections::Any => false,
        // each of these packets has one of the two
        Connections::Established => asked.is_superset(&connections.tracked()),
        Connections::Dnat => asked.contains(&Tracked::Dnat),
    };
    if is { Meets::Yes } else { Meets::Perhaps }
}

struct Walk<'a> {
    table: &'a Table,
    packets: Packets,
    ifname: Ifname,
    /// The chains through which the packets surely go.
    passed: Vec<&'a Chain>,
}

impl<'a> Walk<'a> {
    /// Follows the rules that are surely for the packets. Of the others only a return counts: after one, what comes later
    /// in the chain is no longer sure.
    fn end(&mut self, chain: &'a Chain, depth: usize) -> End {
        let mut is_sure = true;
        let ifname = self.ifname;
        for rule in chain.rules.iter().filter(|rule| !rule.is_of(ifname)) {
            match self.meets(rule) {
                Meets::No => {}
                Meets::Perhaps => is_sure &= rule.action != Action::Return || chain.hook.is_some(),
                Meets::Yes => {
                    let end = self.follow(rule, depth);
                    let goes_on = matches!(rule.action, Action::None | Action::Jump(_));
                    if end != End::Return || !goes_on {
                        return if is_sure { end } else { End::Return };
                    }
                }
            }
        }
        End::Return
    }

    fn follow(&mut self, rule: &Rule, depth: usize) -> End {
        match &rule.action {
            Action::Accept => End::Accept,
            Action::Drop => End::Drop,
            Action::None | Action::Return => End::Return,
            Action::Jump(name) | Action::Goto(name) => match self.table.chain(name) {
                Some(chain) if depth < DEPTH => {
                    self.passed.push(chain);
                    self.end(chain, depth + 1)
                }
                _ => End::Return,
            },
        }
    }

    fn meets(&self, rule: &Rule) -> Meets {
        let all = rule.conditions.iter().map(|it| self.meets_one(it));
        all.min().unwrap_or(Meets::Yes)
    }

    fn meets_one(&self, condition: &Condition) -> Meets {
        let known = |is: bool| if is { Meets::Yes } else { Meets::No };
        match (condition, self.packets) {
            (
                Condition::Interface {
                    incoming,
                    name,
                    is_prefix,
                    negated,
                },
                Packets::From(_) | Packets::To(_),
            ) if *incoming == matches!(self.packets, Packets::From(_)) => {
                let own = self.ifname.as_str();
                let is = own == name || *is_prefix && own.starts_with(name);
                known(is != *negated)
            }
            (Condition::Protocol(protocol), Packets::Port(_)) => known(*protocol == UDP),
            (Condition::Port(asked), Packets::Port(port)) => known(*asked == port),
            (Condition::Tracked(asked), Packets::From(of) | Packets::To(of)) => meet(of, asked),
            _ => Meets::Perhaps,
        }
    }

    /// Finds the place in a chain after all that the user lets decide: before what comes last for every packet, as a rule
    /// that logs and one that drops do.
    fn place(&mut self, chain: &'a Chain) -> Place {
        let last = chain.rules.iter().rev();
        let closing = last
            .take_while(|rule| match self.meets(rule) {
                Meets::No => true,
                Meets::Perhaps => false,
                Meets::Yes => {
                    !matches!(rule.action, Action::Jump(_)) || self.follow(rule, 0) == End::Drop
                }
            })
            .count();
        if closing == 0 {
            Place::End
        } else {
            Place::Before(chain.rules.len() - closing + 1)
        }
    }
}
