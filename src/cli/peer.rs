//! `wgq peer` and `wgq endpoint`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand, ValueHint};

use crate::net::Prefix;

/// `wgq peer`
#[derive(Debug, Clone, Args)]
pub struct Peer {
    /// What to do
    #[command(subcommand)]
    pub action: Action,
    /// The interface, by NAME or FILE; without, it is the only one there is, or wg0
    #[arg(short, long, global = true, value_name = "NAME|FILE", value_hint = ValueHint::FilePath)]
    pub interface: Option<PathBuf>,
}

/// What to do with peers.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// Add a client: its keys, the next free addresses, and the config that it needs
    ///
    /// It is in the file and, where the interface is up, connects at once; the others notice nothing. Its config is kept
    /// in clients/IFNAME/NAME.conf beside the interface's file and printed: on a terminal as a QR code to be scanned, else as
    /// text. Everything is done, or nothing.
    Add(Box<Add>),
    /// List the peers
    #[command(visible_alias = "ls")]
    List,
    /// Print the config of a client
    Show {
        /// The peer's name, or the beginning of its public key
        name: String,
    },
    /// Show the config of a client as a QR code
    Qr {
        /// The peer's name, or the beginning of its public key
        name: String,
        /// In what form
        #[command(flatten)]
        form: Form,
    },
    /// Give a peer another name
    Rename {
        /// The peer's name, or the beginning of its public key
        name: String,
        /// Its new name
        new: String,
    },
    /// Remove a peer, at once
    ///
    /// What it takes to bring it back is kept in clients/IFNAME/removed beside the interface's file.
    #[command(visible_alias = "rm", alias = "delete", alias = "del")]
    Remove {
        /// The peer's name, or the beginning of its public key
        #[arg(required_unless_present = "expired")]
        name: Option<String>,
        /// Remove all whose time is over
        ///
        /// The timer of the systemd units does this every minute.
        #[arg(long, conflicts_with = "name")]
        expired: bool,
    },
    /// Shut a peer out, at once, and keep all that is known of it
    ///
    /// Its section becomes comments, `#- ` before each line, until `enable` turns it on again.
    Disable {
        /// The peer's name, or the beginning of its public key
        name: String,
    },
    /// Let a peer in again that was disabled
    Enable {
        /// The peer's name, or the beginning of its public key
        name: String,
    },
    /// Give a client new keys; the old ones are no good from then on
    Rekey {
        /// The peer's name, or the beginning of its public key
        name: String,
        /// In what form its config is shown
        #[command(flatten)]
        form: Form,
    },
}

/// `wgq peer add`
#[derive(Debug, Clone, Args)]
pub struct Add {
    /// What it is called: any text of one line
    pub name: String,
    /// Send all of the client's traffic through the tunnel; this is the default
    #[arg(long, conflicts_with = "split")]
    pub full: bool,
    /// Send only what is for the tunnel's own networks through it, and for those of --route
    #[arg(long)]
    pub split: bool,
    /// A network behind the server that the client reaches through the tunnel, with --split
    #[arg(long, value_name = "PREFIX", value_delimiter = ',', requires = "split")]
    pub route: Vec<Prefix>,
    /// A network behind the client, for a site rather than a phone
    #[arg(long, value_name = "PREFIX", value_delimiter = ',')]
    pub allowed_ips: Vec<Prefix>,
    /// The client's resolvers and search domains; `none` leaves it with its own
    ///
    /// The default is the comment `# DNS = ...` of the interface's file, which `init` writes.
    #[arg(long, value_name = "LIST")]
    pub dns: Option<String>,
    /// The client's MTU, in bytes
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1280..=65535))]
    pub mtu: Option<u32>,
    /// Have the client send something that often, so that it can be reached behind NAT; 25 is usual
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    pub keepalive: Option<u16>,
    /// Where the client is to connect to, if that is not what the file says
    #[arg(long, value_name = "HOST[:PORT]")]
    pub endpoint: Option<String>,
    /// The client's public key, if it has made its own: the private one never comes here
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<String>,
    /// Shut the client out after that time, or from then on: 30d, 2026-12-24, 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    pub expires: Option<Expiry>,
    /// Do not keep the client's config
    #[arg(long)]
    pub no_store: bool,
    /// In what form the client's config is shown
    #[command(flatten)]
    pub form: Form,
}

/// In what form a config is shown.
#[derive(Debug, Clone, Default, Args)]
pub struct Form {
    /// As a QR code of text; this is the default on a terminal
    #[arg(long)]
    pub qr: bool,
    /// As a QR code in a PNG file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub png: Option<PathBuf>,
    /// As a QR code in an SVG file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub svg: Option<PathBuf>,
}

/// When a peer's time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// After that time.
    In(Duration),
    /// From then on.
    At(SystemTime),
}

/// `wgq endpoint`
#[derive(Debug, Clone, Args)]
pub struct SetEndpoint {
    /// The interface, by NAME or FILE
    #[arg(value_name = "NAME|FILE", value_hint = ValueHint::FilePath)]
    pub interface: PathBuf,
    /// Where clients are to connect to from now on: an address, a name or a relay; without a port it is `ListenPort`
    #[arg(value_name = "HOST[:PORT]")]
    pub endpoint: Option<String>,
    /// Show the new config of each client as a QR code
    #[arg(long)]
    pub qr: bool,
}

/// Reads `30d` or a date.
fn expiry(text: &str) -> Result<Expiry, String> {
    if let Ok(time) = humantime::parse_duration(text) {
        return Ok(Expiry::In(time));
    }
    let time = crate::config::parse_time(text).map(Expiry::At);
    time.ok_or_else(|| "expected a time like 30d or 12h, or a date like 2026-12-24".to_owned())
}
