//! What leaves past a tunnel with a kill switch.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::net::{FwMark, Ifname, Prefix, carve};
use crate::nft::{KillSwitch, NftTable};
use crate::state::State;
use crate::surroundings::Surroundings;

/// Adds the rules of `KillSwitch`.
///
/// The LAN is what it is now: a network that the host comes to later is a stranger's, and reached through the tunnel or
/// not at all.
pub(super) fn require(
    ifname: Ifname,
    config: &Config,
    fwmark: FwMark,
    surroundings: &Surroundings,
    state: &mut State,
) {
    let firewall = &config.interface.firewall;
    let peers = config.peers.iter();
    let allowed: BTreeSet<Prefix> = peers.flat_map(|peer| peer.allowed_ips.clone()).collect();
    let narrower = |hole: Prefix| {
        let inside = allowed.iter().copied();
        inside
            .filter(move |&prefix| prefix != hole && hole.contains(prefix))
            .collect()
    };
    let holes: BTreeSet<Prefix> = firewall.exclude_ips.iter().map(|hole| hole.value).collect();
    let excluded = holes
        .into_iter()
        .flat_map(|hole| carve(hole, &narrower(hole)));
    let kill_switch = KillSwitch {
        fwmark,
        lan: surroundings.lan.iter().copied().collect(),
        excluded: excluded.collect(),
        keep_inbound: firewall.keep_inbound.value,
    };
    let table = state.nft.get_or_insert_with(|| NftTable::new(ifname));
    table.add_kill_switch(ifname, &kill_switch);
}
