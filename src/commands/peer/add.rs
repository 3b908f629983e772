//! `wgq peer add`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use super::super::{endpoint, load};
use super::Book;
use super::live::Taken;
use super::shown::{Shown, done_all_the_same};
use crate::allocate::lowest_free;
use crate::cli::{Add, Expiry};
use crate::client::{Client, Server};
use crate::config::{Endpoint, interface_note};
use crate::error::Error;
use crate::host::record::Record;
use crate::host::{Host, clock, systemd};
use crate::key::{PresharedKey, PrivateKey, PublicKey};
use crate::net::{Address, Family, Prefix};

/// What `--dns` says to leave a client with its own resolvers.
pub(in crate::commands) const NO_DNS: &str = "none";

/// A client that is added, as JSON says it.
#[derive(Serialize)]
struct Added<'a> {
    version: u32,
    ifname: &'a str,
    name: &'a str,
    public_key: String,
    addresses: Vec<String>,
    /// Whether it can connect: the interface is up.
    live: bool,
    /// Where its config is kept.
    file: Option<PathBuf>,
    config: &'a str,
}

/// Adds a client.
pub(super) fn add(book: &mut Book, args: &Add, json: bool) -> Result<(), Error> {
    book.refuse_name(&args.name)?;
    let private_key = match &args.public_key {
        Some(_) => None,
        None => Some(PrivateKey::generate()?),
    };
    let public_key = match (&args.public_key, &private_key) {
        (Some(key), _) => key
            .parse()
            .map_err(|why| Error::new(format!("--public-key: {why}")))?,
        (None, Some(key)) => key.public_key(),
        (None, None) => return Err(Error::new("no key")),
    };
    refuse_key(book, public_key)?;
    let preshared_key = PresharedKey::generate()?;
    let addresses = free_addresses(book)?;
    let config = config(book, args, &addresses, private_key.as_ref(), &preshared_key)?;

    let mut prefixes: Vec<Prefix> = addresses.iter().map(|it| it.prefix()).collect();
    prefixes.extend(&args.allowed_ips);
    refuse_prefixes(book, &args.allowed_ips)?;
    let section = section(args, public_key, &preshared_key, &prefixes)?;
    let text = Zeroizing::new(book.roster.with(&section));
    let (before, file) = if args.no_store {
        (None, None)
    } else {
        let before = book.clients.read(&args.name)?; // of one that is no more
        (before, Some(book.clients.write(&args.name, &config)?))
    };
    let undo = |shown: Option<&Shown>| {
        shown.into_iter().for_each(Shown::take_back);
        if file.is_some() {
            let before = before.as_ref().map(|it| it.as_str());
            let _ = book.clients.restore(&args.name, before); // the first error is the one to tell
        }
    };
    let shown = if json && args.form.is_none() {
        None
    } else {
        let shown = args.form.prepare(&config, book.report);
        Some(shown.inspect_err(|_| undo(None))?)
    };
    let taken = book.put(&text, || undo(shown.as_ref()))?;
    book.say(taken, format_args!("{} is added", args.name));
    if let Some(file) = &file {
        book.report
            .note(format_args!("its config is kept in {}", file.display()));
    }
    if args.expires.is_some() && !systemd::is_installed() {
        book.report.warning(format_args!(
            "the systemd units are not there to shut {} out in time: have `wgq peer remove --expired -i {}` run each minute, by cron(8)",
            args.name,
            book.ifname()
        ));
    }
    let done = |error| done_all_the_same(error, &args.name, "is added");
    if json {
        let printed = load::print_json(&Added {
            version: 1,
            ifname: book.ifname().as_str(),
            name: &args.name,
            public_key: public_key.to_string(),
            addresses: addresses.iter().map(Address::to_string).collect(),
            live: taken == Taken::Live,
            file,
            config: &config,
        });
        return printed.map_err(done);
    }
    shown
        .map_or(Ok(()), |shown| shown.show(book.report))
        .map_err(done)
}

impl Book {
    /// What peers have that run, those too that are in no file.
    fn running(&self) -> Result<Vec<Prefix>, Error> {
        let mut host = Host::open(
            self.report,
            None,
            self.record.as_ref().and_then(Record::netns),
        )?;
        let device = host.device(self.ifname())?;
        host.go_back()?;
        let peers = device.into_iter().flat_map(|device| device.peers);
        Ok(peers.flat_map(|peer| peer.allowed_ips).collect())
    }
}

/// The next free address of each family that the interface has.
fn free_addresses(book: &Book) -> Result<Vec<Address>, Error> {
    let own = &book.config.interface.addresses;
    let mut taken: Vec<Prefix> = book
        .roster
        .iter()
        .flat_map(|it| it.peer.allowed_ips.iter().copied())
        .collect();
    taken.extend(own.iter().map(|it| Address::from(it.value.ip()).prefix()));
    taken.extend(book.running()?);
    let free = |family| -> Result<Option<IpAddr>, Error> {
        let mut networks = own
            .iter()
            .map(|it| it.value)
            .filter(|it| it.family() == family)
            .peekable();
        let Some(first) = networks.peek().copied() else {
            return Ok(None);
        };
        let found = networks.find_map(|network| lowest_free(network, taken.iter().copied()));
        found.map(Some).ok_or_else(|| {
            let what = format!(
                "{}: Address: {first} has no free address left",
                book.target.shown()
            );
            Error::new(what)
                .hint("a second Address, with a network of its own, makes room".to_owned())
        })
    };
    let mut found = Vec::new();
    for family in Family::BOTH {
        found.extend(free(family)?.map(Address::from));
    }
    if found.is_empty() {
        let what = format!("{}: the interface has no Address", book.target.shown());
        return Err(Error::new(what).hint("clients have theirs from the same network".to_owned()));
    }
    Ok(found)
}

