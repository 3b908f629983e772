use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Set, SetPeer, Sign};
use crate::key::{KEY_LEN, PublicKey};
use crate::net::{Address, FwMark, Prefix};
use crate::state::{DeviceSettings, Peer};
use crate::status::{DeviceStatus, PeerStatus};

fn prefixes() -> impl Strategy<Value = Prefix> {
    let address = any::<(std::net::IpAddr, u8)>();
    address.prop_filter_map("too long", |(ip, len)| {
        Some(Address::new(ip, len % 129)?.prefix())
    })
}

fn set_peers() -> impl Strategy<Value = SetPeer> {
    let flags = any::<[bool; 3]>();
    let values = any::<([u8; KEY_LEN], Option<[u8; KEY_LEN]>, Option<u16>)>();
    let allowed_ips = vec((any::<bool>(), prefixes()), 0..4);
    let endpoint = any::<Option<SocketAddr>>();
    (flags, values, endpoint, allowed_ips).prop_map(|(flags, values, endpoint, allowed_ips)| {
        let sign = |add| if add { Sign::Add } else { Sign::Remove };
        SetPeer {
            public_key: PublicKey(values.0),
            remove: flags[0],
            update_only: flags[1],
            preshared_key: values.1.map(Into::into),
            endpoint: endpoint.map(without_flow),
            persistent_keepalive: values.2,
            replace_allowed_ips: flags[2],
            allowed_ips: allowed_ips
                .into_iter()
                .map(|(add, ip)| (sign(add), ip))
                .collect(),
        }
    })
}

/// The text of an address has no flow label.
fn without_flow(mut address: SocketAddr) -> SocketAddr {
    if let SocketAddr::V6(v6) = &mut address {
        v6.set_flowinfo(0);
    }
    address
}

fn sets() -> impl Strategy<Value = Set> {
    let values = any::<(Option<[u8; KEY_LEN]>, Option<u16>, Option<u32>, bool)>();
    (values, vec(set_peers(), 0..4)).prop_map(|((key, port, mark, replace_peers), peers)| Set {
        private_key: key.map(Into::into),
        listen_port: port,
        fwmark: mark.map(FwMark),
        replace_peers,
        peers,
    })
}

