//! Hosts that exist only as values.

use proptest::prelude::*;
use wgq::apply::{Stop, Transaction};
use wgq::config::Config;
use wgq::diff::diff;
use wgq::net::FwMark;
use wgq::plan::Up;
use wgq::state::State;
use wgq::step::Step;

use crate::configs;
use crate::model::Model;
use crate::tunnel::{Host, config, ifname, steps};

/// A host on which a file was brought up.
fn up(config: &Config, has_other: bool) -> Host {
    let mut host = Host::new(has_other);
    let plan = host.up(config);
    carry_out(&mut host, config, &plan);
    host
}

fn carry_out(host: &mut Host, config: &Config, plan: &Up) {
    let before = host.model.state.clone();
    let result = Transaction::default().execute(&mut host.model, &steps(plan));
    assert!(result.is_ok(), "{result:?}");
    host.remember(config, &before, plan);
}

/// A state without what has no order on a host: addresses and peers sorted.
fn sorted(mut state: State) -> State {
    state.addresses.sort();
    state.device.peers.sort_by_key(|peer| peer.public_key);
    state
}

/// A state without what the file leaves to others: the port that a device has, and where a peer was seen. No mark is the mark 0.
fn asked_for(config: &Config, state: &State) -> State {
    let mut state = sorted(state.clone());
    let settings = &mut state.device.settings;
    settings.listen_port = settings
        .listen_port
        .filter(|_| config.interface.listen_port.is_some());
    settings.fwmark = settings.fwmark.filter(|mark| *mark != FwMark(0));
    for peer in &mut state.device.peers {
        let mut named = config.peers.iter();
        let named = named.find(|named| named.public_key.value == peer.public_key);
        peer.endpoint = peer
            .endpoint
            .filter(|_| named.is_some_and(|named| named.endpoint.is_some()));
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5000) })]

    #[test]
    fn what_is_applied_is_the_same_as_what_is_brought_up(
        (a, b, has_other) in (configs::file(), configs::file(), any::<bool>()),
    ) {
        let (a, b) = (config(&a), config(&b));
        let fresh = up(&b, has_other);
        let mut host = up(&a, has_other);
        let plan = host.apply(&b);
        carry_out(&mut host, &b, &plan);
        prop_assert_eq!(asked_for(&b, &host.model.state), asked_for(&b, &fresh.model.state));
        let again = steps(&host.apply(&b));
        prop_assert!(again.is_empty(), "{again:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_fault_at_any_step_of_apply_leaves_the_tunnel_as_it_was(
        (a, b, has_other) in (configs::file(), configs::file(), any::<bool>()),
    ) {
        let (a, b) = (config(&a), config(&b));
        let host = up(&a, has_other);
        let steps = steps(&host.apply(&b));
        for (fault, step) in steps.iter().enumerate().filter(|(_, step)| !step.is_optional()) {
            let mut model = Model::new(host.model.state.clone());
            model.faults.insert(fault);
            let mut transaction = Transaction::default();
            let result = transaction.execute(&mut model, &steps);
            let stopped = matches!(&result, Err(Stop::Failed(failed)) if failed.step == *step);
            prop_assert!(stopped, "{result:?}");
            transaction.roll_back(&mut model);
            // A route of ours cannot come back before an address goes that has brought one like it; a second look adds it.
            let rest = diff(ifname(), &model.state, &host.model.state);
            prop_assert!(rest.iter().all(|step| matches!(step, Step::AddRoute { .. })), "{rest:?}");
            Transaction::default().execute(&mut model, &rest).unwrap();
            prop_assert_eq!(sorted(model.state), sorted(host.model.state.clone()), "fault at {}", step);
        }
    }
}
