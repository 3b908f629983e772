//! What is set on the embedded userspace WireGuard, by `wg` and by our client.
//!
//! Needs root, or `unshare -rn`, /dev/net/tun, and `ip`, `wg`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic and tell"
)]

mod hosts;

use std::collections::HashSet;
use std::time::Duration;

use hosts::{Host, Pair, wg0};
use wgq::host::uapi::{self, Set, SetPeer, Sign};
use wgq::key::KEY_LEN;
use wgq::net::FwMark;

#[test]
fn what_wg_sets_our_client_reads_and_the_other_way_round() {
    let pair = Pair::new();
    let key = pair.b.public_key.clone();
    let psk = pair.a.sh("wg genpsk").trim().to_owned();
    pair.a.sh(&format!(
        "echo {psk} | wg set wg0 fwmark 0xca6c peer {key} preshared-key /dev/stdin \
         persistent-keepalive 25 endpoint [2001:db8::2]:51820 allowed-ips 10.9.0.2/32,fd00:9::/64"
    ));
    let device = pair
        .a
        .run(|| uapi::status(wg0()).unwrap().unwrap().into_device());
    assert_eq!(device.settings.listen_port, Some(51820));
    assert_eq!(device.settings.fwmark, Some(FwMark(0xca6c)));
    let peer = &device.peers[0];
    assert_eq!(peer.public_key.to_string(), key);
    assert_eq!(*peer.preshared_key.as_ref().unwrap().to_base64(), psk);
    assert_eq!(peer.persistent_keepalive, Some(25));
    assert_eq!(peer.endpoint, Some("[2001:db8::2]:51820".parse().unwrap()));
    assert_eq!(peer.allowed_ips.len(), 2);

    // the whole device, as we read it, onto one that has nothing
    let shown = pair.a.sh("wg showconf wg0");
    let wanted = device.clone();
    pair.b.sh("wg setconf wg0 /dev/null");
    pair.b.run(move || {
        let mut set = Set::default();
        set.change_settings(
            &uapi::status(wg0()).unwrap().unwrap().settings,
            &wanted.settings,
        );
        wanted
            .peers
            .iter()
            .for_each(|peer| set.change_peer(None, Some(peer), &HashSet::new()));
        uapi::set(wg0(), &set).unwrap();
    });
    assert_eq!(pair.b.sh("wg showconf wg0"), shown);

    // and back to nothing, one by one
    let now = device.clone();
    pair.b.run(move || {
        let mut set = Set::default();
        set.change_settings(&now.settings, &wgq::state::DeviceSettings::default());
        now.peers
            .iter()
            .for_each(|peer| set.change_peer(Some(peer), None, &HashSet::new()));
        uapi::set(wg0(), &set).unwrap();
    });
    let shown = pair.b.sh("wg showconf wg0");
    assert!(
        !shown.contains("PrivateKey") && !shown.contains("FwMark") && !shown.contains("[Peer]"),
        "{shown}"
    );
}

#[test]
fn a_device_takes_its_parts_in_any_order() {
    let pair = Pair::new();
    let conf = pair.a.sh("wg showconf wg0");
    // a peer before a key, and a key that goes and comes
    pair.a.sh(&format!(
        "wg setconf wg0 /dev/null; wg set wg0 peer {} allowed-ips 10.9.0.2/32 endpoint 192.0.2.2:51820; \
         wg set wg0 private-key /dev/null listen-port 51820",
        pair.b.public_key
    ));
    assert!(
        !pair
            .a
            .reaches(&pair.b, "10.9.0.1", "10.9.0.2", Duration::from_secs(1))
    );
    let key = conf
        .lines()
        .find_map(|line| line.strip_prefix("PrivateKey = "))
        .unwrap();
    pair.a
        .sh(&format!("echo {key} | wg set wg0 private-key /dev/stdin"));
    assert!(pair.a.talks_to(&pair.b, "10.9.0.1", "10.9.0.2"));
    // the device's own key is no peer, as in the kernel
    pair.a.sh(&format!(
        "wg set wg0 peer {} allowed-ips 10.9.0.3/32",
        pair.a.public_key
    ));
    assert_eq!(pair.a.sh("wg show wg0 peers").trim(), pair.b.public_key);
}

