//! Who came in past a full tunnel is answered past it.

use super::full_tunnel::FullTunnel;
use crate::config::Config;
use crate::net::Ifname;
use crate::nft::NftTable;
use crate::state::State;

/// Adds the rules of `KeepInbound`, where there is a full tunnel that answers could get lost in.
pub(super) fn require(
    ifname: Ifname,
    config: &Config,
    full_tunnel: Option<&FullTunnel>,
    state: &mut State,
) {
    if let Some(full) = full_tunnel
        && config.interface.firewall.keep_inbound.value
    {
        let table = state.nft.get_or_insert_with(|| NftTable::new(ifname));
        table.add_keep_inbound(ifname, full.fwmark);
    }
}
