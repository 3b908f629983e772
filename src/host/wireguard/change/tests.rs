use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::super::super::moved::gained;
use super::*;
use crate::key::PublicKey;
use crate::net::{Address, FwMark};

fn wg0() -> Ifname {
    "wg0".parse().unwrap()
}

fn key(number: usize) -> [u8; KEY_LEN] {
    let mut key = [0; KEY_LEN];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

fn a_peer(number: usize) -> Peer {
    Peer {
        public_key: PublicKey(key(number)),
        preshared_key: None,
        endpoint: None,
        persistent_keepalive: None,
        allowed_ips: BTreeSet::new(),
    }
}

fn allowed_ips(count: u32) -> BTreeSet<Prefix> {
    (0..count)
        .map(|number| {
            Address::new(Ipv4Addr::from_bits(number).into(), 32)
                .unwrap()
                .prefix()
        })
        .collect()
}

fn set_peer(from: Option<Peer>, to: Option<Peer>) -> Step {
    Step::SetPeer {
        ifname: wg0(),
        from,
        to,
    }
}

/// The attributes of each message, the interface's name aside.
fn sent(steps: &[Step], removal: Removal) -> Vec<(Range<usize>, Vec<WireguardAttribute>)> {
    messages(steps, 0, removal, &gained(steps))
        .map(|(indices, message)| {
            let (name, rest) = message.attributes().split_first().unwrap();
            assert_eq!(*name, WireguardAttribute::IfName("wg0".to_owned()));
            (indices, rest.to_vec())
        })
        .collect()
}

fn peers(attributes: &[WireguardAttribute]) -> &[WireguardPeer] {
    match attributes.last() {
        Some(WireguardAttribute::Peers(peers)) => peers,
        _ => &[],
    }
}

#[test]
fn only_what_changes_is_sent() {
    let from = DeviceSettings {
        private_key: Some(key(1).into()),
        listen_port: Some(51820),
        fwmark: Some(FwMark(1)),
    };
    let settings = |to: DeviceSettings| {
        let step = Step::SetDevice {
            ifname: wg0(),
            from: from.clone(),
            to,
        };
        sent(&[step], Removal::Single)
    };
    assert_eq!(settings(from.clone()), []);
    let port = DeviceSettings {
        listen_port: Some(51821),
        ..from.clone()
    };
    assert_eq!(
        settings(port),
        [(0..1, vec![WireguardAttribute::ListenPort(51821)])]
    );
    let cleared = vec![
        WireguardAttribute::PrivateKey([0; KEY_LEN]),
        WireguardAttribute::ListenPort(0),
        WireguardAttribute::Fwmark(0),
    ];
    assert_eq!(settings(DeviceSettings::default()), [(0..1, cleared)]);
}

#[test]
fn a_changed_peer_is_not_made_anew() {
    let from = Peer {
        preshared_key: Some(key(9).into()),
        endpoint: Some("192.0.2.1:1".parse().unwrap()),
        persistent_keepalive: Some(25),
        allowed_ips: allowed_ips(3),
        ..a_peer(1)
    };
    let to = Peer {
        endpoint: None,
        allowed_ips: allowed_ips(2),
        ..a_peer(1)
    };
    let steps = [set_peer(Some(from.clone()), Some(to.clone()))];
    let gone = from.allowed_ips.last().unwrap();
    let values = |flags| {
        vec![
            WireguardPeerAttribute::PublicKey(key(1)),
            WireguardPeerAttribute::Flags(flags),
            WireguardPeerAttribute::PresharedKey([0; KEY_LEN]),
            WireguardPeerAttribute::PersistentKeepalive(0),
        ]
    };
    let mut single = values(WireguardPeerFlags::UpdateOnly);
    single.push(WireguardPeerAttribute::AllowedIps(vec![removed(gone)]));
    assert_eq!(
        peers(&sent(&steps, Removal::Single)[0].1),
        [WireguardPeer(single)]
    );
    let carrier = PublicKey(
        [[0xff; 7].as_slice(), &[0xfe], &[0xff; 24]]
            .concat()
            .try_into()
            .unwrap(),
    );
    let carrier = |flags| peer(&Peer::new(carrier), flags);
    let mut carrying = carrier(WireguardPeerFlags::ReplaceAllowedIps);
    carrying
        .0
        .push(WireguardPeerAttribute::AllowedIps(vec![added(gone)]));
    assert_eq!(
        peers(&sent(&steps, Removal::Carried)[0].1),
        [
            WireguardPeer(values(WireguardPeerFlags::UpdateOnly)),
            carrying,
            carrier(WireguardPeerFlags::RemoveMe)
        ]
    );
    assert_eq!(
        sent(&[set_peer(Some(to.clone()), Some(to))], Removal::Single),
        []
    );
}

#[test]
fn a_peer_that_keeps_none_gets_all_anew() {
    let with = |ips: &[&str]| Peer {
        allowed_ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        ..a_peer(1)
    };
    let steps = [set_peer(
        Some(with(&["10.0.0.1"])),
        Some(with(&["10.0.0.2"])),
    )];
    let flags = WireguardPeerFlags::UpdateOnly | WireguardPeerFlags::ReplaceAllowedIps;
    let mut expected = peer(&a_peer(1), flags);
    let added = added(&"10.0.0.2".parse().unwrap());
    expected
        .0
        .push(WireguardPeerAttribute::AllowedIps(vec![added]));
    assert_eq!(peers(&sent(&steps, Removal::Carried)[0].1), [expected]);
}

#[test]
fn what_goes_over_to_another_peer_is_taken_from_nobody() {
    let with = |number, count| Peer {
        allowed_ips: allowed_ips(count),
        ..a_peer(number)
    };
    let steps = [
        set_peer(Some(with(1, 3)), Some(with(1, 1))),
        set_peer(Some(with(2, 0)), Some(with(2, 3))),
    ];
    for removal in [Removal::Single, Removal::Carried] {
        let sent = sent(&steps, removal);
        let (_, attributes) = &sent[0];
        let all = peers(attributes);
        assert_eq!(all.len(), 1, "{removal:?}");
        let key = WireguardPeerAttribute::PublicKey(key(2));
        assert_eq!(all[0].0[0], key);
    }
}

#[test]
fn many_peers_are_sent_in_order_in_messages_that_fit() {
    let steps: Vec<_> = (0..20_000)
        .map(|number| {
            set_peer(
                None,
                Some(Peer {
                    allowed_ips: allowed_ips(2),
                    ..a_peer(number)
                }),
            )
        })
        .collect();
    let sent = sent(&steps, Removal::Single);
    let mut next = 0;
    for (indices, attributes) in &sent {
        assert_eq!(indices.start, next);
        assert!(attributes.as_slice().buffer_len() < 40 << 10);
        assert_eq!(peers(attributes).len(), indices.len());
        let first = &peers(attributes)[0].0[0];
        assert_eq!(*first, WireguardPeerAttribute::PublicKey(key(next)));
        next = indices.end;
    }
    assert_eq!(next, 20_000);
    assert!(sent.len() < 80, "{}", sent.len());
}

#[test]
fn the_allowed_ips_of_one_peer_are_sent_in_messages_that_fit() {
    let peer = Peer {
        allowed_ips: allowed_ips(65_280),
        ..a_peer(1)
    };
    let sent = sent(&[set_peer(None, Some(peer.clone()))], Removal::Single);
    let mut found = Vec::new();
    let parts = sent.iter().flat_map(|(_, attributes)| peers(attributes));
    for (part, WireguardPeer(attributes)) in parts.enumerate() {
        let [
            _,
            WireguardPeerAttribute::Flags(flags),
            WireguardPeerAttribute::AllowedIps(ips),
        ] = attributes.as_slice()
        else {
            panic!("part {part} is something else");
        };
        let first = part == 0;
        let replaces = flags.contains(WireguardPeerFlags::ReplaceAllowedIps);
        assert_eq!(
            (replaces, flags.contains(WireguardPeerFlags::UpdateOnly)),
            (first, !first)
        );
        found.extend(ips.iter().cloned());
    }
    assert_eq!(
        found,
        peer.allowed_ips.iter().map(added).collect::<Vec<_>>()
    );
    assert!(
        sent.iter().all(|(indices, attributes)| *indices == (0..1)
            && attributes.as_slice().buffer_len() < 40 << 10)
    );
}

#[test]
fn settings_start_a_message_and_other_devices_have_their_own() {
    let settings = |ifname: &str| Step::SetDevice {
        ifname: ifname.parse().unwrap(),
        from: DeviceSettings::default(),
        to: DeviceSettings {
            listen_port: Some(1),
            ..DeviceSettings::default()
        },
    };
    let steps = [
        set_peer(None, Some(a_peer(1))),
        settings("wg0"),
        set_peer(None, Some(a_peer(2))),
        set_peer(Some(a_peer(1)), None),
        Step::SetPeer {
            ifname: "wg1".parse().unwrap(),
            from: None,
            to: Some(a_peer(3)),
        },
        settings("wg0"),
    ];
    let indices: Vec<_> = messages(&steps, 0, Removal::Single, &HashSet::new())
        .map(|(indices, _)| indices)
        .collect();
    assert_eq!(indices, [0..1, 1..4, 4..5, 5..6]);
    let indices: Vec<_> = messages(&steps, 3, Removal::Single, &HashSet::new())
        .map(|(indices, _)| indices)
        .collect();
    assert_eq!(indices, [3..4, 4..5, 5..6]);
}
