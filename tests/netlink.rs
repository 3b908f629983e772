//! Each step of rtnetlink and its inverse against a real kernel, beside what `ip` does, in network namespaces of our own.
//!
//! Needs root, or `unshare -rn`, and `ip`; a veth stands in for the tunnel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic and tell"
)]

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::process::Command;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use wgq::host::route_socket::RouteSocket;
use wgq::host::wireguard::{self, WireGuard};
use wgq::net::{Family, FwMark, Ifname, TableId};
use wgq::state::{LinkKind, LinkSettings, PolicyRule, Route, Selector};
use wgq::step::Step;

/// Runs a test in a network namespace of its own that has a pair of interfaces, `t0` and `t1`, up and without addresses.
fn in_namespace(test: impl FnOnce(RouteSocket) + Send + 'static) {
    let run = || {
        unshare(CloneFlags::CLONE_NEWNET)
            .expect("a network namespace: run as root or by `unshare -rn`");
        for scope in ["all", "default"] {
            fs::write(format!("/proc/sys/net/ipv6/conf/{scope}/accept_dad"), "0").unwrap();
        }
        ip("link set lo up");
        ip("link add t0 type veth peer name t1");
        ip("link set t0 up");
        ip("link set t1 up");
        await_carrier();
        test(RouteSocket::open().unwrap());
    };
    if let Err(panic) = thread::spawn(run).join() {
        std::panic::resume_unwind(panic);
    }
}

