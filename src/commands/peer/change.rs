//! `wgq peer rename`, `remove`, `disable`, `enable` and `rekey`.

use std::fmt::Display;
use std::path::PathBuf;

use serde::Serialize;
use zeroize::Zeroizing;

use super::super::{endpoint, load};
use super::Book;
use super::list::Peer;
use super::live::Taken;
use super::shown::{Shown, done_all_the_same};
use crate::cli::Form;
use crate::client::{Client, Server};
use crate::config::{Listed, Roster, interface_note, with_client_keys, with_interface_note};
use crate::error::Error;
use crate::host::{clock, names};
use crate::key::{PresharedKey, PrivateKey};
use crate::net::{Address, Family, Prefix};

/// The comment in a client's config that says what it is called.
const NAME: &str = "Name";

/// What was done to a peer, as JSON says it.
#[derive(Serialize)]
struct Changed<'a> {
    version: u32,
    ifname: &'a str,
    /// Whether it runs so.
    live: bool,
    #[serde(flatten)]
    peer: Peer,
    /// The client's new config.
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a str>,
}

/// A peer that was removed, as JSON says it.
#[derive(Serialize)]
struct Gone {
    #[serde(flatten)]
    peer: Peer,
    /// Where there is what it takes to bring it back.
    kept: PathBuf,
}

/// Gives a peer another name.
pub(super) fn rename(book: &mut Book, name: &str, new: &str, json: bool) -> Result<(), Error> {
    let listed = book.find(name)?;
    book.refuse_name(new)?;
    let text = book.roster.renamed(listed.index, new);
    let before = book.kept_config(listed)?;
    let beside = book.clients.read(new)?; // of one that is no more
    let undo = || {
        if let (Some(old), Some(before)) = (listed.name, &before) {
            // the first error is the one to tell
            let _ = book.clients.restore(old, Some(before));
            let beside = beside.as_ref().map(|it| it.as_str());
            let _ = book.clients.restore(new, beside);
        }
    };
    if let (Some(old), Some(before)) = (listed.name, &before) {
        let config = match interface_note(before, NAME) {
            Some(_) => Zeroizing::new(with_interface_note(before, NAME, new)),
            None => before.clone(),
        };
        book.clients.write(new, &config)?;
        book.clients.remove(old).inspect_err(|_| undo())?;
    }
    let taken = book.put(&text, undo)?;
    book.report
        .note(format_args!("{listed} is now called {new}"));
    print_changed(book, &text, new, taken, json)
}

/// Turns a peer off or on.
pub(super) fn turn(book: &mut Book, name: &str, off: bool, json: bool) -> Result<(), Error> {
    let listed = book.find(name)?;
    let word = if off { "disabled" } else { "enabled" };
    if listed.is_off == off {
        book.report.note(format_args!("{listed} is {word} already"));
        let taken = book.put(&book.text, || ())?;
        return print_changed(book, &book.text, name, taken, json);
    }
    let text = book.roster.turned(listed.index, off);
    let taken = book.put(&text, || ())?;
    book.say(taken, format_args!("{listed} is {word}"));
    print_changed(
        book,
        &text,
        &listed.peer.public_key.value.to_string(),
        taken,
        json,
    )
}

/// Removes a peer, or all whose time is over.
pub(super) fn remove(book: &mut Book, name: Option<&str>, json: bool) -> Result<(), Error> {
    let now = clock::now();
    let is_over = |it: &Listed<'_>| it.peer.is_expired(now);
    let leaving: Vec<Listed<'_>> = match name {
        Some(name) => vec![book.find(name)?],
        None => book.roster.iter().filter(is_over).collect(),
    };
    let mut kept = Vec::new();
    if leaving.is_empty() {
        return print_removed(book, Vec::new(), json);
    }
    let back = |kept: &[PathBuf]| {
        for path in kept {
            let _ = book.clients.take_back(path); // the first error is the one to tell
        }
    };
    for listed in &leaving {
        kept.push(book.put_away(*listed).inspect_err(|_| back(&kept))?);
    }
    let indices: Vec<usize> = leaving.iter().map(|it| it.index).collect();
    let text = Zeroizing::new(book.roster.without_all(&indices));
    let taken = book.put(&text, || back(&kept))?;
    let mut removed = Vec::new();
    for (listed, path) in leaving.iter().zip(&kept) {
        let is_only = |name: &&str| book.roster.find(name).len() == 1;
        if let Some(name) = listed.name.filter(is_only)
            && let Err(error) = book.clients.remove(name)
        {
            book.report.warning(format_args!("{error:#}"));
        }
        removed.push(Gone {
            peer: Peer::of(book, *listed),
            kept: path.clone(),
        });
        let key = listed.peer.public_key.value;
        book.say(taken, format_args!("{listed} is removed ({key})"));
        book.report.note(format_args!(
            "what it takes to bring it back is in {}",
            path.display()
        ));
    }
    print_removed(book, removed, json)
}

fn print_removed(book: &Book, removed: Vec<Gone>, json: bool) -> Result<(), Error> {
    #[derive(Serialize)]
    struct Removal<'a> {
        version: u32,
        ifname: &'a str,
        removed: Vec<Gone>,
    }
    if !json {
        return Ok(());
    }
    load::print_json(&Removal {
        version: 1,
        ifname: book.ifname().as_str(),
        removed,
    })
}