#[test]
fn keys_change_many_times_and_the_device_lives() {
    let pair = Pair::new();
    let conf = pair.a.sh("wg showconf wg0");
    for _ in 0..50 {
        pair.a.sh("wg genkey | wg set wg0 private-key /dev/stdin");
    }
    pair.a
        .sh(&format!("echo '{conf}' | wg setconf wg0 /dev/stdin"));
    assert!(pair.a.talks_to(&pair.b, "10.9.0.1", "10.9.0.2"));
}

#[test]
fn a_port_that_is_taken_is_refused_and_the_old_one_kept() {
    let pair = Pair::new();
    let taken = pair.a.socket("0.0.0.0");
    let port = taken.local_addr().unwrap().port();
    let (error, kept) = pair.a.run(move || {
        let set = Set {
            listen_port: Some(port),
            ..Set::default()
        };
        let error = uapi::set(wg0(), &set).unwrap_err();
        (error, uapi::status(wg0()).unwrap().unwrap())
    });
    assert_eq!(error.raw_os_error(), Some(nix::libc::EADDRINUSE));
    assert_eq!(kept.settings.listen_port, Some(51820));
    let words = pair
        .a
        .sh(&format!("wg set wg0 listen-port {port} 2>&1 || true"));
    assert!(words.contains("Address already in use"), "{words}");
    assert!(pair.a.talks_to(&pair.b, "10.9.0.1", "10.9.0.2"));
    // 0 is any
    pair.a.sh("wg set wg0 listen-port 0");
    assert!(!["0", "51820"].contains(&pair.a.sh("wg show wg0 listen-port").trim()));
    assert!(pair.a.talks_to(&pair.b, "10.9.0.1", "10.9.0.2"));
}

#[test]
fn nonsense_is_refused_whole_and_the_device_goes_on() {
    use std::io::{Read, Write};
    let host = Host::new();
    host.start();
    host.run(|| {
        let ask = |text: &str| {
            let mut socket =
                std::os::unix::net::UnixStream::connect(uapi::socket_path(wg0())).unwrap();
            socket.write_all(text.as_bytes()).unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            answer
        };
        let key = "1".repeat(2 * KEY_LEN);
        assert_eq!(
            ask(&format!(
                "set=1\nfwmark=7\npublic_key={key}\nendpoint=nowhere\n\n"
            )),
            "errno=-22\n\n"
        );
        assert_eq!(ask("set=1\nlisten_port=65536\n\n"), "errno=-22\n\n");
        assert_eq!(ask("have=1\n\n"), "errno=-71\n\n");
        assert_eq!(ask(""), "");
        // a client that dies in the middle asked for nothing
        assert_eq!(ask("set=1\nfwmark=7\n"), "");
        let status = uapi::status(wg0()).unwrap().unwrap();
        assert_eq!((status.settings.fwmark, status.peers.len()), (None, 0));
        // two requests on one connection
        assert!(ask("set=1\nfwmark=7\n\nget=1\n\n").contains("fwmark=7\nerrno=0\n"));
    });
}

#[test]
fn a_thousand_peers_are_set_and_read_at_once() {
    let host = Host::new();
    host.start();
    host.run(|| {
        let peer = |number: u16| {
            let mut key = [0; KEY_LEN];
            key[..2].copy_from_slice(&number.to_be_bytes());
            let [high, low] = number.to_be_bytes();
            let allowed_ips = vec![(Sign::Add, format!("10.1.{high}.{low}/32").parse().unwrap())];
            SetPeer {
                allowed_ips,
                replace_allowed_ips: true,
                ..SetPeer::new(wgq::key::PublicKey(key))
            }
        };
        let peers = (1..=1000).map(peer).collect();
        let set = Set {
            private_key: Some([7; KEY_LEN].into()),
            peers,
            ..Set::default()
        };
        uapi::set(wg0(), &set).unwrap();
        uapi::set(wg0(), &set).unwrap();
        assert_eq!(uapi::status(wg0()).unwrap().unwrap().peers.len(), 1000);
        uapi::set(
            wg0(),
            &Set {
                replace_peers: true,
                ..Set::default()
            },
        )
        .unwrap();
        assert_eq!(uapi::status(wg0()).unwrap().unwrap().peers.len(), 0);
    });
}