fn refuse_key(book: &Book, key: PublicKey) -> Result<(), Error> {
    if let Some(other) = book
        .roster
        .iter()
        .find(|it| it.peer.public_key.value == key)
    {
        let what = format!(
            "{}: `{other}' has this public key already",
            book.target.shown()
        );
        return Err(Error::new(what));
    }
    if book.server_key()? == key {
        return Err(Error::new("this is the server's own public key"));
    }
    Ok(())
}

/// A prefix has one peer alone.
fn refuse_prefixes(book: &Book, prefixes: &[Prefix]) -> Result<(), Error> {
    for prefix in prefixes {
        if prefix.is_default() {
            let what = format!("--allowed-ips {prefix}: no peer of a server has all addresses");
            return Err(Error::new(what)
                .hint("what the client sends through the tunnel is --full or --split".to_owned()));
        }
        let owner = book
            .roster
            .iter()
            .find(|it| it.peer.allowed_ips.contains(prefix));
        if let Some(owner) = owner {
            let what = format!("--allowed-ips {prefix}: `{owner}' has it already");
            return Err(Error::new(what));
        }
    }
    Ok(())
}

fn config(
    book: &Book,
    args: &Add,
    addresses: &[Address],
    private_key: Option<&PrivateKey>,
    preshared_key: &PresharedKey,
) -> Result<Zeroizing<String>, Error> {
    let endpoint: Endpoint = endpoint::of(book, args.endpoint.as_deref())?;
    // what has a network behind it is a site, and keeps its own way to the internet
    let is_split = args.split || (!args.full && !args.allowed_ips.is_empty());
    let allowed_ips = if is_split {
        let mut networks = book.networks();
        networks.extend(&args.route);
        networks
    } else {
        Family::BOTH.map(Prefix::all).to_vec()
    };
    let note = interface_note(&book.text, "DNS");
    let dns = match (args.dns.as_deref(), &note) {
        (Some(NO_DNS), _) | (None, None) => None,
        (Some(dns), _) => Some(check_dns(dns)?),
        (None, Some(note)) => {
            let dns = check_dns(note).map_err(|error| {
                error.outcome(format_args!("that is `# DNS` of {}", book.target.shown()))
            })?;
            is_reached(dns, &allowed_ips).then_some(dns)
        }
    };
    if dns.is_none() && args.dns.is_none() {
        let keeps = "the client keeps its own resolvers";
        if is_split {
            book.report.note(format_args!(
                "{keeps}: --dns, with --route for where they are, names others"
            ));
        } else {
            book.report.warning(format_args!(
                "{keeps}, which it may not reach through the tunnel: --dns names others"
            ));
        }
    }
    let client = Client {
        name: &args.name,
        private_key,
        addresses,
        dns,
        mtu: args.mtu,
        server: Server {
            public_key: book.server_key()?,
            endpoint: &endpoint,
        },
        preshared_key: Some(preshared_key),
        allowed_ips: &allowed_ips,
        persistent_keepalive: args.keepalive,
    };
    Ok(client.to_config())
}

/// Whether all resolvers of a list are where the tunnel leads to.
fn is_reached(dns: &str, allowed_ips: &[Prefix]) -> bool {
    let servers = dns
        .split([',', ' '])
        .filter_map(|item| item.parse::<IpAddr>().ok());
    let mut servers = servers.map(|ip| Address::from(ip).prefix());
    servers.all(|server| allowed_ips.iter().any(|prefix| prefix.contains(server)))
}

/// Refuses what would be another line of the file, and names without a server to ask.
pub(in crate::commands) fn check_dns(dns: &str) -> Result<&str, Error> {
    let items = || dns.split([',', ' ']).filter(|item| !item.is_empty());
    let is_domain = |item: &str| {
        item.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    let wrong = items().find(|item| item.parse::<IpAddr>().is_err() && !is_domain(item));
    match wrong {
        Some(wrong) => Err(Error::new(format_args!(
            "--dns: `{}' is neither an address nor a domain",
            wrong.escape_debug()
        ))),
        None if !items().any(|item| item.parse::<IpAddr>().is_ok()) => {
            Err(Error::new("--dns: there is no address of a resolver in it"))
        }
        None => Ok(dns),
    }
}

/// The lines of the peer's section.
fn section(
    args: &Add,
    public_key: PublicKey,
    preshared_key: &PresharedKey,
    prefixes: &[Prefix],
) -> Result<Vec<String>, Error> {
    let prefixes: Vec<_> = prefixes.iter().map(Prefix::to_string).collect();
    let mut lines = vec![
        format!("# Name = {}", args.name),
        format!("PublicKey = {public_key}"),
        format!("PresharedKey = {}", *preshared_key.to_base64()),
        format!("AllowedIPs = {}", prefixes.join(", ")),
    ];
    let now = clock::now();
    let expires = match args.expires {
        Some(Expiry::In(time)) if time < Duration::from_secs(1) => {
            return Err(Error::new("--expires: that time is over"));
        }
        Some(Expiry::In(time)) => Some(
            now.checked_add(time)
                .ok_or_else(|| Error::new("--expires: too far away"))?,
        ),
        Some(Expiry::At(time)) if time <= now => {
            return Err(Error::new("--expires: that time is over"));
        }
        Some(Expiry::At(time)) => Some(time),
        None => None,
    };
    lines.extend(
        expires.map(|time| format!("Expires = {}", humantime::format_rfc3339_seconds(time))),
    );
    Ok(lines)
}
