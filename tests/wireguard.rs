//! Devices and peers on a kernel with WireGuard, beside what `wg` does, in network namespaces of our own.
//!
//! Needs root, `ip`, `wg` and the module. Where that is missing, all of them run in the virtual machine of `tests/vm`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic and tell"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use nix::sched::{CloneFlags, unshare};
use wgq::host::route_socket::RouteSocket;
use wgq::host::wireguard::WireGuard;
use wgq::key::{PrivateKey, PublicKey};
use wgq::net::{Address, FwMark, Ifname, Prefix};
use wgq::state::{Device, DeviceSettings, LinkKind, Peer};
use wgq::step::Step;

/// Runs a test in a network namespace of its own with two WireGuard devices, `wg0` and `wg1`, down and empty.
fn in_namespace<T: Send + 'static>(test: impl FnOnce(WireGuard) -> T + Send + 'static) -> T {
    let run = || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace: run as root");
        let steps = ["wg0", "wg1"].map(|ifname| Step::AddLink {
            ifname: parse(ifname),
            kind: LinkKind::Kernel,
        });
        assert_eq!(RouteSocket::open().unwrap().execute(&steps), []);
        test(WireGuard::open().unwrap())
    };
    thread::spawn(run)
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn run(command: &str) -> String {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn wg0() -> Ifname {
    parse("wg0")
}

/// A number that looks random, the same for the same seed.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn key(seed: u64) -> [u8; 32] {
    let mut seed = seed;
    let mut key = [0; 32];
    key.chunks_mut(8)
        .for_each(|part| part.copy_from_slice(&random(&mut seed).to_le_bytes()));
    key[0] &= 0xf8; // as a private key is to be
    key[31] = key[31] & 0x7f | 0x40;
    key
}

fn prefix(ip: IpAddr, len: u8) -> Prefix {
    Address::new(ip, len).unwrap().prefix()
}

fn v4(number: u32) -> Prefix {
    prefix(Ipv4Addr::from_bits(0x0a00_0000 + number).into(), 32)
}

fn v6(number: u128) -> Prefix {
    prefix(Ipv6Addr::from_bits((0xfd << 120) + number).into(), 128)
}

fn a_peer(number: u64) -> Peer {
    Peer {
        public_key: PublicKey(key(number)),
        preshared_key: None,
        endpoint: None,
        persistent_keepalive: None,
        allowed_ips: BTreeSet::new(),
    }
}

/// `count` peers with 4 AllowedIPs each.
fn peers(count: u32) -> Vec<Peer> {
    (0..count)
        .map(|number| Peer {
            endpoint: Some(
                format!("192.0.2.{}:{}", number % 250, 1024 + number % 60000)
                    .parse()
                    .unwrap(),
            ),
            allowed_ips: [
                v4(2 * number),
                v4(2 * number + 1),
                v6((2 * number).into()),
                v6((2 * number + 1).into()),
            ]
            .into(),
            ..a_peer(number.into())
        })
        .collect()
}

fn set_device(from: DeviceSettings, to: DeviceSettings) -> Step {
    Step::SetDevice {
        ifname: wg0(),
        from,
        to,
    }
}

fn set_peer(from: Option<Peer>, to: Option<Peer>) -> Step {
    Step::SetPeer {
        ifname: wg0(),
        from,
        to,
    }
}

/// The steps from one device to another.
fn steps(from: &Device, to: &Device) -> Vec<Step> {
    let mut steps = vec![set_device(from.settings.clone(), to.settings.clone())];
    let now = |key| {
        from.peers
            .iter()
            .find(|peer| peer.public_key == key)
            .cloned()
    };
    steps.extend(
        to.peers
            .iter()
            .map(|peer| set_peer(now(peer.public_key), Some(peer.clone()))),
    );
    let stays = |key| to.peers.iter().any(|peer| peer.public_key == key);
    let gone = from.peers.iter().filter(|peer| !stays(peer.public_key));
    steps.extend(gone.map(|peer| set_peer(Some(peer.clone()), None)));
    steps
}

fn sorted(device: &Device) -> Device {
    let mut device = device.clone();
    device.peers.sort_by_key(|peer| peer.public_key);
    device
}

