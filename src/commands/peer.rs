//! `wgq peer`: the peers of an interface's file, one by one, and what runs along with it.

use std::path::{Path, PathBuf};

use crate::cli::{Action, Peer};
use crate::config::{self, Config, Listed, Roster};
use crate::error::Error;
use crate::host::clients::Clients;
use crate::host::config_file::{Target, interfaces};
use crate::host::lock::Lock;
use crate::host::record::Record;
use crate::host::{clock, names};
use crate::key::PublicKey;
use crate::net::{Ifname, Prefix};
use crate::report::Report;

use super::{load, origin};

mod add;
mod change;
mod list;
mod live;
mod shown;

pub(super) use add::{NO_DNS, check_dns};
pub(super) use shown::qr;

/// The interface that is meant where none is named and there are several.
const USUAL: &str = "wg0";

/// Does to peers what is asked for.
pub(super) fn peer(args: Peer, json: bool, report: Report) -> Result<(), Error> {
    let interface = args.interface.as_deref();
    load::require_root("peer", false)?;
    match args.action {
        Action::Add(add) => add::add(&mut Book::open(interface, report)?, &add, json),
        Action::List => list::list(&Book::look(interface, report)?, json),
        Action::Show { name } => list::show(&Book::look(interface, report)?, &name, json),
        Action::Qr { name, .. } if json => list::show(&Book::look(interface, report)?, &name, json),
        Action::Qr { name, form } => list::qr(&Book::look(interface, report)?, &name, &form),
        Action::Rename { name, new } => {
            change::rename(&mut Book::open(interface, report)?, &name, &new, json)
        }
        Action::Remove { name: None, .. } if !json && !has_expired(interface)? => Ok(()),
        Action::Remove { name, .. } => {
            change::remove(&mut Book::open(interface, report)?, name.as_deref(), json)
        }
        Action::Disable { name } => {
            change::turn(&mut Book::open(interface, report)?, &name, true, json)
        }
        Action::Enable { name } => {
            change::turn(&mut Book::open(interface, report)?, &name, false, json)
        }
        Action::Rekey { name, form } => {
            change::rekey(&mut Book::open(interface, report)?, &name, &form, json)
        }
    }
}

/// Whether the time of any peer is over. What else there is to say of the file is not said: a timer asks each minute.
fn has_expired(interface: Option<&Path>) -> Result<bool, Error> {
    let target = meant(interface)?;
    let record = Record::read(target.ifname).ok().flatten();
    let target = match &record {
        Some(record) if target.by_name => origin::of(target.ifname, record),
        _ => target,
    };
    let bytes = load::read(&target)?;
    let text = config::decode(&bytes).unwrap_or_default();
    let roster = Roster::read(text, &names::names(target.ifname));
    let now = clock::now();
    // one that is not in order is for who changes it to tell of
    Ok(roster.map_or(true, |roster| {
        roster.iter().any(|it| it.peer.is_expired(now))
    }))
}

/// An interface's file with its peers, and the configs of those that are clients.
pub(super) struct Book {
    pub(super) target: Target,
    pub(super) record: Option<Record>,
    /// The file as it is.
    pub(super) text: String,
    /// What it says.
    pub(super) config: Config,
    pub(super) roster: Roster,
    pub(super) clients: Clients,
    pub(super) report: Report,
    /// Held while the file is changed.
    _lock: Option<Lock>,
}

impl Book {
    /// Reads the file of an interface, or of the only one, for a change.
    pub(super) fn open(interface: Option<&Path>, report: Report) -> Result<Self, Error> {
        let target = meant(interface)?;
        let lock = Lock::take_in_turn(target.ifname, report)?;
        Self::read(target, Some(lock), report)
    }

    /// As [`Self::open`], for a look.
    pub(super) fn look(interface: Option<&Path>, report: Report) -> Result<Self, Error> {
        Self::read(meant(interface)?, None, report)
    }

