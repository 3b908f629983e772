//! `save`: what runs is written into the file, and the rest of the file stays as it is.

use proptest::prelude::*;
use wgq::config::{self, Config, Endpoint, Names, save, show_save};
use wgq::net::FwMark;
use wgq::state::{Device, DeviceSettings, Link, LinkKind, LinkSettings, Peer, State};

use crate::texts;

const A: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const B: &str = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";
const C: &str = "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=";
const KEY: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

fn parse(text: &str) -> Config {
    let parsed = config::parse(text.as_bytes(), &Names::default());
    parsed
        .config
        .unwrap_or_else(|| panic!("{text}:\n{:#?}", parsed.diagnostics))
}

/// What runs when this is all that was ever set, with a port and an MTU that the kernel chose.
fn running(text: &str) -> State {
    let Config { interface, peers } = parse(text);
    let peers = peers.into_iter().map(|peer| Peer {
        public_key: *peer.public_key,
        preshared_key: peer.preshared_key,
        endpoint: peer.endpoint.map(|endpoint| match endpoint.value {
            Endpoint::Addr(addr) => addr,
            Endpoint::Name { port, .. } => ([192, 0, 2, 99], port).into(),
        }),
        persistent_keepalive: peer.persistent_keepalive,
        allowed_ips: peer.allowed_ips,
    });
    State {
        link: Some(Link {
            kind: LinkKind::Kernel,
            settings: LinkSettings {
                mtu: interface.mtu.map_or(1420, |mtu| mtu.value),
                up: true,
            },
        }),
        device: Device {
            settings: DeviceSettings {
                private_key: interface.private_key,
                listen_port: interface.listen_port.or(Some(40_000)),
                fwmark: interface.fwmark.map(|mark| mark.value),
            },
            peers: peers.collect(),
        },
        addresses: interface
            .addresses
            .iter()
            .map(|address| address.value)
            .collect(),
        ..State::default()
    }
}

/// The keys by the short names that the texts below have in their place.
const KEYS: [(&str, &str); 4] = [("KEY", KEY), ("PEER_A", A), ("PEER_B", B), ("PEER_C", C)];

fn with_keys(text: &str) -> String {
    KEYS.iter()
        .fold(text.to_owned(), |text, (name, key)| text.replace(name, key))
}

/// Saves what runs after `now` into `file`.
fn saved(file: &str, now: &str) -> String {
    saved_state(file, &running(&with_keys(now)))
}

fn saved_state(file: &str, now: &State) -> String {
    let file = with_keys(file);
    let saved = save(&file, &parse(&file), now);
    assert_eq!(save(&saved, &parse(&saved), now), saved, "saved again");
    KEYS.iter()
        .fold(saved, |text, (name, key)| text.replace(key, name))
}

const FILE: &str = "\
# The office.
[Interface]
PrivateKey = KEY
Address = 10.0.0.1/24, fd00::1/64 # ours
ListenPort=51820
PostUp = echo up # not a comment

# phone
[Peer]
PublicKey = PEER_A   # A's
AllowedIPs = 10.0.0.2/32, 10.1.0.0/16
AllowedIPs = fd00::2
Endpoint = phone.example.com:51820

# --- laptops ---

# Client: bob (2)
[Peer]
\tPublicKey = PEER_B
\tEndpoint = 192.0.2.7:51820
\tAllowedIPs = 10.0.0.3/32
# the end of bob

[Peer]
PublicKey = PEER_C
PersistentKeepalive = 25";

#[test]
fn what_did_not_change_is_not_touched() {
    for file in [
        FILE.to_owned(),
        format!("\u{feff}{}\r\n", FILE.replace('\n', "\r\n")),
    ] {
        assert_eq!(saved(&file, FILE), file);
    }
}