/// The kernel tells a pair of its carrier, and gives it link-local addresses, a moment later.
fn await_carrier() {
    for _ in 0..1000 {
        let links = ip("addr");
        if !links.contains("NO-CARRIER") && links.matches("inet6 fe80").count() == 2 {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("t0 and t1 never came up:\n{}", ip("addr"));
}

fn ip(arguments: &str) -> String {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "ip {arguments}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// All that `ip` shows of addresses, routes and rules.
fn everything() -> String {
    let lists = [
        "addr",
        "-4 route show table all",
        "-6 route show table all",
        "-4 rule",
        "-6 rule",
    ];
    loop {
        let shown = lists.map(|list| ip(&format!("-d -j {list}"))).join("\n");
        if !shown.contains("tentative") {
            return shown; // else a new IPv6 address is not settled yet
        }
    }
}

fn parse<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn t0() -> Ifname {
    parse("t0")
}

fn add_address(address: &str) -> Step {
    Step::AddAddress {
        ifname: t0(),
        address: parse(address),
    }
}

fn route(prefix: &str, table: u32, metric: Option<u32>) -> Route {
    Route {
        prefix: parse(prefix),
        table: TableId(table),
        metric,
    }
}

fn add_route(route: Route) -> Step {
    Step::AddRoute {
        ifname: t0(),
        route,
    }
}

fn rules(family: Family) -> [PolicyRule; 2] {
    let rule = |priority, selector, table| PolicyRule {
        family,
        priority,
        selector,
        table: TableId(table),
    };
    [
        rule(32764, Selector::SuppressPrefixLength(0), 254),
        rule(32765, Selector::NotFwMark(FwMark(51820)), 51820),
    ]
}

fn inverses(steps: &[Step]) -> Vec<Step> {
    steps
        .iter()
        .rev()
        .map(|step| step.inverse().unwrap())
        .collect()
}

/// Executes the steps, compares with what `ip` does, and undoes them, twice.
fn as_ip_does(socket: &mut RouteSocket, steps: &[Step], commands: &[&str]) {
    let before = everything();
    assert_eq!(socket.execute(steps), []);
    let ours = everything();
    assert_eq!(socket.execute(&inverses(steps)), []);
    assert_eq!(everything(), before, "the inverse is no inverse");
    assert_eq!(
        socket.execute(&inverses(steps)),
        [],
        "what is gone is no failure"
    );
    for command in commands {
        ip(command);
    }
    assert_eq!(ours, everything());
}

#[test]
fn addresses_are_added_as_ip_adds_them() {
    in_namespace(|mut socket| {
        let addresses = [
            "10.0.0.1/24",
            "10.0.0.2/24",
            "192.0.2.1/32",
            "127.0.0.9/8",
            "fd00::1/64",
            "fd00::2/128",
            "fe80::9/64",
        ];
        let steps = addresses.map(add_address);
        let commands = steps
            .each_ref()
            .map(|step| step.to_string().replacen("ip ", "", 1));
        as_ip_does(
            &mut socket,
            &steps,
            &commands.each_ref().map(String::as_str),
        );
        let index = socket.link(t0()).unwrap().unwrap().index;
        let mut found: Vec<_> = socket
            .addresses(index)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found[..4],
            ["127.0.0.9/8", "10.0.0.1/24", "192.0.2.1/32", "10.0.0.2/24"]
        );
        found[4..].sort();
        assert_eq!(found[4..], ["fd00::1/64", "fd00::2/128", "fe80::9/64"]);
        assert_eq!(socket.addresses(9999), Ok(Vec::new()));
    });
}

#[test]
fn routes_are_added_as_ip_adds_them() {
    in_namespace(|mut socket| {
        let routes = [
            (
                route("10.0.0.0/8", 254, None),
                "-4 route add 10.0.0.0/8 dev t0",
            ),
            (
                route("10.0.0.0/8", 254, Some(7)),
                "-4 route add 10.0.0.0/8 dev t0 metric 7",
            ),
            (
                route("0.0.0.0/0", 51820, None),
                "-4 route add 0.0.0.0/0 dev t0 table 51820",
            ),
            (
                route("192.0.2.1/32", 200, None),
                "-4 route add 192.0.2.1/32 dev t0 table 200",
            ),
            (
                route("fd00::/64", 254, None),
                "-6 route add fd00::/64 dev t0",
            ),
            (
                route("fd00::/64", 254, Some(7)),
                "-6 route add fd00::/64 dev t0 metric 7",
            ),
            (
                route("::/0", 51820, None),
                "-6 route add ::/0 dev t0 table 51820",
            ),
            (
                route("fd00::1/128", 200, None),
                "-6 route add fd00::1/128 dev t0 table 200",
            ),
        ];
        let steps = routes.map(|(route, _)| add_route(route));
        as_ip_does(&mut socket, &steps, &routes.map(|(_, command)| command));
        // not the link's own business: by the kernel, by a gateway, to nowhere, by another link
        for other in [
            "address add 10.77.0.1/24 dev t0",
            "route add 10.78.0.0/24 via 10.77.0.2",
            "route add blackhole 10.79.0.0/24",
            "route add 10.80.0.0/24 dev t1",
            "-6 route add fd99::/64 via fe80::1 dev t0",
            "-6 route add fd98::/64 dev t1",
        ] {
            ip(other);
        }
        let index = socket.link(t0()).unwrap().unwrap().index;
        let wanted = BTreeSet::from(routes.map(|(route, _)| route));
        assert_eq!(socket.routes(index).unwrap(), wanted);
        for (family, table, is_empty) in [
            (Family::V4, 51820, false),
            (Family::V6, 51820, false),
            (Family::V4, 51821, true),
            (Family::V6, 51821, true),
            (Family::V4, 200, false),
        ] {
            assert_eq!(
                socket.table_is_empty(family, TableId(table)),
                Ok(is_empty),
                "{family:?} {table}"
            );
        }
    });
}

#[test]
fn rules_are_added_as_ip_adds_them_and_those_of_wg_quick_are_deleted() {
    in_namespace(|mut socket| {
        let ours: Vec<_> = Family::BOTH.into_iter().flat_map(rules).collect();
        let steps: Vec<_> = ours.iter().copied().map(Step::AddRule).collect();
        let mut commands = Vec::new();
        for family in ["-4", "-6"] {
            commands.push(format!("{family} rule add table main suppress_prefixlength 0 priority 32764 protocol kernel"));
            commands.push(format!(
                "{family} rule add not fwmark 51820 table 51820 priority 32765 protocol kernel"
            ));
        }
        let commands: Vec<_> = commands.iter().map(String::as_str).collect();
        as_ip_does(&mut socket, &steps, &commands);

        let found = socket.rules().unwrap();
        assert_eq!(found.len(), 4 + 5, "with the kernel's own");
        let found: Vec<_> = found
            .into_iter()
            .filter(|rule| rule.selector != Selector::Foreign)
            .collect();
        assert_eq!(found, ours);

        let again = socket.execute(&steps);
        assert_eq!(again.len(), 4);
        assert_eq!(again[0].error.errno(), libc::EEXIST);
        assert_eq!(socket.execute(&inverses(&steps)), []);

        let before = everything();
        for family in ["-4", "-6"] {
            ip(&format!("{family} rule add not fwmark 51820 table 51820"));
            ip(&format!(
                "{family} rule add table main suppress_prefixlength 0"
            ));
        }
        let found = socket.rules().unwrap();
        let found: Vec<_> = found
            .into_iter()
            .filter(|rule| rule.selector != Selector::Foreign)
            .collect();
        assert_eq!(found, ours, "with wg-quick's priorities");
        assert_eq!(socket.execute(&inverses(&steps)), []);
        assert_eq!(everything(), before);
    });
}

#[test]
fn only_the_very_rule_is_deleted() {
    in_namespace(|mut socket| {
        let others = [
            "rule add not fwmark 51820 table 51821 priority 32765",
            "rule add not fwmark 51820 table 51820 priority 32763",
            "rule add not fwmark 51820/0xffff table 51820 priority 32765",
            "rule add not fwmark 51821 table 51820 priority 32765",
            "rule add table main suppress_prefixlength 1 priority 32764",
            "rule add table main priority 32764",
            "-6 rule add not fwmark 51820 table 51820 priority 32765",
        ];
        for other in others {
            ip(other);
        }
        let before = everything();
        let deletions: Vec<_> = rules(Family::V4)
            .into_iter()
            .map(Step::DeleteRule)
            .collect();
        assert_eq!(socket.execute(&deletions), []);
        assert_eq!(everything(), before);
        for foreign in [
            "rule add not fwmark 51820 table 51820 iif lo priority 1",
            "rule add not fwmark 51820 table 51820 to 10.0.0.0/8 priority 2",
            "rule add not from 10.0.0.0/8 fwmark 51820 table 51820 priority 3",
            "rule add not fwmark 51820 table 51820 uidrange 0-0 priority 4",
            "rule add not fwmark 51820 table 51820 ipproto tcp priority 5",
            "rule add fwmark 51820 table 51820 priority 6",
            "rule add not fwmark 51820/0xffff table 51820 priority 7",
            "rule add not fwmark 51820 table 51820 suppress_prefixlength 0 priority 8",
            "rule add table main suppress_ifgroup 3 priority 9",
            "rule add prohibit priority 10",
            "rule add table main suppress_prefixlength 0 tos 0x10 priority 11",
        ] {
            ip(foreign);
        }
        let foreign = socket
            .rules()
            .unwrap()
            .into_iter()
            .filter(|rule| (1..=11).contains(&rule.priority));
        assert!(
            foreign
                .clone()
                .all(|rule| rule.selector == Selector::Foreign)
        );
        assert_eq!(foreign.count(), 11);
    });
}

#[test]
fn a_link_is_set_found_and_deleted() {
    in_namespace(|mut socket| {
        let found = socket.link(t0()).unwrap().unwrap();
        assert_eq!(
            (found.kind.as_deref(), found.mtu, found.up),
            (Some("veth"), 1500, true)
        );
        let from = LinkSettings {
            mtu: 1500,
            up: true,
        };
        let to = LinkSettings {
            mtu: 1280,
            up: false,
        };
        let step = Step::SetLink {
            ifname: t0(),
            from,
            to,
        };
        assert_eq!(socket.execute(std::slice::from_ref(&step)), []);
        let found = socket.link(t0()).unwrap().unwrap();
        assert_eq!((found.mtu, found.up), (1280, false));
        assert_eq!(socket.execute(&inverses(&[step])), []);
        let found = socket.link(t0()).unwrap().unwrap();
        assert_eq!((found.mtu, found.up), (1500, true));
        let delete = Step::DeleteLink {
            ifname: t0(),
            kind: LinkKind::Kernel,
        };
        for _ in 0..2 {
            assert_eq!(socket.execute(std::slice::from_ref(&delete)), []);
            assert_eq!(socket.link(t0()), Ok(None));
        }
        assert_eq!(socket.link(parse("lo")).unwrap().unwrap().kind, None);
    });
}

#[test]
fn a_kernel_without_wireguard_says_so() {
    in_namespace(|mut socket| {
        let add = Step::AddLink {
            ifname: parse("wg0"),
            kind: LinkKind::Kernel,
        };
        let failures = socket.execute(&[add]);
        let Some(failure) = failures.first() else {
            eprintln!("this kernel has WireGuard");
            return;
        };
        assert!(wireguard::is_missing(&failure.error), "{}", failure.error);
        let error = WireGuard::open().err().unwrap();
        assert!(wireguard::is_missing(&error), "{error}");
    });
}

#[test]
fn failures_in_a_batch_are_told_by_their_place_in_the_kernels_words() {
    in_namespace(|mut socket| {
        let mut steps: Vec<_> = (0..600)
            .map(|i| {
                add_route(route(
                    &format!("10.1.{}.{}/32", i / 256, i % 256),
                    254,
                    None,
                ))
            })
            .collect();
        steps[300] = steps[3].clone();
        steps[599] = Step::AddRoute {
            ifname: parse("absent"),
            route: route("10.9.9.9/32", 254, None),
        };
        steps[10] = add_address("ff02::1/64");
        steps[11] = Step::AddAddress {
            ifname: t0(),
            address: parse("10.5.0.1/24"),
        };
        steps[12] = steps[11].clone();
        let failures = socket.execute(&steps);
        let told: Vec<_> = failures
            .iter()
            .map(|failure| (failure.index, failure.error.errno()))
            .collect();
        let wanted = [
            (10, libc::EADDRNOTAVAIL),
            (12, libc::EEXIST),
            (300, libc::EEXIST),
            (599, libc::ENODEV),
        ];
        assert_eq!(told, wanted);
        let index = socket.link(t0()).unwrap().unwrap().index;
        assert_eq!(socket.routes(index).unwrap().len(), 600 - 5);
    });
}

#[test]
fn ten_thousand_routes_take_a_moment() {
    in_namespace(|mut socket| {
        let steps: Vec<_> = (0..10_000)
            .map(|i| {
                add_route(route(
                    &format!("10.1.{}.{}/32", i / 256, i % 256),
                    51820,
                    None,
                ))
            })
            .collect();
        let start = Instant::now();
        assert_eq!(socket.execute(&steps), []);
        eprintln!("10,000 routes added in {:?}", start.elapsed());
        let index = socket.link(t0()).unwrap().unwrap().index;
        let start = Instant::now();
        assert_eq!(socket.routes(index).unwrap().len(), 10_000);
        eprintln!("10,000 routes read in {:?}", start.elapsed());
        let start = Instant::now();
        assert_eq!(socket.execute(&inverses(&steps)), []);
        eprintln!("10,000 routes deleted in {:?}", start.elapsed());
        assert_eq!(socket.routes(index), Ok(BTreeSet::new()));
    });
}

#[test]
fn the_mtu_of_a_path_is_the_routes_or_the_links() {
    in_namespace(|mut socket| {
        assert_eq!(socket.default_path_mtu(), Ok(None));
        ip("link set t1 mtu 1400");
        for command in [
            "address add 10.0.0.1/24 dev t0",
            "route add 192.0.2.0/24 via 10.0.0.2 mtu 1300",
            "route add 198.51.100.0/24 dev t1",
            "route add unreachable 203.0.113.0/24",
            "route add 10.99.0.0/16 dev t1 table 7",
            "rule add fwmark 9 table 7",
            "-6 route add fd00::/64 dev t1",
            "-6 route add default dev t1 metric 5",
            "-6 route add unreachable fd01::/64",
        ] {
            ip(command);
        }
        let mut mtu = |address: &str, mark| {
            let address = parse::<IpAddr>(address);
            socket
                .path_mtus(&BTreeSet::from([address]), mark, None)
                .unwrap()
                .get(&address)
                .copied()
        };
        assert_eq!(mtu("10.0.0.9", None), Some(1500));
        assert_eq!(mtu("192.0.2.1", None), Some(1300));
        assert_eq!(mtu("198.51.100.1", None), Some(1400));
        assert_eq!(mtu("203.0.113.1", None), None);
        assert_eq!(mtu("8.8.8.8", None), None);
        assert_eq!(mtu("10.99.0.1", None), None);
        assert_eq!(mtu("10.99.0.1", Some(FwMark(9))), Some(1400));
        assert_eq!(mtu("10.0.0.1", None), Some(65536));
        assert_eq!(mtu("fd00::1", None), Some(1400));
        assert_eq!(mtu("2001:db8::1", None), Some(1400));
        assert_eq!(mtu("fd01::1", None), None);
        assert_eq!(socket.has_route(parse("8.8.8.8"), None), Ok(false));
        assert_eq!(socket.has_route(parse("10.0.0.9"), None), Ok(true));

        assert_eq!(
            socket.default_path_mtu(),
            Ok(Some(1400)),
            "IPv6's, where IPv4 has none"
        );
        ip("route add default dev t0 metric 9");
        assert_eq!(socket.default_path_mtu(), Ok(Some(1500)));
        ip("route add default dev t1 mtu 1350 metric 5");
        assert_eq!(
            socket.default_path_mtu(),
            Ok(Some(1350)),
            "the one asked first"
        );

        let many: BTreeSet<IpAddr> = (0..5000)
            .map(|i| parse(&format!("10.0.{}.{}", i / 256, i % 256)))
            .collect();
        let start = Instant::now();
        assert_eq!(socket.path_mtus(&many, None, None).unwrap().len(), 5000);
        eprintln!("the MTU to 5,000 addresses in {:?}", start.elapsed());
    });
}

#[test]
fn an_error_keeps_the_kernels_words() {
    in_namespace(|mut socket| {
        fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        let steps = [add_route(route("fd00::/64", 254, None))];
        let failures = socket.execute(&steps);
        assert_eq!(
            failures[0].error.to_string(),
            "IPv6 is disabled on nexthop device: Permission denied (os error 13)"
        );
        assert!(socket.rules().unwrap().len() >= 3);
    });
}
