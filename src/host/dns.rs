//! Tells the host's resolver what a tunnel wants of it, and takes that back.

use std::env;
use std::fmt;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::net::Ifname;
use crate::state::{Dns, DnsBackend};

mod detect;
mod file;
mod network_manager;
mod resolvconf;
mod resolved;
mod servers;

/// Where a host's files and programs are; tests put them elsewhere.
#[derive(Debug, Clone)]
pub struct Host {
    /// The folder that `/etc` and `/run` are in.
    pub root: PathBuf,
    /// Where programs are searched, first one first.
    pub path: Vec<PathBuf>,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It is done.
    Done,
    /// Another program has changed this file meanwhile, so that it is no longer ours to put back.
    Foreign(PathBuf),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Foreign(path) => write!(
                f,
                "{} was changed by another program meanwhile, leaving it as it is",
                path.display()
            ),
        }
    }
}

/// Returns who keeps this host's resolver configuration, in such a way that programs ask it.
pub fn detect() -> DnsBackend {
    Host::default().detect()
}

/// Changes what the resolver was told for a tunnel; none is nothing.
///
/// All or nothing. Taking back what was never told is done at once. A tunnel without servers tells only systemd-resolved
/// something: as in wg-quick(8), search domains alone change no resolv.conf(5).
pub fn set(ifname: Ifname, from: Option<&Dns>, to: Option<&Dns>) -> anyhow::Result<Outcome> {
    Host::default().set(ifname, from, to)
}

/// Returns the name servers of this host, those first that are none of a tunnel's. Listeners on the host itself do not count.
pub fn servers() -> Vec<IpAddr> {
    Host::default().servers()
}

/// Puts back the resolv.conf(5) that a loss of power during a tunnel's life has left behind.
///
/// To be called before names are looked up: after a boot the servers in it are those of a tunnel that is not up.
pub fn recover() -> anyhow::Result<()> {
    Host::default().recover()
}

/// Whether [`recover`] may find something to do.
pub fn may_be_astray() -> bool {
    file::may_be_astray(&Host::default())
}

impl Default for Host {
    /// This machine, as its own programs see it.
    fn default() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        // a cron job's or a plain user's PATH lacks them, and resolvconf is in one of them
        let system = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
        Self {
            root: PathBuf::from("/"),
            path: env::split_paths(&path)
                .chain(system.map(PathBuf::from))
                .collect(),
        }
    }
}

impl Host {
    /// As [`set`].
    pub fn set(
        &self,
        ifname: Ifname,
        from: Option<&Dns>,
        to: Option<&Dns>,
    ) -> anyhow::Result<Outcome> {
        let from = from.filter(|dns| says_something(dns));
        let to = to.filter(|dns| says_something(dns));
        let Some(to) = to else {
            return from.map_or(Ok(Outcome::Done), |from| self.take_back(ifname, from));
        };
        let (before, elsewhere) = match from {
            Some(from) if from.backend == to.backend => (Some(from), None),
            other => (None, other),
        };
        self.tell(ifname, before, to)?;
        elsewhere.map_or(Ok(Outcome::Done), |from| self.take_back(ifname, from))
    }

    /// As [`recover`].
    pub fn recover(&self) -> anyhow::Result<()> {
        file::recover(self)
    }

    fn tell(&self, ifname: Ifname, before: Option<&Dns>, to: &Dns) -> anyhow::Result<()> {
        match &to.backend {
            DnsBackend::Resolved => {
                resolved::tell(&self.program("resolvectl")?, ifname, before, to)
            }
            DnsBackend::Resolvconf { prefix } => {
                resolvconf::tell(&self.program("resolvconf")?, prefix, ifname, to)
            }
            DnsBackend::NetworkManager => network_manager::tell(self, ifname, before, to),
            DnsBackend::File => file::tell(self, None, ifname, to),
            DnsBackend::Netns { name } => file::tell(self, Some(name), ifname, to),
        }
    }

    fn take_back(&self, ifname: Ifname, from: &Dns) -> anyhow::Result<Outcome> {
        match &from.backend {
            DnsBackend::Resolved => resolved::take_back(&self.program("resolvectl")?, ifname)?,
            DnsBackend::Resolvconf { prefix } => {
                resolvconf::take_back(&self.program("resolvconf")?, prefix, ifname)?;
            }
            DnsBackend::NetworkManager => network_manager::take_back(self, ifname)?,
            DnsBackend::File => return file::take_back(self, None, ifname),
            DnsBackend::Netns { name } => return file::take_back(self, Some(name), ifname),
        }
        Ok(Outcome::Done)
    }

    /// Returns where a program is.
    fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.find_program(name)
            .with_context(|| format!("{name}: command not found"))
    }

    fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.path
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| {
                file.metadata()
                    .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
            })
    }

    /// Returns where an absolute path of the host is.
    fn file(&self, path: &str) -> PathBuf {
        self.root
            .join(Path::new(path).strip_prefix("/").unwrap_or(Path::new(path)))
    }
}

/// Whether the backend takes anything of this.
fn says_something(dns: &Dns) -> bool {
    !dns.servers.is_empty() || (dns.backend == DnsBackend::Resolved && !dns.search.is_empty())
}
