//! Which policy rules are this tunnel's. Ours is what we recorded, or what the kernel shows to belong to the link.

use std::collections::BTreeSet;

use crate::net::TableId;
use crate::state::{DeviceSettings, PolicyRule, Route, Selector};

/// Divides the host's policy rules into the tunnel's own and all others.
///
/// With a record, its rules are ours. Without one, as after `wg-quick up`, those are that look into a table where our link
/// has the default route, or whose number is our device's mark, each with the rule just before it that spares the main
/// table's routes; but none that another tunnel of wgq has recorded. (wg-quick: takes away every such rule on the host.)
pub(crate) fn rules(
    all: &[PolicyRule],
    recorded: Option<&BTreeSet<PolicyRule>>,
    others: &BTreeSet<PolicyRule>,
    routes: &BTreeSet<Route>,
    settings: &DeviceSettings,
) -> (BTreeSet<PolicyRule>, Vec<PolicyRule>) {
    let tables = default_route_tables(routes, settings);
    let full: Vec<&PolicyRule> = all
        .iter()
        .filter(|rule| matches!(rule.selector, Selector::NotFwMark(_)))
        .filter(|rule| tables.contains(&rule.table))
        .collect();
    let is_ours = |rule: &PolicyRule| match (recorded, rule.selector) {
        (Some(recorded), _) => recorded.contains(rule),
        (None, _) if others.contains(rule) => false,
        (None, Selector::NotFwMark(_)) => full.contains(&rule),
        (None, Selector::SuppressPrefixLength(0)) => full
            .iter()
            .any(|full| full.family == rule.family && full.priority == rule.priority + 1),
        (None, Selector::SuppressPrefixLength(_) | Selector::Foreign) => false,
    };
    let (ours, others): (Vec<_>, Vec<_>) = all.iter().copied().partition(is_ours);
    (ours.into_iter().collect(), others)
}

fn default_route_tables(routes: &BTreeSet<Route>, settings: &DeviceSettings) -> BTreeSet<TableId> {
    let own = routes
        .iter()
        .filter(|route| route.prefix.is_default())
        .map(|route| route.table);
    let mark = settings.fwmark.map(|mark| TableId(mark.0));
    own.chain(mark)
        .filter(|table| !table.is_reserved())
        .collect()
}
