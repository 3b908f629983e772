//! What the kernel changes of its own accord when forwarding is turned on or off.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::observe::Found;
use super::record::Record;
use super::sysctl;
use crate::net::Ifname;
use crate::state::Sysctl;

/// Returns those of the uplinks, but for the tunnels among them, on which the kernel heeds routers' advertisements; each
/// comes with whether it has a route by one.
pub(super) fn advertised(
    uplinks: impl IntoIterator<Item = (Ifname, bool)>,
    tunnels: &BTreeSet<Ifname>,
) -> Vec<Ifname> {
    let heeded = uplinks.into_iter().filter(|&(uplink, is_advertised)| {
        !tunnels.contains(&uplink) && heeds_routers(uplink, is_advertised)
    });
    heeded.map(|(uplink, _)| uplink).collect()
}

/// Whether the kernel listens to routers on an uplink: where it does not, another program does (networkd,
/// NetworkManager), or nobody. One that forwards already listens no more, and is not made to unless it has a route by it.
fn heeds_routers(uplink: Ifname, is_advertised: bool) -> bool {
    let read = |sysctl: Sysctl| sysctl::read(&sysctl).ok().flatten();
    match read(Sysctl::accept_ra(uplink)).as_deref() {
        Some("0") => false,
        Some("1") if !is_advertised => {
            let is_off = |name| {
                read(Sysctl::of_interface("ipv6", name, "forwarding")).as_deref() == Some("0")
            };
            is_off("all") && is_off(uplink.as_str())
        }
        _ => true,
    }
}

/// Returns the variables that would not come back to what they are by turning forwarding on and off again, with their
/// values: an interface that forwarded while the host as a whole did not, or redirects that were not heeded all the same.
///
/// Where it is on already, only the records know: that of another tunnel which turned it on, or the tunnel's own.
pub(super) fn kept(found: &Found, own: Option<&Record>) -> BTreeMap<Sysctl, String> {
    let now = &found.state.sysctls;
    let is_off = |switch: &Sysctl| now.get(switch).is_some_and(|value| value == "0");
    let (off, on): (Vec<Sysctl>, Vec<Sysctl>) = Sysctl::FORWARDING.into_iter().partition(is_off);
    let others = found.others.iter().map(|(_, record)| record);
    let recorded = others
        .chain(own)
        .flat_map(|record| record.sysctls.keys())
        .filter(|it| on.iter().any(|switch| it.follows(switch)));
    let read = |sysctl: Sysctl| Some((sysctl.clone(), sysctl::read(&sysctl).ok()??));
    let mut kept: BTreeMap<Sysctl, String> = recorded.cloned().filter_map(read).collect();
    let following = off.iter().flat_map(following).filter_map(read);
    kept.extend(following.filter(|(sysctl, value)| value == sysctl.while_forwarding()));
    kept
}

/// The variables that the kernel sets along with one of forwarding.
fn following(switch: &Sysctl) -> Vec<Sysctl> {
    let version = if *switch == Sysctl::IP_FORWARD {
        "ipv4"
    } else {
        "ipv6"
    };
    let interfaces = fs::read_dir(format!("/proc/sys/net/{version}/conf"));
    let names = interfaces
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let all = names.flat_map(|name| {
        ["forwarding", "accept_redirects"]
            .map(|variable| Sysctl::of_interface(version, &name, variable))
    });
    all.filter(|sysctl| sysctl.follows(switch)).collect()
}