/// The file that `wg` reads.
fn config(device: &Device) -> String {
    let mut text = "[Interface]\n".to_owned();
    let settings = &device.settings;
    if let Some(key) = &settings.private_key {
        writeln!(text, "PrivateKey = {}", *key.to_base64()).unwrap();
    }
    if let Some(port) = settings.listen_port {
        writeln!(text, "ListenPort = {port}").unwrap();
    }
    if let Some(mark) = settings.fwmark {
        writeln!(text, "FwMark = {mark}").unwrap();
    }
    for peer in &device.peers {
        writeln!(text, "[Peer]\nPublicKey = {}", peer.public_key).unwrap();
        if let Some(key) = &peer.preshared_key {
            writeln!(text, "PresharedKey = {}", *key.to_base64()).unwrap();
        }
        if let Some(endpoint) = peer.endpoint {
            writeln!(text, "Endpoint = {endpoint}").unwrap();
        }
        if let Some(seconds) = peer.persistent_keepalive {
            writeln!(text, "PersistentKeepalive = {seconds}").unwrap();
        }
        for allowed_ip in &peer.allowed_ips {
            writeln!(text, "AllowedIPs = {allowed_ip}").unwrap();
        }
    }
    text
}

/// Configures `wg1` by `wg setconf`.
fn wg_setconf(device: &Device) {
    let file = std::env::temp_dir().join(format!("wg1-{:?}.conf", thread::current().id()));
    fs::write(&file, config(device)).unwrap();
    let status = Command::new("wg")
        .args(["setconf", "wg1"])
        .arg(&file)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// What `wg showconf` says, with the lines of each section and the sections sorted.
fn showconf(ifname: &str) -> Vec<String> {
    let text = run(&format!("wg showconf {ifname}"));
    let mut sections: Vec<_> = text
        .split("\n\n")
        .map(|section| {
            let mut words: Vec<_> = section.split([' ', '\n', ',']).collect();
            words.sort_unstable();
            words.join(" ")
        })
        .collect();
    sections.sort();
    sections
}

fn a_device() -> Device {
    Device {
        settings: DeviceSettings {
            private_key: Some(PrivateKey::from(key(1000))),
            listen_port: Some(51820),
            fwmark: Some(FwMark(0xca6c)),
        },
        peers: vec![
            Peer {
                preshared_key: Some(key(77).into()),
                endpoint: Some(parse("192.0.2.1:51820")),
                persistent_keepalive: Some(25),
                allowed_ips: [parse("0.0.0.0/0"), parse("::/0"), parse("10.1.0.0/16")].into(),
                ..a_peer(1)
            },
            Peer {
                endpoint: Some(parse("[fe80::1%1]:7")),
                allowed_ips: [parse("fd00::/8")].into(),
                ..a_peer(2)
            },
            a_peer(3),
        ],
    }
}

#[test]
fn on_a_kernel_with_wireguard() {
    let this = std::env::current_exe().unwrap();
    let mut command = if WireGuard::open().is_ok() {
        Command::new(this)
    } else {
        let machine = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vm/run");
        let mut command = Command::new(machine);
        command.arg(this);
        command
    };
    let status = command
        .args(["--ignored", "--nocapture", "--test-threads", "1"])
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[test]
#[ignore = "needs a kernel with WireGuard"]
fn a_device_is_what_was_set_and_what_wg_sets() {
    in_namespace(|mut wireguard| {
        let nothing = Device::default();
        assert_eq!(wireguard.device(wg0()), Ok(Some(nothing.clone())));
        let device = a_device();
        let steps = steps(&nothing, &device);
        assert_eq!(wireguard.execute(&steps), []);
        assert_eq!(
            sorted(&wireguard.device(wg0()).unwrap().unwrap()),
            sorted(&device)
        );
        wg_setconf(&device);
        assert_eq!(showconf("wg0"), showconf("wg1"));
        let inverses: Vec<_> = steps
            .iter()
            .rev()
            .map(|step| step.inverse().unwrap())
            .collect();
        for _ in 0..2 {
            assert_eq!(wireguard.execute(&inverses), []);
            assert_eq!(wireguard.device(wg0()), Ok(Some(nothing.clone())));
        }
        assert_eq!(wireguard.device(parse("absent")), Ok(None));
        assert_eq!(wireguard.device(parse("lo")), Ok(None));
        let link = RouteSocket::open().unwrap().link(wg0()).unwrap().unwrap();
        assert_eq!(
            (link.kind.as_deref(), link.mtu, link.up),
            (Some("wireguard"), 1420, false)
        );
    });
}

#[test]
#[ignore = "needs a kernel with WireGuard"]
fn any_device_becomes_any_other() {
    in_namespace(|mut wireguard| {
        let mut seed = 1;
        let mut now = wireguard.device(wg0()).unwrap().unwrap();
        for round in 0..100 {
            let mut some = |chance: u64| random(&mut seed) % 100 < chance;
            let mut owners: Vec<u32> = Vec::new();
            let settings = DeviceSettings {
                private_key: some(80).then(|| key(2000 + round % 3).into()),
                // once given, the kernel keeps a port until it is told another, and 0 while down is none
                listen_port: some(60).then_some(51820),
                fwmark: some(50).then_some(FwMark(7)),
            };
            let mut want = Device {
                settings,
                peers: Vec::new(),
            };
            for number in 0..6 {
                if !some(70) {
                    continue;
                }
                let mut peer = a_peer(number);
                peer.preshared_key = some(40).then(|| key(3000 + round % 2).into());
                peer.persistent_keepalive = some(40).then_some(25);
                // an endpoint cannot be taken away
                peer.endpoint = now
                    .peers
                    .iter()
                    .find(|old| old.public_key == peer.public_key)
                    .and_then(|old| old.endpoint);
                if some(40) {
                    peer.endpoint = Some(parse(if some(50) {
                        "192.0.2.1:1"
                    } else {
                        "[2001:db8::1]:2"
                    }));
                }
                for ip in 0..8 {
                    if some(30) && !owners.contains(&ip) {
                        owners.push(ip);
                        peer.allowed_ips
                            .insert(if ip % 2 == 0 { v4(ip) } else { v6(ip.into()) });
                    }
                }
                want.peers.push(peer);
            }
            assert_eq!(wireguard.execute(&steps(&now, &want)), [], "round {round}");
            let found = wireguard.device(wg0()).unwrap().unwrap();
            assert!(sorted(&found) == sorted(&want), "round {round}");
            now = want;
        }
    });
}

#[test]
#[ignore = "needs a kernel with WireGuard"]
fn a_failure_is_told_for_its_step_and_stops_no_other() {
    in_namespace(|mut wireguard| {
        run("wg set wg1 listen-port 51820");
        run("ip link set wg1 up");
        run("ip link set wg0 up");
        let mut steps = steps(&Device::default(), &a_device());
        steps.push(Step::SetPeer {
            ifname: parse("absent"),
            from: None,
            to: Some(a_peer(9)),
        });
        steps.push(set_peer(None, Some(a_peer(4))));
        let failures = wireguard.execute(&steps);
        let told: Vec<_> = failures
            .iter()
            .map(|failure| (failure.index, failure.error.errno()))
            .collect();
        assert_eq!(told, [(0, libc::EADDRINUSE), (4, libc::ENODEV)]);
        let found = wireguard.device(wg0()).unwrap().unwrap();
        assert_eq!(found.peers.len(), 4);
    });
}

#[test]
#[ignore = "needs a kernel with WireGuard"]
fn a_peer_that_is_gone_is_not_made_anew_by_halves() {
    in_namespace(|mut wireguard| {
        let from = a_peer(1);
        let to = Peer {
            persistent_keepalive: Some(25),
            ..a_peer(1)
        };
        assert_eq!(wireguard.execute(&[set_peer(Some(from), Some(to))]), []);
        assert_eq!(wireguard.device(wg0()), Ok(Some(Device::default())));
    });
}

/// Runs a task and says how long it took.
fn timed<T>(what: &str, task: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = task();
    eprintln!("{what}: {:.3?}", start.elapsed());
    result
}

/// Sets `wg0` to the device and reads it back.
fn set_and_read(wireguard: &mut WireGuard, what: &str, device: &Device) {
    let steps = steps(&Device::default(), device);
    timed(&format!("{what} set"), || {
        assert_eq!(wireguard.execute(&steps), []);
    });
    let found = timed(&format!("{what} read"), || {
        wireguard.device(wg0()).unwrap().unwrap()
    });
    assert!(sorted(&found) == sorted(device), "{what}");
}

#[test]
#[ignore = "needs a kernel with WireGuard"]
fn large_devices_are_set_as_wg_sets_them() {
    let one_peer = Peer {
        allowed_ips: (0..65_280).map(v4).collect(),
        ..a_peer(1)
    };
    for (what, peers) in [
        ("1,000 peers", peers(1_000)),
        ("65,280 AllowedIPs", vec![one_peer]),
    ] {
        in_namespace(move |mut wireguard| {
            let settings = a_device().settings;
            let device = Device { settings, peers };
            set_and_read(&mut wireguard, what, &device);
            timed(&format!("{what} set by wg"), || wg_setconf(&device));
            let shown = timed(&format!("{what} read by wg"), || showconf("wg0"));
            assert!(shown == showconf("wg1"), "{what}");
        });
    }
}

#[test]
#[ignore = "needs a kernel with WireGuard"]
fn as_many_peers_are_set_as_one_likes() {
    // no second device beside this one: the kernel takes minutes to delete it, and since 6.14 has a thread for each peer
    in_namespace(|mut wireguard| {
        let settings = a_device().settings;
        let peers = peers(20_000);
        set_and_read(&mut wireguard, "20,000 peers", &Device { settings, peers });
    });
}
