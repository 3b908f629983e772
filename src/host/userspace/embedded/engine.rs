//! The device: what is set on it, and gotatun, which carries it out.
//!
//! Gotatun's device is used, not its protocol server: that one dies of a peer that is set before a key, drops a peer's
//! session at every change, and lets two peers keep one allowed IP. Two more gaps of gotatun are closed here: the time of
//! the last handshake outlives the session, and a peer with a keepalive is tried for ever.

use std::collections::{BTreeMap, HashMap};
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use gotatun::device::configure::{DeviceWrite, PeerStats};
use gotatun::device::{self, Device};
use gotatun::x25519;
use ipnetwork::IpNetwork;
use nix::libc::EIO;

use super::peers::Peers;
use super::tun::{TunRecv, TunSend};
use super::udp::Udp;
use crate::host::uapi::{PeerStatus, Set, Status};
use crate::key::{KEY_LEN, PrivateKey, PublicKey};
use crate::net::FwMark;
use crate::state::{DeviceSettings, Peer};

/// How gotatun reaches the network and the IP stack.
type Transports = (Udp, TunSend, TunRecv);

/// Peers that a change touches, each with its endpoint if that is set.
type Touched = BTreeMap<PublicKey, Option<SocketAddr>>;

/// The age at which a session is no longer used: `REJECT_AFTER_TIME`.
const SESSION_LIFETIME: Duration = Duration::from_mins(3);

/// The device.
///
/// Gotatun cannot be without a key. Without one it has a key of zeros and no peers, so that nothing passes.
pub(super) struct Engine {
    device: Device<Transports>,
    private_key: Option<PrivateKey>,
    fwmark: Option<FwMark>,
    peers: Peers,
    /// When each peer's last handshake was, since the epoch.
    handshakes: HashMap<PublicKey, Duration>,
}

impl Engine {
    /// Starts the device without key and peers, on a port that the kernel chooses.
    pub(super) async fn start(send: TunSend, recv: TunRecv) -> anyhow::Result<Self> {
        let device = device::build()
            .with_udp(Udp::default())
            .with_ip_pair(send, recv)
            .build()
            .await?;
        let (private_key, fwmark) = (None, None);
        let engine = Self {
            device,
            private_key,
            fwmark,
            peers: Peers::default(),
            handshakes: HashMap::new(),
        };
        engine
            .apply(None, Some(0), None)
            .await
            .context("open a UDP socket")?;
        Ok(engine)
    }

    /// Changes the device: first its settings, all or none of them, then its peers. The error is an errno.
    pub(super) async fn set(&mut self, set: &Set) -> Result<(), i32> {
        let had_key = self.private_key.is_some();
        self.set_device(set).await.map_err(|error| errno(&error))?;
        if set.replace_peers {
            self.peers.clear();
        }
        let own = self.private_key.as_ref().map(public_key);
        let mut touched = Touched::new();
        // the kernel too passes over a peer that is the device itself
        for change in set
            .peers
            .iter()
            .filter(|change| Some(change.public_key) != own)
        {
            touched.extend(self.peers.change(change).into_iter().map(|key| (key, None)));
            touched
                .entry(change.public_key)
                .and_modify(|endpoint| *endpoint = change.endpoint);
        }
        touched.extend(
            own.and_then(|own| self.peers.remove(own))
                .map(|own| (own, None)),
        );
        if !had_key {
            touched = self
                .peers
                .iter()
                .map(|peer| (peer.public_key, peer.endpoint))
                .collect();
        }
        self.carry_out(&touched, set.replace_peers)
            .await
            .map_err(|error| errno(&error))
    }

    async fn set_device(&mut self, set: &Set) -> Result<(), device::Error> {
        let key = match &set.private_key {
            Some(key) => Some(key.clone()).filter(|key| key.as_bytes() != &[0; KEY_LEN]),
            None => self.private_key.clone(),
        };
        let mark = set.fwmark.or(self.fwmark);
        let port = self.device.read(async |device| device.listen_port()).await;
        if let Err(error) = self.apply(key.as_ref(), set.listen_port, mark).await {
            let _ = self
                .apply(self.private_key.as_ref(), Some(port), self.fwmark)
                .await;
            return Err(error);
        }
        (self.private_key, self.fwmark) = (key, mark);
        Ok(())
    }

