//! The part of a host that one tunnel owns, wanted or found.
//!
//! One type for both, in canonical form (masked prefixes, ordered sets, kernel defaults filled in), so that a change is the
//! difference of two values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::foreign::Accept;
use crate::key::{PresharedKey, PrivateKey, PublicKey};
use crate::net::{Address, Family, FwMark, Ifname, Netns, Prefix, TableId};
use crate::nft::NftTable;

/// What one tunnel owns on a host; `State::default()` is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The network namespace that the tunnel lives in, if that is not the one of birth and is there by this name.
    pub netns: Option<Netns>,
    /// The interface; without one there is no device, address or route.
    pub link: Option<Link>,
    /// Its WireGuard half.
    pub device: Device,
    /// In the order in which they were or are to be added: the first of a network is its primary address.
    pub addresses: Vec<Address>,
    /// The routes by this link, in any table, but for those that the kernel makes of its addresses.
    pub routes: BTreeSet<Route>,
    /// The policy rules of this tunnel.
    pub rules: BTreeSet<PolicyRule>,
    /// The tunnel's own nftables table.
    pub nft: Option<NftTable>,
    /// Its rules in other programs' firewalls.
    pub accepts: BTreeSet<Accept>,
    /// The tables that wg-quick made for an interface of this name, by their families; never wanted.
    pub wg_quick_tables: BTreeSet<Family>,
    /// The kernel variables that the tunnel needs, with their values; found ones are those that were looked for.
    pub sysctls: BTreeMap<Sysctl, String>,
    /// What was told to the host's resolver.
    pub dns: Option<Dns>,
}

impl State {
    /// Whether nothing of a tunnel is there; kernel variables are there with or without one, and so is a namespace.
    pub fn is_nothing(&self) -> bool {
        *self
            == Self {
                netns: self.netns.clone(),
                sysctls: self.sysctls.clone(),
                ..Self::default()
            }
    }
}

/// A network interface, as rtnetlink sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who drives it.
    pub kind: LinkKind,
    /// Its MTU in bytes and whether it is up.
    pub settings: LinkSettings,
}

/// What can be set on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkSettings {
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Whether the link is administratively up.
    pub up: bool,
}

impl LinkSettings {
    /// What a new WireGuard link has: `ETH_DATA_LEN` less WireGuard's overhead over IPv6, and down.
    pub const NEW: Self = Self {
        mtu: 1420,
        up: false,
    };
}

/// Who drives a WireGuard interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkKind {
    /// The kernel's module.
    #[default]
    Kernel,
    /// A process with a TUN device: the embedded one, or the named program.
    Userspace {
        /// The program; none is the embedded one.
        program: Option<String>,
    },
}

/// The WireGuard half of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// What is set on the device itself.
    pub settings: DeviceSettings,
    /// In the order of the file or of the kernel; public keys are unique.
    pub peers: Vec<Peer>,
}

/// What is set on a device beside its peers. Wanted: none leaves a value alone. Found: none is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceSettings {
    /// The device's secret.
    pub private_key: Option<PrivateKey>,
    /// The UDP port; the kernel chooses one when none was set.
    pub listen_port: Option<u16>,
    /// The mark of encrypted packets; 0 is none.
    pub fwmark: Option<FwMark>,
}

/// A peer of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub public_key: PublicKey,
    /// The secret shared with it.
    pub preshared_key: Option<PresharedKey>,
    /// Where it is. Wanted: none leaves a learned endpoint alone.
    pub endpoint: Option<SocketAddr>,
    /// Seconds between keepalive packets; none is off.
    pub persistent_keepalive: Option<u16>,
    /// What it may send, and what is sent to it.
    pub allowed_ips: BTreeSet<Prefix>,
}

impl Peer {
    /// A peer with nothing set.
    pub fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            preshared_key: None,
            endpoint: None,
            persistent_keepalive: None,
            allowed_ips: BTreeSet::new(),
        }
    }
}

/// A route by the tunnel's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Route {
    /// The destination.
    pub prefix: Prefix,
    /// The FIB that holds it.
    pub table: TableId,
    /// The smaller one wins; none is the kernel's own choice (IPv4 0, IPv6 1024).
    pub metric: Option<u32>,
}

/// A rule of the routing policy database (ip-rule(8)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PolicyRule {
    /// Each family has its own rules.
    pub family: Family,
    /// The smaller one is asked first.
    pub priority: u32,
    /// Which packets it is for.
    pub selector: Selector,
    /// Where those are looked up.
    pub table: TableId,
}

/// Which packets a policy rule is for, of the kinds that wgq and wg-quick make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Selector {
    /// All that do not carry the mark: `not fwmark M`.
    NotFwMark(FwMark),
    /// All, but routes of this prefix length or shorter do not count: `suppress_prefixlength 0`.
    SuppressPrefixLength(u32),
    /// Something else: the rule is not one of ours.
    Foreign,
}

