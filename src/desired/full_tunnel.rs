//! The full tunnel: all packets of a family but WireGuard's own take the tunnel's table, by mark and policy rule.

use std::collections::BTreeSet;

use super::explicit_mark;
use crate::config::Config;
use crate::net::{Address, Family, FwMark, Ifname, Prefix, TableId};
use crate::nft::NftTable;
use crate::state::{PolicyRule, Selector, State, Sysctl};
use crate::surroundings::Surroundings;

/// The table of the first full tunnel, and its mark: wg-quick's choice.
const FIRST_TABLE: u32 = 51820;

/// The priority of the first tunnel's last rule: just before the kernel's own rule for the main table, 32766.
const LAST_PRIORITY: u32 = 32765;

/// How a full tunnel is told from its own packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FullTunnel {
    /// The mark of the encrypted packets, which do not go into the tunnel.
    pub(super) fwmark: FwMark,
    /// Where all others find their route.
    pub(super) table: TableId,
    families: Vec<Family>,
    /// That of the rule with the mark; the other one has one less.
    priority: u32,
}

impl FullTunnel {
    /// Returns how to make these a full tunnel; none if no family is sent there as a whole.
    ///
    /// A mark in the file is the table's number too, as with wg-quick, and so is one that a hook has set. Without one a tunnel
    /// that runs keeps its own; else the table is the first free one from 51820 on, and the mark is that number, or the
    /// mark of the full tunnel that is there already: with one mark for all, no tunnel sends another's packets into
    /// itself. (wg-quick: each has its own, and two tunnels feed each other.)
    pub(super) fn of(
        allowed_ips: &BTreeSet<Prefix>,
        config: &Config,
        kept: &State,
        surroundings: &Surroundings,
    ) -> Option<Self> {
        let defaults = allowed_ips.iter().filter(|prefix| prefix.is_default());
        let families: Vec<Family> = defaults.map(|prefix| prefix.family()).collect();
        if families.is_empty() {
            return None;
        }
        let with_own_table = |mark: FwMark| (mark, TableId(mark.0));
        let running = || own_pair(kept).map(|(mark, rule)| (mark, rule.table));
        let is_off = config.interface.fwmark.is_some();
        let set = kept.device.settings.fwmark;
        let set = set.filter(|mark| mark.0 != 0 && !is_off);
        let (fwmark, table) = explicit_mark(config)
            .map(with_own_table)
            .or_else(running)
            .or(set.map(with_own_table))
            .unwrap_or_else(|| {
                let table = surroundings.free_table;
                let shared = marks(&surroundings.rules).next();
                (shared.unwrap_or(FwMark(table.0)), table)
            });
        let priority = priority(table, kept, surroundings);
        Some(Self {
            fwmark,
            table,
            families,
            priority,
        })
    }

    /// Adds what the tunnel needs beside its routes: rules, the table against spoofed packets, the variable.
    pub(super) fn require(&self, ifname: Ifname, addresses: &[Address], state: &mut State) {
        for &family in &self.families {
            state.rules.insert(PolicyRule {
                family,
                priority: self.priority - 1,
                selector: Selector::SuppressPrefixLength(0),
                table: TableId::MAIN,
            });
            state.rules.insert(PolicyRule {
                family,
                priority: self.priority,
                selector: Selector::NotFwMark(self.fwmark),
                table: self.table,
            });
        }
        let guarded: Vec<Address> = addresses
            .iter()
            .copied()
            .filter(|address| self.families.contains(&address.family()))
            .collect();
        state.nft = Some(NftTable::full_tunnel(ifname, self.fwmark, &guarded));
        if self.families.contains(&Family::V4) {
            state.sysctls.insert(Sysctl::SRC_VALID_MARK, "1".to_owned());
        }
    }

    /// Returns a warning if another full tunnel of the same family has another mark: each would carry the other's packets.
    pub(super) fn conflict(&self, surroundings: &Surroundings) -> Option<String> {
        let others = surroundings
            .rules
            .iter()
            .filter(|rule| self.families.contains(&rule.family));
        let other = marks(others).find(|&mark| mark != self.fwmark)?;
        Some(format!(
            "another full tunnel marks its packets {other} and this one {}: each would carry the other's packets; \
             remove FwMark, or give both the same",
            self.fwmark
        ))
    }
}

/// The marks of the full tunnels among the rules, the one that is asked first first.
fn marks<'a>(rules: impl IntoIterator<Item = &'a PolicyRule>) -> impl Iterator<Item = FwMark> {
    let mut rules: Vec<&PolicyRule> = rules.into_iter().collect();
    rules.sort_by_key(|rule| rule.priority);
    rules.into_iter().filter_map(|rule| match rule.selector {
        Selector::NotFwMark(mark) => Some(mark),
        Selector::SuppressPrefixLength(_) | Selector::Foreign => None,
    })
}

/// Returns the rule by which a full tunnel runs, with its mark.
fn own_pair(kept: &State) -> Option<(FwMark, &PolicyRule)> {
    kept.rules.iter().find_map(|rule| match rule.selector {
        Selector::NotFwMark(mark) => Some((mark, rule)),
        Selector::SuppressPrefixLength(_) | Selector::Foreign => None,
    })
}

/// Returns the priority that this tunnel has, or else the next pair before all other full tunnels: the newest one counts.
fn priority(table: TableId, kept: &State, surroundings: &Surroundings) -> u32 {
    let own = kept
        .rules
        .iter()
        .find(|rule| rule.table == table && matches!(rule.selector, Selector::NotFwMark(_)));
    if let Some(rule) = own {
        return rule.priority;
    }
    let taken: BTreeSet<u32> = surroundings
        .rules
        .iter()
        .map(|rule| rule.priority)
        .collect();
    let full = surroundings
        .rules
        .iter()
        .filter(|r| matches!(r.selector, Selector::NotFwMark(_)));
    let before = full
        .map(|rule| rule.priority)
        .min()
        .unwrap_or(LAST_PRIORITY + 1);
    (2..before.min(LAST_PRIORITY + 1))
        .rev()
        .find(|priority| !taken.contains(priority) && !taken.contains(&(priority - 1)))
        .unwrap_or(LAST_PRIORITY)
}

/// Returns the first table from 51820 on that no rule looks into and that is empty, as `is_empty` finds.
pub fn free_table<E>(
    rules: &[PolicyRule],
    mut is_empty: impl FnMut(TableId) -> Result<bool, E>,
) -> Result<TableId, E> {
    let mut table = TableId(FIRST_TABLE);
    while rules.iter().any(|rule| rule.table == table) || !is_empty(table)? {
        table = TableId(table.0 + 1);
    }
    Ok(table)
}
