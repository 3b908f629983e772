//! The machines of the selftest, and how they are connected.
//!
//! ```text
//! client ------------- internet ------------- server ------------- lan
//!    192.0.2.2/24  .1  203.0.113.1  198.51.100.1  .2   192.168.77.1  .2
//! ```
//!
//! The machine `internet` is the client's router and the server's, and has the address of a site beside. IPv6 is the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, Result};

use super::machine::Machine;
use super::network::{self, configure, connect};
use super::traffic;
use crate::net::Family;

/// The machines.
pub(super) struct Lab {
    pub(super) client: Machine,
    pub(super) internet: Machine,
    pub(super) server: Machine,
    pub(super) lan: Machine,
    /// Those that the kernel has.
    pub(super) families: Vec<Family>,
}

/// An address of each family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(Ipv4Addr, Ipv6Addr);

impl Place {
    /// Where the server listens.
    pub(super) const SERVER: Self = Self(
        Ipv4Addr::new(198, 51, 100, 2),
        Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 2),
    );
    /// A site in the internet.
    pub(super) const SITE: Self = Self(
        Ipv4Addr::new(203, 0, 113, 1),
        Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, 1),
    );
    /// A host in the server's LAN.
    pub(super) const LAN_HOST: Self = Self(
        Ipv4Addr::new(192, 168, 77, 2),
        Ipv6Addr::new(0xfd77, 1, 0, 0, 0, 0, 0, 2),
    );
    /// The server's end of the tunnel.
    pub(super) const SERVER_INSIDE: Self = Self(
        Ipv4Addr::new(10, 77, 0, 1),
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1),
    );
    /// The client's end of the tunnel.
    pub(super) const CLIENT_INSIDE: Self = Self(
        Ipv4Addr::new(10, 77, 0, 2),
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2),
    );

    /// Its address of a family.
    pub(super) fn ip(self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.0.into(),
            Family::V6 => self.1.into(),
        }
    }
}

impl Lab {
    /// Makes the machines; those of a kernel without IPv6 have none.
    pub(super) fn new(families: &[Family]) -> Result<Self> {
        let lab = Self {
            client: Machine::new("client")?,
            internet: Machine::new("internet")?,
            server: Machine::new("server")?,
            lan: Machine::new("lan")?,
            families: families.to_vec(),
        };
        lab.internet.forward()?;
        lab.server.forward()?;
        connect(&lab.client, &lab.internet)?;
        connect(&lab.internet, &lab.server)?;
        connect(&lab.server, &lab.lan)?;
        configure(
            &lab.client,
            families,
            &[
                ("lo", &[]),
                ("internet", &["192.0.2.2/24", "2001:db8:1::2/64"]),
            ],
            &[("0.0.0.0/0", "192.0.2.1"), ("::/0", "2001:db8:1::1")],
        )?;
        configure(
            &lab.internet,
            families,
            &[
                ("lo", &["203.0.113.1/32", "2001:db8:3::1/128"]),
                ("client", &["192.0.2.1/24", "2001:db8:1::1/64"]),
                ("server", &["198.51.100.1/24", "2001:db8:2::1/64"]),
            ],
            // what comes out of the tunnel is answered into it, without NAT
            &[
                ("10.77.0.0/24", "198.51.100.2"),
                ("fd77::/64", "2001:db8:2::2"),
            ],
        )?;
        configure(
            &lab.server,
            families,
            &[
                ("lo", &[]),
                ("internet", &["198.51.100.2/24", "2001:db8:2::2/64"]),
                ("lan", &["192.168.77.1/24", "fd77:1::1/64"]),
            ],
            &[("0.0.0.0/0", "198.51.100.1"), ("::/0", "2001:db8:2::1")],
        )?;
        configure(
            &lab.lan,
            families,
            &[
                ("lo", &[]),
                ("server", &["192.168.77.2/24", "fd77:1::2/64"]),
            ],
            &[("0.0.0.0/0", "192.168.77.1"), ("::/0", "fd77:1::1")],
        )?;
        lab.settle()?;
        Ok(lab)
    }

    /// Waits until all addresses can be used: links come up in the background.
    fn settle(&self) -> Result<()> {
        for machine in [&self.client, &self.internet, &self.server, &self.lan] {
            machine.run(network::settle)?;
        }
        let pairs = [
            (&self.client, Place::SITE),
            (&self.client, Place::SERVER),
            (&self.server, Place::LAN_HOST),
        ];
        for (from, to) in pairs {
            for &family in &self.families {
                traffic::ping(from, to.ip(family)).context("without a tunnel")?;
            }
        }
        Ok(())
    }
}
