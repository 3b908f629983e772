//! `wgq peer list`, `show` and `qr`.

use std::path::PathBuf;

use serde::Serialize;
use zeroize::Zeroizing;

use super::super::load;
use super::Book;
use crate::cli::Form;
use crate::columns::table;
use crate::config::Listed;
use crate::error::Error;
use crate::host::clock;

/// The peers of an interface, as JSON says them.
#[derive(Serialize)]
struct List<'a> {
    version: u32,
    ifname: &'a str,
    peers: Vec<Peer>,
}

/// A peer, as JSON says it.
#[derive(Serialize)]
pub(super) struct Peer {
    name: Option<String>,
    public_key: String,
    allowed_ips: Vec<String>,
    /// `enabled`, `disabled` or `expired`.
    state: &'static str,
    /// In UTC (RFC 3339).
    expires: Option<String>,
    /// Where its config is kept, if it is.
    file: Option<PathBuf>,
}

impl Peer {
    pub(super) fn of(book: &Book, listed: Listed<'_>) -> Self {
        let peer = listed.peer;
        let expires = peer.expires.map(|expires| expires.value);
        let is_over = peer.is_expired(clock::now());
        let file = listed.name.and_then(|name| book.clients.kept(name));
        Self {
            name: listed.name.map(str::to_owned),
            public_key: peer.public_key.value.to_string(),
            allowed_ips: peer.allowed_ips.iter().map(ToString::to_string).collect(),
            state: match (listed.is_off, is_over) {
                (true, _) => "disabled",
                (false, true) => "expired",
                (false, false) => "enabled",
            },
            expires: expires.map(|time| humantime::format_rfc3339_seconds(time).to_string()),
            file,
        }
    }
}

/// Lists the peers.
pub(super) fn list(book: &Book, json: bool) -> Result<(), Error> {
    let peers: Vec<Peer> = book.roster.iter().map(|it| Peer::of(book, it)).collect();
    if json {
        return load::print_json(&List {
            version: 1,
            ifname: book.ifname().as_str(),
            peers,
        });
    }
    let rows = peers.iter().map(|peer| {
        let state = match (&peer.expires, peer.state) {
            (Some(time), "enabled") => format!("until {time}"),
            (_, state) => state.to_owned(),
        };
        [
            peer.name.clone().unwrap_or_else(|| "-".to_owned()),
            peer.allowed_ips.join(" "),
            state,
            peer.public_key.clone(),
        ]
    });
    let heads = ["NAME", "ADDRESSES", "STATE", "PUBLIC KEY"];
    Ok(load::print(&table(heads, rows.collect()))?)
}

/// Prints the config of a client.
pub(super) fn show(book: &Book, name: &str, json: bool) -> Result<(), Error> {
    let listed = book.find(name)?;
    if json {
        #[derive(Serialize)]
        struct Shown<'a> {
            version: u32,
            ifname: &'a str,
            #[serde(flatten)]
            peer: Peer,
            config: Option<&'a str>,
        }
        let config = book.config_of(listed).ok();
        return load::print_json(&Shown {
            version: 1,
            ifname: book.ifname().as_str(),
            peer: Peer::of(book, listed),
            config: config.as_deref().map(String::as_str),
        });
    }
    let config = book.config_of(listed)?;
    load::warn_of_output(book.report);
    Ok(load::print(&config)?)
}

/// Shows the config of a client as a QR code.
pub(super) fn qr(book: &Book, name: &str, form: &Form) -> Result<(), Error> {
    let listed = book.find(name)?;
    let config = book.config_of(listed)?;
    if listed.is_off {
        book.report
            .warning(format_args!("{listed} is disabled: it is not let in"));
    }
    let is_picture = form.png.is_some() || form.svg.is_some();
    let form = Form {
        qr: form.qr || !is_picture,
        ..form.clone()
    };
    form.prepare(&config, book.report)?.show(book.report)
}

impl Book {
    /// The config of a client, if it is kept.
    pub(super) fn kept_config(
        &self,
        listed: Listed<'_>,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        let kept = listed.name.map(|name| self.clients.read(name));
        Ok(kept.transpose()?.flatten())
    }

    /// The config of a client, as it is kept.
    pub(super) fn config_of(&self, listed: Listed<'_>) -> Result<Zeroizing<String>, Error> {
        self.kept_config(listed)?.ok_or_else(|| {
            let what =
                format!("no config of `{listed}' is kept here, and its private key is not known");
            Error::new(what).hint(format!("`wgq peer rekey {listed}` makes a new one"))
        })
    }
}
