//! Writes the text of WireGuard's configuration protocol; `read` reads it.

use std::fmt::{self, Display, Formatter};

use super::message::{Set, SetPeer, Sign};
use crate::key::KEY_LEN;
use crate::state::DeviceSettings;
use crate::status::{DeviceStatus, PeerStatus};

impl Display for Set {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "set=1")?;
        line(
            f,
            "private_key",
            self.private_key.as_ref().map(|key| Hex(key.as_bytes())),
        )?;
        line(f, "listen_port", self.listen_port)?;
        line(f, "fwmark", self.fwmark.map(|mark| mark.0))?;
        line(f, "replace_peers", self.replace_peers.then_some(true))?;
        self.peers.iter().try_for_each(|peer| write!(f, "{peer}"))?;
        writeln!(f)
    }
}

impl Display for SetPeer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, "public_key", Some(Hex(&self.public_key.0)))?;
        line(f, "remove", self.remove.then_some(true))?;
        line(f, "update_only", self.update_only.then_some(true))?;
        line(
            f,
            "preshared_key",
            self.preshared_key.as_ref().map(|key| Hex(key.as_bytes())),
        )?;
        line(f, "endpoint", self.endpoint)?;
        line(
            f,
            "persistent_keepalive_interval",
            self.persistent_keepalive,
        )?;
        line(
            f,
            "replace_allowed_ips",
            self.replace_allowed_ips.then_some(true),
        )?;
        self.allowed_ips
            .iter()
            .try_for_each(|(sign, prefix)| match sign {
                Sign::Add => writeln!(f, "allowed_ip={prefix}"),
                Sign::Remove => writeln!(f, "allowed_ip=-{prefix}"),
            })
    }
}

impl Display for DeviceStatus {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let DeviceSettings {
            private_key,
            listen_port,
            fwmark,
        } = &self.settings;
        line(
            f,
            "private_key",
            private_key.as_ref().map(|key| Hex(key.as_bytes())),
        )?;
        line(f, "listen_port", *listen_port)?;
        line(f, "fwmark", fwmark.map(|mark| mark.0))?;
        self.peers.iter().try_for_each(|peer| write!(f, "{peer}"))
    }
}

impl Display for PeerStatus {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            public_key,
            preshared_key,
            endpoint,
            persistent_keepalive,
            allowed_ips,
            ..
        } = self;
        line(f, "public_key", Some(Hex(&public_key.0)))?;
        line(
            f,
            "preshared_key",
            preshared_key.as_ref().map(|key| Hex(key.as_bytes())),
        )?;
        line(f, "endpoint", *endpoint)?;
        line(f, "persistent_keepalive_interval", *persistent_keepalive)?;
        line(
            f,
            "last_handshake_time_sec",
            self.last_handshake.map(|at| at.as_secs()),
        )?;
        line(
            f,
            "last_handshake_time_nsec",
            self.last_handshake.map(|at| at.subsec_nanos()),
        )?;
        line(f, "rx_bytes", Some(self.rx_bytes))?;
        line(f, "tx_bytes", Some(self.tx_bytes))?;
        allowed_ips
            .iter()
            .try_for_each(|prefix| writeln!(f, "allowed_ip={prefix}"))
    }
}

/// Writes a line, if there is a value.
fn line(f: &mut Formatter<'_>, key: &str, value: Option<impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| writeln!(f, "{key}={value}"))
}

/// A key in hexadecimal, lower case.
struct Hex<'a>(&'a [u8; KEY_LEN]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