/// Gives a client new keys.
pub(super) fn rekey(book: &mut Book, name: &str, form: &Form, json: bool) -> Result<(), Error> {
    let listed = book.find(name)?;
    let (private_key, preshared_key) = (PrivateKey::generate()?, PresharedKey::generate()?);
    let public_key = private_key.public_key();
    let text = Zeroizing::new(
        book.roster
            .rekeyed(listed.index, public_key, &preshared_key),
    );
    let from_file = book.preshared_key_of_file(listed)?;
    let has_one = listed.peer.preshared_key.is_some();
    let shared = from_file.as_ref().or(has_one.then_some(&preshared_key));
    let before = book.kept_config(listed)?;
    let config = match &before {
        Some(kept) => Zeroizing::new(with_client_keys(kept, &private_key, shared)),
        None => book.new_config(listed, &private_key, shared)?,
    };
    let shown = if json && form.is_none() {
        None
    } else {
        Some(form.prepare(&config, book.report)?)
    };
    let called = listed.name.map(str::to_owned);
    let back = || {
        shown.iter().for_each(Shown::take_back);
        if let Some(name) = &called {
            let before = before.as_ref().map(|it| it.as_str());
            let _ = book.clients.restore(name, before); // the first error is the one to tell
        }
    };
    if let Some(name) = &called {
        book.clients.write(name, &config).inspect_err(|_| back())?;
    }
    let taken = book.put(&text, back)?;
    book.say(
        taken,
        format_args!("{listed} has new keys, the old ones are no good any more"),
    );
    let printed = if json {
        book.print(&text, &public_key.to_string(), taken, Some(&config))
    } else {
        shown
            .as_ref()
            .map_or(Ok(()), |shown| shown.show(book.report))
    };
    printed.map_err(|error| done_all_the_same(error, &listed.to_string(), "has new keys"))
}

fn print_changed(
    book: &Book,
    text: &str,
    name: &str,
    taken: Taken,
    json: bool,
) -> Result<(), Error> {
    if json {
        return book.print(text, name, taken, None);
    }
    Ok(())
}

impl Book {
    /// Says what was done, and whether it runs.
    pub(super) fn say(&self, taken: Taken, what: impl Display) {
        let ifname = self.ifname();
        match taken {
            Taken::Live => self.report.note(format_args!("{ifname}: {what}")),
            Taken::Down => self.report.note(format_args!("{ifname}: {what}; it is not up, `wgq up {ifname}`")),
            Taken::Later => self.report.warning(format_args!(
                "{ifname}: {what} in the file; more than peers changes by that, which `wgq apply {ifname}` does"
            )),
        }
    }

    /// Prints a peer as it is by a new text of the file.
    fn print(
        &self,
        text: &str,
        name: &str,
        taken: Taken,
        config: Option<&str>,
    ) -> Result<(), Error> {
        let roster = Roster::read(text, &names::names(self.ifname())).map_err(|_| Error::said())?;
        let found = roster.find(name);
        let listed = found.first().ok_or_else(Error::said)?;
        load::print_json(&Changed {
            version: 1,
            ifname: self.ifname().as_str(),
            live: taken == Taken::Live,
            peer: Peer::of(self, *listed),
            config,
        })
    }

    /// The preshared key of a peer that has it in a file, which stays.
    fn preshared_key_of_file(&self, listed: Listed<'_>) -> Result<Option<PresharedKey>, Error> {
        if listed.peer.preshared_key_file.is_none() {
            return Ok(None);
        }
        let key = listed.peer.public_key.value;
        let mut peers = self.config.peers.iter();
        let loaded = peers.find(|peer| peer.public_key.value == key);
        let loaded = loaded.and_then(|peer| peer.preshared_key.clone());
        loaded.map(Some).ok_or_else(|| {
            let what = format!("`{listed}' has its preshared key in a file, and is disabled");
            Error::new(what).hint(format!("`wgq peer enable {listed}` first"))
        })
    }

    /// Keeps what it takes to bring a peer back: its section, and its config if that is kept.
    fn put_away(&self, listed: Listed<'_>) -> Result<std::path::PathBuf, Error> {
        let file = self.target.shown();
        let mut text = Zeroizing::new(format!("# This section stood in {file}:\n"));
        *text += &self.roster.section(listed.index);
        if let Some(config) = self.kept_config(listed)? {
            *text += "\n# The client's own config:\n";
            for line in config.lines() {
                text.extend(["# ", line, "\n"]);
            }
        }
        Ok(self.clients.put_away(&listed.to_string(), &text)?)
    }

    /// A config for a client of which none is kept: all goes through the tunnel.
    fn new_config(
        &self,
        listed: Listed<'_>,
        private_key: &PrivateKey,
        preshared_key: Option<&PresharedKey>,
    ) -> Result<Zeroizing<String>, Error> {
        let networks = self.networks();
        let is_own = |prefix: &&Prefix| {
            let is_single = prefix.prefix_len() == prefix.family().bits();
            is_single && networks.iter().any(|network| network.contains(**prefix))
        };
        let own = listed.peer.allowed_ips.iter().filter(is_own);
        let addresses: Vec<Address> = own.map(|prefix| prefix.ip().into()).collect();
        if addresses.is_empty() {
            let what = format!(
                "`{listed}' has no address of the tunnel's networks, so it is not known what its config says"
            );
            return Err(Error::new(what));
        }
        let dns = interface_note(&self.text, "DNS");
        let name = listed.to_string();
        let endpoint = endpoint::of(self, None)?;
        let client = Client {
            name: &name,
            private_key: Some(private_key),
            addresses: &addresses,
            dns: dns.as_deref(),
            mtu: None,
            server: Server {
                public_key: self.server_key()?,
                endpoint: &endpoint,
            },
            preshared_key,
            allowed_ips: &Family::BOTH.map(Prefix::all),
            persistent_keepalive: None,
        };
        Ok(client.to_config())
    }
}