    fn read(target: Target, lock: Option<Lock>, report: Report) -> Result<Self, Error> {
        let record = load::record(target.ifname, report);
        let target = origin::of_running(target, record.as_ref(), report);
        if target.path.is_none() {
            return Err(Error::new(
                "standard input has no peers that could be changed",
            ));
        }
        let (text, mut config) = load::file(&target, report)?;
        load::keys(&mut config, &text, &target, report)?;
        let roster = Roster::read(&text, &names::names(target.ifname));
        let roster = roster.map_err(|diagnostics| {
            load::tell(&diagnostics, &target, report);
            Error::said()
                .hint("what is wrong is in the section of a peer that is disabled".to_owned())
        })?;
        Ok(Self {
            clients: Clients::of(&target)?,
            target,
            record,
            text,
            config,
            roster,
            report,
            _lock: lock,
        })
    }

    pub(super) fn ifname(&self) -> Ifname {
        self.target.ifname
    }

    /// The one peer that is meant.
    pub(super) fn find(&self, name: &str) -> Result<Listed<'_>, Error> {
        let file = self.target.shown();
        match self.roster.find(name).as_slice() {
            [one] => Ok(*one),
            [] => {
                let known: Vec<_> = self.roster.iter().filter_map(|it| it.name).collect();
                let near = nearest(name, &known);
                let hint = near.map_or_else(
                    || format!("`wgq peer list -i {}` lists those there are", self.ifname()),
                    |near| format!("the nearest name is `{near}'"),
                );
                Err(Error::new(format_args!("{file}: there is no peer `{name}'")).hint(hint))
            }
            several => {
                let keys: Vec<_> = several
                    .iter()
                    .map(|it| it.peer.public_key.value.to_string())
                    .collect();
                let what = format!(
                    "{file}: `{name}' is {} peers: {}",
                    keys.len(),
                    keys.join(", ")
                );
                Err(Error::new(what).hint("a key says which is meant".to_owned()))
            }
        }
    }

    /// The server's own public key.
    pub(super) fn server_key(&self) -> Result<PublicKey, Error> {
        let key = self.config.interface.private_key.as_ref();
        let key = key.ok_or_else(|| {
            Error::new(format_args!(
                "{}: the interface has no PrivateKey",
                self.target.shown()
            ))
        })?;
        Ok(key.public_key())
    }

    /// The networks of the tunnel.
    pub(super) fn networks(&self) -> Vec<Prefix> {
        let addresses = self.config.interface.addresses.iter();
        addresses.map(|address| address.value.prefix()).collect()
    }

    /// Refuses a name that another peer has, or that is none.
    pub(super) fn refuse_name(&self, name: &str) -> Result<(), Error> {
        config::check_name(name).map_err(Error::new)?;
        if self.roster.iter().any(|it| it.name == Some(name)) {
            let what = format!("{}: there is a peer `{name}' already", self.target.shown());
            return Err(Error::new(what));
        }
        Ok(())
    }
}

/// The file of an interface, or of the only one that there is.
fn meant(interface: Option<&Path>) -> Result<Target, Error> {
    if let Some(interface) = interface {
        return Ok(Target::find(interface, None)?);
    }
    let all = interfaces();
    let usual = all.iter().find(|ifname| ifname.as_str() == USUAL);
    let ifname = match (all.as_slice(), usual) {
        ([one], _) | (_, Some(one)) => one,
        ([], _) => {
            let hint = "`wgq init` makes a first one".to_owned();
            return Err(Error::new("there is no interface's file in /etc/wireguard").hint(hint));
        }
        (several, None) => {
            let names: Vec<_> = several.iter().map(Ifname::as_str).collect();
            let hint = format!("-i NAME says which: {}", names.join(", "));
            return Err(Error::new("there is more than one interface").hint(hint));
        }
    };
    Ok(Target::find(&PathBuf::from(ifname.as_str()), None)?)
}

/// The name that was probably meant.
fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Option<&'n str> {
    let distance = |name: &&&str| strsim::damerau_levenshtein(wanted, name);
    let near = names.iter().min_by_key(distance)?;
    (distance(&near) <= 1 + wanted.len() / 4).then_some(*near)
}
