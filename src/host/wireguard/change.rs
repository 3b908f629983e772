//! The messages that change a device: as few as can be, with nothing in them but what changes.

use std::collections::HashSet;
use std::iter;
use std::ops::Range;

use netlink_packet_core::Emitable;
use netlink_packet_wireguard::{
    WireguardAddressFamily, WireguardAllowedIp, WireguardAllowedIpAttr, WireguardAllowedIpFlags,
    WireguardAttribute, WireguardCmd, WireguardPeer, WireguardPeerAttribute, WireguardPeerFlags,
};

use super::super::moved::carrier;
use super::secrets::Secrets;
use crate::key::KEY_LEN;
use crate::net::{Family, Ifname, Prefix};
use crate::state::{DeviceSettings, Peer};
use crate::step::Step;

#[cfg(test)]
mod tests;

/// How long the peers of one message may grow, in bytes. No attribute, and so not all peers together, can have 64 KiB.
const PEERS_LEN: usize = 32 << 10;

/// How many `AllowedIPs` of one peer are sent together: at up to 48 bytes each they leave room for the rest of the peer.
const ALLOWED_IPS: usize = 512;

/// How `AllowedIPs` are taken from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    /// One by one, as kernels can since 6.16; older ones refuse it with `EINVAL`.
    Single,
    /// By giving them to a peer that is made for it and removed again: to give the peer all others anew would leave those
    /// without an owner for a moment.
    Carried,
}

/// What of one step is sent together.
struct Part {
    step: usize,
    ifname: Ifname,
    settings: Vec<WireguardAttribute>,
    peer: Option<WireguardPeer>,
}

impl Part {
    fn peer_len(&self) -> usize {
        self.peer.as_ref().map_or(0, Emitable::buffer_len)
    }
}

/// Returns the messages for the steps from the given one on, each with the indices of the steps it has something of.
pub(super) fn messages(
    steps: &[Step],
    first: usize,
    removal: Removal,
    gained: &HashSet<Prefix>,
) -> impl Iterator<Item = (Range<usize>, Secrets)> {
    let steps = steps.iter().enumerate().skip(first);
    let mut parts = steps
        .flat_map(move |(index, step)| parts(index, step, removal, gained))
        .peekable();
    iter::from_fn(move || {
        let first = parts.next()?;
        let mut length = first.peer_len();
        let mut indices = first.step..first.step + 1;
        let mut attributes = vec![WireguardAttribute::IfName(first.ifname.to_string())];
        attributes.extend(first.settings);
        let mut peers = Vec::from_iter(first.peer);
        while let Some(part) = parts.next_if(|part| {
            part.ifname == first.ifname
                && part.settings.is_empty()
                && length + part.peer_len() <= PEERS_LEN
        }) {
            length += part.peer_len();
            indices.end = part.step + 1;
            peers.extend(part.peer);
        }
        if !peers.is_empty() {
            attributes.push(WireguardAttribute::Peers(peers));
        }
        Some((indices, Secrets::new(WireguardCmd::SetDevice, attributes)))
    })
}

/// Returns the parts of a step; none if it changes nothing, or is not one of a device.
fn parts(index: usize, step: &Step, removal: Removal, gained: &HashSet<Prefix>) -> Vec<Part> {
    let part = |ifname, settings, peer| Part {
        step: index,
        ifname,
        settings,
        peer,
    };
    if let Step::SetDevice { ifname, from, to } = step {
        let settings = changed_settings(from, to);
        return Vec::from_iter((!settings.is_empty()).then(|| part(*ifname, settings, None)));
    }
    let Step::SetPeer { ifname, from, to } = step else {
        return Vec::new();
    };
    let peers = match (from, to) {
        (None, Some(to)) => new_peer(to),
        (Some(from), Some(to)) => changed_peer(from, to, removal, gained),
        (Some(gone), None) => vec![peer(gone, WireguardPeerFlags::RemoveMe)],
        (None, None) => Vec::new(),
    };
    let peers = peers.into_iter();
    peers
        .map(|peer| part(*ifname, Vec::new(), Some(peer)))
        .collect()
}

fn changed_settings(from: &DeviceSettings, to: &DeviceSettings) -> Vec<WireguardAttribute> {
    let mut changed = Vec::new();
    if from.private_key != to.private_key {
        let key = to
            .private_key
            .as_ref()
            .map_or([0; KEY_LEN], |key| *key.as_bytes());
        changed.push(WireguardAttribute::PrivateKey(key));
    }
    if from.listen_port != to.listen_port {
        changed.push(WireguardAttribute::ListenPort(to.listen_port.unwrap_or(0)));
    }
    if from.fwmark != to.fwmark {
        changed.push(WireguardAttribute::Fwmark(
            to.fwmark.map_or(0, |mark| mark.0),
        ));
    }
    changed
}

fn new_peer(to: &Peer) -> Vec<WireguardPeer> {
    let none = Peer {
        public_key: to.public_key,
        preshared_key: None,
        endpoint: None,
        persistent_keepalive: None,
        allowed_ips: [].into(),
    };
    let mut first = peer(to, WireguardPeerFlags::ReplaceAllowedIps);
    first.0.extend(changed_values(&none, to));
    with_allowed_ips(to, first, to.allowed_ips.iter().map(added))
}

