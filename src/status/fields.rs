//! The forms of `wg show` that are for scripts, byte for byte as wg(8) prints them: a line each, parted by tabs.

use std::fmt::{Display, Write as _};

use zeroize::Zeroizing;

use super::units::Ip;
use super::{DeviceStatus, PeerStatus, Scopes, endpoint};
use crate::key::{PresharedKey, PrivateKey};
use crate::net::{FwMark, Ifname, Prefix};

/// What is printed of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Field {
    /// Its public key
    PublicKey,
    /// Its private key
    PrivateKey,
    /// Its UDP port
    ListenPort,
    /// The mark of its packets
    Fwmark,
    /// The keys of its peers
    Peers,
    /// The preshared keys
    PresharedKeys,
    /// Where the peers are
    Endpoints,
    /// What the peers may send, and what is sent to them
    AllowedIps,
    /// When the last handshakes were, in seconds since the epoch
    LatestHandshakes,
    /// The bytes received and sent
    Transfer,
    /// The seconds between keepalive packets
    PersistentKeepalive,
    /// All of it
    Dump,
}

/// What wg prints for what is not set.
const NONE: &str = "(none)";

/// Returns the lines of a field, each with the interface's name in front if it is given.
pub fn lines(
    field: Field,
    ifname: Option<Ifname>,
    device: &DeviceStatus,
    scopes: &Scopes,
) -> Zeroizing<String> {
    // secrets are not to be left behind where a growing string was
    let mut text = Zeroizing::new(String::with_capacity(room(device)));
    let mut line = |parts: &[&dyn Display]| {
        if let Some(ifname) = ifname {
            let _ = write!(text, "{ifname}\t");
        }
        for (index, part) in parts.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\t" };
            let _ = write!(text, "{separator}{part}");
        }
        text.push('\n');
    };
    let settings = &device.settings;
    let port = settings.listen_port.unwrap_or_default();
    let own = settings.private_key.as_ref();
    match field {
        Field::PublicKey => line(&[&or_none(own.map(PrivateKey::public_key))]),
        Field::PrivateKey => line(&[&*secret(own.map(PrivateKey::to_base64))]),
        Field::ListenPort => line(&[&port]),
        Field::Fwmark => line(&[&mark(settings.fwmark)]),
        Field::Dump => {
            let public = or_none(own.map(PrivateKey::public_key));
            let private = secret(own.map(PrivateKey::to_base64));
            line(&[&*private, &public, &port, &mark(settings.fwmark)]);
        }
        Field::Peers
        | Field::PresharedKeys
        | Field::Endpoints
        | Field::AllowedIps
        | Field::LatestHandshakes
        | Field::Transfer
        | Field::PersistentKeepalive => {}
    }
    for peer in &device.peers {
        let key = &peer.public_key;
        let at = || or_none(peer.endpoint.map(|it| endpoint(it, scopes)));
        let handshake = peer.last_handshake.map_or(0, |last| last.as_secs());
        let shared = || secret(peer.preshared_key.as_ref().map(PresharedKey::to_base64));
        match field {
            Field::Peers => line(&[key]),
            Field::PresharedKeys => line(&[key, &*shared()]),
            Field::Endpoints => line(&[key, &at()]),
            Field::AllowedIps => line(&[key, &allowed_ips(&peer.allowed_ips, " ")]),
            Field::LatestHandshakes => line(&[key, &handshake]),
            Field::Transfer => line(&[key, &peer.rx_bytes, &peer.tx_bytes]),
            Field::PersistentKeepalive => line(&[key, &keepalive(peer)]),
            Field::Dump => line(&[
                key,
                &*shared(),
                &at(),
                &allowed_ips(&peer.allowed_ips, ","),
                &handshake,
                &peer.rx_bytes,
                &peer.tx_bytes,
                &keepalive(peer),
            ]),
            Field::PublicKey | Field::PrivateKey | Field::ListenPort | Field::Fwmark => {}
        }
    }
    text
}

