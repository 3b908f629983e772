//! The command line, as clap reads it. No logic.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};

use crate::net::Ifname;
use crate::report::Color;

mod export;
mod import;
mod init;
mod peer;
mod show;

pub use export::{Export, Format};
pub use import::Import;
pub use init::Init;
pub use peer::{Action, Add, Expiry, Form, Peer, SetEndpoint};
pub use show::Show;

/// Bring WireGuard interfaces up and down
///
/// wgq takes a wg0.conf as wg-quick does and makes the host be what the file says: the interface, its keys and peers,
/// addresses, routes, policy rules, firewall table and DNS. What it did is undone when a step fails.
#[derive(Debug, Parser)]
#[command(name = "wgq", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command
    #[command(flatten)]
    pub global: Global,
}

const EXAMPLES: &str = "\
Examples:
  wgq up wg0                  bring up /etc/wireguard/wg0.conf
  wgq up ./office.conf        bring up a file as the interface `office'
  wgq apply wg0               have it follow its changed file, and drop no session
  wgq --dry-run up wg0        show what would be done, and do nothing
  wgq down wg0                take the interface down, and all that came with it
  wgq show                    see what runs, and how it goes
  wgq import ~/office.conf    put a file in /etc/wireguard, with checks
  wgq migrate wg0             show what of the hooks can be keys
  wgq selftest                see what this host supports";

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub struct Global {
    /// Show the steps and change nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Print JSON: the steps of --dry-run and of `diff`, or what the command prints
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show every step in full, with what the kernel says
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// When to use colours; `NO_COLOR` is honoured
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring an interface up
    ///
    /// Everything the file says is done, or nothing: when a step fails, or a signal comes, what was done before is undone.
    Up(Up),
    /// Take an interface down, and all that came with it
    ///
    /// As much as can be is done, and all that failed is reported. Neither the file nor the link need be there any more,
    /// and it may be wg-quick that brought the interface up. A name alone stands for the file that `up` used, wherever that
    /// is: its hooks are run, and it is what `SaveConfig` writes to.
    Down {
        /// The interface, or the file it was made from
        #[command(flatten)]
        target: Target,
    },
    /// Have an interface follow its file, without dropping a session
    ///
    /// What runs becomes what the file says, whether it is up or not: peers, keys, addresses, MTU, port, routes, rules,
    /// firewall and DNS. Only what differs is touched, and what was deleted by others comes back. Sessions, endpoints that
    /// peers have moved to, counters, and the port and mark that were chosen by themselves stay. Everything is done, or
    /// nothing. Hooks do not run. A name alone stands for the file that `up` used, wherever that is.
    #[command(visible_alias = "reload")]
    Apply(Apply),
    /// Keep what `apply --confirm` has changed
    Confirm {
        /// The interface
        ifname: Ifname,
    },
    /// Show what an interface lacks to be what its file says
    ///
    /// These are the steps that `apply` would take. The exit code is 0 if there are none, 1 if there are, and 2 if that
    /// cannot be found out.
    Diff(Diff),
    /// Show what runs, and how it goes
    ///
    /// That is what `wg show` shows, with the names of peers, how each fares (online, with a handshake in the last three minutes;
    /// idle; never), and what there is beyond the device: the file and whether it is still followed, forwarding, NAT, DNS and the
    /// kill switch. Peers with the latest handshake come first. Without a NAME all WireGuard interfaces are shown, whoever has
    /// made them. With a FIELD one thing alone is printed, byte for byte as `wg show` does.
    Show(Show),
    /// Print what of a file is for `wg setconf`
    ///
    /// That is the file without the keys that `wg` does not know; its keys are printed as they are.
    Strip {
        /// The file
        #[command(flatten)]
        target: Target,
    },
    /// Write the peers and keys of a running interface into its file
    ///
    /// Only lines that changed are touched: comments, order and host names stay. With `--dry-run` they are shown as diff(1)
    /// shows them, without the keys. A name alone stands for the file that `up` used, wherever that is.
    Save {
        /// The interface
        #[command(flatten)]
        target: Target,
    },
    /// Look up again where peers are that do not answer
    ///
    /// These are peers with an endpoint by name and no handshake for 135 seconds, or none yet. One that is not where its name
    /// leads gets the first address of its name that can be reached, and one that is there, and is sent packets in vain, gets
    /// the next. What answers is left alone, wherever it is. Without a NAME it is done for all interfaces that wgq has
    /// brought up. The timer of the systemd units does this every half minute.
    Reresolve {
        /// An interface NAME, or a FILE
        #[arg(value_name = "NAME|FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
    },
    /// Turn the hooks of a file into keys
    ///
    /// iptables, nft, sysctl and their like in PreUp, PostUp, PreDown and PostDown become Masquerade, Forward, `OpenPort` and
    /// the other keys that do the same. The change is shown as diff(1) shows it, without the keys of the tunnel; --write
    /// makes it. What no key says stays a hook, and it is said why.
    Migrate(Migrate),
    /// Make the file of a new server
    ///
    /// It has a key of its own, a port, networks that nothing here has to do with, and lets clients out to the internet. What
    /// was chosen is printed. A file that is there stays as it is.
    Init(Init),
    /// Add, show, change and remove the peers of an interface
    ///
    /// The file is edited line by line, and where the interface is up the kernel follows at once.
    Peer(Peer),
    /// Show or change where clients connect to
    ///
    /// It is changed in the interface's file, where it is the comment `# Endpoint = HOST:PORT`, and in all configs of clients
    /// that are kept. Clients have to be given the new ones.
    Endpoint(SetEndpoint),
    /// Print a new private key
    ///
    /// As `wg genkey` does: 32 bytes of the kernel's randomness, in base64.
    Genkey,
    /// Print a new preshared key
    ///
    /// As `wg genpsk` does. Both peers have the same one, beside their own key pairs.
    Genpsk,
    /// Print the public key of the private key on standard input
    ///
    /// As `wg pubkey` does: `wgq genkey | tee private.key | wgq pubkey`.
    Pubkey,
    /// Put a config from elsewhere in /etc/wireguard
    ///
    /// A provider's, or one that a phone or another program has exported, as a file or as the picture of a QR code. It is
    /// checked as `up` does, and put there byte for byte, for root alone to read; never over another. Its name is the file's,
    /// made into one that an interface can have. Commands in it are warned of: they run as root.
    Import(Import),
    /// Print a file for wg-quick, with hooks in the place of our keys
    ///
    /// For who leaves us: what only wgq knows becomes a comment, and PostUp and PostDown lines that do the same with nft,
    /// sysctl and ip. All else stays byte for byte. What wg-quick cannot do is said, here and in the file. The rules are
    /// for this host as it is now: its LAN, its firewalls. Keys are printed as they are.
    Export(Export),
    /// See what this host supports, and whether wgq works on it
    ///
    /// It brings tunnels up between network namespaces of its own, sends packets through them and takes them down again.
    /// The host itself is not touched. Root is needed only where plain users may not make user namespaces.
    Selftest,
    /// Drive an interface without the kernel's help; `up` starts this where it is needed
    #[cfg(feature = "userspace")]
    #[command(hide = true)]
    Userspace {
        /// The interface
        ifname: Ifname,
        /// The network namespace of the interface, if its UDP socket is to be in another one
        #[arg(long, value_name = "NAME")]
        netns: Option<crate::net::Netns>,
    },
}

