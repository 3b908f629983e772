//! Which peers do not answer, and where else they may be.
//!
//! A name may stand for other addresses than when it was looked up, and for several of which one is dead. What answers is
//! left alone, wherever it is: a peer that roams is where its packets come from, whatever its name says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::config::{self, Config, Endpoint};
use crate::key::PublicKey;
use crate::net::{FwMark, Ifname};
use crate::state::{Device, Peer};
use crate::step::Step;

/// The age of a handshake from which on a peer counts as silent: a session in use is renewed after 120 s
/// (`REKEY_AFTER_TIME`), and the answer may be 15 s late. So does reresolve-dns of wireguard-tools.
const SILENCE: Duration = Duration::from_secs(135);

/// How long it takes to see whether a peer is tried: while there is something to send to it, a handshake goes out every
/// 5.3 s or more often (`REKEY_TIMEOUT` and jitter).
pub const WATCH: Duration = Duration::from_secs(6);

/// How it goes with a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// When a handshake last succeeded, by the host's clock since the epoch; none is never.
    pub last_handshake: Option<Duration>,
    /// Bytes sent to it, handshakes included.
    pub tx_bytes: u64,
}

/// How it goes with each peer of a device.
pub type Sessions = BTreeMap<PublicKey, Session>;

/// A device at one moment.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// The mark of its own packets.
    pub fwmark: Option<FwMark>,
    peers: BTreeMap<PublicKey, (Peer, Session)>,
    at: Duration,
}

impl Look {
    /// What was found at that time, by the host's clock since the epoch.
    pub fn new(device: Device, sessions: &Sessions, at: Duration) -> Self {
        let session = |key: &PublicKey| sessions.get(key).copied().unwrap_or_default();
        let peers = device.peers.into_iter();
        Self {
            fwmark: device.settings.fwmark,
            peers: peers
                .map(|peer| {
                    let session = session(&peer.public_key);
                    (peer.public_key, (peer, session))
                })
                .collect(),
            at,
        }
    }

    /// Returns a peer of the device that does not answer. A handshake in the future is no sign of life: the clock was set.
    fn silent(&self, public_key: PublicKey) -> Option<&Peer> {
        let (peer, session) = self.peers.get(&public_key)?;
        let is_old = |last: Duration| self.at.abs_diff(last) > SILENCE;
        session.last_handshake.is_none_or(is_old).then_some(peer)
    }

    fn tx_bytes(&self, public_key: PublicKey) -> u64 {
        let peer = self.peers.get(&public_key);
        peer.map_or(0, |(_, session)| session.tx_bytes)
    }
}

/// Returns the peers of the file that have an endpoint by name, and do not answer.
pub fn silent<'a>(config: &'a Config, look: &Look) -> Vec<&'a config::Peer> {
    let silent = |peer: &&config::Peer| {
        let endpoint = peer.endpoint.as_ref().map(|endpoint| &endpoint.value);
        matches!(endpoint, Some(Endpoint::Name { .. }))
            && look.silent(peer.public_key.value).is_some()
    };
    config.peers.iter().filter(silent).collect()
}

/// Where a peer may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// Which peer.
    pub public_key: PublicKey,
    /// The addresses that its name stands for, the best one first.
    pub addresses: Vec<SocketAddr>,
}

impl Candidates {
    /// Whether there is an address to take, as far as a look tells.
    pub fn offer_another(&self, look: &Look) -> bool {
        let peer = look.silent(self.public_key);
        let another = |address: &SocketAddr| peer.is_some_and(|it| it.endpoint != Some(*address));
        self.addresses.iter().any(another)
    }

    /// Whether it takes a second look to know what to do: a peer with an old handshake and an address that is still right
    /// may be dead, or there is nothing to say to it.
    pub fn are_in_doubt(&self, look: &Look) -> bool {
        let peer = look.silent(self.public_key);
        peer.is_some_and(|peer| self.has(peer) && peer.persistent_keepalive.is_none())
    }

    fn has(&self, peer: &Peer) -> bool {
        peer.endpoint.is_some_and(|at| self.addresses.contains(&at))
    }

    /// Returns the address to take, if it is to be another one: the best if the peer is where its name does not lead any
    /// more, or the one after its own, round and round, if it `is_tried` there in vain.
    fn next(&self, peer: &Peer, is_tried: bool) -> Option<SocketAddr> {
        let mut round = self.addresses.iter().cycle();
        if self.has(peer) {
            round.find(|at| Some(**at) == peer.endpoint)?;
        }
        let next = round.next().copied();
        next.filter(|_| is_tried || !self.has(peer))
            .filter(|_| next != peer.endpoint)
    }
}

/// Returns the steps that give silent peers another address, by two looks at the device with some time between.
pub fn steps(ifname: Ifname, all: &[Candidates], before: &Look, now: &Look) -> Vec<Step> {
    let step = |candidates: &Candidates| {
        let key = candidates.public_key;
        let from = now.silent(key)?.clone();
        let has_sent = now.tx_bytes(key) > before.tx_bytes(key);
        let is_tried = has_sent || from.persistent_keepalive.is_some();
        let to = Peer {
            endpoint: Some(candidates.next(&from, is_tried)?),
            ..from.clone()
        };
        Some(Step::SetPeer {
            ifname,
            from: Some(from),
            to: Some(to),
        })
    };
    all.iter().filter_map(step).collect()
}

#[cfg(test)]
mod tests;
