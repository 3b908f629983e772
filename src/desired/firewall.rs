//! What the keys of the firewall want of the tunnel's own table, and of the kernel: forwarding, NAT, isolation.

use super::accepts::families;
use crate::config::{Config, Masquerade};
use crate::net::{Family, Ifname};
use crate::nft::NftTable;
use crate::state::{State, Sysctl};
use crate::surroundings::Surroundings;

/// Adds the rules of `Masquerade`, `PortForward`, `ClampMSS` and `Isolate`, and the kernel variables of forwarding.
pub(super) fn require(
    ifname: Ifname,
    config: &Config,
    surroundings: &Surroundings,
    state: &mut State,
) {
    let firewall = &config.interface.firewall;
    if firewall.forwards() {
        forward(config, surroundings, state);
    }
    let has_rules = firewall.isolate.value
        || firewall.clamps_mss()
        || firewall.masquerade.value != Masquerade::No
        || !firewall.port_forwards.is_empty();
    if !has_rules {
        return;
    }
    let table = state.nft.get_or_insert_with(|| NftTable::new(ifname));
    if firewall.clamps_mss() {
        table.add_clamp_mss(ifname);
    }
    if firewall.isolate.value {
        table.add_isolate(ifname);
    }
    for forward in &firewall.port_forwards {
        table.add_port_forward(ifname, forward);
    }
    table.add_masquerade(ifname, &firewall.masquerade);
    if !firewall.port_forwards.is_empty() {
        table.add_hairpin(ifname);
    }
}

/// Lets packets pass between interfaces, in the families that the tunnel has to do with.
///
/// A host that forwards IPv6 takes no router's word any more, and loses the default route that it has by it, unless its
/// interface is told to take it all the same (`accept_ra` = 2, ip-sysctl). What the kernel changes along when forwarding is
/// turned off again is wanted as it is.
fn forward(config: &Config, surroundings: &Surroundings, state: &mut State) {
    let mut set = |sysctl: Sysctl, value: &str| state.sysctls.insert(sysctl, value.to_owned());
    for family in families(config, surroundings) {
        let [v4, v6] = Sysctl::FORWARDING;
        let switch = if family == Family::V4 { v4 } else { v6 };
        let kept = surroundings.kept_sysctls.iter();
        kept.filter(|(sysctl, _)| sysctl.follows(&switch))
            .for_each(|(sysctl, value)| _ = set(sysctl.clone(), value));
        match family {
            Family::V4 => {
                set(Sysctl::IP_FORWARD, "1");
            }
            Family::V6 => {
                for &uplink in &surroundings.advertised_uplinks {
                    set(Sysctl::accept_ra(uplink), "2");
                }
                set(Sysctl::IPV6_FORWARDING, "1");
            }
        }
    }
}
