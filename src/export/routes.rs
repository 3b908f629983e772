//! `ExcludeIPs` and `Metric`: routes in the place of those that wg-quick(8) makes.

use std::collections::BTreeSet;

use super::Mark;
use crate::config::{Config, Table};
use crate::desired::is_covered;
use crate::net::{Family, Prefix, carve};
use crate::state::State;

/// The commands that change the routes. With the interface all of them go, so there are none to undo it.
pub(super) fn changes(config: &Config, mark: Mark) -> Vec<String> {
    let interface = &config.interface;
    let holes = interface.firewall.exclude_ips.iter();
    let holes: BTreeSet<Prefix> = holes.map(|hole| hole.value).collect();
    let allowed = config.peers.iter().flat_map(|peer| &peer.allowed_ips);
    let allowed: BTreeSet<Prefix> = allowed.copied().collect();
    let changed = allowed.into_iter().filter_map(|prefix| {
        let table = table(config, prefix, mark)?;
        let left = carve(prefix, &holes);
        (left != [prefix] || interface.metric.is_some())
            .then(|| change(prefix, &left, &table, interface.metric))
    });
    changed.collect()
}

/// Where wg-quick makes the route, as an option of ip-route(8): nothing for the main table; none if it makes none.
fn table(config: &Config, prefix: Prefix, mark: Mark) -> Option<String> {
    match config.interface.table.value {
        Table::Off => None,
        Table::Id(table) => Some(format!(" table {table}")),
        Table::Auto if prefix.is_default() => Some(match mark {
            Mark::Fixed(mark) => format!(" table {}", mark.0),
            Mark::Chosen => " table $(wg show %i fwmark)".to_owned(),
        }),
        Table::Auto => {
            let addresses = config.interface.addresses.iter();
            let addresses: Vec<_> = addresses.map(|address| address.value).collect();
            (!is_covered(prefix, &addresses, &State::default())).then(String::new)
        }
    }
}

/// First what comes, then what goes, so that no packet finds nothing.
fn change(prefix: Prefix, left: &[Prefix], table: &str, metric: Option<u32>) -> String {
    let family = prefix.family();
    let ip = format!("ip {family} route");
    let made = match family {
        Family::V4 => "",
        Family::V6 => " metric 1024", // the kernel's choice, without which another one may be deleted
    };
    let delete = format!("{ip} del {prefix} dev %i{table}{made}");
    let metric = metric.map_or_else(String::new, |metric| format!(" metric {metric}"));
    let add = |prefix: &str| format!("{ip} add {prefix} dev %i{table}{metric}");
    let left: Vec<String> = left.iter().map(Prefix::to_string).collect();
    match left.as_slice() {
        [] => delete,
        [one] => format!("{}; {delete}", add(one)),
        all => format!(
            "for p in {}; do {}; done; {delete}",
            all.join(" "),
            add("$p")
        ),
    }
}