fn peers() -> impl Strategy<Value = PeerStatus> {
    let bytes = any::<(u64, u64)>();
    let time = option::of((1..u64::MAX, 0..1_000_000_000_u32));
    let values = any::<([u8; KEY_LEN], Option<SocketAddr>)>();
    let secret =
        option::of(any::<[u8; KEY_LEN]>().prop_filter("zeros", |key| *key != [0; KEY_LEN]));
    let keepalive = option::of(1..=u16::MAX);
    let allowed_ips = vec(prefixes(), 0..4);
    (values, secret, keepalive, allowed_ips, time, bytes).prop_map(
        |(
            (key, endpoint),
            secret,
            persistent_keepalive,
            allowed_ips,
            time,
            (rx_bytes, tx_bytes),
        )| PeerStatus {
            public_key: PublicKey(key),
            preshared_key: secret.map(Into::into),
            endpoint: endpoint.map(without_flow),
            persistent_keepalive,
            allowed_ips,
            last_handshake: time.map(|(seconds, nanos)| Duration::new(seconds, nanos)),
            rx_bytes,
            tx_bytes,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(set in sets()) {
        let text = set.to_string();
        let lines = text.strip_prefix("set=1\n").unwrap().strip_suffix("\n\n");
        let lines = lines.or(text.strip_prefix("set=1\n\n").map(|_| "")).unwrap();
        prop_assert!(!lines.contains("\n\n"));
        prop_assert_eq!(lines.parse::<Set>().unwrap(), set);
    }

    #[test]
    fn a_status_is_read_as_it_was(peers in vec(peers(), 0..4), port in any::<Option<u16>>()) {
        let settings = DeviceSettings { listen_port: port, ..DeviceSettings::default() };
        let status = DeviceStatus { settings, peers };
        prop_assert_eq!(status.to_string().parse::<DeviceStatus>().unwrap(), status);
    }

    #[test]
    fn nothing_makes_the_readers_panic_or_tell_a_key(text in "([a-z_]{0,12}=?[0-9a-f.:%/\\[\\]-]{0,70}\n){0,5}") {
        for error in [text.parse::<Set>().err(), text.parse::<DeviceStatus>().err()].into_iter().flatten() {
            let words = error.to_string();
            let secret = text.lines().filter_map(|line| line.split_once("_key=")).map(|(_, key)| key);
            prop_assert!(secret.filter(|key| key.len() > 8).all(|key| !words.contains(key)));
        }
    }
}

#[test]
fn the_text_is_that_of_the_protocol() {
    let peer = SetPeer {
        replace_allowed_ips: true,
        endpoint: Some("[fe80::1%2]:51820".parse().unwrap()),
        allowed_ips: vec![
            (Sign::Add, "10.0.0.0/8".parse().unwrap()),
            (Sign::Remove, "::/0".parse().unwrap()),
        ],
        persistent_keepalive: Some(0),
        ..SetPeer::new(PublicKey([0xab; KEY_LEN]))
    };
    let set = Set {
        private_key: Some([0x0f; KEY_LEN].into()),
        fwmark: Some(FwMark(0xca6c)),
        peers: vec![peer],
        ..Set::default()
    };
    let expected = format!(
        "set=1\nprivate_key={}\nfwmark=51820\npublic_key={}\nendpoint=[fe80::1%2]:51820\n\
         persistent_keepalive_interval=0\nreplace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=-::/0\n\n",
        "0f".repeat(KEY_LEN),
        "ab".repeat(KEY_LEN)
    );
    assert_eq!(set.to_string(), expected);
}

#[test]
fn a_change_says_what_differs_and_clears_what_is_no_more() {
    let peer = |allowed_ips: &[&str]| Peer {
        preshared_key: Some([1; KEY_LEN].into()),
        endpoint: Some("192.0.2.1:1".parse().unwrap()),
        persistent_keepalive: Some(25),
        allowed_ips: allowed_ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        ..Peer::new(PublicKey([2; KEY_LEN]))
    };
    let change = |from: Option<&Peer>, to: Option<&Peer>| {
        let mut set = Set::default();
        set.change_peer(from, to, &HashSet::new());
        set.peers.iter().map(SetPeer::to_string).collect::<String>()
    };
    let key = format!("public_key={}\n", "02".repeat(KEY_LEN));
    let name = format!("{key}update_only=true\n");
    // to give it all others anew would leave these without an owner for a moment
    let carrier = format!("public_key={}\n", "fd".repeat(KEY_LEN));
    let (one, two) = (peer(&["10.0.0.1"]), peer(&["10.0.0.1", "10.0.0.2"]));
    assert_eq!(change(Some(&one), Some(&one)), name);
    assert_eq!(change(Some(&one), None), format!("{key}remove=true\n"));
    assert_eq!(
        change(Some(&one), Some(&two)),
        format!("{name}allowed_ip=10.0.0.2/32\n")
    );
    assert_eq!(
        change(Some(&two), Some(&one)),
        format!(
            "{name}{carrier}replace_allowed_ips=true\nallowed_ip=10.0.0.2/32\n{carrier}remove=true\n"
        )
    );
    assert_eq!(
        change(Some(&one), Some(&Peer::new(one.public_key))),
        format!(
            "{name}preshared_key={}\npersistent_keepalive_interval=0\n\
             {carrier}replace_allowed_ips=true\nallowed_ip=10.0.0.1/32\n{carrier}remove=true\n",
            "00".repeat(KEY_LEN)
        )
    );
    let moved = Peer {
        endpoint: Some("192.0.2.2:1".parse().unwrap()),
        ..one.clone()
    };
    assert_eq!(
        change(Some(&one), Some(&moved)),
        format!("{name}endpoint=192.0.2.2:1\n")
    );
    assert_eq!(change(None, None), "");
    assert!(
        change(None, Some(&one)).contains("replace_allowed_ips=true\nallowed_ip=10.0.0.1/32\n")
    );
}

#[test]
fn unknown_keys_are_refused_in_a_request_and_passed_over_in_an_answer() {
    assert_eq!(
        "what=1".parse::<Set>().unwrap_err().to_string(),
        "unknown key `what`"
    );
    assert_eq!(
        "what=1\nlisten_port=7"
            .parse::<DeviceStatus>()
            .unwrap()
            .settings
            .listen_port,
        Some(7)
    );
}
