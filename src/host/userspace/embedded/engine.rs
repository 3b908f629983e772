//! The device: what is set on it, and gotatun, which carries it out.
//!
//! Gotatun's device is used, not its protocol server: that one dies of a peer that is set before a key, drops a peer's
//! session at every change, and lets two peers keep one allowed IP. Two more gaps of gotatun are closed in `status`.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use gotatun::device::configure::DeviceWrite;
use gotatun::device::{self, Device, Error};
use gotatun::x25519;
use ipnetwork::IpNetwork;
use nix::libc::EIO;

mod status;

use super::peers::Peers;
use super::tun::{TunRecv, TunSend};
use super::udp::Udp;
use crate::host::uapi::Set;
use crate::key::{KEY_LEN, PrivateKey, PublicKey};
use crate::net::FwMark;
use crate::state::Peer;

/// How gotatun reaches the network and the IP stack.
type Transports = (Udp, TunSend, TunRecv);

/// Peers that a change touches, each with its endpoint if that is set.
type Touched = BTreeMap<PublicKey, Option<SocketAddr>>;

/// The device.
///
/// Gotatun cannot be without a key. Without one it has a key of zeros and no peers, so that nothing passes.
pub(super) struct Engine {
    device: Device<Transports>,
    private_key: Option<PrivateKey>,
    fwmark: FwMark,
    peers: Peers,
    /// When each peer's last handshake was, since the epoch.
    handshakes: HashMap<PublicKey, Duration>,
}

impl Engine {
    /// Starts the device without key and peers, on a port that the kernel chooses.
    pub(super) async fn start(send: TunSend, recv: TunRecv) -> anyhow::Result<Self> {
        let builder = device::build().with_udp(Udp::default());
        let engine = Self {
            device: builder.with_ip_pair(send, recv).build().await?,
            private_key: None,
            fwmark: FwMark(0),
            peers: Peers::default(),
            handshakes: HashMap::new(),
        };
        let started = engine.apply(None, Some(0), FwMark(0)).await;
        started.context("open a UDP socket")?;
        Ok(engine)
    }

    /// Changes the device: first its settings, all or none of them, then its peers. The error is an errno.
    pub(super) async fn set(&mut self, set: &Set) -> Result<(), i32> {
        let had_key = self.private_key.is_some();
        self.set_device(set).await.map_err(|error| errno(&error))?;
        let mut touched = self.set_peers(set);
        if !had_key {
            let all = self.peers.iter();
            touched = all.map(|peer| (peer.public_key, peer.endpoint)).collect();
        }
        let done = self.carry_out(&touched, set.replace_peers).await;
        done.map_err(|error| errno(&error))
    }

    async fn set_device(&mut self, set: &Set) -> Result<(), Error> {
        let key = match &set.private_key {
            Some(key) => Some(key.clone()).filter(|key| key.as_bytes() != &[0; KEY_LEN]),
            None => self.private_key.clone(),
        };
        let mark = set.fwmark.unwrap_or(self.fwmark);
        let port = self.device.read(async |device| device.listen_port()).await;
        if let Err(error) = self.apply(key.as_ref(), set.listen_port, mark).await {
            let before = self.private_key.as_ref();
            let _ = self.apply(before, Some(port), self.fwmark).await;
            return Err(error);
        }
        (self.private_key, self.fwmark) = (key, mark);
        Ok(())
    }

    async fn apply(
        &self,
        key: Option<&PrivateKey>,
        port: Option<u16>,
        mark: FwMark,
    ) -> Result<(), Error> {
        let secret = x25519::StaticSecret::from(key.map_or([0; KEY_LEN], |key| *key.as_bytes()));
        let change = async |device: &mut DeviceWrite<'_, Transports>| {
            device.set_private_key(secret).await;
            if let Some(port) = port {
                device.set_listen_port(port);
            }
            device.set_fwmark(mark.0)
        };
        self.device.write(change).await?
    }

    fn set_peers(&mut self, set: &Set) -> Touched {
        if set.replace_peers {
            self.peers.clear();
        }
        let mut touched = Touched::new();
        let itself = self.private_key.as_ref().map(PrivateKey::public_key);
        for change in &set.peers {
            if Some(change.public_key) == itself {
                continue; // the kernel passes over it too
            }
            for key in self.peers.change(change) {
                touched.entry(key).or_insert(None);
            }
            if let (Some(endpoint), Some(_)) =
                (touched.get_mut(&change.public_key), change.endpoint)
            {
                *endpoint = change.endpoint;
            }
        }
        if let Some(removed) = itself.and_then(|itself| self.peers.remove(itself)) {
            touched.insert(removed, None);
        }
        touched
    }

    /// Brings gotatun's peers to what is set; anew, it forgets all it has first.
    async fn carry_out(&self, touched: &Touched, anew: bool) -> Result<(), Error> {
        let change = async |device: &mut DeviceWrite<'_, Transports>| {
            if anew || self.private_key.is_none() {
                device.clear_peers();
            }
            if self.private_key.is_none() {
                return;
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
}

/// Adds a peer, or changes it and keeps its session, and its endpoint too if none is given.
async fn set_peer(
    device: &mut DeviceWrite<'_, Transports>,
    peer: &Peer,
    endpoint: Option<SocketAddr>,
) {
    let key = x25519::PublicKey::from(peer.public_key.0);
    let preshared_key = peer.preshared_key.as_ref().map(|key| *key.as_bytes());
    let allowed_ips = peer.allowed_ips.iter();
    let allowed_ips = allowed_ips.flat_map(|ip| IpNetwork::new(ip.ip(), ip.prefix_len()));
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

fn errno(error: &Error) -> i32 {
    let (Error::Bind(error, _) | Error::IoError(error)) = error else {
        return EIO;
    };
    error.raw_os_error().unwrap_or(EIO)
}
