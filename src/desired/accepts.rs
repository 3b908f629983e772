//! What is to be accepted in other programs' firewalls.

use crate::config::Config;
use crate::foreign::{self, Packets};
use crate::net::{Family, Ifname};
use crate::state::State;
use crate::surroundings::Surroundings;

/// Adds the accepts that a tunnel needs: with forwarding for what comes from it and goes to it, with `OpenPort` for the
/// port. Returns sentences on the firewalls that drop these packets all the same.
pub(super) fn require(
    ifname: Ifname,
    config: &Config,
    now: &State,
    surroundings: &Surroundings,
    state: &mut State,
) -> Vec<String> {
    let firewall = &config.interface.firewall;
    let mut warnings = Vec::new();
    let mut accept = |packets: &[Packets], families: &[Family]| {
        let tables = &surroundings.firewalls;
        let (accepts, told) = foreign::needed(ifname, packets, families, tables, &now.accepts);
        state.accepts.extend(accepts);
        warnings.extend(told);
    };
    if firewall.forwards() {
        let families = families(config, surroundings);
        accept(&[Packets::From, Packets::To], &families);
    }
    let port = config.interface.listen_port.filter(|&port| port != 0);
    if let Some(port) = port.filter(|_| firewall.open_port.value) {
        let families: &[Family] = if surroundings.ipv6 {
            &Family::BOTH
        } else {
            &[Family::V4]
        };
        accept(&[Packets::Port(port)], families);
    }
    warnings
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
