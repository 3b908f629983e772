//! What the host is like around the tunnel: what others own and the tunnel's policy depends on. Read, never changed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::foreign;
use crate::net::{Ifname, Prefix, TableId};
use crate::state::{DnsBackend, LinkKind, PolicyRule, Sysctl};

/// The facts that [`desired`](crate::desired::desired) decides by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Who is to drive a new link.
    pub link_kind: LinkKind,
    /// Whether the host has IPv6 and it is not switched off.
    pub ipv6: bool,
    /// The policy rules of all others.
    pub rules: Vec<PolicyRule>,
    /// The table for a full tunnel that names none; see [`free_table`](crate::desired::free_table).
    pub free_table: TableId,
    /// The MTU of the path to an endpoint, in bytes; endpoints without a route are missing. Not looked for if the file has one.
    pub path_mtus: BTreeMap<IpAddr, u32>,
    /// The MTU of the default route, in bytes; not looked for if one of a path is known, or the file has one.
    pub default_path_mtu: Option<u32>,
    /// The interfaces with a default route on which the kernel heeds routers' advertisements, or would without forwarding.
    pub advertised_uplinks: Vec<Ifname>,
    /// The kernel variables that turning forwarding on and off would change, with their values; not looked for unless the file
    /// forwards.
    pub kept_sysctls: BTreeMap<Sysctl, String>,
    /// Who keeps the resolver's configuration; of no meaning if the file names no server.
    pub dns_backend: DnsBackend,
    /// The networks of the other interfaces' addresses, each with its interface; not looked for without a kill switch.
    pub lan: BTreeSet<(Ifname, Prefix)>,
    /// The ports that the kernel gives to sockets which ask for none; not looked for without `KeepInbound`.
    pub local_ports: RangeInclusive<u16>,
    /// The other programs' firewalls, as far as they have chains that matter.
    pub firewalls: Vec<foreign::Table>,
    /// Sentences on those of them that could not be read.
    pub unread_firewalls: Vec<String>,
}
