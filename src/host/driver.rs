//! Who is to drive a new interface: the kernel, or else a process.

use std::env;
use std::path::Path;

use anyhow::{Result, bail};

use super::route_socket::RouteSocket;
use super::{Host, wireguard};
use crate::net::Ifname;
use crate::state::LinkKind;

/// wg-quick's variable: the program to use where the kernel has no WireGuard.
const PROGRAM: &str = "WG_QUICK_USERSPACE_IMPLEMENTATION";

impl Host {
    /// Whether there is an interface of that name, of any kind.
    pub fn has_link(&mut self, ifname: Ifname) -> Result<bool> {
        Ok(self.route.link(ifname)?.is_some())
    }

    /// Whether there is an interface of that name in the namespace of birth, while the tunnel lives in another one.
    pub fn has_link_outside(&mut self, ifname: Ifname) -> Result<bool> {
        match &mut self.outside {
            Some(outside) => Ok(outside.route.link(ifname)?.is_some()),
            None => Ok(false),
        }
    }

    /// What asks for routes where the UDP socket is: in the namespace of birth.
    pub(super) fn route_of_birth(&mut self) -> &mut RouteSocket {
        match &mut self.outside {
            Some(outside) => &mut outside.route,
            None => &mut self.route,
        }
    }

    /// Chooses who drives a new interface: the kernel if it can and nothing else is asked for. That it cannot is said.
    pub fn choose_driver(&mut self, userspace: bool) -> Result<LinkKind> {
        if !userspace {
            match self.wireguard() {
                Ok(_) => return Ok(LinkKind::Kernel),
                Err(error) if !wireguard::is_missing(&error) => return Err(error.into()),
                Err(_) => {}
            }
        }
        let program = env::var(PROGRAM).ok().filter(|program| !program.is_empty());
        if program.is_none() && !cfg!(feature = "userspace") {
            bail!("this kernel has no WireGuard, and this wgq was built without its own");
        }
        if !Path::new("/dev/net/tun").exists() {
            bail!(
                "there is neither WireGuard in this kernel nor /dev/net/tun to do without; \
                 `modprobe wireguard` or `modprobe tun` loads one, a container needs `--device /dev/net/tun`"
            );
        }
        if !userspace {
            let stand_in = program.as_deref().unwrap_or("the embedded one");
            self.report.warning(format_args!(
                "this kernel has no WireGuard, using {stand_in}, which is slower"
            ));
        }
        Ok(LinkKind::Userspace { program })
    }
}
