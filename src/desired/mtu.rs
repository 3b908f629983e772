//! The MTU where the file names none.

use crate::net::{Address, Family};
use crate::state::Device;
use crate::surroundings::Surroundings;

/// What WireGuard adds to a packet at most, in bytes: IPv6 40, UDP 8, its own header and tag 32.
const OVERHEAD: u32 = 80;

/// The MTU of a path that nothing is known of.
const ETHERNET: u32 = 1500;

/// The smallest MTU on which the kernel keeps IPv6 (RFC 8200, section 5).
const LEAST_FOR_IPV6: u32 = 1280;

/// Returns the MTU that fits the smallest path to an endpoint, or else the default route; with IPv6 at least 1280.
pub(super) fn automatic(device: &Device, addresses: &[Address], around: &Surroundings) -> u32 {
    let endpoints = device.peers.iter().filter_map(|peer| peer.endpoint);
    let paths = endpoints.filter_map(|endpoint| around.path_mtus.get(&endpoint.ip()));
    let path = paths
        .min()
        .copied()
        .or(around.default_path_mtu)
        .unwrap_or(ETHERNET);
    let has_ipv6 = addresses
        .iter()
        .any(|address| address.family() == Family::V6);
    let least = if has_ipv6 { LEAST_FOR_IPV6 } else { 0 };
    path.saturating_sub(OVERHEAD).max(least)
}
