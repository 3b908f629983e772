//! What runs, and how it goes: what `wgq show` has found, and the forms it is shown in.
//!
//! All of it is pure: what was observed goes in, with the time, the width and the colours, and text comes out.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Masquerade, PortForward};
use crate::key::PublicKey;
use crate::net::{Address, Ifname, Netns};
use crate::state::{Dns, LinkKind, LinkSettings};

mod device;
pub mod fields;
pub mod json;
mod layers;
pub mod live;
pub mod prometheus;
#[cfg(test)]
mod sample;
mod session;
pub mod text;
mod units;

pub use device::{DeviceStatus, PeerStatus};
pub use session::{Activity, Session};

/// The interfaces at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// When that was, by the host's clock since the epoch.
    pub at: Duration,
    /// In the order in which they are shown.
    pub interfaces: Vec<Interface>,
}

/// A WireGuard interface and everything that wgq knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub ifname: Ifname,
    /// The network namespace that it lives in, if that is not the one of birth.
    pub netns: Option<Netns>,
    /// Who drives it.
    pub kind: LinkKind,
    /// Its MTU and whether it is up; none if its socket alone can be seen from here.
    pub link: Option<LinkSettings>,
    /// Its addresses, in the kernel's order.
    pub addresses: Vec<Address>,
    /// Its WireGuard half.
    pub device: DeviceStatus,
    /// The peers' names, as the file has them.
    pub names: BTreeMap<PublicKey, String>,
    /// The names of interfaces by their numbers, for endpoints that have a scope.
    pub scopes: Scopes,
    /// Where it comes from.
    pub origin: Origin,
    /// What it has beyond the device.
    pub layers: Layers,
}

/// The names of interfaces by their numbers.
pub type Scopes = BTreeMap<u32, String>;

/// Where an interface comes from, and whether it is still what its file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whether wgq has brought it up.
    pub by_wgq: bool,
    /// Its file; none if it has none, or was made from standard input.
    pub file: Option<PathBuf>,
    /// Whether it is what its file says.
    pub drift: Drift,
}

/// How far an interface is from what its file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Drift {
    /// There is no file to go by.
    #[default]
    NoFile,
    /// As many steps as `wgq apply` would take; 0 is not at all.
    Steps(usize),
    /// It cannot be found out, for that reason.
    Unknown(String),
}

/// What a tunnel has beyond the device, as it was found on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers {
    /// Whether the host passes IPv4 packets on; none if it has no IPv4.
    pub forwards_v4: Option<Forwarding>,
    /// Whether the host passes IPv6 packets on; none if it has no IPv6.
    pub forwards_v6: Option<Forwarding>,
    /// Where what came in by the tunnel leaves with the address of this host; none if that is so nowhere.
    pub masquerade: Option<Masquerade>,
    /// The ports of this host that are a peer's.
    pub port_forwards: Vec<PortForward>,
    /// Whether nothing leaves past the tunnel.
    pub kill_switch: bool,
    /// What the host's resolver was told.
    pub dns: Option<Dns>,
}

/// Whether a host passes packets on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// Whether it does.
    pub is_on: bool,
    /// Whether that is because wgq has turned it on.
    pub by_wgq: bool,
}

/// A peer, with what is known of it beside the device.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// What the device tells of it.
    pub status: &'a PeerStatus,
    /// What people call it.
    pub name: Option<&'a str>,
    /// How it goes.
    pub session: Session,
}

impl Interface {
    /// The peers, those with the latest handshake first; among the others, and at the same time, those with a name come first
    /// in the order of their names.
    pub fn peers(&self, now: Duration) -> Vec<Peer<'_>> {
        let peer = |status| Peer {
            status,
            name: self.name(&status.public_key),
            session: Session::of(status, now),
        };
        let mut peers: Vec<Peer<'_>> = self.device.peers.iter().map(peer).collect();
        peers.sort_by_key(|peer| {
            let last = Reverse(peer.status.last_handshake);
            (last, peer.name.is_none(), peer.name)
        });
        peers
    }

    /// What people call a peer.
    pub fn name(&self, public_key: &PublicKey) -> Option<&str> {
        self.names.get(public_key).map(String::as_str)
    }

    /// The name of who drives it: `kernel`, `wgq` for the embedded device, or that of the program.
    pub fn driver(&self) -> &str {
        match &self.kind {
            LinkKind::Kernel => "kernel",
            LinkKind::Userspace { program: None } if self.origin.by_wgq => "wgq",
            LinkKind::Userspace { program: None } => "userspace",
            LinkKind::Userspace {
                program: Some(program),
            } => program,
        }
    }
}

/// An endpoint as wg(8) prints it: the scope of an address is the name of an interface.
fn endpoint(endpoint: SocketAddr, scopes: &Scopes) -> String {
    match endpoint {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => {
            let (ip, port, scope) = (v6.ip(), v6.port(), v6.scope_id());
            match scopes.get(&scope) {
                Some(name) => format!("[{ip}%{name}]:{port}"),
                None => format!("[{ip}%{scope}]:{port}"),
            }
        }
        SocketAddr::V6(v6) => format!("[{}]:{}", units::Ip(endpoint.ip()), v6.port()),
        SocketAddr::V4(_) => endpoint.to_string(),
    }
}
