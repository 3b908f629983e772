//! What is to be accepted in other programs' firewalls.

use std::collections::BTreeSet;

use crate::config::{Config, Firewall, Masquerade};
use crate::foreign::{self, Connections, Packets};
use crate::net::{Family, Ifname};
use crate::state::State;
use crate::surroundings::Surroundings;

/// Adds the accepts that a tunnel needs: for what it forwards, and with `OpenPort` for the port. Returns sentences on the
/// firewalls that drop these packets all the same.
pub(super) fn require(
    ifname: Ifname,
    config: &Config,
    kept: &State,
    surroundings: &Surroundings,
    state: &mut State,
) -> Vec<String> {
    let firewall = &config.interface.firewall;
    let mut warnings = surroundings.unread_firewalls.clone();
    let mut accept = |packets: &BTreeSet<Packets>, families: &[Family]| {
        let tables = &surroundings.firewalls;
        let (accepts, told) = foreign::needed(ifname, packets, families, tables, &kept.accepts);
        state.accepts.extend(accepts);
        warnings.extend(told);
    };
    accept(
        &forwarded(ifname, firewall),
        &families(config, surroundings),
    );
    let port = config.interface.listen_port.filter(|&port| port != 0);
    if let Some(port) = port.filter(|_| firewall.open_port.value) {
        let families: &[Family] = if surroundings.ipv6 {
            &Family::BOTH
        } else {
            &[Family::V4]
        };
        accept(&[Packets::Port(port)].into(), families);
    }
    warnings
}

/// What passes through the tunnel: with `Forward` everything, and else no more than what the other keys are for.
///
/// Behind `Masquerade` are hosts that nobody else can begin a connection to, as behind any router with NAT: whoever is
/// masqueraded begins, and is answered. `PortForward` is for its ports alone.
fn forwarded(ifname: Ifname, firewall: &Firewall) -> BTreeSet<Packets> {
    let (inside, outside) = match &firewall.masquerade.value {
        Masquerade::No => (false, false),
        Masquerade::Anywhere => (true, false),
        Masquerade::By(names) => (
            names.iter().any(|&name| name != ifname),
            names.contains(&ifname),
        ),
    };
    let keys = [
        (
            firewall.forward.is_some_and(|forward| forward.value),
            Connections::Any,
            Connections::Any,
        ),
        (inside, Connections::Any, Connections::Established),
        (outside, Connections::Established, Connections::Any),
        (
            !firewall.port_forwards.is_empty(),
            Connections::Dnat,
            Connections::Dnat,
        ),
    ];
    let needs = keys.into_iter().filter(|(is_set, ..)| *is_set);
    let (from, to): (BTreeSet<_>, BTreeSet<_>) = needs.map(|(_, from, to)| (from, to)).unzip();
    let from = widest(from).into_iter().map(Packets::From);
    from.chain(widest(to).into_iter().map(Packets::To))
        .collect()
}

/// Without those that are among others.
fn widest(connections: BTreeSet<Connections>) -> BTreeSet<Connections> {
    if connections.contains(&Connections::Any) {
        [Connections::Any].into()
    } else {
        connections
    }
}

/// The families that the tunnel has an address of, or a peer does.
pub(super) fn families(config: &Config, surroundings: &Surroundings) -> Vec<Family> {
    let is_used = |family: &Family| {
        let mut own = config.interface.addresses.iter();
        let mut peers = config.peers.iter().flat_map(|peer| &peer.allowed_ips);
        own.any(|address| address.value.family() == *family)
            || peers.any(|prefix| prefix.family() == *family)
    };
    let families = Family::BOTH.into_iter().filter(is_used);
    families
        .filter(|&family| family == Family::V4 || surroundings.ipv6)
        .collect()
}
