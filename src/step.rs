//! One change of the host, as data: it has an inverse and one text, in the syntax of `ip`, `wg`, `nft` and `sysctl`.
//!
//! The text is the `[#]` trace, `--dry-run`, the context of errors and the golden tests. It is an equivalent: no such
//! program is run.

use std::collections::BTreeMap;
use std::fmt;

use crate::foreign::Accept;
use crate::net::{Address, Family, Ifname, Netns};
use crate::nft::NftTable;
use crate::state::{
    DeviceSettings, Dns, DnsBackend, LinkKind, LinkSettings, Peer, PolicyRule, Route, Sysctl,
};

mod display;
mod inside;

pub use display::Brief;
pub use inside::Inside;

/// One change of the host. What is set carries the value before too, so that undoing it needs no look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Gives the network namespace that the tunnel lives in its name, and brings up its loopback.
    AddNetns(Netns),
    /// Takes its name from a network namespace: it goes with the last process in it.
    DeleteNetns(Netns),
    /// Makes the interface, down and with nothing on it.
    AddLink {
        /// Its name.
        ifname: Ifname,
        /// Who drives it.
        kind: LinkKind,
    },
    /// Removes the interface, and with it its device, addresses and routes.
    DeleteLink {
        /// Its name.
        ifname: Ifname,
        /// Who drives it.
        kind: LinkKind,
    },
    /// Changes the MTU, or brings the link up or down.
    SetLink {
        /// Its name.
        ifname: Ifname,
        /// What was.
        from: LinkSettings,
        /// What is to be.
        to: LinkSettings,
    },
    /// Sets the device's key, port and mark; what is none in `to` and was not is cleared.
    SetDevice {
        /// Its name.
        ifname: Ifname,
        /// What was.
        from: DeviceSettings,
        /// What is to be.
        to: DeviceSettings,
    },
    /// Adds, changes or removes a peer; both sides are of one public key.
    SetPeer {
        /// The device's name.
        ifname: Ifname,
        /// The peer as it was; none if it was not.
        from: Option<Peer>,
        /// The peer as it is to be; none removes it.
        to: Option<Peer>,
    },
    /// Adds an address.
    AddAddress {
        /// The link's name.
        ifname: Ifname,
        /// The address.
        address: Address,
    },
    /// Deletes an address.
    DeleteAddress {
        /// The link's name.
        ifname: Ifname,
        /// The address.
        address: Address,
    },
    /// Adds a route by the link.
    AddRoute {
        /// The link's name.
        ifname: Ifname,
        /// The route.
        route: Route,
    },
    /// Deletes a route by the link.
    DeleteRoute {
        /// The link's name.
        ifname: Ifname,
        /// The route.
        route: Route,
    },
    /// Adds a policy rule.
    AddRule(PolicyRule),
    /// Deletes a policy rule.
    DeleteRule(PolicyRule),
    /// Puts the tunnel's own nftables table in place, as a whole, or deletes it.
    SetNftTable {
        /// The table as it was; none if it was not.
        from: Option<NftTable>,
        /// The table as it is to be; none deletes it.
        to: Option<NftTable>,
    },
    /// Adds an accept to another program's firewall.
    AddAccept(Accept),
    /// Deletes an accept from another program's firewall; that it is gone is fine.
    DeleteAccept(Accept),
    /// Deletes a table that wg-quick made for the interface: `ip wg-quick-wg0`.
    DeleteWgQuickTable {
        /// The link's name.
        ifname: Ifname,
        /// The table's family; wg-quick has one for each.
        family: Family,
    },
    /// Writes a kernel variable.
    SetSysctl {
        /// Its name.
        sysctl: Sysctl,
        /// Its value before.
        from: String,
        /// Its value after.
        to: String,
        /// What the kernel may change along with it, and is to stay: with these values, in either direction.
        keep: BTreeMap<Sysctl, String>,
    },
    /// Tells the host's resolver.
    SetDns {
        /// The link's name.
        ifname: Ifname,
        /// What it was told before.
        from: Option<Dns>,
        /// What it is told now; none takes back what it was told.
        to: Option<Dns>,
    },
    /// Runs a command of the user's.
    Hook {
        /// The link's name.
        ifname: Ifname,
        /// Where in the file it stands.
        phase: HookPhase,
        /// The command, with `%i` replaced.
        command: String,
    },
}