fn changed_peer(
    from: &Peer,
    to: &Peer,
    removal: Removal,
    gained: &HashSet<Prefix>,
) -> Vec<WireguardPeer> {
    let values = changed_values(from, to);
    let stays = |ip: &Prefix| to.allowed_ips.contains(ip) || gained.contains(ip);
    if removal == Removal::Carried && !from.allowed_ips.iter().any(stays) {
        // nothing could be without an owner for a moment, and to remove a peer takes the kernel a grace period
        let flags = WireguardPeerFlags::UpdateOnly | WireguardPeerFlags::ReplaceAllowedIps;
        let mut first = peer(to, flags);
        first.0.extend(values);
        return with_allowed_ips(to, first, to.allowed_ips.iter().map(added));
    }
    let come = to.allowed_ips.difference(&from.allowed_ips).map(added);
    let gone = from.allowed_ips.difference(&to.allowed_ips);
    let gone: Vec<&Prefix> = gone.filter(|&ip| !gained.contains(ip)).collect();
    let (removed, carried) = match removal {
        Removal::Single => (gone, Vec::new()),
        Removal::Carried => (Vec::new(), gone),
    };
    let mut allowed_ips = come
        .chain(removed.into_iter().map(self::removed))
        .peekable();
    let mut parts = Vec::new();
    if !values.is_empty() || allowed_ips.peek().is_some() {
        // if the peer was removed meanwhile, it is not to come back with no more than what changes
        let mut first = peer(to, WireguardPeerFlags::UpdateOnly);
        first.0.extend(values);
        parts = with_allowed_ips(to, first, allowed_ips);
    }
    parts.extend(carry_away(to, &carried));
    parts
}

/// Takes `AllowedIPs` away from whoever has them.
fn carry_away(from: &Peer, allowed_ips: &[&Prefix]) -> Vec<WireguardPeer> {
    if allowed_ips.is_empty() {
        return Vec::new();
    }
    let carrier = Peer::new(carrier(from.public_key));
    let first = peer(&carrier, WireguardPeerFlags::ReplaceAllowedIps);
    let mut parts = with_allowed_ips(&carrier, first, allowed_ips.iter().copied().map(added));
    parts.push(peer(&carrier, WireguardPeerFlags::RemoveMe));
    parts
}

/// A peer with its key and flags alone.
fn peer(of: &Peer, flags: WireguardPeerFlags) -> WireguardPeer {
    WireguardPeer(vec![
        WireguardPeerAttribute::PublicKey(of.public_key.0),
        WireguardPeerAttribute::Flags(flags),
    ])
}

fn changed_values(from: &Peer, to: &Peer) -> Vec<WireguardPeerAttribute> {
    let mut changed = Vec::new();
    if from.preshared_key != to.preshared_key {
        let key = to
            .preshared_key
            .as_ref()
            .map_or([0; KEY_LEN], |key| *key.as_bytes());
        changed.push(WireguardPeerAttribute::PresharedKey(key));
    }
    if let Some(endpoint) = to.endpoint
        && from.endpoint != to.endpoint
    {
        changed.push(WireguardPeerAttribute::Endpoint(endpoint));
    }
    if from.persistent_keepalive != to.persistent_keepalive {
        let seconds = to.persistent_keepalive.unwrap_or(0);
        changed.push(WireguardPeerAttribute::PersistentKeepalive(seconds));
    }
    changed
}

/// Puts what fits into the first part, and the rest into as many more as it takes.
fn with_allowed_ips(
    of: &Peer,
    first: WireguardPeer,
    allowed_ips: impl Iterator<Item = WireguardAllowedIp>,
) -> Vec<WireguardPeer> {
    let mut allowed_ips = allowed_ips.peekable();
    let mut parts = vec![first];
    while allowed_ips.peek().is_some() {
        let some = allowed_ips.by_ref().take(ALLOWED_IPS).collect();
        if let Some(part) = parts.last_mut() {
            part.0.push(WireguardPeerAttribute::AllowedIps(some));
        }
        if allowed_ips.peek().is_some() {
            parts.push(peer(of, WireguardPeerFlags::UpdateOnly));
        }
    }
    parts
}

fn added(prefix: &Prefix) -> WireguardAllowedIp {
    let family = match prefix.family() {
        Family::V4 => WireguardAddressFamily::Ipv4,
        Family::V6 => WireguardAddressFamily::Ipv6,
    };
    WireguardAllowedIp(vec![
        WireguardAllowedIpAttr::Family(family),
        WireguardAllowedIpAttr::IpAddr(prefix.ip()),
        WireguardAllowedIpAttr::Cidr(prefix.prefix_len()),
    ])
}

fn removed(prefix: &Prefix) -> WireguardAllowedIp {
    let mut allowed_ip = added(prefix);
    let flags = WireguardAllowedIpFlags::RemoveMe;
    allowed_ip.0.push(WireguardAllowedIpAttr::Flags(flags));
    allowed_ip
}
