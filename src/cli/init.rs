//! `wgq init`.

use clap::Args;

use crate::net::{Ifname, Prefix};

/// `wgq init`
#[derive(Debug, Clone, Args)]
pub struct Init {
    /// The interface
    #[arg(default_value = "wg0", value_name = "NAME")]
    pub ifname: Ifname,
    /// Where clients connect to: this host's public address or name, or a relay
    ///
    /// Without a port it is that of --port. The default is the address of the uplink, which is a guess.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub endpoint: Option<String>,
    /// The tunnel's network, IPv4 or IPv6; given twice, one of each
    ///
    /// The default is an IPv4 network of 254 hosts that nothing here has to do with, and a random IPv6 network of its own.
    #[arg(long, value_name = "PREFIX", value_delimiter = ',')]
    pub subnet: Vec<Prefix>,
    /// The UDP port; the default is 51820, or the next that is free
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The resolvers and search domains of clients; `none` leaves them with their own
    ///
    /// The default are the resolvers of this host.
    #[arg(long, value_name = "LIST")]
    pub dns: Option<String>,
    /// Leave IPv6 out
    #[arg(long)]
    pub no_ipv6: bool,
    /// The interface that clients go out by; the default is any
    #[arg(long, value_name = "NAME")]
    pub uplink: Option<Ifname>,
    /// Bring the interface up too: now, and at every boot where the systemd units are installed
    #[arg(long)]
    pub up: bool,
}
