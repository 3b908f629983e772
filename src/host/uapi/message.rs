//! What is asked of a device and what it answers, as values.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::super::moved::carrier;
use crate::key::{KEY_LEN, PresharedKey, PrivateKey, PublicKey};
use crate::net::{FwMark, Prefix};
use crate::state::{DeviceSettings, Peer};

/// A change of a device; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// The device's secret.
    pub private_key: Option<PrivateKey>,
    /// The UDP port; 0 is one that the system chooses.
    pub listen_port: Option<u16>,
    /// The mark of encrypted packets.
    pub fwmark: Option<FwMark>,
    /// Whether all peers are removed first.
    pub replace_peers: bool,
    /// Changes of peers, in order.
    pub peers: Vec<SetPeer>,
}

/// A change of one peer; what is none stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPeer {
    /// Whose.
    pub public_key: PublicKey,
    /// Whether the peer is removed; all else is void then.
    pub remove: bool,
    /// Whether a peer that is not there stays away.
    pub update_only: bool,
    /// The secret shared with it.
    pub preshared_key: Option<PresharedKey>,
    /// Where it is.
    pub endpoint: Option<SocketAddr>,
    /// Seconds between keepalive packets.
    pub persistent_keepalive: Option<u16>,
    /// Whether its allowed IPs are cleared first.
    pub replace_allowed_ips: bool,
    /// Allowed IPs to add, or to take away.
    pub allowed_ips: Vec<(Sign, Prefix)>,
}

/// What is done with an allowed IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It is added, and taken from the peer that had it.
    Add,
    /// It is taken away; in the protocol since 2025.
    Remove,
}

impl SetPeer {
    /// A change of that peer that changes nothing.
    pub fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            remove: false,
            update_only: false,
            preshared_key: None,
            endpoint: None,
            persistent_keepalive: None,
            replace_allowed_ips: false,
            allowed_ips: Vec::new(),
        }
    }
}

impl Set {
    /// Adds what leads from one setting to another; what is none in `to` and was not is cleared.
    pub fn change_settings(&mut self, from: &DeviceSettings, to: &DeviceSettings) {
        if from.private_key != to.private_key {
            self.private_key = to.private_key.clone().or(Some([0; KEY_LEN].into()));
        }
        if from.listen_port != to.listen_port {
            self.listen_port = to.listen_port.or(Some(0));
        }
        if from.fwmark != to.fwmark {
            self.fwmark = to.fwmark.or(Some(FwMark(0)));
        }
    }

    /// Adds what leads from one state of a peer to another; none is no such peer. What others gain goes over to them.
    pub fn change_peer(
        &mut self,
        from: Option<&Peer>,
        to: Option<&Peer>,
        gained: &HashSet<Prefix>,
    ) {
        let change = match (from, to) {
            (None, None) => return,
            (Some(from), None) => SetPeer {
                remove: true,
                ..SetPeer::new(from.public_key)
            },
            (None, Some(to)) => SetPeer {
                replace_allowed_ips: true,
                ..SetPeer::between(&Peer::new(to.public_key), to)
            },
            // if it was removed meanwhile, it is not to come back with no more than what changes
            (Some(from), Some(to)) => SetPeer {
                update_only: true,
                ..SetPeer::between(from, to)
            },
        };
        self.peers.push(change);
        if let (Some(from), Some(to)) = (from, to) {
            let gone = from.allowed_ips.difference(&to.allowed_ips).copied();
            self.carry_away(to, gone.filter(|ip| !gained.contains(ip)));
        }
    }

    /// Takes allowed IPs away from whoever has them.
    fn carry_away(&mut self, from: &Peer, allowed_ips: impl Iterator<Item = Prefix>) {
        let carrier = SetPeer::new(carrier(from.public_key));
        let gone: Vec<_> = allowed_ips.map(|ip| (Sign::Add, ip)).collect();
        if gone.is_empty() {
            return;
        }
        self.peers.push(SetPeer {
            replace_allowed_ips: true,
            allowed_ips: gone,
            ..carrier.clone()
        });
        self.peers.push(SetPeer {
            remove: true,
            ..carrier
        });
    }
}

impl SetPeer {
    /// The change from one state of a peer to another.
    fn between(from: &Peer, to: &Peer) -> Self {
        let mut change = Self::new(to.public_key);
        if from.preshared_key != to.preshared_key {
            change.preshared_key = to.preshared_key.clone().or(Some([0; KEY_LEN].into()));
        }
        if from.endpoint != to.endpoint {
            change.endpoint = to.endpoint;
        }
        if from.persistent_keepalive != to.persistent_keepalive {
            change.persistent_keepalive = to.persistent_keepalive.or(Some(0));
        }
        let come = to.allowed_ips.difference(&from.allowed_ips);
        change.allowed_ips = come.map(|&prefix| (Sign::Add, prefix)).collect();
        change
    }
}
