use super::*;
use crate::config::Names;
use crate::key::KEY_LEN;

const KEY: PublicKey = PublicKey([1; KEY_LEN]);
const NOW: Duration = Duration::from_secs(1_000_000_000);

fn wg0() -> Ifname {
    "wg0".parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A peer that is at that address.
fn peer(endpoint: Option<&str>) -> Peer {
    Peer {
        endpoint: endpoint.map(at),
        allowed_ips: ["10.0.0.2/32".parse().unwrap()].into(),
        ..Peer::new(KEY)
    }
}

/// A look at it when its last handshake is so many seconds old.
fn look(peer: Peer, age: Option<u64>, tx_bytes: u64) -> Look {
    let last_handshake = age.map(|age| NOW.checked_sub(Duration::from_secs(age)).unwrap());
    let session = Session {
        last_handshake,
        tx_bytes,
    };
    let device = Device {
        peers: vec![peer],
        ..Device::default()
    };
    Look::new(device, &[(KEY, session)].into(), NOW)
}

fn candidates(addresses: &[&str]) -> Candidates {
    Candidates {
        public_key: KEY,
        addresses: addresses.iter().map(|text| at(text)).collect(),
    }
}

/// Where the steps put the peer; nothing else of it may change.
fn moved(addresses: &[&str], before: &Look, now: &Look) -> Option<String> {
    let steps = steps(wg0(), &[candidates(addresses)], before, now);
    assert!(steps.len() <= 1);
    let Some(Step::SetPeer { from, to, .. }) = steps.into_iter().next() else {
        return None;
    };
    let (from, to) = (from.unwrap(), to.unwrap());
    let unmoved = Peer {
        endpoint: from.endpoint,
        ..to.clone()
    };
    assert_eq!(from, unmoved);
    assert_ne!(from, to);
    Some(to.endpoint.unwrap().to_string())
}

/// As [`moved`], of a peer with a keepalive.
fn tried(endpoint: Option<&str>, age: Option<u64>, addresses: &[&str]) -> Option<String> {
    let peer = Peer {
        persistent_keepalive: Some(25),
        ..peer(endpoint)
    };
    let look = look(peer, age, 0);
    moved(addresses, &look, &look)
}

const A: &str = "192.0.2.1:51820";
const B: &str = "[2001:db8::1]:51820";
const C: &str = "192.0.2.3:51820";

fn config(text: &str) -> Config {
    let key = KEY.to_string();
    let text = text.replace("KEY", &key);
    crate::config::parse(text.as_bytes(), &Names::default())
        .config
        .unwrap()
}

#[test]
fn only_silent_peers_with_a_name_are_looked_up() {
    let by_name = config("[Interface]\n[Peer]\nPublicKey = KEY\nEndpoint = vpn.example:51820\n");
    let count = |config: &Config, look: &Look| silent(config, look).len();
    for (age, expected) in [(None, 1), (Some(136), 1), (Some(135), 0), (Some(0), 0)] {
        assert_eq!(
            count(&by_name, &look(peer(None), age, 0)),
            expected,
            "{age:?}"
        );
    }
    let never = look(peer(None), None, 0);
    for other in ["Endpoint = 192.0.2.1:51820\n", ""] {
        let other = config(&format!("[Interface]\n[Peer]\nPublicKey = KEY\n{other}"));
        assert_eq!(count(&other, &never), 0);
    }
    assert_eq!(
        count(&by_name, &Look::default()),
        0,
        "it is not on the device"
    );
}

#[test]
fn a_handshake_in_the_future_is_no_sign_of_life() {
    let session = |ahead| Session {
        last_handshake: Some(NOW + Duration::from_secs(ahead)),
        tx_bytes: 0,
    };
    let silent = |ahead| {
        let device = Device {
            peers: vec![peer(None)],
            ..Device::default()
        };
        let look = Look::new(device, &[(KEY, session(ahead))].into(), NOW);
        look.silent(KEY).is_some()
    };
    assert!(!silent(5));
    assert!(silent(100_000));
}

#[test]
fn a_peer_that_is_not_where_its_name_leads_gets_the_first_address() {
    assert_eq!(tried(None, None, &[A, B]).as_deref(), Some(A));
    assert_eq!(tried(Some(C), None, &[A, B]).as_deref(), Some(A));
    assert_eq!(tried(Some(C), Some(200), &[A]).as_deref(), Some(A));
    let another_port = tried(Some("192.0.2.1:7"), Some(200), &[A]);
    assert_eq!(another_port.as_deref(), Some(A));
    assert_eq!(tried(Some(C), Some(200), &[]), None);
}

#[test]
fn a_dead_peer_gets_the_next_address_round_and_round() {
    assert_eq!(tried(Some(A), Some(200), &[A, B, C]).as_deref(), Some(B));
    assert_eq!(tried(Some(B), Some(200), &[A, B, C]).as_deref(), Some(C));
    assert_eq!(tried(Some(C), None, &[A, B, C]).as_deref(), Some(A));
    assert_eq!(tried(Some(A), Some(200), &[A]), None);
}

#[test]
fn a_peer_that_answers_is_left_where_it_is() {
    assert_eq!(tried(Some(C), Some(60), &[A, B]), None);
    let (before, now) = (
        look(peer(Some(C)), None, 0),
        look(peer(Some(C)), Some(1), 148),
    );
    assert_eq!(
        moved(&[A], &before, &now),
        None,
        "it has answered meanwhile"
    );
    assert_eq!(moved(&[A], &before, &Look::default()), None, "it is gone");
}

#[test]
fn a_peer_to_which_nothing_is_sent_is_not_dead() {
    let before = look(peer(Some(A)), Some(200), 1000);
    let (idle, spoken_to) = (
        look(peer(Some(A)), Some(206), 1000),
        look(peer(Some(A)), Some(206), 1148),
    );
    let all = candidates(&[A, B]);
    assert!(all.offer_another(&before) && all.are_in_doubt(&before));
    assert_eq!(moved(&[A, B], &before, &idle), None);
    assert_eq!(moved(&[A, B], &before, &spoken_to).as_deref(), Some(B));
    let elsewhere = look(peer(Some(C)), Some(200), 1000);
    assert!(!all.are_in_doubt(&elsewhere));
    assert_eq!(moved(&[A, B], &elsewhere, &elsewhere).as_deref(), Some(A));
    assert!(!candidates(&[A]).offer_another(&before));
}
