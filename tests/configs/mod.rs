//! Random files of one interface, of few values, so that two of them overlap: peers stay, go and come, and `AllowedIPs` move from
//! one to another. wgq takes each of them, and so does a host like that of tests/engine/prelude.sh.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// How many peers there are to choose from.
const PEERS: usize = 4;

/// The keys of those peers; whose they are nobody knows.
const KEYS: [&str; PEERS] = [
    "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
    "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=",
    "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=",
    "28PX6TFlKVLdm8ovoZT0uTMWhdzefqvBJbvnPCCUrmk=",
];

/// What is sent to peers beside all that is not theirs alone.
const PREFIXES: [&str; 9] = [
    "10.8.0.0/24",
    "10.8.0.2/32",
    "10.8.0.3/32",
    "10.9.0.0/16",
    "10.20.0.0/16",
    "192.168.77.0/24",
    "fd00::/64",
    "fd00::2/128",
    "fd20::/48",
];

/// Where peers are.
pub(crate) const ENDPOINTS: [&str; 4] = [
    "192.0.2.1:51820",
    "192.0.2.9:1234",
    "198.51.100.7:51820",
    "[2001:db8::1]:51820",
];

/// The wide prefixes of a tunnel.
const REACHES: [&[&str]; 5] = [
    &[],
    &["0.0.0.0/0"],
    &["::/0"],
    &["0.0.0.0/0", "::/0"],
    &["0.0.0.0/1", "128.0.0.0/1"],
];

/// A file.
pub(crate) fn file() -> impl Strategy<Value = String> {
    let reach = prop_oneof![3 => Just(REACHES[0]), 4 => select(&REACHES[1..])];
    (reach, interface(), firewall(), peers()).prop_map(|(reach, interface, firewall, peers)| {
        // without a peer nothing is sent to any, and such a tunnel may not ask for a kill switch
        let reach = if peers.is_empty() { &[][..] } else { reach };
        let is_full = reach.iter().any(|prefix| prefix.ends_with("/0")) && interface.is_auto();
        let mut text = interface.text();
        text += &firewall.text(interface.listen_port.is_some(), is_full);
        for (place, peer) in peers.iter().enumerate() {
            let wide = if place == 0 { reach } else { &[] };
            text += &peer.text(wide);
        }
        text
    })
}

#[derive(Debug, Clone)]
struct Interface {
    addresses: Vec<Option<&'static str>>,
    listen_port: Option<&'static str>,
    fwmark: Option<&'static str>,
    table: Option<&'static str>,
    /// Lines that stand for themselves.
    others: Vec<Option<&'static str>>,
}

fn interface() -> impl Strategy<Value = Interface> {
    // one of each, as a file has no IPv6 address twice
    let addresses = [
        vec!["10.8.0.1/24", "10.8.0.1/32", "10.8.0.1/16"],
        vec!["10.8.0.7/24"],
        vec!["10.9.0.1/32"],
        vec!["fd00::1/64", "fd00::1/128"],
        vec!["fd00::7/64"],
        vec!["fd01::1/128"],
    ];
    let addresses = addresses.map(|these| option::of(select(these)));
    let addresses = addresses.to_vec().prop_shuffle();
    let others = [
        vec!["MTU = 1280", "MTU = 1400", "MTU = 1500"],
        vec![
            "DNS = 10.8.0.1",
            "DNS = 10.8.0.1, example.com",
            "DNS = fd00::1, 192.0.2.7",
        ],
        vec!["Metric = 700"],
    ];
    let others = others
        .map(|lines| option::weighted(0.3, select(lines)))
        .to_vec();
    (
        addresses,
        option::of(select(vec!["51820", "4444"])),
        option::weighted(0.4, select(vec!["off", "0x77", "4321"])),
        option::weighted(0.3, select(vec!["auto", "off", "1234"])),
        others,
    )
        .prop_map(
            |(addresses, listen_port, fwmark, table, others)| Interface {
                addresses,
                listen_port,
                fwmark,
                table,
                others,
            },
        )
}

impl Interface {
    fn is_auto(&self) -> bool {
        self.table.is_none_or(|table| table == "auto")
    }