    async fn apply(
        &self,
        key: Option<&PrivateKey>,
        port: Option<u16>,
        mark: Option<FwMark>,
    ) -> Result<(), device::Error> {
        let secret = x25519::StaticSecret::from(key.map_or([0; KEY_LEN], |key| *key.as_bytes()));
        let set = async |device: &mut DeviceWrite<'_, Transports>| {
            device.set_private_key(secret).await;
            if let Some(port) = port {
                device.set_listen_port(port);
            }
            mark.map_or(Ok(()), |mark| device.set_fwmark(mark.0))
        };
        self.device.write(set).await?
    }

    /// Brings gotatun's peers to what is set.
    async fn carry_out(&self, touched: &Touched, anew: bool) -> Result<(), device::Error> {
        let change = async |device: &mut DeviceWrite<'_, Transports>| {
            if self.private_key.is_none() {
                device.clear_peers();
                return;
            }
            if anew {
                device.clear_peers();
            }
            for (&key, &endpoint) in touched {
                match self.peers.get(key) {
                    Some(peer) => set_peer(device, peer, endpoint).await,
                    None => drop(device.remove_peer(&key.0.into()).await),
                }
            }
        };
        self.device.write(change).await
    }

    /// Returns the device and how it fares.
    pub(super) async fn status(&mut self) -> Status {
        let (port, mut found) = self.look().await;
        let settings = DeviceSettings {
            private_key: self.private_key.clone(),
            listen_port: Some(port),
            fwmark: self.fwmark.filter(|mark| mark.0 != 0),
        };
        let peers = self.peers.iter().map(|peer| {
            let mut status = PeerStatus::new(peer.clone());
            status.last_handshake = self.handshakes.get(&peer.public_key).copied();
            if let Some(found) = found.remove(&peer.public_key) {
                status.peer.endpoint = found.peer.endpoint;
                status.rx_bytes = found.stats.rx_bytes.try_into().unwrap_or(u64::MAX);
                status.tx_bytes = found.stats.tx_bytes.try_into().unwrap_or(u64::MAX);
            }
            status
        });
        Status {
            settings,
            peers: peers.collect(),
        }
    }

    /// Does what is to be done from time to time.
    ///
    /// Gotatun gives up on a peer 90 s after it stopped to answer, until there is something to send to it. The kernel's
    /// keepalive timer goes on, so that a client that only listens is back when its server is; so it is here.
    pub(super) async fn look_after(&mut self) {
        let (_, found) = self.look().await;
        for peer in found.values() {
            let dead = peer
                .stats
                .last_handshake
                .is_none_or(|age| age > SESSION_LIFETIME);
            if dead && peer.peer.keepalive.is_some() && peer.peer.endpoint.is_some() {
                let mut handshake = pin!(self.device.force_handshake(&peer.peer.public_key));
                // begun by the first poll, unless one is under way; nobody waits for its end
                poll_fn(|context| Poll::Ready(handshake.as_mut().poll(context).is_ready())).await;
            }
        }
    }

    /// Returns the port and gotatun's peers; notes when their last handshakes were.
    async fn look(&mut self) -> (u16, HashMap<PublicKey, PeerStats>) {
        let (port, found) = self
            .device
            .read(async |device| (device.listen_port(), device.peers().await))
            .await;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        for peer in &found {
            let at = peer
                .stats
                .last_handshake
                .and_then(|age| now.checked_sub(age));
            let key = PublicKey(peer.peer.public_key.to_bytes());
            // gotatun knows an age, so that the time found differs by a little each time
            if let Some(at) = at
                && self
                    .handshakes
                    .get(&key)
                    .is_none_or(|known| known.abs_diff(at).as_secs() > 0)
            {
                self.handshakes.insert(key, at);
            }
        }
        self.handshakes
            .retain(|&key, _| self.peers.get(key).is_some());
        (
            port,
            found
                .into_iter()
                .map(|peer| (PublicKey(peer.peer.public_key.to_bytes()), peer))
                .collect(),
        )
    }
}

/// Adds a peer, or changes it with its session kept, and its endpoint too if none is given.
async fn set_peer(
    device: &mut DeviceWrite<'_, Transports>,
    peer: &Peer,
    endpoint: Option<SocketAddr>,
) {
    let key = x25519::PublicKey::from(peer.public_key.0);
    let preshared_key = peer.preshared_key.as_ref().map(|key| *key.as_bytes());
    let allowed_ips = peer
        .allowed_ips
        .iter()
        .filter_map(|ip| IpNetwork::new(ip.ip(), ip.prefix_len()).ok());
    let changed = device.modify_peer(&key, |peer_now| {
        peer_now.set_preshared_key(preshared_key);
        peer_now.set_keepalive(peer.persistent_keepalive);
        peer_now.clear_allowed_ips();
        peer_now.add_allowed_ips(allowed_ips.clone());
        if endpoint.is_some() {
            peer_now.set_endpoint(endpoint);
        }
    });
    if !changed.await {
        let mut new = device::Peer::new(key).with_allowed_ips(allowed_ips);
        new.preshared_key = preshared_key;
        new.keepalive = peer.persistent_keepalive;
        new.endpoint = endpoint;
        device.add_peer(new);
    }
}

fn public_key(private_key: &PrivateKey) -> PublicKey {
    let secret = x25519::StaticSecret::from(*private_key.as_bytes());
    PublicKey(x25519::PublicKey::from(&secret).to_bytes())
}

fn errno(error: &device::Error) -> i32 {
    let (device::Error::Bind(error, _) | device::Error::IoError(error)) = error else {
        return EIO;
    };
    error.raw_os_error().unwrap_or(EIO)
}