/// The name of a kernel variable in the form of sysctl(8): `net.ipv4.conf.all.src_valid_mark`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sysctl(pub Cow<'static, str>);

impl Sysctl {
    /// Whether the source of a marked packet is checked by the route that its mark selects (ip-sysctl): a full tunnel's
    /// answers would be dropped as spoofed without.
    pub const SRC_VALID_MARK: Self = Self(Cow::Borrowed("net.ipv4.conf.all.src_valid_mark"));

    /// Whether the host passes IPv4 packets on.
    pub const IP_FORWARD: Self = Self(Cow::Borrowed("net.ipv4.ip_forward"));

    /// Whether the host passes IPv6 packets on.
    pub const IPV6_FORWARDING: Self = Self(Cow::Borrowed("net.ipv6.conf.all.forwarding"));

    /// Those that make the host pass packets on.
    pub const FORWARDING: [Self; 2] = [Self::IP_FORWARD, Self::IPV6_FORWARDING];

    /// A variable of one interface, or of `all` or `default`; `version` is `ipv4` or `ipv6`.
    pub fn of_interface(version: &str, name: &str, variable: &str) -> Self {
        // sysctl(8): in an interface's name a dot is a slash
        let name = name.replace('.', "/");
        Self(format!("net.{version}.conf.{name}.{variable}").into())
    }

    /// Whether an interface takes routes from routers' advertisements: 0, 1 (unless the host forwards) or 2.
    pub fn accept_ra(ifname: Ifname) -> Self {
        Self::of_interface("ipv6", ifname.as_str(), "accept_ra")
    }

    /// Whether it makes the host pass packets on.
    pub fn is_forwarding(&self) -> bool {
        Self::FORWARDING.contains(self)
    }

    /// Whether the kernel sets it along when it turns forwarding on or off by that variable (`inet_forward_change` and
    /// `addrconf_forward_change` in Linux).
    pub fn follows(&self, switch: &Self) -> bool {
        let of_interface = |prefix| self.0.starts_with(prefix) && self.0.ends_with(".forwarding");
        if *switch == Self::IP_FORWARD {
            let is_alias = self.0 == "net.ipv4.conf.all.forwarding";
            of_interface("net.ipv4.conf.") && !is_alias
                || self.0 == "net.ipv4.conf.all.accept_redirects"
        } else {
            *switch == Self::IPV6_FORWARDING && of_interface("net.ipv6.conf.") && self != switch
        }
    }

    /// What the kernel sets one that follows to when forwarding is turned on.
    pub fn while_forwarding(&self) -> &'static str {
        if self.0.ends_with(".forwarding") {
            "1"
        } else {
            "0"
        }
    }

    /// Whether it is [`Self::accept_ra`] of an interface.
    pub fn is_accept_ra(&self) -> bool {
        self.0.ends_with(".accept_ra")
    }
}

/// What a tunnel tells the host's resolver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dns {
    /// Who is told.
    pub backend: DnsBackend,
    /// The servers, first one first.
    pub servers: Vec<IpAddr>,
    /// The search domains.
    pub search: Vec<String>,
    /// Whether every name is to be asked there: the tunnel is a full one.
    pub all_names: bool,
    /// Whether the tunnel is no good without.
    pub required: bool,
}

/// Who keeps the host's resolver configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DnsBackend {
    /// systemd-resolved, by resolvectl(1).
    Resolved,
    /// resolvconf(8), Debian's or openresolv's.
    Resolvconf {
        /// What stands before the interface's name for its place in interface-order: `tun.`, or nothing.
        prefix: String,
    },
    /// NetworkManager, by its global DNS configuration.
    NetworkManager,
    /// /etc/resolv.conf itself.
    File,
    /// The resolv.conf of those who work in a network namespace: /etc/netns/NAME/resolv.conf (ip-netns(8)).
    Netns {
        /// Its name.
        name: Netns,
    },
}

#[cfg(test)]
mod tests {
    use super::Sysctl;

    #[test]
    fn the_kernel_sets_variables_of_interfaces_along_with_forwarding() {
        let follows = |name: &'static str| {
            let sysctl = Sysctl(name.into());
            Sysctl::FORWARDING.map(|switch| sysctl.follows(&switch))
        };
        assert_eq!(follows("net.ipv4.conf.eth0.forwarding"), [true, false]);
        assert_eq!(follows("net.ipv4.conf.default.forwarding"), [true, false]);
        assert_eq!(follows("net.ipv4.conf.all.accept_redirects"), [true, false]);
        assert_eq!(follows("net.ipv6.conf.eth0.forwarding"), [false, true]);
        for other in [
            "net.ipv4.conf.all.forwarding",
            "net.ipv4.conf.eth0.mc_forwarding",
            "net.ipv4.conf.eth0.accept_redirects",
            "net.ipv4.ip_forward",
            "net.ipv6.conf.all.accept_redirects",
            "net.ipv6.conf.all.forwarding",
        ] {
            assert_eq!(follows(other), [false, false], "{other}");
        }
    }
}