impl Command {
    /// Whether `--dry-run` says something to it: it changes something, or it is of no matter.
    pub fn has_dry_run(&self) -> bool {
        let reads = |action: &Action| {
            matches!(
                action,
                Action::List | Action::Show { .. } | Action::Qr { .. }
            )
        };
        match self {
            Self::Peer(peer) => reads(&peer.action),
            Self::Confirm { .. } => false,
            Self::Show(_)
            | Self::Up(_)
            | Self::Down { .. }
            | Self::Apply(_)
            | Self::Diff(_)
            | Self::Strip { .. }
            | Self::Save { .. } => true,
            Self::Reresolve { .. } | Self::Migrate(_) | Self::Init(_) | Self::Endpoint(_) => true,
            Self::Genkey
            | Self::Genpsk
            | Self::Pubkey
            | Self::Import(_)
            | Self::Export(_)
            | Self::Selftest => true,
            #[cfg(feature = "userspace")]
            Self::Userspace { .. } => true,
        }
    }
}

/// The option of the process that waits for a confirmation.
pub const DETACHED: &str = "detached";

/// Reads a time: `90`, `90s`, `2m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, seconds) = match text.char_indices().last() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3600),
        _ => (Some(text), 1),
    };
    let number: Option<u64> = number.and_then(|number| number.parse().ok());
    let time = number.and_then(|number| number.checked_mul(seconds));
    let time = time.filter(|time| (1..=86_400).contains(time));
    time.map(Duration::from_secs)
        .ok_or_else(|| "expected a time from 1s to 24h".to_owned())
}

