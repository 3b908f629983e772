//! What is set on the device, with the meaning that the kernel's WireGuard gives it.

use std::collections::{BTreeMap, HashMap};

use crate::host::uapi::{SetPeer, Sign};
use crate::key::{KEY_LEN, PublicKey};
use crate::net::Prefix;
use crate::state::Peer;

/// The peers of a device; an allowed IP is of one peer only.
#[derive(Default)]
pub(super) struct Peers {
    peers: BTreeMap<PublicKey, Peer>,
    owners: HashMap<Prefix, PublicKey>,
}

impl Peers {
    /// Applies a change; returns the peers that it touched, that one and those that an allowed IP was taken from.
    pub(super) fn change(&mut self, change: &SetPeer) -> Vec<PublicKey> {
        let key = change.public_key;
        if change.remove {
            return self.remove(key).into_iter().collect();
        }
        if change.update_only && !self.peers.contains_key(&key) {
            return Vec::new();
        }
        let peer = self.peers.entry(key).or_insert_with(|| Peer::new(key));
        if let Some(preshared_key) = &change.preshared_key {
            peer.preshared_key =
                Some(preshared_key.clone()).filter(|key| key.as_bytes() != &[0; KEY_LEN]);
        }
        if change.endpoint.is_some() {
            peer.endpoint = change.endpoint;
        }
        if let Some(seconds) = change.persistent_keepalive {
            peer.persistent_keepalive = (seconds != 0).then_some(seconds);
        }
        let mut touched = vec![key];
        if change.replace_allowed_ips {
            self.clear_allowed_ips(key);
        }
        for &(sign, prefix) in &change.allowed_ips {
            match sign {
                Sign::Add => touched.extend(self.add_allowed_ip(key, prefix)),
                Sign::Remove => self.remove_allowed_ip(key, prefix),
            }
        }
        touched
    }

    /// Removes a peer; returns its key if it was there.
    pub(super) fn remove(&mut self, key: PublicKey) -> Option<PublicKey> {
        let peer = self.peers.remove(&key)?;
        self.owners
            .retain(|prefix, _| !peer.allowed_ips.contains(prefix));
        Some(key)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn get(&self, key: PublicKey) -> Option<&Peer> {
        self.peers.get(&key)
    }

    /// The peers, in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    /// Gives an allowed IP to a peer; returns the one that it was taken from.
    fn add_allowed_ip(&mut self, key: PublicKey, prefix: Prefix) -> Option<PublicKey> {
        let before = self
            .owners
            .insert(prefix, key)
            .filter(|&owner| owner != key);
        if let Some(owner) = before.and_then(|owner| self.peers.get_mut(&owner)) {
            owner.allowed_ips.remove(&prefix);
        }
        if let Some(peer) = self.peers.get_mut(&key) {
            peer.allowed_ips.insert(prefix);
        }
        before
    }

    fn remove_allowed_ip(&mut self, key: PublicKey, prefix: Prefix) {
        let removed = self
            .peers
            .get_mut(&key)
            .is_some_and(|peer| peer.allowed_ips.remove(&prefix));
        if removed {
            self.owners.remove(&prefix);
        }
    }

    fn clear_allowed_ips(&mut self, key: PublicKey) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        for prefix in std::mem::take(&mut peer.allowed_ips) {
            self.owners.remove(&prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: PublicKey = PublicKey([1; KEY_LEN]);
    const BOB: PublicKey = PublicKey([2; KEY_LEN]);

    fn with_ips(key: PublicKey, ips: &[&str]) -> SetPeer {
        let allowed_ips = ips
            .iter()
            .map(|ip| (Sign::Add, ip.parse().unwrap()))
            .collect();
        SetPeer {
            allowed_ips,
            ..SetPeer::new(key)
        }
    }

    fn ips(peers: &Peers, key: PublicKey) -> Vec<String> {
        peers
            .get(key)
            .unwrap()
            .allowed_ips
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_allowed_ip_goes_to_the_peer_that_was_given_it_last() {
        let mut peers = Peers::default();
        peers.change(&with_ips(ALICE, &["10.0.0.1/32", "10.0.0.0/24"]));
        assert_eq!(peers.change(&with_ips(BOB, &["10.0.0.0/24"])), [BOB, ALICE]);
        assert_eq!(ips(&peers, ALICE), ["10.0.0.1/32"]);
        // and is not given back when the first peer is changed again, or removed
        assert_eq!(
            peers.change(&SetPeer {
                persistent_keepalive: Some(5),
                ..SetPeer::new(ALICE)
            }),
            [ALICE]
        );
        peers.change(&SetPeer {
            remove: true,
            ..SetPeer::new(ALICE)
        });
        assert_eq!(ips(&peers, BOB), ["10.0.0.0/24"]);
        assert_eq!(
            peers.change(&with_ips(ALICE, &["10.0.0.0/24"])),
            [ALICE, BOB]
        );
    }

    #[test]
    fn allowed_ips_are_added_replaced_and_taken_away() {
        let mut peers = Peers::default();
        peers.change(&with_ips(ALICE, &["10.0.0.1/32"]));
        peers.change(&with_ips(ALICE, &["10.0.0.2/32"]));
        assert_eq!(ips(&peers, ALICE), ["10.0.0.1/32", "10.0.0.2/32"]);
        let take = vec![(Sign::Remove, "10.0.0.1".parse().unwrap())];
        peers.change(&SetPeer {
            allowed_ips: take,
            ..SetPeer::new(ALICE)
        });
        assert_eq!(ips(&peers, ALICE), ["10.0.0.2/32"]);
        peers.change(&SetPeer {
            replace_allowed_ips: true,
            ..with_ips(ALICE, &["::/0"])
        });
        assert_eq!(ips(&peers, ALICE), ["::/0"]);
    }

    #[test]
    fn an_update_of_a_peer_that_is_not_there_does_nothing() {
        let mut peers = Peers::default();
        assert!(
            peers
                .change(&SetPeer {
                    update_only: true,
                    ..with_ips(ALICE, &["::/0"])
                })
                .is_empty()
        );
        assert!(
            peers
                .change(&SetPeer {
                    remove: true,
                    ..SetPeer::new(ALICE)
                })
                .is_empty()
        );
        assert_eq!(peers.iter().count(), 0);
    }

    #[test]
    fn zero_clears_a_preshared_key_and_a_keepalive() {
        let mut peers = Peers::default();
        let set = |psk: u8, seconds| SetPeer {
            preshared_key: Some([psk; KEY_LEN].into()),
            persistent_keepalive: Some(seconds),
            ..SetPeer::new(ALICE)
        };
        peers.change(&set(7, 25));
        let peer = peers.get(ALICE).unwrap();
        assert!(peer.preshared_key.is_some() && peer.persistent_keepalive == Some(25));
        peers.change(&set(0, 0));
        assert_eq!(peers.get(ALICE), Some(&Peer::new(ALICE)));
    }
}
