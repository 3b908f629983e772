//! Reads the text of WireGuard's configuration protocol: `key=value` lines (<https://www.wireguard.com/xplatform/>).

use std::net::{SocketAddr, SocketAddrV6};
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::message::{Set, SetPeer, Sign};
use crate::key::{KEY_LEN, PublicKey};
use crate::net::{FwMark, Invalid};
use crate::status::{DeviceStatus, PeerStatus};

impl FromStr for Set {
    type Err = Invalid;

    /// Reads the lines after `set=1`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut set = Self::default();
        for (key, value) in pairs(text)? {
            match (key, set.peers.last_mut()) {
                ("public_key", _) => set.peers.push(SetPeer::new(PublicKey(*key_bytes(value)?))),
                ("protocol_version", _) => is(value, "1")?,
                (_, Some(peer)) => peer.set(key, value)?,
                ("private_key", None) => set.private_key = Some((*key_bytes(value)?).into()),
                ("listen_port", None) => set.listen_port = Some(number(value)?),
                ("fwmark", None) => set.fwmark = Some(FwMark(number(value)?)),
                ("replace_peers", None) => set.replace_peers = is(value, "true").map(|()| true)?,
                (_, None) => return Err(unknown(key)),
            }
        }
        Ok(set)
    }
}

impl SetPeer {
    fn set(&mut self, key: &str, value: &str) -> Result<(), Invalid> {
        match key {
            "remove" => self.remove = is(value, "true").map(|()| true)?,
            "update_only" => self.update_only = is(value, "true").map(|()| true)?,
            "preshared_key" => self.preshared_key = Some((*key_bytes(value)?).into()),
            "endpoint" => self.endpoint = Some(endpoint(value)?),
            "persistent_keepalive_interval" => self.persistent_keepalive = Some(number(value)?),
            "replace_allowed_ips" => self.replace_allowed_ips = is(value, "true").map(|()| true)?,
            "allowed_ip" => self.allowed_ips.push(match value.strip_prefix('-') {
                Some(prefix) => (Sign::Remove, prefix.parse()?),
                None => (Sign::Add, value.parse()?),
            }),
            _ => return Err(unknown(key)),
        }
        Ok(())
    }
}

impl FromStr for DeviceStatus {
    type Err = Invalid;

    /// Reads the lines before `errno=`. What it does not know it passes over: implementations add keys of their own.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut status = Self::default();
        for (key, value) in pairs(text)? {
            match (key, status.peers.last_mut()) {
                ("public_key", _) => status
                    .peers
                    .push(PeerStatus::new(PublicKey(*key_bytes(value)?))),
                (_, Some(peer)) => peer.read(key, value)?,
                ("private_key", None) => {
                    status.settings.private_key = key_unless_zero(value)?.map(|key| (*key).into());
                }
                ("listen_port", None) => status.settings.listen_port = Some(number(value)?),
                ("fwmark", None) => status.settings.fwmark = Some(FwMark(number(value)?)),
                (_, None) => {}
            }
        }
        Ok(status)
    }
}

impl PeerStatus {
    fn read(&mut self, key: &str, value: &str) -> Result<(), Invalid> {
        match key {
            "preshared_key" => {
                self.preshared_key = key_unless_zero(value)?.map(|key| (*key).into());
            }
            "endpoint" => self.endpoint = Some(endpoint(value)?),
            "persistent_keepalive_interval" => {
                self.persistent_keepalive = Some(number(value)?).filter(|&seconds| seconds != 0);
            }
            "last_handshake_time_sec" => {
                self.add_handshake_time(Duration::from_secs(number(value)?));
            }
            "last_handshake_time_nsec" => {
                self.add_handshake_time(Duration::from_nanos(number(value)?));
            }
            "rx_bytes" => self.rx_bytes = number(value)?,
            "tx_bytes" => self.tx_bytes = number(value)?,
            "allowed_ip" => self.allowed_ips.push(value.parse()?),
            _ => {}
        }
        Ok(())
    }

    fn add_handshake_time(&mut self, part: Duration) {
        let sum = self.last_handshake.unwrap_or_default().saturating_add(part);
        self.last_handshake = (!sum.is_zero()).then_some(sum);
    }
}

/// Splits lines into keys and values.
fn pairs(text: &str) -> Result<Vec<(&str, &str)>, Invalid> {
    text.lines()
        .map(|line| {
            line.split_once('=')
                .ok_or_else(|| Invalid::new("a line has no `=`"))
        })
        .collect()
}

fn unknown(key: &str) -> Invalid {
    Invalid::new(format!("unknown key `{}`", key.escape_debug()))
}

fn is(value: &str, expected: &str) -> Result<(), Invalid> {
    (value == expected).then_some(()).ok_or_else(|| {
        Invalid::new(format!(
            "expected `{expected}`, found `{}`",
            value.escape_debug()
        ))
    })
}

fn number<T: FromStr>(value: &str) -> Result<T, Invalid> {
    value.parse().map_err(|_| {
        Invalid::new(format!(
            "`{}` is no number, or too large",
            value.escape_debug()
        ))
    })
}

/// Reads an endpoint; its scope may be an interface's name, as `wg` writes it, or its number.
fn endpoint(value: &str) -> Result<SocketAddr, Invalid> {
    let parsed = value.parse().ok().or_else(|| {
        let (ip, rest) = value.strip_prefix('[')?.split_once('%')?;
        let (scope, port) = rest.split_once("]:")?;
        let index = nix::net::if_::if_nametoindex(scope).ok()?;
        Some(SocketAddrV6::new(ip.parse().ok()?, port.parse().ok()?, 0, index).into())
    });
    parsed.ok_or_else(|| Invalid::new(format!("`{}` is no endpoint", value.escape_debug())))
}

fn key_bytes(value: &str) -> Result<Zeroizing<[u8; KEY_LEN]>, Invalid> {
    // never the value itself: it is a key, or nearly one
    let invalid = || Invalid::new("a key is 64 hexadecimal digits");
    let digits = value.as_bytes();
    if digits.len() != 2 * KEY_LEN {
        return Err(invalid());
    }
    let mut key = Zeroizing::new([0; KEY_LEN]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        for &digit in pair {
            let digit = char::from(digit)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok());
            *byte = *byte << 4 | digit.ok_or_else(invalid)?;
        }
    }
    Ok(key)
}

fn key_unless_zero(value: &str) -> Result<Option<Zeroizing<[u8; KEY_LEN]>>, Invalid> {
    key_bytes(value).map(|key| Some(key).filter(|key| **key != [0; KEY_LEN]))
}
