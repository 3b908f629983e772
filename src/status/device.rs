//! A WireGuard device at one moment, as it tells of itself: what is set, and how it goes with the peers.

use std::net::SocketAddr;
use std::time::Duration;

use crate::key::{PresharedKey, PublicKey};
use crate::net::Prefix;
use crate::reresolve::{Session, Sessions};
use crate::state::{Device, DeviceSettings, Peer};

/// A device and how it fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceStatus {
    /// What is set on the device.
    pub settings: DeviceSettings,
    /// Its peers, in its own order.
    pub peers: Vec<PeerStatus>,
}

/// A peer and how it fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// Its name.
    pub public_key: PublicKey,
    /// The secret shared with it.
    pub preshared_key: Option<PresharedKey>,
    /// Where it is, as it was set or learned.
    pub endpoint: Option<SocketAddr>,
    /// Seconds between keepalive packets; none is off.
    pub persistent_keepalive: Option<u16>,
    /// What it may send, and what is sent to it, in the device's order.
    pub allowed_ips: Vec<Prefix>,
    /// When a handshake last succeeded, since the epoch; none is never.
    pub last_handshake: Option<Duration>,
    /// Bytes received from it.
    pub rx_bytes: u64,
    /// Bytes sent to it, handshakes included.
    pub tx_bytes: u64,
}

impl PeerStatus {
    /// A peer with nothing set, that was never heard of.
    pub fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            preshared_key: None,
            endpoint: None,
            persistent_keepalive: None,
            allowed_ips: Vec::new(),
            last_handshake: None,
            rx_bytes: 0,
            tx_bytes: 0,
        }
    }

    fn into_peer(self) -> Peer {
        Peer {
            public_key: self.public_key,
            preshared_key: self.preshared_key,
            endpoint: self.endpoint,
            persistent_keepalive: self.persistent_keepalive,
            allowed_ips: self.allowed_ips.into_iter().collect(),
        }
    }
}

impl From<Peer> for PeerStatus {
    /// A peer that was never heard of.
    fn from(peer: Peer) -> Self {
        Self {
            preshared_key: peer.preshared_key,
            endpoint: peer.endpoint,
            persistent_keepalive: peer.persistent_keepalive,
            allowed_ips: peer.allowed_ips.into_iter().collect(),
            ..Self::new(peer.public_key)
        }
    }
}

impl DeviceStatus {
    /// How it goes with the peers.
    pub fn sessions(&self) -> Sessions {
        let session = |peer: &PeerStatus| Session {
            last_handshake: peer.last_handshake,
            tx_bytes: peer.tx_bytes,
        };
        let peers = self.peers.iter();
        peers.map(|peer| (peer.public_key, session(peer))).collect()
    }

    /// What is set, without how it fares.
    pub fn into_device(self) -> Device {
        Device {
            settings: self.settings,
            peers: self.peers.into_iter().map(PeerStatus::into_peer).collect(),
        }
    }
}
