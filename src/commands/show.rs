//! `wgq show`: what runs, and how it goes.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread;

use super::drift::File;
use super::load;
use crate::cli;
use crate::config::{Config, Firewall, Masquerade};
use crate::error::Error;
use crate::host::clock::since_epoch;
use crate::host::config_file::Target;
use crate::host::record::Record;
use crate::host::status::{forwarding, scopes, shows_keys};
use crate::host::{Host, terminal};
use crate::net::Ifname;
use crate::nft::NftTable;
use crate::report::Report;
use crate::state::{LinkKind, Sysctl};
use crate::status::fields::{self, Field};
use crate::status::json::json;
use crate::status::prometheus::prometheus;
use crate::status::text::{Style, text};
use crate::status::{Drift, Interface, Layers, Origin, Status};

mod watch;

/// Shows interfaces.
pub(super) fn show(args: &cli::Show, as_json: bool, report: Report) -> Result<(), Error> {
    if as_json && (args.watch.is_some() || args.field.is_some() || args.prometheus) {
        let what = "--json goes with neither a FIELD nor --watch nor --prometheus";
        return Err(Error::new(what).trouble());
    }
    let name = args.name.as_deref().filter(|name| *name != "all");
    if name == Some("interfaces") {
        if args.field.is_some() || args.watch.is_some() || args.prometheus || as_json {
            let what = "`wgq show interfaces` prints names and nothing else";
            return Err(Error::new(what).trouble());
        }
        return print_names(report);
    }
    require_root()?;
    let only = name.map(str::parse::<Ifname>).transpose();
    let only = only.map_err(Error::new)?;
    if let Some(field) = args.field {
        return print_field(field, only, report);
    }
    if let Some(time) = args.watch {
        return watch::watch(only, time, report);
    }
    let status = look(only, report)?;
    if as_json {
        let text = json(&status).map_err(anyhow::Error::from)?;
        return Ok(load::print(&text)?);
    }
    if args.prometheus {
        return Ok(load::print(&prometheus(&status))?);
    }
    if status.interfaces.is_empty() {
        report.note("no WireGuard interface is up");
    }
    let style = Style {
        color: report.stdout_color(),
        width: terminal::columns().map(usize::from),
        show_keys: shows_keys(),
    };
    Ok(load::print(&text(&status, style))?)
}

fn require_root() -> Result<(), Error> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let error = Error::new("`wgq show` must be run as root: a device tells nobody else its keys");
    Err(error.hint("`sudo wgq show`".to_owned()))
}

/// An interface, and what is recorded of it.
struct Listed {
    ifname: Ifname,
    record: Option<Record>,
}

/// Finds the interfaces that there are, or the one that is asked for, there or not: those that wg(8) lists, and then those that
/// wgq has brought up in other network namespaces.
fn list(host: &mut Host, only: Option<Ifname>, report: Report) -> Result<Vec<Listed>, Error> {
    let listed = |ifname| Listed {
        ifname,
        record: load::record(ifname, report),
    };
    if let Some(ifname) = only {
        return Ok(vec![listed(ifname)]);
    }
    let mut names = host.interfaces()?;
    let elsewhere = Record::everywhere().into_iter();
    let mut elsewhere: Vec<Ifname> = elsewhere
        .filter(|(name, record)| record.netns().is_some() && !names.contains(name))
        .map(|(name, _)| name)
        .collect();
    elsewhere.sort_unstable();
    names.extend(elsewhere);
    Ok(names.into_iter().map(listed).collect())
}

/// Does something with the machine as seen from where an interface lives.
fn at<T>(
    host: &mut Host,
    listed: &Listed,
    report: Report,
    what: impl FnOnce(&mut Host) -> Result<T, Error>,
) -> Result<T, Error> {
    let Some(netns) = listed.record.as_ref().and_then(Record::netns) else {
        return what(host);
    };
    let mut there = Host::open(report, None, Some(netns))?;
    let done = what(&mut there);
    there.go_back()?;
    done
}

fn not_there(ifname: Ifname) -> Error {
    let error = Error::new(format_args!("`{ifname}' is not up"));
    error.hint(if Target::named(ifname).exists() {
        format!("`wgq up {ifname}`")
    } else {
        "`wgq show interfaces` names those that are".to_owned()
    })
}

