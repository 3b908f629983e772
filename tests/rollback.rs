//! All or nothing, on a host that exists only as a value: random states, and a fault at every step between them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test"
)]

mod model;

use std::collections::{BTreeMap, BTreeSet};

use model::Model;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use wgq::apply::{Stop, Transaction, as_much_as_possible};
use wgq::diff::diff;
use wgq::foreign::{Accept, Connections, Packets, Place, TableFamily, Tool};
use wgq::key::{PresharedKey, PublicKey};
use wgq::net::{Address, Family, FwMark, Ifname, Prefix, TableId};
use wgq::nft::NftTable;
use wgq::state::{
    Device, DeviceSettings, Dns, DnsBackend, Link, LinkKind, LinkSettings, Peer, PolicyRule, Route,
    Selector, State, Sysctl,
};
use wgq::step::Step;

fn ifname() -> Ifname {
    "wg0".parse().unwrap()
}

fn prefixes() -> impl Strategy<Value = BTreeSet<Prefix>> {
    let few = [
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.2.3/32",
        "fd00::/64",
    ];
    subsequence(
        few.map(|text| text.parse().unwrap()).to_vec(),
        0..=few.len(),
    )
    .prop_map(|prefixes| prefixes.into_iter().collect())
}

fn peer(public_key: PublicKey) -> impl Strategy<Value = Peer> {
    (
        option::of(0..3u8),
        option::of(1..3u16),
        option::of(1..3u16),
        prefixes(),
    )
        .prop_map(move |(psk, port, persistent_keepalive, allowed_ips)| Peer {
            public_key,
            preshared_key: psk.map(|byte| PresharedKey::from([byte; 32])),
            endpoint: port.map(|port| ([192, 0, 2, 1], port).into()),
            persistent_keepalive,
            allowed_ips,
        })
}

fn device() -> impl Strategy<Value = Device> {
    let keys = subsequence((0..4).collect::<Vec<u8>>(), 0..=4);
    let peers = keys.prop_flat_map(|keys| {
        keys.into_iter()
            .map(|byte| peer(PublicKey([byte; 32])))
            .collect::<Vec<_>>()
    });
    let settings = (option::of(1..3u8), option::of(1..3u16), option::of(1..3u32)).prop_map(
        |(key, listen_port, mark)| DeviceSettings {
            private_key: key.map(|byte| [byte; 32].into()),
            listen_port,
            fwmark: mark.map(FwMark),
        },
    );
    (settings, peers).prop_map(|(settings, peers)| Device { settings, peers })
}

fn rules() -> impl Strategy<Value = BTreeSet<PolicyRule>> {
    let rule =
        (select(&Family::BOTH[..]), 1..5u32, any::<bool>()).prop_map(|(family, priority, full)| {
            PolicyRule {
                family,
                priority,
                selector: if full {
                    Selector::NotFwMark(FwMark(1))
                } else {
                    Selector::SuppressPrefixLength(0)
                },
                table: TableId(51820),
            }
        });
    btree_set(rule, 0..4)
}

fn nft() -> impl Strategy<Value = Option<NftTable>> {
    let address: Address = "10.0.0.1/24".parse().unwrap();
    let tables = [None, Some(FwMark(1)), Some(FwMark(2))];
    select(tables.to_vec())
        .prop_map(move |mark| mark.map(|mark| NftTable::full_tunnel(ifname(), mark, &[address])))
}

fn accepts() -> impl Strategy<Value = BTreeSet<Accept>> {
    let accept = |(packets, tool)| Accept {
        family: TableFamily::Ip,
        table: "filter".to_owned(),
        chain: "FORWARD".to_owned(),
        packets,
        ifname: ifname(),
        place: Place::End,
        tool,
    };
    let packets = select(vec![
        Packets::From(Connections::Any),
        Packets::To(Connections::Established),
        Packets::Port(51820),
    ]);
    let tool = select(vec![Tool::Iptables, Tool::Nft]);
    btree_set((packets, tool).prop_map(accept), 0..4)
}

fn dns() -> impl Strategy<Value = Option<Dns>> {
    option::of(
        (any::<bool>(), any::<bool>()).prop_map(|(all_names, required)| Dns {
            backend: DnsBackend::Resolved,
            servers: vec![[192, 0, 2, 53].into()],
            search: Vec::new(),
            all_names,
            required,
        }),
    )
}

/// A state of a host; without a link it has nothing that is on one. Its kernel variable is there and has some value.
fn state() -> impl Strategy<Value = State> {
    let addresses = ["10.0.0.1/24", "10.0.0.2/24", "fd00::1/64"].map(|text| text.parse().unwrap());
    let routes = vec((prefixes(), select(vec![254, 51820])), 0..3);
    let link = option::of((1280..1283u32, any::<bool>()));
    let parts = (
        link,
        device(),
        subsequence(addresses.to_vec(), 0..=3).prop_shuffle(),
        routes,
    );
    (parts, rules(), (nft(), accepts()), 0..2u8, dns()).prop_map(
        |((link, device, addresses, routes), rules, (nft, accepts), value, dns)| {
            let link = link.map(|(mtu, up)| Link {
                kind: LinkKind::Kernel,
                settings: LinkSettings { mtu, up },
            });
            let routes = routes.into_iter().flat_map(|(prefixes, table)| {
                let table = TableId(table);
                prefixes.into_iter().map(move |prefix| Route {
                    prefix,
                    table,
                    metric: None,
                })
            });
            let sysctls = BTreeMap::from([(Sysctl::SRC_VALID_MARK, value.to_string())]);
            let guards = State {
                link: link.clone(),
                rules,
                nft,
                accepts,
                sysctls,
                dns,
                ..State::default()
            };
            match link {
                Some(_) => State {
                    device,
                    addresses,
                    routes: routes.collect(),
                    ..guards
                },
                None => guards,
            }
        },
    )
}

