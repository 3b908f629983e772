//! What `migrate` asks about this host: its interfaces, its default routes, and what installers left.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::migrate::{Here, INSTALLERS};

/// Looks around; what cannot be read is not there.
pub fn here() -> Here {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let mut default_routes = ipv4_defaults(&text("/proc/net/route"));
    default_routes.extend(ipv6_defaults(&text("/proc/net/ipv6_route")));
    Here {
        interfaces: interfaces(&text("/proc/net/dev")),
        default_routes,
        leftovers: leftovers(),
    }
}

fn leftovers() -> BTreeSet<&'static str> {
    let all = INSTALLERS.iter().flat_map(|installer| installer.leftovers);
    let found = all.filter(|left| {
        let text = fs::read_to_string(left.path);
        text.is_ok_and(|text| text.contains(left.contains))
    });
    found.map(|left| left.path).collect()
}

/// The names in /proc/net/dev, which are those of this network namespace whatever is mounted on /sys: two lines of
/// headings, then lines of `NAME: NUMBERS`.
fn interfaces(text: &str) -> BTreeSet<String> {
    let lines = text.lines().skip(2);
    let names = lines.filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

/// The default routes of `/proc/net/route` (`proc_net(5)`): hexadecimal numbers in the order of the host's bytes.
fn ipv4_defaults(text: &str) -> Vec<(String, Option<IpAddr>)> {
    let route = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let [name, "00000000", gateway, _, _, _, _, "00000000", ..] = columns.as_slice() else {
            return None;
        };
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        let gateway = Ipv4Addr::from(gateway.to_ne_bytes());
        Some(((*name).to_owned(), named(gateway.into())))
    };
    text.lines().filter_map(route).collect()
}

/// The default routes of `/proc/net/ipv6_route`: the kernel's own, which refuse packets, are by lo.
fn ipv6_defaults(text: &str) -> Vec<(String, Option<IpAddr>)> {
    let route = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (destination, length) = (columns.first()?, columns.get(1)?);
        let (gateway, name) = (columns.get(4)?, columns.last()?);
        let is_default = destination.bytes().all(|byte| byte == b'0') && *length == "00";
        let gateway = u128::from_str_radix(gateway, 16).ok()?;
        (is_default && *name != "lo")
            .then(|| ((*name).to_owned(), named(Ipv6Addr::from(gateway).into())))
    };
    text.lines().filter_map(route).collect()
}

fn named(gateway: IpAddr) -> Option<IpAddr> {
    Some(gateway).filter(|gateway| !gateway.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_the_names_of_their_counters() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 1 2\nenx001122:3 4\n";
        let names = ["enx001122".to_owned(), "lo".to_owned()];
        assert_eq!(interfaces(text), BTreeSet::from(names));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn default_routes_have_an_interface_and_mostly_a_gateway() {
        let text = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                    ens3\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                    ppp0\t00000000\t00000000\t0001\t0\t0\t200\t00000000\t0\t0\t0\n\
                    ens3\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
        let gateway = Some([10, 0, 0, 1].into());
        assert_eq!(
            ipv4_defaults(text),
            [("ens3".to_owned(), gateway), ("ppp0".to_owned(), None)]
        );
        let none = "00000000000000000000000000000000";
        let text = format!(
            "{none} 00 {none} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 ens3\n\
             {none} 00 {none} 00 {none} ffffffff 00000001 00000000 00200200 lo\n"
        );
        let gateway = "fe80::1".parse().ok();
        assert_eq!(ipv6_defaults(&text), [("ens3".to_owned(), gateway)]);
    }
}