#[test]
fn what_was_chosen_for_the_file_is_not_written() {
    let file = FILE
        .replace("ListenPort=51820\n", "FwMark = off\nPrivateKeyFile = key\n")
        .replace("PrivateKey = KEY\n", "");
    let mut now = running(&with_keys(FILE));
    now.device.settings.fwmark = Some(FwMark(51820));
    assert_eq!(saved_state(&file, &now), file);
    now.device.settings.fwmark = Some(FwMark(7));
    let file = file.replace("FwMark = off", "FwMark = 9");
    assert_eq!(saved_state(&file, &now), file.replace("= 9", "= 0x7"));
}

#[test]
fn changes_go_where_they_belong() {
    let now = FILE
        .replace("10.0.0.2/32, 10.1.0.0/16", "10.1.0.0/16, 10.7.0.0/16")
        .replace(
            "Endpoint = 192.0.2.7:51820",
            "Endpoint = [2001:db8::7]:1\n PresharedKey = KEY\nPersistentKeepalive = 5",
        )
        .replace("PersistentKeepalive = 25", "Endpoint = 192.0.2.9:9")
        .replace("ListenPort=51820", "ListenPort=51821")
        .replace("fd00::1/64 # ours", "fd00::9/64");
    let expected = FILE
        .replace("10.0.0.2/32, 10.1.0.0/16", "10.1.0.0/16")
        .replace("AllowedIPs = fd00::2", "AllowedIPs = fd00::2, 10.7.0.0/16")
        .replace("192.0.2.7:51820", "[2001:db8::7]:1")
        .replace(
            "10.0.0.3/32\n",
            "10.0.0.3/32\n\tPresharedKey = KEY\n\tPersistentKeepalive = 5\n",
        )
        .replace("PersistentKeepalive = 25", "Endpoint = 192.0.2.9:9")
        .replace("ListenPort=51820", "ListenPort=51821")
        .replace("fd00::1/64 #", "fd00::9/64 #");
    assert_eq!(saved(FILE, &now), expected);
}

#[test]
fn a_peer_goes_with_its_comments_and_no_others() {
    let without = |gone: &str| {
        let mut now = running(&with_keys(FILE));
        now.device
            .peers
            .retain(|peer| peer.public_key.to_string() != gone);
        saved_state(FILE, &now)
    };
    let cut = |from: &str, to: &str| {
        let (start, end) = (FILE.find(from).unwrap(), FILE.find(to).unwrap());
        FILE[..start].to_owned() + &FILE[end..]
    };
    assert_eq!(without(A), cut("\n# phone", "\n# --- laptops"));
    assert_eq!(
        without(B),
        cut("\n# Client: bob", "\n[Peer]\nPublicKey = PEER_C")
    );
    assert_eq!(
        without(C),
        FILE[..FILE.find("\n\n[Peer]\nPublicKey = PEER_C").unwrap()]
    );
}

#[test]
fn the_marks_of_other_tools_stay_in_pairs() {
    let file = "[Interface]\n### begin a ###\n[Peer]\nPublicKey = PEER_A\n### end a ###\n### begin b ###\n#[disabled] [Peer]\n### end b ###\n# BEGIN_PEER c\n[Peer]\nPublicKey = PEER_C\n# END_PEER c\n";
    let a = "### begin a ###\n[Peer]\nPublicKey = PEER_A\n### end a ###\n";
    let c = "# BEGIN_PEER c\n[Peer]\nPublicKey = PEER_C\n# END_PEER c\n";
    assert_eq!(
        saved(file, "[Peer]\nPublicKey = PEER_C"),
        file.replace(a, "")
    );
    assert_eq!(
        saved(file, "[Peer]\nPublicKey = PEER_A"),
        file.replace(c, "")
    );
    assert_eq!(
        saved(file, "[Interface]"),
        file.replace(c, "").replace(a, "")
    );
}