/// A state without what has no order on a host: addresses and peers sorted.
fn sorted(mut state: State) -> State {
    state.addresses.sort();
    state.device.peers.sort_by_key(|peer| peer.public_key);
    state
}

/// What is reached: what the wanted state leaves open stays as it is.
fn reached(now: &State, want: &State) -> State {
    let mut state = want.clone();
    if now.link.is_some() && want.link.is_some() {
        let (from, to) = (&now.device.settings, &mut state.device.settings);
        to.private_key = to.private_key.take().or_else(|| from.private_key.clone());
        to.listen_port = to.listen_port.or(from.listen_port);
        to.fwmark = to.fwmark.or(from.fwmark);
        for peer in &mut state.device.peers {
            let found = now
                .device
                .peers
                .iter()
                .find(|found| found.public_key == peer.public_key);
            peer.endpoint = peer
                .endpoint
                .or_else(|| found.and_then(|found| found.endpoint));
        }
    }
    sorted(state)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_step_leads_from_a_state_to_itself(now in state()) {
        prop_assert_eq!(diff(ifname(), &now, &now), vec![]);
    }

    #[test]
    fn the_steps_between_two_states_lead_from_one_to_the_other(now in state(), want in state()) {
        let plan = diff(ifname(), &now, &want);
        let mut host = Model::new(now.clone());
        let result = Transaction::default().execute(&mut host, &plan);
        prop_assert!(result.is_ok(), "{result:?}");
        prop_assert_eq!(sorted(host.state), reached(&now, &want));
    }

    #[test]
    fn a_fault_at_any_step_leaves_the_host_as_it_was(now in state(), want in state()) {
        let plan = diff(ifname(), &now, &want);
        for fault in 0..plan.len() {
            let deletes_link = |step: &Step| matches!(step, Step::DeleteLink { .. });
            if plan[..fault].iter().any(deletes_link) {
                break; // a deleted link is not brought back with all that was on it: that is `down`, which goes on
            }
            let mut host = Model::new(now.clone());
            host.faults.insert(fault);
            let mut transaction = Transaction::default();
            let result = transaction.execute(&mut host, &plan);
            if plan[fault].is_optional() {
                prop_assert!(result.is_ok());
                if plan[fault].retreat().is_some() {
                    prop_assert_eq!(transaction.forgone(), &plan[fault..=fault]);
                    prop_assert_eq!(&host.state.dns, &now.dns);
                    if !plan.iter().any(deletes_link) {
                        transaction.roll_back(&mut host);
                        prop_assert_eq!(sorted(host.state), sorted(now.clone()));
                    }
                }
                continue;
            }
            let stopped = matches!(&result, Err(Stop::Failed(failed)) if failed.step == plan[fault]);
            prop_assert!(stopped, "{result:?}");
            transaction.roll_back(&mut host);
            prop_assert_eq!(sorted(host.state), sorted(now.clone()), "fault at {}", plan[fault]);
        }
    }

    #[test]
    fn an_answer_lost_at_any_step_leaves_the_host_as_it_was(now in state(), want in state(), is_done in any::<bool>()) {
        let plan = diff(ifname(), &now, &want);
        for lost in 0..plan.len() {
            let deletes_link = |step: &Step| matches!(step, Step::DeleteLink { .. });
            if plan[..=lost].iter().any(deletes_link) {
                break; // as above
            }
            let mut host = Model::new(now.clone());
            host.lost = Some(lost);
            host.lost_is_done = is_done;
            let mut transaction = Transaction::default();
            let result = transaction.execute(&mut host, &plan);
            if plan[lost].is_optional() {
                continue;
            }
            let stopped = matches!(&result, Err(Stop::Failed(failed)) if failed.step == plan[lost]);
            prop_assert!(stopped, "{result:?}");
            transaction.roll_back(&mut host);
            prop_assert_eq!(sorted(host.state), sorted(now.clone()), "lost at {}", plan[lost]);
        }
    }

    #[test]
    fn a_signal_at_any_step_leaves_the_host_as_it_was(now in state(), want in state()) {
        let plan = diff(ifname(), &now, &want);
        for after in 0..=plan.len() {
            let mut host = Model::new(now.clone());
            host.signal_after = Some(after);
            let mut transaction = Transaction::default();
            let result = transaction.execute(&mut host, &plan);
            prop_assert!(matches!(result, Err(Stop::Interrupted("SIGTERM"))), "{result:?}");
            let deleted = transaction.done().iter().any(|s| matches!(s, Step::DeleteLink { .. }));
            let left = transaction.roll_back(&mut host);
            if !deleted {
                prop_assert!(left.is_empty(), "{left:?}");
                prop_assert_eq!(sorted(host.state), sorted(now.clone()));
            }
        }
    }

    #[test]
    fn taking_down_does_all_that_can_be_done(now in state(), fault in 0..8usize) {
        let gone = State { sysctls: now.sysctls.clone(), ..State::default() };
        let plan = diff(ifname(), &now, &gone);
        let mut host = Model::new(now.clone());
        host.faults.insert(fault);
        let failed = as_much_as_possible(&mut host, &plan);
        prop_assert!(failed.len() <= 1);
        let mut rest = host.state;
        match plan.get(fault) {
            None => prop_assert_eq!(&rest, &gone),
            Some(step) => {
                // a second try finds just what the first one left
                let again = diff(ifname(), &rest, &gone);
                prop_assert_eq!(again, vec![step.clone()]);
                rest = gone;
            }
        }
        prop_assert!(rest.link.is_none());
    }
}