fn print_names(report: Report) -> Result<(), Error> {
    let mut host = Host::open(report, None, None)?;
    let names = list(&mut host, None, report)?;
    let names: Vec<String> = names.iter().map(|it| it.ifname.to_string()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Ok(load::print(&(names.join(" ") + "\n"))?)
}

fn print_field(field: Field, only: Option<Ifname>, report: Report) -> Result<(), Error> {
    let mut host = Host::open(report, None, None)?;
    for listed in list(&mut host, only, report)? {
        let ifname = listed.ifname;
        let device = at(&mut host, &listed, report, |host| {
            let device = host.device(ifname)?;
            Ok(device.map(|device| (scopes(&device), device)))
        })?;
        match device {
            Some((scopes, device)) => {
                let prefix = only.is_none().then_some(ifname);
                load::print(&fields::lines(field, prefix, &device, &scopes))?;
            }
            None if only.is_some() => return Err(not_there(ifname)),
            None => {} // gone meanwhile
        }
    }
    Ok(())
}

/// Looks at all interfaces, or at the one that is asked for.
fn look(only: Option<Ifname>, report: Report) -> Result<Status, Error> {
    let mut host = Host::open(report, None, None)?;
    let mut interfaces = Vec::new();
    for listed in list(&mut host, only, report)? {
        let found = at(&mut host, &listed, report, |host| {
            interface(host, &listed, report)
        });
        match found {
            Ok(Some(interface)) => interfaces.push(interface),
            Ok(None) if only.is_some() => return Err(not_there(listed.ifname)),
            Ok(None) => {} // gone meanwhile
            Err(error) if only.is_some() => return Err(error),
            Err(error) => error.tell(&report),
        }
    }
    Ok(Status {
        at: since_epoch(),
        interfaces,
    })
}

/// Looks at an interface; none if it is not there.
fn interface(host: &mut Host, listed: &Listed, report: Report) -> Result<Option<Interface>, Error> {
    let ifname = listed.ifname;
    let record = listed.record.as_ref();
    // a long file is read while the device answers
    let (found, file) = thread::scope(|scope| {
        let file = scope.spawn(|| File::of(ifname, record));
        let found = host.observe_status(ifname, record);
        (
            found,
            file.join().unwrap_or_else(|panic| resume_unwind(panic)),
        )
    });
    let (mut found, device) = found?;
    let device = match device {
        Some(device) => Some(device),
        None => host.device(ifname)?, // in another network namespace, its socket here
    };
    let Some(device) = device else {
        return Ok(None);
    };
    let netns = record.and_then(Record::netns).cloned();
    let known = Interface {
        ifname,
        netns,
        kind: LinkKind::Userspace { program: None },
        link: None,
        addresses: Vec::new(),
        scopes: scopes(&device),
        names: BTreeMap::new(),
        origin: Origin::default(),
        layers: Layers::default(),
        device,
    };
    let Some(link) = found.state.link.clone() else {
        return Ok(Some(known)); // what is around it is in another network namespace, too
    };
    let config = file.as_ref().and_then(|file| file.config.as_ref());
    let layers = layers(
        ifname,
        found.state.nft.as_ref(),
        config,
        record,
        found.index,
    )?;
    let addresses = found.state.addresses.clone();
    let mut origin = Origin {
        by_wgq: record.is_some(),
        file: file.as_ref().and_then(|file| file.target.absolute_path()),
        drift: Drift::NoFile,
    };
    if let Some(file) = &file {
        found.state.device = known.device.clone().into_device();
        origin.drift = file.drift(host, found, record, report);
    }
    Ok(Some(Interface {
        kind: link.kind,
        link: Some(link.settings),
        addresses,
        names: file.map(|file| file.peer_names).unwrap_or_default(),
        origin,
        layers,
        ..known
    }))
}

/// What there is beyond the device: that it is there the kernel tells, by the tunnel's table, and in detail the file.
fn layers(
    ifname: Ifname,
    table: Option<&NftTable>,
    config: Option<&Config>,
    record: Option<&Record>,
    index: Option<u32>,
) -> anyhow::Result<Layers> {
    let has = |key: &str| table.is_some_and(|table| table.has_rules_for(ifname, key));
    let firewall = config.map(|config| &config.interface.firewall);
    let masquerade = |firewall: &Firewall| firewall.masquerade.value.clone();
    let forwards = firewall.filter(|_| has("PortForward"));
    let forwards = forwards.into_iter().flat_map(|it| &it.port_forwards);
    let is_told = |record: &&Record| record.complete && record.index == index;
    Ok(Layers {
        forwards_v4: forwarding(&Sysctl::IP_FORWARD)?,
        forwards_v6: forwarding(&Sysctl::IPV6_FORWARDING)?,
        masquerade: has("Masquerade").then(|| firewall.map_or(Masquerade::Anywhere, masquerade)),
        port_forwards: forwards.map(|forward| forward.value.clone()).collect(),
        kill_switch: has("KillSwitch"),
        dns: record.filter(is_told).and_then(|record| record.dns.clone()),
    })
}
