//! What a config file says, typed: names unresolved, defaults not yet chosen, places kept for messages.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::firewall::Firewall;
use super::span::Spanned;
use crate::key::{PresharedKey, PrivateKey, PublicKey};
use crate::net::{Address, FwMark, Ifname, Netns, Prefix, TableId};

/// A config file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// What all `[Interface]` sections say together.
    pub interface: Interface,
    /// The `[Peer]` sections in their order. No two have the same public key, and no prefix is on two of them.
    pub peers: Vec<Peer>,
}

impl Config {
    /// Whether a peer has all addresses of a family: `0.0.0.0/0` or `::/0`.
    pub fn is_full_tunnel(&self) -> bool {
        let mut prefixes = self.peers.iter().flat_map(|peer| &peer.allowed_ips);
        prefixes.any(|prefix| prefix.is_default())
    }

    /// Takes out the peers that there are no more at that time, and returns them.
    pub fn expire(&mut self, now: SystemTime) -> Vec<Peer> {
        let expired = self.peers.extract_if(.., |peer| peer.is_expired(now));
        expired.collect()
    }

    /// The peers that have the interface's own key; the kernel passes over them without a word.
    pub fn own_peers(&self) -> impl Iterator<Item = &Peer> {
        let own = self
            .interface
            .private_key
            .as_ref()
            .map(PrivateKey::public_key);
        let peers = self.peers.iter();
        peers.filter(move |peer| own == Some(peer.public_key.value))
    }
}

/// The interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interface {
    /// `PrivateKey`. None too for the key of zeros, which is how the kernel says that there is none.
    pub private_key: Option<PrivateKey>,
    /// `PrivateKeyFile`, as written; not beside a `PrivateKey`.
    pub private_key_file: Option<Spanned<PathBuf>>,
    /// `ListenPort`; with none or 0 the kernel chooses.
    pub listen_port: Option<u16>,
    /// `FwMark`; 0 is `off`, which wgq may not replace by a mark of its choice any more than another.
    pub fwmark: Option<Spanned<FwMark>>,
    /// `Address`, in order; no two are equal.
    pub addresses: Vec<Spanned<Address>>,
    /// `DNS`
    pub dns: Dns,
    /// `MTU`, in bytes: 68 to 65535.
    pub mtu: Option<Spanned<u32>>,
    /// `Table`
    pub table: Spanned<Table>,
    /// `PreUp`, `PostUp`, `PreDown`, `PostDown`
    pub hooks: Hooks,
    /// `SaveConfig`
    pub save_config: bool,
    /// `Metric`, of the routes.
    pub metric: Option<u32>,
    /// `DNSRequired`: whether a failure to set DNS up is one of `up`.
    pub dns_required: bool,
    /// `Netns`: the network namespace that the interface lives in; its UDP socket stays in that of birth.
    pub netns: Option<Spanned<Netns>>,
    /// The keys of the firewall.
    pub firewall: Firewall,
}

impl Interface {
    /// The network namespace that it lives in; none if that is the one of birth.
    pub fn home(&self) -> Option<&Netns> {
        self.netns.as_ref().map(|netns| &netns.value)
    }
}

/// Name resolution through the tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dns {
    /// The servers, in order.
    pub servers: Vec<IpAddr>,
    /// The domains to search, in order.
    pub search: Vec<String>,
}

/// Where the routes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Table {
    /// Into the main table, but a default route into one of its own with policy rules.
    #[default]
    Auto,
    /// Nowhere: no routes are made.
    Off,
    /// All into this one, without policy rules.
    Id(TableId),
}

/// Commands for the shell, in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hooks {
    /// `PreUp`
    pub pre_up: Vec<String>,
    /// `PostUp`
    pub post_up: Vec<String>,
    /// `PreDown`
    pub pre_down: Vec<String>,
    /// `PostDown`
    pub post_down: Vec<String>,
}

impl Hooks {
    /// The commands for that interface: its name stands for every `%i`, also for that in `%%i`, as in wg-quick.
    #[must_use]
    pub fn on(&self, ifname: Ifname) -> Self {
        let named = |commands: &[String]| {
            commands
                .iter()
                .map(|command| command.replace("%i", ifname.as_str()))
                .collect()
        };
        Self {
            pre_up: named(&self.pre_up),
            post_up: named(&self.post_up),
            pre_down: named(&self.pre_down),
            post_down: named(&self.post_down),
        }
    }

    /// Whether a hook of `up` gives the interface its private key, as `PostUp = wg set %i private-key FILE` does.
    pub(super) fn give_private_key(&self) -> bool {
        let mut hooks = self.pre_up.iter().chain(&self.post_up);
        hooks.any(|command| command.contains("private-key"))
    }
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// `PublicKey`; its place serves for the peer's.
    pub public_key: Spanned<PublicKey>,
    /// `PresharedKey`. None too for the key of zeros, which is how the kernel says that there is none.
    pub preshared_key: Option<PresharedKey>,
    /// `PresharedKeyFile`, as written; not beside a `PresharedKey`.
    pub preshared_key_file: Option<Spanned<PathBuf>>,
    /// `AllowedIPs`, without those that a later peer names too: the kernel gives each to the last.
    pub allowed_ips: BTreeSet<Prefix>,
    /// `Endpoint`
    pub endpoint: Option<Spanned<Endpoint>>,
    /// `PersistentKeepalive`, in seconds; never 0.
    pub persistent_keepalive: Option<u16>,
    /// `Expires`: from then on there is no such peer.
    pub expires: Option<Spanned<SystemTime>>,
}

impl Peer {
    /// Whether there is no such peer any more at that time.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires.value <= now)
    }

    /// A peer of which nothing but the key is known.
    pub fn new(public_key: Spanned<PublicKey>) -> Self {
        Self {
            public_key,
            preshared_key: None,
            preshared_key_file: None,
            allowed_ips: BTreeSet::new(),
            endpoint: None,
            persistent_keepalive: None,
            expires: None,
        }
    }
}

/// Where a peer is reached. Prints as wg(8) takes it: `192.0.2.1:51820`, `[2001:db8::1]:51820`, `vpn.example.com:51820`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// At an address.
    Addr(SocketAddr),
    /// At what a name stands for, which is for the resolver to say. An IPv6 address with a scope (`fe80::1%eth0`) is
    /// such a name too: interfaces have numbers on a host only.
    Name {
        /// The name, without brackets.
        host: String,
        /// The UDP port.
        port: u16,
    },
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addr(addr) => addr.fmt(f),
            Self::Name { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}
