//! Who came in past a full tunnel is answered past it.

use crate::config::Config;
use crate::net::{FwMark, Ifname};
use crate::nft::NftTable;
use crate::state::State;
use crate::surroundings::Surroundings;

/// Adds the rules of `KeepInbound`, for a tunnel whose own packets have this mark.
pub(super) fn require(
    ifname: Ifname,
    config: &Config,
    fwmark: FwMark,
    surroundings: &Surroundings,
    state: &mut State,
) {
    if config.interface.firewall.keep_inbound.value {
        let table = state.nft.get_or_insert_with(|| NftTable::new(ifname));
        table.add_keep_inbound(ifname, fwmark, &surroundings.local_ports);
    }
}
