//! What `wgq show` asks this host about the interfaces that run.

use std::env;
use std::net::SocketAddr;

use anyhow::Result;
use nix::net::if_::if_indextoname;

use super::netns::Outside;
use super::record::Record;
use super::{Host, sysctl, uapi};
use crate::net::Ifname;
use crate::state::{LinkKind, Sysctl};
use crate::status::{DeviceStatus, Forwarding, Scopes};

impl Host {
    /// Returns the WireGuard interfaces, in the order of wg(8): those of the kernel in this network namespace, then those that a
    /// process serves, wherever they are.
    pub fn interfaces(&mut self) -> Result<Vec<Ifname>> {
        let mut all = self.route.wireguard_links()?;
        let served = uapi::served().into_iter();
        let served: Vec<Ifname> = served.filter(|name| !all.contains(name)).collect();
        all.extend(served);
        Ok(all)
    }

    /// Returns a device by its name alone, as wg(8) does: by its socket if there is one, else from the kernel; none if there is
    /// none.
    pub fn device(&mut self, ifname: Ifname) -> Result<Option<DeviceStatus>> {
        if let Some(status) = uapi::status(ifname)? {
            return Ok(Some(status));
        }
        if self.index(ifname)?.is_none() {
            return Ok(None); // and no module need be loaded to find that out
        }
        self.status(ifname, &LinkKind::Kernel)
    }

    /// Goes back to the network namespace of birth, if this is for an interface in another one; what is open stays there.
    pub fn go_back(&self) -> Result<()> {
        self.outside.as_ref().map_or(Ok(()), Outside::go_back)
    }
}

/// Returns the names of the interfaces by which endpoints with a scope are reached, as far as they have one here.
pub fn scopes(device: &DeviceStatus) -> Scopes {
    let endpoints = device.peers.iter().filter_map(|peer| peer.endpoint);
    let mut scopes = Scopes::new();
    for endpoint in endpoints {
        if let SocketAddr::V6(v6) = endpoint
            && v6.scope_id() != 0
            && !scopes.contains_key(&v6.scope_id())
            && let Ok(name) = if_indextoname(v6.scope_id())
        {
            scopes.insert(v6.scope_id(), name.to_string_lossy().into_owned());
        }
    }
    scopes
}

/// Finds out whether this host passes packets on, and whether that is this tunnel's doing or another's of ours; none if it does
/// not have the protocol.
pub fn forwarding(switch: &Sysctl) -> Result<Option<Forwarding>> {
    let value = sysctl::read(switch)?;
    Ok(value.map(|value| Forwarding {
        is_on: value != "0",
        by_wgq: value != "0" && Record::changed(switch).is_some(),
    }))
}

/// Whether private and preshared keys are to be shown to people: as wg(8) has it, by the variable `WG_HIDE_KEYS`.
pub fn shows_keys() -> bool {
    env::var_os("WG_HIDE_KEYS").is_some_and(|value| value == "never")
}
