//! `wgq init`: a new server's file.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use serde::Serialize;

use super::peer::{NO_DNS, check_dns};
use super::{endpoint, load, up};
use crate::cli::{self, Init, Up};
use crate::config::Endpoint;
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::{netns, random, sysctl, systemd, uplink};
use crate::key::PrivateKey;
use crate::net::{Address, Family, Ifname, Prefix};
use crate::report::Report;
use crate::setup::{self, Reach, Server};

/// WireGuard's usual port.
const PORT: u16 = 51820;

/// What was chosen, as JSON says it.
#[derive(Serialize)]
struct Made {
    version: u32,
    ifname: String,
    file: String,
    public_key: String,
    addresses: Vec<String>,
    listen_port: u16,
    endpoint: Option<String>,
    /// Whether the endpoint is but the address of the uplink.
    endpoint_is_guess: bool,
    dns: String,
}

/// Makes a new server's file.
pub(super) fn init(args: &Init, dry_run: bool, json: bool, report: Report) -> Result<(), Error> {
    load::require_root("init", false)?;
    let ifname = args.ifname;
    let target = Target::find(Path::new(ifname.as_str()), None)?;
    let lock = Lock::take_in_turn(ifname, report)?;
    if target.exists() {
        let hint = format!(
            "`wgq peer add NAME -i {ifname}` adds a client to it; another name makes another interface"
        );
        return Err(Error::new(format_args!("{}: is there already", target.shown())).hint(hint));
    }
    if netns::has_link_here(ifname) {
        let hint = "another name makes another interface".to_owned();
        return Err(Error::new(format_args!(
            "`{ifname}' is an interface of this host already"
        ))
        .hint(hint));
    }
    let (taken, ports) = taken()?;
    let addresses = addresses(args, &taken, report)?;
    let listen_port = match args.port {
        Some(port) => {
            if ports.contains(&port) || !uplink::is_port_free(port) {
                report.warning(format_args!(
                    "--port {port}: it is used on this host already"
                ));
            }
            port
        }
        None => free_port(|port| !ports.contains(&port) && uplink::is_port_free(port))?,
    };
    let guess = guess(args, listen_port)?;
    let endpoint = match &args.endpoint {
        Some(wanted) => Some(endpoint::parse(wanted, Some(listen_port))?),
        None => guess.map(Endpoint::Addr),
    };
    let dns = dns(args)?;
    let private_key = PrivateKey::generate()?;
    let server = Server {
        private_key: &private_key,
        addresses: &addresses,
        listen_port,
        uplink: args.uplink,
        endpoint: endpoint.as_ref(),
        dns: &dns,
    };
    if !dry_run {
        target.create(&server.to_config())?;
    }

    let made = Made {
        version: 1,
        ifname: ifname.to_string(),
        file: target.shown(),
        public_key: private_key.public_key().to_string(),
        addresses: addresses.iter().map(Address::to_string).collect(),
        listen_port,
        endpoint: endpoint.as_ref().map(Endpoint::to_string),
        endpoint_is_guess: args.endpoint.is_none() && endpoint.is_some(),
        dns,
    };
    advise(&made, endpoint.as_ref(), listen_port, ifname, report);
    if json {
        load::print_json(&made)?;
    } else {
        load::print(&made.to_string())?;
    }
    drop(lock); // which is for `up` to take
    if dry_run {
        report.note("nothing was written: that is what --dry-run is for, and keys and networks are others each time");
    } else if args.up {
        bring_up(&target, report).map_err(|error| {
            let stays = format!("{} stays: `wgq up {ifname}` tries again", made.file);
            error.outcome(stays).something_left()
        })?;
        report.note(format_args!("next: `wgq peer add phone -i {ifname}`"));
    } else {
        let up = if systemd::is_installed() {
            format!("`systemctl enable --now wgq@{ifname}`")
        } else {
            format!("`wgq up {ifname}`")
        };
        report.note(format_args!(
            "next: {up}, then `wgq peer add phone -i {ifname}`"
        ));
    }
    Ok(())
}

/// Brings the interface up, by its unit if that is there.
fn bring_up(target: &Target, report: Report) -> Result<(), Error> {
    let ifname = target.ifname;
    if systemd::enable(ifname)? {
        report.note(format_args!(
            "{ifname} is up, now and at every boot: wgq@{ifname}.service is enabled"
        ));
        return Ok(());
    }
    let up = Up {
        target: cli::Target {
            config: ifname.as_str().into(),
            name: None,
        },
        ignore_unresolved: false,
        userspace: false,
    };
    up::up(&up, false, false, report)?;
    report.note(format_args!(
        "{ifname} is up until the next boot: the systemd units are not installed"
    ));
    Ok(())
}

/// What the host has to do with, which a tunnel's network is not to touch, and the ports of other files.
fn taken() -> Result<(Vec<Prefix>, BTreeSet<u16>), Error> {
    let (mut taken, ports) = uplink::taken_by_files();
    taken.extend(uplink::routed());
    let own = uplink::addresses(None)?.into_iter();
    taken.extend(own.map(|ip| Address::from(ip).prefix()));
    Ok((taken, ports))
}