/// More bytes than all the lines have.
fn room(device: &DeviceStatus) -> usize {
    const DEVICE: usize = 200;
    const PEER: usize = 300;
    const ALLOWED_IP: usize = 50;
    let peers = device.peers.iter();
    peers.fold(DEVICE, |sum, peer| {
        sum + PEER + ALLOWED_IP * peer.allowed_ips.len()
    })
}

fn or_none<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

fn secret(key: Option<Zeroizing<String>>) -> Zeroizing<String> {
    key.unwrap_or_else(|| Zeroizing::new(NONE.to_owned()))
}

fn mark(mark: Option<FwMark>) -> String {
    match mark {
        Some(FwMark(mark)) if mark != 0 => format!("{mark:#x}"),
        _ => "off".to_owned(),
    }
}

fn keepalive(peer: &PeerStatus) -> String {
    match peer.persistent_keepalive {
        Some(seconds) => seconds.to_string(),
        None => "off".to_owned(),
    }
}

fn allowed_ips(prefixes: &[Prefix], separator: &str) -> String {
    let mut text = String::new();
    for prefix in prefixes {
        if !text.is_empty() {
            text.push_str(separator);
        }
        let _ = write!(text, "{}", allowed_ip(*prefix));
    }
    if text.is_empty() {
        NONE.to_owned()
    } else {
        text
    }
}

fn allowed_ip(prefix: Prefix) -> impl Display {
    std::fmt::from_fn(move |f| write!(f, "{}/{}", Ip(prefix.ip()), prefix.prefix_len()))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn shown(field: Field, ifname: Option<&str>) -> String {
        let interface = sample::server();
        let ifname = ifname.map(|name| name.parse().unwrap());
        lines(field, ifname, &interface.device, &interface.scopes).to_string()
    }

    #[test]
    fn a_dump_is_that_of_wg() {
        let [phone, laptop, tablet, other] = sample::keys();
        let (private, public) = (sample::PRIVATE, sample::public());
        assert_eq!(
            shown(Field::Dump, Some("wg0")),
            format!(
                "wg0\t{private}\t{public}\t51820\t0xca6c\n\
                 wg0\t{laptop}\t(none)\t[fe80::2%ens3]:51820\t10.8.0.3/32\t1763875700\t1536\t1048576\t25\n\
                 wg0\t{phone}\t{}\t198.51.100.7:41231\t10.8.0.2/32,fd42::2/128\t1763875988\t1272812\t8703180\toff\n\
                 wg0\t{other}\t(none)\t(none)\t(none)\t0\t0\t0\toff\n\
                 wg0\t{tablet}\t(none)\t(none)\t10.8.0.4/32\t0\t0\t0\toff\n",
                sample::PRESHARED,
            )
        );
    }

    #[test]
    fn each_field_is_that_of_wg() {
        let [phone, laptop, tablet, other] = sample::keys();
        assert_eq!(shown(Field::ListenPort, None), "51820\n");
        assert_eq!(shown(Field::Fwmark, Some("wg0")), "wg0\t0xca6c\n");
        assert_eq!(
            shown(Field::AllowedIps, None),
            format!(
                "{laptop}\t10.8.0.3/32\n{phone}\t10.8.0.2/32 fd42::2/128\n{other}\t(none)\n{tablet}\t10.8.0.4/32\n"
            )
        );
        assert_eq!(
            shown(Field::PersistentKeepalive, None),
            format!("{laptop}\t25\n{phone}\toff\n{other}\toff\n{tablet}\toff\n")
        );
        let nothing = DeviceStatus::default();
        let of_nothing = |field| lines(field, None, &nothing, &Scopes::new()).to_string();
        assert_eq!(of_nothing(Field::Dump), "(none)\t(none)\t0\toff\n");
        assert_eq!(of_nothing(Field::PrivateKey), "(none)\n");
        assert_eq!(of_nothing(Field::Transfer), "");
    }
}
