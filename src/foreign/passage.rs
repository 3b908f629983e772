//! Who else has packets passed on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Action, Hook, Rule, Table};

/// The rules of other programs that packets come by when they are passed on: how many there are in each chain.
///
/// The kernel does not say who needs forwarding. Docker, libvirt and their like turn it on when they start, and where it
/// is on already they leave no trace of that. But whoever passes packets on has rules that let them through, or that
/// masquerade them. So rules that were not there before are a sign of somebody who needs forwarding since; rules that were
/// there while it was off are none, and neither are those that stop packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage(BTreeMap<String, usize>);

impl Passage {
    /// Counts the rules in the tables, but those of tunnels.
    pub fn through(tables: &[Table]) -> Self {
        let chains = tables.iter().flat_map(chains);
        Self(chains.filter(|(_, count)| *count > 0).collect())
    }

    /// Counts in addition the rules by which chains have grown from one count to another.
    pub fn add_growth(&mut self, before: &Self, after: &Self) {
        for (chain, &count) in &after.0 {
            let of_before = before.0.get(chain).copied().unwrap_or(0);
            if count > of_before {
                *self.0.entry(chain.clone()).or_default() += count - of_before;
            }
        }
    }

    /// Whether a chain has more rules than it had.
    pub fn has_grown_since(&self, before: &Self) -> bool {
        let of_before = |chain: &String| before.0.get(chain).copied().unwrap_or(0);
        self.0
            .iter()
            .any(|(chain, &count)| count > of_before(chain))
    }
}

/// The chains of a table that such packets come to, each with the number of its rules.
fn chains(table: &Table) -> Vec<(String, usize)> {
    let base = |hook: Option<Hook>| matches!(hook, Some(Hook::Forward | Hook::SrcNat));
    let bases = table.chains.iter().filter(|chain| base(chain.hook));
    let mut open: Vec<&str> = bases.map(|chain| chain.name.as_str()).collect();
    let mut seen = BTreeSet::new();
    let mut counted = Vec::new();
    while let Some(name) = open.pop() {
        if let Some(chain) = table.chain(name)
            && seen.insert(name)
        {
            let passes = |rule: &&Rule| passes(rule) && !is_of_a_tunnel(rule);
            let rules = chain.rules.iter().filter(passes);
            counted.push((
                format!("{} {} {name}", table.family, table.name),
                rules.count(),
            ));
            open.extend(chain.rules.iter().filter_map(target));
        }
    }
    counted
}

fn target(rule: &Rule) -> Option<&str> {
    match &rule.action {
        Action::Jump(chain) | Action::Goto(chain) => Some(chain),
        Action::None | Action::Accept | Action::Drop | Action::Return => None,
    }
}

/// Whether it lets packets go on; what is not understood does, as it may masquerade them.
fn passes(rule: &Rule) -> bool {
    !matches!(rule.action, Action::Drop | Action::Return)
}

/// Whether it is an accept of wgq's; tunnels say themselves what they need.
fn is_of_a_tunnel(rule: &Rule) -> bool {
    let comment = rule.comment.as_deref();
    comment.is_some_and(|comment| comment.starts_with("wgq "))
}

#[cfg(test)]
mod tests {
    use super::super::TableFamily;
    use super::*;

    fn passage(filter: &str, nat: &str) -> Passage {
        let table = |name, rules| Table::of_legacy(TableFamily::Ip, name, rules);
        Passage::through(&[table("filter", filter), table("nat", nat)])
    }

    const UFW: &str = "-P INPUT DROP\n-P FORWARD DROP\n-N user-input\n-N user-forward\n-A INPUT -j user-input\n\
        -A FORWARD -j user-forward\n-A user-input -p tcp -j ACCEPT\n";
    const NAT: &str = "-P INPUT ACCEPT\n-P POSTROUTING ACCEPT\n";

    #[test]
    fn whoever_lets_packets_pass_or_masquerades_them_is_seen() {
        let before = passage(UFW, NAT);
        assert!(!before.has_grown_since(&before));
        for (filter, nat) in [
            ("-A FORWARD -i docker0 -j ACCEPT\n", ""),
            ("-A user-forward -i docker0 -j ACCEPT\n", ""),
            ("-N DOCKER\n-A FORWARD -j DOCKER\n", ""),
            ("", "-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE\n"),
        ] {
            let now = passage(&format!("{UFW}{filter}"), &format!("{NAT}{nat}"));
            assert!(now.has_grown_since(&before), "{filter}{nat}");
            assert!(!before.has_grown_since(&now), "{filter}{nat}");
        }
    }

    #[test]
    fn what_chains_have_grown_by_can_be_counted_in_addition() {
        let rule = "-A FORWARD -i wg0 -j ACCEPT\n";
        let docker = "-A FORWARD -i docker0 -j ACCEPT\n";
        let with = |filter: &str| passage(&format!("{UFW}{filter}"), NAT);
        let mut known = with("");
        known.add_growth(&with(docker), &with(&format!("{docker}{rule}")));
        assert_eq!(known, with(rule));
        known.add_growth(&with(docker), &with(""));
        assert_eq!(known, with(rule), "what went makes no room");
        assert!(with(&format!("{docker}{rule}")).has_grown_since(&known));
    }

    #[test]
    fn what_is_for_the_host_itself_and_what_tunnels_have_is_none_of_it() {
        let before = passage("", "");
        for (filter, nat) in [
            (
                "-P INPUT DROP\n-P FORWARD DROP\n-A INPUT -p tcp -j ACCEPT\n",
                NAT,
            ),
            (
                "-P INPUT DROP\n-N f2b\n-A INPUT -j f2b\n-A f2b -j DROP\n",
                "",
            ),
            (
                "-P FORWARD ACCEPT\n-A FORWARD -s 192.0.2.1 -j DROP\n-A FORWARD -o eth0 -j RETURN\n",
                "-P POSTROUTING ACCEPT\n-A POSTROUTING -d 224.0.0.0/4 -j RETURN\n",
            ),
            (
                "-P FORWARD DROP\n-A FORWARD -i wg0 -m comment --comment \"wgq wg0\" -j ACCEPT\n",
                "-P INPUT ACCEPT\n-A INPUT -j ACCEPT\n",
            ),
        ] {
            let now = passage(filter, nat);
            assert!(!now.has_grown_since(&before), "{filter}{nat}");
        }
    }
}
