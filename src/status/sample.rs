//! Interfaces for the tests of all forms.

use std::path::PathBuf;
use std::time::Duration;

use super::{
    DeviceStatus, Drift, Forwarding, Interface, Layers, Origin, PeerStatus, Scopes, Status,
};
use crate::config::{Masquerade, PortForward, Protocol};
use crate::key::{PrivateKey, PublicKey};
use crate::net::FwMark;
use crate::state::{DeviceSettings, Dns, DnsBackend, LinkKind, LinkSettings};

pub(super) const PRIVATE: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
pub(super) const PRESHARED: &str = "WNOPdNWTqPqNNXFmDf0lVIYHCBYL0CXqTHDqHTAGXzM=";

/// 2025-11-23, 05:33:20 UTC.
pub(super) const NOW: Duration = Duration::from_secs(1_763_876_000);

pub(super) fn public() -> PublicKey {
    PRIVATE.parse::<PrivateKey>().unwrap().public_key()
}

/// The keys of phone, laptop, tablet, and one without a name.
pub(super) fn keys() -> [PublicKey; 4] {
    [
        "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
        "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=",
        "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=",
        "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=",
    ]
    .map(|key| key.parse().unwrap())
}

/// A server with all layers, in the device's own order of peers.
pub(super) fn server() -> Interface {
    let [phone, laptop, tablet, other] = keys();
    let settings = DeviceSettings {
        private_key: Some(PRIVATE.parse().unwrap()),
        listen_port: Some(51820),
        fwmark: Some(FwMark(51820)),
    };
    let ip = |text: &str| text.parse().unwrap();
    let before = |seconds| Some(NOW.saturating_sub(Duration::from_secs(seconds)));
    let peers = vec![
        PeerStatus {
            endpoint: Some("[fe80::2%7]:51820".parse().unwrap()),
            persistent_keepalive: Some(25),
            allowed_ips: vec![ip("10.8.0.3/32")],
            last_handshake: before(300),
            rx_bytes: 1536,
            tx_bytes: 1_048_576,
            ..PeerStatus::new(laptop)
        },
        PeerStatus {
            preshared_key: Some(PRESHARED.parse().unwrap()),
            endpoint: Some("198.51.100.7:41231".parse().unwrap()),
            allowed_ips: vec![ip("10.8.0.2/32"), ip("fd42::2/128")],
            last_handshake: before(12),
            rx_bytes: 1_272_812,
            tx_bytes: 8_703_180,
            ..PeerStatus::new(phone)
        },
        PeerStatus::new(other),
        PeerStatus {
            allowed_ips: vec![ip("10.8.0.4/32")],
            ..PeerStatus::new(tablet)
        },
    ];
    let names = [
        (phone, "phone"),
        (laptop, "Jörg's laptop"),
        (tablet, "tab\u{202e}\x1b[2Jlet \"1\""),
    ];
    Interface {
        ifname: "wg0".parse().unwrap(),
        netns: None,
        kind: LinkKind::Kernel,
        link: Some(LinkSettings {
            mtu: 1420,
            up: true,
        }),
        addresses: vec![
            "10.8.0.1/24".parse().unwrap(),
            "fd42::1/64".parse().unwrap(),
        ],
        device: DeviceStatus { settings, peers },
        names: names.map(|(key, name)| (key, name.to_owned())).into(),
        scopes: Scopes::from([(7, "ens3".to_owned())]),
        origin: Origin {
            by_wgq: true,
            file: Some("/etc/wireguard/wg0.conf".into()),
            drift: Drift::Steps(0),
        },
        layers: Layers {
            forwards_v4: Some(Forwarding {
                is_on: true,
                by_wgq: true,
            }),
            forwards_v6: Some(Forwarding {
                is_on: true,
                by_wgq: true,
            }),
            masquerade: Some(Masquerade::Anywhere),
            port_forwards: vec![PortForward {
                ifname: None,
                protocol: Protocol::Tcp,
                ports: 8080..=8080,
                to: "10.8.0.2".parse().unwrap(),
                to_port: Some(80),
            }],
            ..Layers::default()
        },
    }
}

/// A client in a network namespace, driven by a program, with a kill switch and DNS, that is not what its file says any more.
pub(super) fn client() -> Interface {
    let peer = PeerStatus {
        endpoint: Some("[2001:db8::1]:51820".parse().unwrap()),
        allowed_ips: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
        persistent_keepalive: Some(25),
        tx_bytes: 148,
        ..PeerStatus::new(public())
    };
    Interface {
        ifname: "mullvad".parse().unwrap(),
        netns: Some("blue".parse().unwrap()),
        kind: LinkKind::Userspace {
            program: Some("boringtun-cli".to_owned()),
        },
        link: Some(LinkSettings {
            mtu: 1280,
            up: false,
        }),
        addresses: Vec::new(),
        device: DeviceStatus {
            settings: DeviceSettings::default(),
            peers: vec![peer],
        },
        names: [].into(),
        scopes: Scopes::new(),
        origin: Origin {
            by_wgq: true,
            file: Some(PathBuf::from("/root/mullvad.conf")),
            drift: Drift::Steps(3),
        },
        layers: Layers {
            forwards_v4: Some(Forwarding::default()),
            kill_switch: true,
            dns: Some(Dns {
                backend: DnsBackend::Resolved,
                servers: vec!["10.64.0.1".parse().unwrap()],
                search: vec!["example.com".to_owned()],
                all_names: true,
                required: false,
            }),
            ..Layers::default()
        },
    }
}

pub(super) fn status() -> Status {
    Status {
        at: NOW,
        interfaces: vec![server(), client()],
    }
}

/// Holds a text to a file in tests/screens, or makes the file anew: `WGQ_BLESS=1 cargo test --lib status`.
#[expect(
    clippy::disallowed_methods,
    reason = "a test that writes what it is to be compared with"
)]
pub(super) fn is_golden(file: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/screens")
        .join(file);
    if std::env::var_os("WGQ_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{file} is not what it was:\n{found}");
}