/// When a hook of the file runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookPhase {
    /// After the link is made, before anything is on it.
    PreUp,
    /// When all is in place.
    PostUp,
    /// Before anything is taken away.
    PreDown,
    /// When all is gone.
    PostDown,
}

impl fmt::Display for HookPhase {
    /// Writes the key of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreUp => "PreUp",
            Self::PostUp => "PostUp",
            Self::PreDown => "PreDown",
            Self::PostDown => "PostDown",
        })
    }
}

/// Which steps can be sent to the kernel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// Addresses, link settings, routes and rules: rtnetlink.
    Route,
    /// The device and its peers: generic netlink.
    Device,
    /// What is deleted from nftables: for each commit that deletes, the kernel waits for a grace period.
    Deletion,
}

impl Step {
    /// Returns the step that undoes this one; none for a hook, and for what is another program's.
    pub fn inverse(&self) -> Option<Self> {
        Some(match self.clone() {
            Self::AddNetns(netns) => Self::DeleteNetns(netns),
            Self::DeleteNetns(netns) => Self::AddNetns(netns),
            Self::AddLink { ifname, kind } => Self::DeleteLink { ifname, kind },
            Self::DeleteLink { ifname, kind } => Self::AddLink { ifname, kind },
            Self::SetLink { ifname, from, to } => Self::SetLink {
                ifname,
                from: to,
                to: from,
            },
            Self::SetDevice { ifname, from, to } => Self::SetDevice {
                ifname,
                from: to,
                to: from,
            },
            Self::SetPeer { ifname, from, to } => Self::SetPeer {
                ifname,
                from: to,
                to: from,
            },
            Self::AddAddress { ifname, address } => Self::DeleteAddress { ifname, address },
            Self::DeleteAddress { ifname, address } => Self::AddAddress { ifname, address },
            Self::AddRoute { ifname, route } => Self::DeleteRoute { ifname, route },
            Self::DeleteRoute { ifname, route } => Self::AddRoute { ifname, route },
            Self::AddRule(rule) => Self::DeleteRule(rule),
            Self::DeleteRule(rule) => Self::AddRule(rule),
            Self::SetNftTable { from, to } => Self::SetNftTable { from: to, to: from },
            Self::AddAccept(accept) => Self::DeleteAccept(accept),
            Self::DeleteAccept(accept) => Self::AddAccept(accept),
            Self::SetSysctl {
                sysctl,
                from,
                to,
                keep,
            } => Self::SetSysctl {
                sysctl,
                from: to,
                to: from,
                keep,
            },
            Self::SetDns { ifname, from, to } => Self::SetDns {
                ifname,
                from: to,
                to: from,
            },
            Self::Hook { .. } | Self::DeleteWgQuickTable { .. } => return None,
        })
    }

    /// Writes a kernel variable, and keeps those of `wanted` that the kernel would change along with it.
    pub fn set_sysctl(
        sysctl: Sysctl,
        from: String,
        to: String,
        wanted: &BTreeMap<Sysctl, String>,
    ) -> Self {
        let mut keep = wanted.clone();
        keep.retain(|other, _| other.follows(&sysctl));
        Self::SetSysctl {
            sysctl,
            from,
            to,
            keep,
        }
    }

