//! How the device fares, and what it needs from time to time.

use std::collections::HashMap;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gotatun::device::configure::PeerStats;

use super::Engine;
use crate::key::PublicKey;
use crate::state::{DeviceSettings, Peer};
use crate::status::{DeviceStatus, PeerStatus};

/// The age at which a session is no longer used: `REJECT_AFTER_TIME`.
const SESSION_LIFETIME: Duration = Duration::from_mins(3);

impl Engine {
    /// Returns the device and how it fares.
    pub(in super::super) async fn status(&mut self) -> DeviceStatus {
        let mut found = self.look().await;
        let port = self.device.read(async |device| device.listen_port()).await;
        let settings = DeviceSettings {
            private_key: self.private_key.clone(),
            listen_port: Some(port),
            fwmark: Some(self.fwmark).filter(|mark| mark.0 != 0),
        };
        let peers = self.peers.iter();
        let peers = peers.map(|peer| self.peer_status(peer, found.remove(&peer.public_key)));
        DeviceStatus {
            settings,
            peers: peers.collect(),
        }
    }

    fn peer_status(&self, peer: &Peer, found: Option<PeerStats>) -> PeerStatus {
        let mut status = PeerStatus::from(peer.clone());
        status.last_handshake = self.handshakes.get(&peer.public_key).copied();
        if let Some(found) = found {
            status.endpoint = found.peer.endpoint;
            status.rx_bytes = found.stats.rx_bytes.try_into().unwrap_or(u64::MAX);
            status.tx_bytes = found.stats.tx_bytes.try_into().unwrap_or(u64::MAX);
        }
        status
    }

    /// Does what is to be done every few seconds.
    ///
    /// Gotatun gives up on a peer 90 s after it stopped to answer, until there is something to send to it. The kernel's
    /// keepalive timer goes on, so that a client that only listens is back when its server is; so it is here.
    pub(in super::super) async fn look_after(&mut self) {
        for peer in self.look().await.into_values() {
            let last = peer.stats.last_handshake;
            let is_lost = last.is_none_or(|age| age > SESSION_LIFETIME);
            if is_lost && peer.peer.keepalive.is_some() && peer.peer.endpoint.is_some() {
                let mut handshake = pin!(self.device.force_handshake(&peer.peer.public_key));
                // begun by the first poll, unless one is under way; nobody waits for its end
                poll_fn(|context| Poll::Ready(handshake.as_mut().poll(context).is_ready())).await;
            }
        }
    }

    /// Returns gotatun's peers, and notes when their last handshakes were: gotatun forgets that with the session.
    async fn look(&mut self) -> HashMap<PublicKey, PeerStats> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let mut found = HashMap::new();
        for peer in self.device.peers().await {
            let key = PublicKey(peer.peer.public_key.to_bytes());
            let last = peer.stats.last_handshake;
            if let Some(at) = last.and_then(|age| now.checked_sub(age)) {
                // an age and a clock give a slightly other time at each look
                let known = self.handshakes.entry(key).or_insert(at);
                if known.abs_diff(at).as_secs() > 0 {
                    *known = at;
                }
            }
            found.insert(key, peer);
        }
        self.handshakes
            .retain(|key, _| self.peers.get(*key).is_some());
        found
    }
}