    fn text(&self) -> String {
        let key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
        let mut text = format!("[Interface]\nPrivateKey = {key}\n");
        let addresses = self.addresses.iter().flatten().map(|it| ("Address", *it));
        let settings = [
            ("ListenPort", self.listen_port),
            ("FwMark", self.fwmark),
            ("Table", self.table),
        ];
        let settings = settings.iter().filter_map(|&(key, it)| Some((key, it?)));
        for (key, value) in addresses.chain(settings) {
            let _ = writeln!(text, "{key} = {value}");
        }
        for line in self.others.iter().flatten() {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

#[derive(Debug, Clone)]
struct Firewall {
    lines: Vec<Option<&'static str>>,
    open_port: bool,
    kill_switch: bool,
}

fn firewall() -> impl Strategy<Value = Firewall> {
    let lines = [
        vec!["Masquerade = yes", "Masquerade = uplink", "Forward = yes"],
        vec![
            "PortForward = tcp/8080 -> 10.8.0.2:80",
            "PortForward = uplink:udp/9000-9010 -> fd00::2",
        ],
        vec!["Isolate = yes"],
        vec!["ClampMSS = no"],
        vec!["KeepInbound = yes"],
        vec![
            "ExcludeIPs = 10.9.128.0/17",
            "ExcludeIPs = 192.168.0.0/16, fd20:0:0:1::/64",
        ],
    ];
    let lines = lines
        .map(|lines| option::weighted(0.25, select(lines)))
        .to_vec();
    let flag = || prop::bool::weighted(0.4);
    (lines, flag(), flag()).prop_map(|(lines, open_port, kill_switch)| Firewall {
        lines,
        open_port,
        kill_switch,
    })
}

impl Firewall {
    fn text(&self, has_port: bool, is_full: bool) -> String {
        let open_port = (self.open_port && has_port).then_some("OpenPort = yes");
        let kill_switch = (self.kill_switch && is_full).then_some("KillSwitch = yes");
        let lines = self.lines.iter().copied().chain([open_port, kill_switch]);
        lines.flatten().flat_map(|line| [line, "\n"]).collect()
    }
}

#[derive(Debug, Clone)]
struct Peer {
    key: &'static str,
    endpoint: Option<&'static str>,
    preshared_key: bool,
    keepalive: Option<u16>,
    allowed_ips: Vec<&'static str>,
}

fn peers() -> impl Strategy<Value = Vec<Peer>> {
    let owners = vec(option::weighted(0.6, 0..PEERS), PREFIXES.len());
    let keys = subsequence((0..PEERS).collect::<Vec<_>>(), 0..=PEERS).prop_shuffle();
    let others = (
        option::of(select(&ENDPOINTS[..])),
        any::<bool>(),
        option::of(select(vec![5, 25])),
    );
    (keys, owners, vec(others, PEERS)).prop_map(|(keys, owners, others)| {
        let peer = |key: usize| {
            let (endpoint, preshared_key, keepalive) = others[key];
            let owned = PREFIXES.iter().zip(&owners);
            let owned = owned.filter(|(_, owner)| **owner == Some(key));
            Peer {
                key: KEYS[key],
                endpoint,
                preshared_key,
                keepalive,
                allowed_ips: owned.map(|(prefix, _)| *prefix).collect(),
            }
        };
        keys.into_iter().map(peer).collect()
    })
}

impl Peer {
    fn text(&self, wide: &[&str]) -> String {
        let mut text = format!("[Peer]\nPublicKey = {}\n", self.key);
        let preshared_key = self.preshared_key.then_some(self.key); // any 32 bytes will do
        let keepalive = self.keepalive.map(|seconds| seconds.to_string());
        let lines = [
            ("Endpoint", self.endpoint),
            ("PresharedKey", preshared_key),
            ("PersistentKeepalive", keepalive.as_deref()),
        ];
        for (key, value) in lines {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        for prefix in wide.iter().chain(&self.allowed_ips) {
            let _ = writeln!(text, "AllowedIPs = {prefix}");
        }
        text
    }
}