    /// Returns with which others this step may be sent; none is alone.
    pub fn batch(&self) -> Option<Batch> {
        match self {
            Self::SetLink { .. }
            | Self::AddAddress { .. }
            | Self::DeleteAddress { .. }
            | Self::AddRoute { .. }
            | Self::DeleteRoute { .. }
            | Self::AddRule(_)
            | Self::DeleteRule(_) => Some(Batch::Route),
            Self::SetDevice { .. } | Self::SetPeer { .. } => Some(Batch::Device),
            Self::DeleteAccept(_)
            | Self::SetNftTable { to: None, .. }
            | Self::DeleteWgQuickTable { .. } => Some(Batch::Deletion),
            Self::AddNetns(_)
            | Self::DeleteNetns(_)
            | Self::AddLink { .. }
            | Self::DeleteLink { .. }
            | Self::SetNftTable { .. }
            | Self::AddAccept(_)
            | Self::SetSysctl { .. }
            | Self::SetDns { .. }
            | Self::Hook { .. } => None,
        }
    }

    /// The kind of the step, in a word for programs: `add-route`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::AddNetns(_) => "add-netns",
            Self::DeleteNetns(_) => "delete-netns",
            Self::AddLink { .. } => "add-link",
            Self::DeleteLink { .. } => "delete-link",
            Self::SetLink { .. } => "set-link",
            Self::SetDevice { .. } => "set-device",
            Self::SetPeer { to: Some(_), .. } => "set-peer",
            Self::SetPeer { to: None, .. } => "delete-peer",
            Self::AddAddress { .. } => "add-address",
            Self::DeleteAddress { .. } => "delete-address",
            Self::AddRoute { .. } => "add-route",
            Self::DeleteRoute { .. } => "delete-route",
            Self::AddRule(_) => "add-rule",
            Self::DeleteRule(_) => "delete-rule",
            Self::SetNftTable { to: Some(_), .. } => "set-nft-table",
            Self::SetNftTable { to: None, .. } => "delete-nft-table",
            Self::AddAccept(_) => "add-accept",
            Self::DeleteAccept(_) => "delete-accept",
            Self::DeleteWgQuickTable { .. } => "delete-wg-quick-table",
            Self::SetSysctl { .. } => "set-sysctl",
            Self::SetDns { .. } => "set-dns",
            Self::Hook { .. } => "run-hook",
        }
    }

    /// Whether it runs a command of the user's.
    pub fn is_hook(&self) -> bool {
        matches!(self, Self::Hook { .. })
    }

    /// Whether the step changes something that is on the link and goes with it.
    pub fn is_on_link(&self) -> bool {
        matches!(
            self,
            Self::SetLink { .. }
                | Self::SetDevice { .. }
                | Self::SetPeer { .. }
                | Self::AddAddress { .. }
                | Self::DeleteAddress { .. }
                | Self::AddRoute { .. }
                | Self::DeleteRoute { .. }
        )
    }

    /// Whether the tunnel does without when the step fails: DNS that is not required. But a file that is not put back stays.
    pub fn is_optional(&self) -> bool {
        let Self::SetDns { from, to, .. } = self else {
            return false;
        };
        let is_file = |dns: &Dns| dns.backend == DnsBackend::File;
        if to.is_none() && from.as_ref().is_some_and(is_file) {
            return false;
        }
        let dns = to.as_ref().or(from.as_ref());
        dns.is_some_and(|dns| !dns.required)
    }

    /// Returns the step that clears away what one that the tunnel does without has half done.
    pub fn retreat(&self) -> Option<Self> {
        let tells = matches!(self, Self::SetDns { to: Some(_), .. }); // what was not taken back is not told anew
        tells.then(|| self.inverse()).flatten()
    }

    /// Whether the step, when it fails, may have done a part of its work, and undoing it all is harmless. An addition is
    /// not among them: if it failed because the thing was there already, that thing is somebody else's.
    pub fn may_be_half_done(&self) -> bool {
        matches!(
            self,
            Self::Hook { .. }
                | Self::SetDevice { .. }
                | Self::SetPeer { .. }
                | Self::SetLink { .. }
                | Self::SetDns { .. }
        )
    }
}
