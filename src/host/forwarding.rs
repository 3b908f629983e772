//! What the kernel changes of its own accord when forwarding is turned on or off.

use std::collections::BTreeMap;
use std::fs;

use super::record::Record;
use super::sysctl;
use crate::net::Ifname;
use crate::state::{State, Sysctl};

/// Returns the variables that would not come back to what they are by turning forwarding on and off again, with their
/// values: an interface that forwarded while the host as a whole did not, or redirects that were not heeded all the same.
///
/// Where it is on already, only the records know: that of another tunnel which turned it on, or the tunnel's own of an `up`
/// that was killed.
pub fn kept(ifname: Ifname, leftover: Option<&Record>, now: &State) -> BTreeMap<Sysctl, String> {
    let is_off = |switch: &Sysctl| now.sysctls.get(switch).is_some_and(|value| value == "0");
    let (off, on): (Vec<Sysctl>, Vec<Sysctl>) = Sysctl::FORWARDING.into_iter().partition(is_off);
    let others = Record::others(ifname).into_iter().map(|(_, record)| record);
    let recorded: Vec<Sysctl> = others
        .chain(leftover.cloned())
        .flat_map(|record| record.sysctls.into_keys())
        .filter(|it| on.iter().any(|switch| it.follows(switch)))
        .collect();
    let read = |sysctl: Sysctl| Some((sysctl.clone(), sysctl::read(&sysctl).ok()??));
    let mut kept: BTreeMap<Sysctl, String> = recorded.into_iter().filter_map(read).collect();
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
