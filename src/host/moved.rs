//! `AllowedIPs` that go from one peer to another, or from a peer to none, without a moment in which others have no owner.

use std::collections::HashSet;

use crate::key::PublicKey;
use crate::net::Prefix;
use crate::step::Step;

/// Returns the `AllowedIPs` that the steps add to peers. From whomever has one it goes over by itself, and is not to be
/// taken away.
pub fn gained(steps: &[Step]) -> HashSet<Prefix> {
    let gained = steps.iter().filter_map(|step| {
        let Step::SetPeer {
            from, to: Some(to), ..
        } = step
        else {
            return None;
        };
        let before = from.as_ref().map(|from| &from.allowed_ips);
        let is_new = move |ip: &&Prefix| before.is_none_or(|before| !before.contains(ip));
        Some(to.allowed_ips.iter().filter(is_new).copied())
    });
    gained.flatten().collect()
}

/// Returns the key of a peer that is nobody's: what is given to it and goes with it is taken from whoever had it. Not all
/// kernels and programs can take one away otherwise, but by giving the peer all others anew.
pub fn carrier(of: PublicKey) -> PublicKey {
    PublicKey(of.0.map(|byte| !byte))
}
