//! `wgq endpoint`: where clients connect to, in the interface's file and in the configs of its clients.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;
use zeroize::Zeroizing;

use super::load;
use super::peer::{Book, qr};
use crate::cli::SetEndpoint;
use crate::config::{Endpoint, interface_note, parse_endpoint, with_endpoint, with_interface_note};
use crate::error::Error;
use crate::host::uplink;
use crate::net::{Family, Ifname};
use crate::report::Report;
use crate::setup::Reach;

/// The comment in the interface's file.
const NOTE: &str = "Endpoint";

/// The endpoint and who has it, as JSON says it.
#[derive(Serialize)]
struct Shown {
    version: u32,
    ifname: String,
    endpoint: Option<String>,
    /// The clients whose configs were changed: they are to be scanned again.
    changed: Vec<String>,
}

/// Shows or changes where clients connect to.
pub(super) fn endpoint(
    args: &SetEndpoint,
    dry_run: bool,
    json: bool,
    report: Report,
) -> Result<(), Error> {
    load::require_root("endpoint", false)?;
    let Some(wanted) = &args.endpoint else {
        return show(&Book::look(Some(&args.interface), report)?, json);
    };
    let book = Book::open(Some(&args.interface), report)?;
    let endpoint = parse(wanted, book.config.interface.listen_port)?;
    if let Endpoint::Addr(address) = endpoint {
        advise(&book, address);
    }
    let changed = change(&book, &endpoint, dry_run)?;
    if json {
        return load::print_json(&Shown {
            version: 1,
            ifname: book.ifname().to_string(),
            endpoint: Some(endpoint.to_string()),
            changed: changed.into_iter().map(|(name, _)| name).collect(),
        });
    }
    report.note(format_args!(
        "{}: clients connect to {endpoint}",
        book.ifname()
    ));
    let names: Vec<_> = changed.iter().map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        report.note(format_args!(
            "to be scanned again, or copied: {}",
            names.join(", ")
        ));
    }
    for (name, config) in &changed {
        if args.qr {
            load::print(&format!("{name}\n"))?;
            load::print(&qr(config, report)?)?;
        }
    }
    Ok(())
}

fn show(book: &Book, json: bool) -> Result<(), Error> {
    let endpoint = interface_note(&book.text, NOTE);
    if json {
        return load::print_json(&Shown {
            version: 1,
            ifname: book.ifname().to_string(),
            endpoint,
            changed: Vec::new(),
        });
    }
    let endpoint = endpoint.ok_or_else(|| {
        let what = format!(
            "{}: it does not say where clients connect to",
            book.target.shown()
        );
        Error::new(what).hint(format!("`wgq endpoint {} HOST:PORT` does", book.ifname()))
    })?;
    Ok(load::print(&format!("{endpoint}\n"))?)
}

/// Changes the comment and the configs that are kept; all of it, or nothing. Returns the clients with their new configs.
fn change(
    book: &Book,
    endpoint: &Endpoint,
    dry_run: bool,
) -> Result<Vec<(String, Zeroizing<String>)>, Error> {
    let endpoint = endpoint.to_string();
    let server = book.server_key()?;
    let mut changes = Vec::new();
    for name in book.roster.iter().filter_map(|it| it.name) {
        if let Some(before) = book.clients.read(name)? {
            let after = Zeroizing::new(with_endpoint(&before, server, &endpoint));
            if after != before {
                changes.push((name.to_owned(), before, after));
            }
        }
    }
    let text = Zeroizing::new(with_interface_note(&book.text, NOTE, &endpoint));
    if dry_run {
        book.report
            .note("nothing is changed: that is what --dry-run is for");
        return Ok(clients(changes));
    }
    let written = changes
        .iter()
        .try_for_each(|(name, _, after)| book.clients.write(name, after).map(drop))
        .and_then(|()| book.target.write(&text));
    if let Err(error) = written {
        for (name, before, _) in &changes {
            let _ = book.clients.write(name, before); // the first error is the one to tell
        }
        return Err(Error::from(error).outcome("nothing was changed"));
    }
    Ok(clients(changes))
}

/// The clients with their new configs.
fn clients(
    changes: Vec<(String, Zeroizing<String>, Zeroizing<String>)>,
) -> Vec<(String, Zeroizing<String>)> {
    changes
        .into_iter()
        .map(|(name, _, after)| (name, after))
        .collect()
}

/// Where a client is to connect to: as asked for, as the file says, or as it seems.
pub(super) fn of(book: &Book, wanted: Option<&str>) -> Result<Endpoint, Error> {
    let port = book.config.interface.listen_port;
    if let Some(wanted) = wanted {
        return parse(wanted, port);
    }
    if let Some(noted) = interface_note(&book.text, NOTE) {
        let file = book.target.shown();
        return parse_endpoint(&noted, port).map_err(|why| {
            Error::new(format_args!(
                "{file}: the comment `# {NOTE} = {noted}': {why}"
            ))
        });
    }
    let hint = || {
        Some(format!(
            "`wgq endpoint {} HOST:PORT` says where clients connect to",
            book.ifname()
        ))
    };
    let port = port.filter(|port| *port != 0).ok_or_else(|| {
        let what = format!(
            "{}: there is no ListenPort for clients to connect to",
            book.target.shown()
        );
        Error::new(what).hint(hint())
    })?;
    let seen = Family::BOTH.into_iter().find_map(uplink::source);
    let ip = seen.ok_or_else(|| {
        Error::new("it is not known where clients connect to, and this host has no default route")
            .hint(hint())
    })?;
    let address = SocketAddr::new(ip, port);
    book.report.warning(format_args!(
        "clients connect to {address}, which is a guess: the address of this host's uplink"
    ));
    advise(book, address);
    Ok(Endpoint::Addr(address))
}

fn advise(book: &Book, address: SocketAddr) {
    let port = book.config.interface.listen_port.unwrap_or(address.port());
    warn_of_reach(address.ip(), port, book.ifname(), book.report);
}

/// Says what it takes for clients elsewhere to get through to that address of this host.
pub(super) fn warn_of_reach(ip: IpAddr, port: u16, ifname: Ifname, report: Report) {
    for line in Reach::of(ip).advice(ip, port, ifname) {
        report.warning(line);
    }
}

/// Reads what stands on a command line.
pub(super) fn parse(text: &str, port: Option<u16>) -> Result<Endpoint, Error> {
    let wrong =
        |why: &dyn Display| Error::new(format_args!("endpoint `{}': {why}", text.escape_debug()));
    if text.contains(char::is_whitespace) {
        return Err(wrong(&"there is a blank in it")); // a file may have them: wg takes no notice
    }
    parse_endpoint(text, port).map_err(|why| wrong(&why))
}
