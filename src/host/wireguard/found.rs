//! A device as the kernel tells of it: in several messages if it is long.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set"
)]

use std::time::Duration;

use netlink_packet_core::DecodeError;
use netlink_packet_wireguard::{
    WireguardAllowedIp, WireguardAllowedIpAttr, WireguardAttribute, WireguardPeer,
    WireguardPeerAttribute, WireguardTimeSpec,
};

use super::secrets::Secrets;
use crate::key::{KEY_LEN, PublicKey};
use crate::net::{Address, FwMark, Prefix};
use crate::status::{DeviceStatus, PeerStatus};

/// What a key that is not set is.
const NO_KEY: [u8; KEY_LEN] = [0; KEY_LEN];

/// Reads one message of the device's list.
pub(super) fn parse(payload: &[u8]) -> Result<DeviceStatus, DecodeError> {
    let message = Secrets::parse(payload)?;
    let mut device = DeviceStatus::default();
    let settings = &mut device.settings;
    for attribute in message.attributes() {
        match attribute {
            WireguardAttribute::PrivateKey(key) if *key != NO_KEY => {
                settings.private_key = Some((*key).into());
            }
            WireguardAttribute::ListenPort(port) if *port != 0 => {
                settings.listen_port = Some(*port);
            }
            WireguardAttribute::Fwmark(mark) if *mark != 0 => settings.fwmark = Some(FwMark(*mark)),
            WireguardAttribute::Peers(peers) => {
                device.peers = peers.iter().filter_map(peer).collect();
            }
            _ => {}
        }
    }
    Ok(device)
}

/// Makes one device of all messages: the first has its settings, and a peer that did not fit is continued in the next.
pub(super) fn merge(parts: Vec<DeviceStatus>) -> DeviceStatus {
    let mut parts = parts.into_iter();
    let mut device = parts.next().unwrap_or_default();
    for part in parts {
        let mut peers = part.peers.into_iter().peekable();
        if let Some(last) = device.peers.last_mut()
            && let Some(more) = peers.next_if(|peer| peer.public_key == last.public_key)
        {
            last.allowed_ips.extend(more.allowed_ips);
        }
        device.peers.extend(peers);
    }
    device
}

fn peer(attributes: &WireguardPeer) -> Option<PeerStatus> {
    let mut public_key = None;
    let mut peer = PeerStatus::new(PublicKey(NO_KEY));
    for attribute in &attributes.0 {
        match attribute {
            WireguardPeerAttribute::PublicKey(key) => public_key = Some(PublicKey(*key)),
            WireguardPeerAttribute::PresharedKey(key) if *key != NO_KEY => {
                peer.preshared_key = Some((*key).into());
            }
            WireguardPeerAttribute::Endpoint(endpoint) => peer.endpoint = Some(*endpoint),
            WireguardPeerAttribute::PersistentKeepalive(seconds) if *seconds != 0 => {
                peer.persistent_keepalive = Some(*seconds);
            }
            WireguardPeerAttribute::LastHandshake(time) => peer.last_handshake = moment(time),
            WireguardPeerAttribute::RxBytes(bytes) => peer.rx_bytes = *bytes,
            WireguardPeerAttribute::TxBytes(bytes) => peer.tx_bytes = *bytes,
            WireguardPeerAttribute::AllowedIps(ips) => {
                peer.allowed_ips.extend(ips.iter().filter_map(allowed_ip));
            }
            _ => {}
        }
    }
    peer.public_key = public_key?;
    Some(peer)
}

/// A time since the epoch; zero is none.
fn moment(time: &WireguardTimeSpec) -> Option<Duration> {
    let seconds = Duration::from_secs(time.seconds.try_into().ok()?);
    let moment = seconds.saturating_add(Duration::from_nanos(time.nano_seconds.try_into().ok()?));
    (!moment.is_zero()).then_some(moment)
}

fn allowed_ip(attributes: &WireguardAllowedIp) -> Option<Prefix> {
    let mut ip = None;
    let mut len = None;
    for attribute in &attributes.0 {
        match attribute {
            WireguardAllowedIpAttr::IpAddr(address) => ip = Some(*address),
            WireguardAllowedIpAttr::Cidr(bits) => len = Some(*bits),
            _ => {}
        }
    }
    Address::new(ip?, len?).map(Address::prefix)
}
