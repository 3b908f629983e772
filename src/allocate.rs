//! Addresses for new peers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::net::{Address, Family, Prefix};

/// Returns the lowest address of an interface's network that nobody has: neither the interface nor any of `taken`.
///
/// What is taken as a whole with the network or more, as by `0.0.0.0/0`, does not count. Of an IPv4 network the first and the
/// last address are nobody's (RFC 1122), unless there are but two (RFC 3021); of an IPv6 one the first is every router's
/// (RFC 4291, 2.6.1), unless there are but two (RFC 6164).
pub fn lowest_free(own: Address, taken: impl IntoIterator<Item = Prefix>) -> Option<IpAddr> {
    let network = own.prefix();
    let (first, last) = hosts(network);
    let is_inside = |prefix: &Prefix| network != *prefix && network.contains(*prefix);
    let own = Address::from(own.ip()).prefix();
    let mut taken: Vec<_> = taken.into_iter().filter(is_inside).map(range).collect();
    taken.push(range(own));
    taken.sort_unstable();

    let mut free = first;
    for (start, end) in taken {
        if start > free {
            break;
        }
        free = free.max(end.checked_add(1)?);
    }
    (free <= last).then(|| ip(network.family(), free))
}

/// The first and the last address that a host may have.
fn hosts(network: Prefix) -> (u128, u128) {
    let (first, last) = range(network);
    match (network.family(), last - first) {
        (_, ..2) => (first, last),
        (Family::V4, _) => (first + 1, last - 1),
        (Family::V6, _) => (first + 1, last),
    }
}

/// The first and the last address of a network.
fn range(network: Prefix) -> (u128, u128) {
    let first = match network.ip() {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let host_bits = network.family().bits() - network.prefix_len();
    let hosts = u128::MAX.checked_shr(128 - u32::from(host_bits));
    (first, first | hosts.unwrap_or_default())
}

fn ip(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from_bits(u32::try_from(number).unwrap_or_default()).into(),
        Family::V6 => Ipv6Addr::from_bits(number).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn free(own: &str, taken: &[&str]) -> Option<String> {
        let taken = taken.iter().map(|prefix| prefix.parse().unwrap());
        lowest_free(own.parse().unwrap(), taken).map(|ip| ip.to_string())
    }

    #[test]
    fn the_lowest_hole_is_filled() {
        for (own, taken, found) in [
            ("10.0.0.1/24", &[][..], Some("10.0.0.2")),
            ("10.0.0.2/24", &[], Some("10.0.0.1")),
            ("10.0.0.1/24", &["10.0.0.2", "10.0.0.4"], Some("10.0.0.3")),
            ("10.0.0.1/24", &["10.0.0.0/29"], Some("10.0.0.8")),
            (
                "10.0.0.1/24",
                &["10.0.0.0/24", "0.0.0.0/0", "::/0"],
                Some("10.0.0.2"),
            ),
            ("10.0.0.1/30", &["10.0.0.2"], None),
            ("10.0.0.0/31", &[], Some("10.0.0.1")),
            ("10.0.0.1/32", &[], None),
            ("255.255.255.253/30", &[], Some("255.255.255.254")),
            ("fd00::1/64", &["fd00::2", "fd00::3:0/112"], Some("fd00::3")),
            ("fd00::/127", &[], Some("fd00::1")),
            (
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
                &[],
                Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"),
            ),
            ("::1/0", &["8000::/1"], Some("::2")),
        ] {
            assert_eq!(free(own, taken).as_deref(), found, "{own} {taken:?}");
        }
    }

    #[test]
    fn a_network_of_65_534_hosts_is_filled_to_the_last() {
        let own: Address = "10.9.0.1/16".parse().unwrap();
        let hosts = |last: u32| (0x0a09_0002..=last).map(Ipv4Addr::from_bits);
        let taken = |last| hosts(last).map(|ip| Address::from(IpAddr::V4(ip)).prefix());
        assert_eq!(
            lowest_free(own, taken(0x0a09_fffd)),
            Some("10.9.255.254".parse().unwrap())
        );
        assert_eq!(lowest_free(own, taken(0x0a09_fffe)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_what_a_slow_search_finds(len in 20_u8..=32, taken in prop::collection::vec((0_u32..4096, 24_u8..=32), 0..40)) {
            let at = |host: u32| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 | host));
            let own = Address::new(at(1), len).unwrap();
            let taken: Vec<_> = taken.iter().map(|&(host, len)| Address::new(at(host), len.max(own.prefix_len())).unwrap().prefix()).collect();
            let (first, last) = hosts(own.prefix());
            let is_free = |number: &u128| {
                let ip = Address::from(ip(Family::V4, *number)).prefix();
                ip.ip() != own.ip() && !taken.iter().any(|prefix| *prefix != own.prefix() && prefix.contains(ip))
            };
            let slow = (first..=last).find(is_free).map(|number| ip(Family::V4, number));
            prop_assert_eq!(lowest_free(own, taken.iter().copied()), slow);
        }
    }
}