/// An interface, by its name or its file.
#[derive(Debug, Clone, Default, Args)]
pub struct Target {
    /// An interface NAME (its file is /etc/wireguard/NAME.conf), a FILE, or - for standard input
    #[arg(value_name = "NAME|FILE", value_hint = ValueHint::FilePath)]
    pub config: PathBuf,
    /// The interface's name, for a file from standard input
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub name: Option<Ifname>,
}

/// `wgq up`
#[derive(Debug, Clone, Args)]
pub struct Up {
    /// What to bring up
    #[command(flatten)]
    pub target: Target,
    /// Leave peers whose endpoint has no known address without one, and go on
    #[arg(long)]
    pub ignore_unresolved: bool,
    /// Use the embedded WireGuard even if the kernel has its own
    ///
    /// Or the program that `WG_QUICK_USERSPACE_IMPLEMENTATION` names.
    #[cfg_attr(feature = "userspace", arg(long))]
    #[cfg_attr(not(feature = "userspace"), arg(skip))]
    pub userspace: bool,
}

/// `wgq apply`
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
#[derive(Debug, Clone, Default, Args)]
pub struct Apply {
    /// What to apply
    #[command(flatten)]
    pub target: Target,
    /// Keep the peers that the file does not name, such as those that `wg set` added
    #[arg(long)]
    pub keep_peers: bool,
    /// Run the hooks: first those that undo what the old ones did, then the file's own
    #[arg(long)]
    pub hooks: bool,
    /// Undo it all unless `wgq confirm` comes within that time: 60s, 2m
    ///
    /// For who is connected through the tunnel that is changed. It is undone too when the terminal has gone away.
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "hooks")]
    pub confirm: Option<Duration>,
    /// Whether this is the process that waits for the confirmation
    #[arg(long = DETACHED, hide = true, requires = "confirm")]
    pub detached: bool,
    /// Leave peers whose endpoint has no known address without one, and go on
    #[arg(long)]
    pub ignore_unresolved: bool,
    /// Use the embedded WireGuard for an interface that is not there
    #[cfg_attr(feature = "userspace", arg(long))]
    #[cfg_attr(not(feature = "userspace"), arg(skip))]
    pub userspace: bool,
}

/// `wgq diff`
#[derive(Debug, Clone, Args)]
pub struct Diff {
    /// What to compare
    #[command(flatten)]
    pub target: Target,
    /// Do not count the peers that the file does not name
    #[arg(long)]
    pub keep_peers: bool,
}

/// `wgq migrate`
#[derive(Debug, Clone, Args)]
pub struct Migrate {
    /// The file
    #[command(flatten)]
    pub target: Target,
    /// Change the file, and keep it as it was in NAME.conf.before-migrate
    #[arg(long)]
    pub write: bool,
}
