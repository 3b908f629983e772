//! Which policy rules are this tunnel's. Ours is what we recorded, and what the kernel shows to belong to the link.

use std::collections::BTreeSet;

use crate::net::{FwMark, TableId};
use crate::state::{DeviceSettings, PolicyRule, Route, Selector};

/// Divides the host's policy rules into the tunnel's own and all others.
///
/// What is recorded is ours. So are, for wg-quick may have brought the link up, the rules that look into a table where it
/// has the default route, or whose number is its mark, each with the rule just before it that spares the main table's
/// routes; but none that another tunnel of wgq has recorded. (wg-quick: takes away every such rule on the host.)
///
/// A link with a record may be wg-quick's all the same: ours was lost, and not taken down. But where ours was no full
/// tunnel such rules are a hook's; and its mark tells nothing, since all full tunnels of wgq have one.
pub(crate) fn rules(
    all: &[PolicyRule],
    recorded: Option<&BTreeSet<PolicyRule>>,
    others: &BTreeSet<PolicyRule>,
    routes: &BTreeSet<Route>,
    settings: &DeviceSettings,
) -> (BTreeSet<PolicyRule>, Vec<PolicyRule>) {
    let tables = match recorded {
        Some(recorded) if recorded.is_empty() => BTreeSet::new(),
        Some(_) => default_route_tables(routes, None),
        None => default_route_tables(routes, settings.fwmark),
    };
    let full: Vec<&PolicyRule> = all
        .iter()
        .filter(|rule| matches!(rule.selector, Selector::NotFwMark(_)))
        .filter(|rule| tables.contains(&rule.table))
        .collect();
    let is_by_link = |rule: &PolicyRule| match rule.selector {
        Selector::NotFwMark(_) => full.contains(&rule),
        Selector::SuppressPrefixLength(0) => full
            .iter()
            .any(|full| full.family == rule.family && full.priority == rule.priority + 1),
        Selector::SuppressPrefixLength(_) | Selector::Foreign => false,
    };
    let is_ours = |rule: &PolicyRule| {
        recorded.is_some_and(|recorded| recorded.contains(rule))
            || is_by_link(rule) && !others.contains(rule)
    };
    let (ours, others): (Vec<_>, Vec<_>) = all.iter().copied().partition(is_ours);
    (ours.into_iter().collect(), others)
}

fn default_route_tables(routes: &BTreeSet<Route>, mark: Option<FwMark>) -> BTreeSet<TableId> {
    let own = routes
        .iter()
        .filter(|route| route.prefix.is_default())
        .map(|route| route.table);
    let mark = mark.map(|mark| TableId(mark.0));
    own.chain(mark)
        .filter(|table| !table.is_reserved())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Family;

    const MARK: FwMark = FwMark(51820);

    /// The two rules of a full tunnel, of which the latter has that priority.
    fn pair(priority: u32, table: u32) -> [PolicyRule; 2] {
        let rule = |priority, selector, table| PolicyRule {
            family: Family::V4,
            priority,
            selector,
            table,
        };
        let suppress = Selector::SuppressPrefixLength(0);
        [
            rule(priority - 1, suppress, TableId::MAIN),
            rule(priority, Selector::NotFwMark(MARK), TableId(table)),
        ]
    }

    /// Those of the rules that are ours, on a link with the mark and the default route in that table.
    fn ours(
        all: &[PolicyRule],
        recorded: Option<&[PolicyRule]>,
        others: &[PolicyRule],
        table: u32,
    ) -> BTreeSet<PolicyRule> {
        let set = |rules: &[PolicyRule]| rules.iter().copied().collect::<BTreeSet<_>>();
        let route = Route {
            prefix: "0.0.0.0/0".parse().unwrap(),
            table: TableId(table),
            metric: None,
        };
        let settings = DeviceSettings {
            fwmark: Some(MARK),
            ..DeviceSettings::default()
        };
        let recorded = recorded.map(set);
        let (others, routes) = (set(others), BTreeSet::from([route]));
        rules(all, recorded.as_ref(), &others, &routes, &settings).0
    }

    #[test]
    fn a_lost_tunnel_s_rules_and_those_of_what_wg_quick_put_in_its_place_are_ours() {
        let (lost, wg_quick) = (pair(32765, 51820), pair(32763, 51820));
        let all = [wg_quick, lost].concat();
        assert_eq!(ours(&all, Some(&lost), &[], 51820).len(), 4);
    }

    #[test]
    fn rules_that_a_hook_adds_to_what_is_no_full_tunnel_are_its_own() {
        assert!(ours(&pair(32765, 51820), Some(&[]), &[], 51820).is_empty());
    }

    #[test]
    fn another_full_tunnel_with_our_mark_is_not_ours() {
        let (own, other) = (pair(32763, 51821), pair(32765, 51820));
        let all = [own, other].concat();
        let only_own = BTreeSet::from(own);
        assert_eq!(ours(&all, Some(&own), &[], 51821), only_own); // wg-quick's
        assert_eq!(ours(&all, Some(&own), &other, 51821), only_own);
        assert_eq!(ours(&all, None, &other, 51821), only_own);
    }
}