#[test]
fn a_new_peer_comes_last() {
    let file = "\u{feff}[Interface]\r\nMTU = 1400";
    let now = "[Interface]\nMTU=1300\nPrivateKey=KEY\nAddress=10.0.0.1/24\n[Peer]\nPublicKey = PEER_B\n[Peer]\nPublicKey = PEER_A\nPresharedKey = KEY\nAllowedIPs = 10.0.0.2, ::/0\nEndpoint = [::1]:5\nPersistentKeepalive = 5";
    let expected = "\u{feff}[Interface]\r\nMTU = 1300\r\nPrivateKey = KEY\r\nAddress = 10.0.0.1/24\r\n\r\n[Peer]\r\nPublicKey = PEER_B\r\n\r\n[Peer]\r\nPublicKey = PEER_A\r\nPresharedKey = KEY\r\nAllowedIPs = 10.0.0.2/32, ::/0\r\nEndpoint = [::1]:5\r\nPersistentKeepalive = 5";
    assert_eq!(saved(file, now), expected);
}

#[test]
fn the_kernel_s_link_local_addresses_are_not_written() {
    let mut now = running("[Interface]\nAddress = 10.0.0.1/24, fe80::1/64");
    let file = "[Interface]\nAddress = 10.0.0.1/24\n";
    assert_eq!(saved_state(file, &now), file);
    let file = "[Interface]\nAddress = fe80::1/64, 10.0.0.1/24\n";
    assert_eq!(saved_state(file, &now), file);
    now.addresses.truncate(1);
    assert_eq!(saved_state(file, &now), file, "IPv6 may be off on the host");
}

/// Every private and preshared key, as it is written.
fn secrets(config: &Config) -> Vec<String> {
    let private = config.interface.private_key.iter();
    let preshared = config
        .peers
        .iter()
        .filter_map(|peer| peer.preshared_key.as_ref());
    private
        .map(|key| key.to_base64().to_string())
        .chain(preshared.map(|key| key.to_base64().to_string()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_is_saved_says_what_ran(file in texts::file(100), now in texts::file(100)) {
        let names = Names::default();
        let read = |text: &str| config::parse(text.as_bytes(), &names).config;
        prop_assume!(read(&file).is_some() && read(&now).is_some());
        let (written, now) = (parse(&file), running(&now));
        let saved = save(&file, &written, &now);
        let again = parse(&saved);
        prop_assert_eq!(save(&saved, &again, &now), &*saved);
        let shown = show_save(&file, &written, &now);
        prop_assert_eq!(shown.is_empty(), saved == file, "{}", shown);
        let public: Vec<String> = [&written, &again]
            .iter()
            .flat_map(|config| config.peers.iter().map(|peer| peer.public_key.to_string()))
            .collect();
        for secret in [&written, &again].into_iter().flat_map(secrets) {
            prop_assert!(public.contains(&secret) || !shown.contains(&secret), "{}", shown);
        }
        prop_assert_eq!(again.peers.len(), now.device.peers.len());
        for peer in &now.device.peers {
            let found = again.peers.iter().find(|found| *found.public_key == peer.public_key).unwrap();
            prop_assert_eq!(&found.allowed_ips, &peer.allowed_ips);
            prop_assert_eq!(&found.preshared_key, &peer.preshared_key);
            prop_assert_eq!(found.persistent_keepalive, peer.persistent_keepalive);
            match (found.endpoint.as_ref().map(|endpoint| &endpoint.value), peer.endpoint) {
                (Some(Endpoint::Addr(found)), Some(addr)) => prop_assert_eq!(found, &addr),
                (Some(Endpoint::Name { .. }), _) | (_, None) => {}
                (None, Some(addr)) => prop_assert!(false, "{} is not there", addr),
            }
        }
    }

    #[test]
    fn what_runs_as_written_changes_nothing(file in texts::file(100)) {
        if config::parse(file.as_bytes(), &Names::default()).config.is_some() {
            prop_assert_eq!(save(&file, &parse(&file), &running(&file)), file);
        }
    }
}