/// The server's addresses: of the networks that are asked for, or of such as are chosen.
fn addresses(args: &Init, taken: &[Prefix], report: Report) -> Result<Vec<Address>, Error> {
    let has_ipv6 = sysctl::has_ipv6();
    let mut addresses = Vec::new();
    for family in Family::BOTH {
        let mut asked = args.subnet.iter().filter(|it| it.family() == family);
        let network = match (asked.next(), asked.next(), family) {
            (Some(_), Some(other), _) => {
                return Err(Error::new(format_args!(
                    "--subnet {other}: there is another of its family"
                )));
            }
            (Some(asked), None, _) => Some(wide_enough(*asked, taken, report)?),
            (None, _, _) if !args.subnet.is_empty() && family == Family::V4 => None,
            (None, _, Family::V4) => {
                let found = setup::choose_ipv4(u16::from_ne_bytes(*random::bytes()?), taken);
                let none = || {
                    Error::new("this host has to do with all private networks")
                        .hint("--subnet PREFIX says which".to_owned())
                };
                Some(found.ok_or_else(none)?)
            }
            (None, _, Family::V6) if args.no_ipv6 => None,
            (None, _, Family::V6) if !has_ipv6 => {
                report.note("this host has no IPv6, so the tunnel has none either");
                None
            }
            (None, _, Family::V6) => setup::unique_local(*random::bytes()?),
        };
        addresses.extend(network.and_then(setup::first_host));
    }
    Ok(addresses)
}

/// Refuses a network without room for clients, and warns of one that the host has to do with.
fn wide_enough(network: Prefix, taken: &[Prefix], report: Report) -> Result<Prefix, Error> {
    if network.prefix_len() + 1 >= network.family().bits() {
        return Err(Error::new(format_args!(
            "--subnet {network}: there is no room for clients in it"
        )));
    }
    let is_public = Reach::of(network.ip()) == Reach::World;
    if is_public {
        report.warning(format_args!(
            "--subnet {network}: these are addresses of somebody's in the internet"
        ));
    }
    let touched = taken
        .iter()
        .find(|other| setup::touches(network, &[**other]));
    if let Some(touched) = touched {
        report.warning(format_args!(
            "--subnet {network}: this host has to do with {touched} already"
        ));
    }
    Ok(network)
}

fn free_port(is_free: impl Fn(u16) -> bool) -> Result<u16, Error> {
    let found = (PORT..=u16::MAX).find(|port| is_free(*port));
    found.ok_or_else(|| {
        Error::new("no UDP port from 51820 on is free").hint("--port PORT says which".to_owned())
    })
}

/// The address that clients may reach this host at, by its uplink.
fn guess(args: &Init, port: u16) -> Result<Option<SocketAddr>, Error> {
    let seen = match args.uplink {
        None => Family::BOTH.into_iter().find_map(uplink::source),
        Some(ifname) => {
            let found = uplink::addresses(Some(ifname))?;
            if found.is_empty() {
                let hint = "`ip -br address` lists those there are".to_owned();
                return Err(Error::new(format_args!(
                    "--uplink {ifname}: there is no such interface, or it has no address"
                ))
                .hint(hint));
            }
            let best = |ip: &IpAddr| {
                (
                    Reach::of(*ip) == Reach::Here,
                    Reach::of(*ip) != Reach::World,
                    ip.is_ipv6(),
                )
            };
            found.into_iter().min_by_key(best)
        }
    };
    Ok(seen.map(|ip| SocketAddr::new(ip, port)))
}

fn dns(args: &Init) -> Result<String, Error> {
    match args.dns.as_deref() {
        Some(NO_DNS) => Ok(String::new()),
        Some(dns) => Ok(check_dns(dns)?.to_owned()),
        None => {
            let servers: Vec<_> = uplink::name_servers()
                .iter()
                .map(IpAddr::to_string)
                .collect();
            Ok(servers.join(", "))
        }
    }
}

/// Says what may keep clients from reaching the server.
fn advise(made: &Made, to: Option<&Endpoint>, port: u16, ifname: Ifname, report: Report) {
    match to {
        Some(Endpoint::Addr(address)) => {
            if made.endpoint_is_guess {
                report.note(format_args!("that clients reach this host at {} is a guess: `wgq endpoint {ifname} HOST:PORT` corrects it", address.ip()));
            }
            endpoint::warn_of_reach(address.ip(), port, ifname, report);
        }
        Some(Endpoint::Name { .. }) => {}
        None => report.warning(format_args!(
            "this host has no default route, so it is not known where clients connect to: `wgq endpoint {ifname} HOST:PORT` says it"
        )),
    }
    if made.dns.is_empty() {
        report.note("clients are given no DNS server: --dns names some");
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guess = if self.endpoint_is_guess {
            " (a guess)"
        } else {
            ""
        };
        let endpoint = self.endpoint.as_deref().map(|it| it.to_owned() + guess);
        let lines = [
            ("file", self.file.clone()),
            ("public key", self.public_key.clone()),
            ("address", self.addresses.join(", ")),
            ("port", format!("{}/udp", self.listen_port)),
            ("clients connect to", endpoint.unwrap_or_default()),
            ("clients' DNS", self.dns.clone()),
        ];
        for (what, is) in lines {
            let is = if is.is_empty() { "-" } else { &is };
            writeln!(f, "{what:<20}{is}")?;
        }
        Ok(())
    }
}
