//! Finds out whom this host's programs ask for names.
//!
//! A program looks a name up by glibc, and that by nsswitch.conf(5) and the first server in resolv.conf(5). So a resolver
//! that runs, but that neither of the two names, is no use to a tunnel: what it is told is never asked for.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::{Host, network_manager};
use crate::host::program;
use crate::state::DnsBackend;

/// The addresses of resolved's stub listeners.
const STUBS: [&str; 2] = ["127.0.0.53", "127.0.0.54"];

impl Host {
    /// As [`super::detect`]: systemd-resolved where it runs and is asked, else resolvconf where it has a say, else
    /// NetworkManager where the file is its own, else the file.
    pub fn detect(&self) -> DnsBackend {
        if self.is_other_netns() {
            // all of them keep the configuration of the namespace that they run in
            DnsBackend::File
        } else if self.asks_resolved() && self.runs_resolved() {
            DnsBackend::Resolved
        } else if let Some(resolvconf) = self.useful_resolvconf() {
            let prefix = self.interface_prefix(&resolvconf);
            DnsBackend::Resolvconf { prefix }
        } else if network_manager::keeps_resolv_conf(self) {
            DnsBackend::NetworkManager
        } else {
            DnsBackend::File
        }
    }

    /// Whether this is another network namespace than that of the host's first process; no if that cannot be seen.
    fn is_other_netns(&self) -> bool {
        let netns = |process: &str| fs::read_link(self.file(&format!("/proc/{process}/ns/net")));
        matches!((netns("1"), netns("thread-self")), (Ok(first), Ok(ours)) if first != ours)
    }

    /// Whether names are looked up at resolved: by nss-resolve(8), or at its stub.
    ///
    /// Its other file, /run/systemd/resolve/resolv.conf, is not enough: glibc then asks the servers of all links in
    /// resolved's order, and the tunnel's are not the first of them.
    fn asks_resolved(&self) -> bool {
        let nsswitch = self.text("/etc/nsswitch.conf");
        let mut modules = nsswitch
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("hosts:"))
            .flat_map(|modules| {
                modules
                    .split('#')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
            })
            .filter(|&module| module == "resolve" || module == "dns");
        let resolv_conf = self.text("/etc/resolv.conf");
        let server = resolv_conf
            .lines()
            .filter_map(|line| line.strip_prefix("nameserver"))
            .find_map(|rest| rest.split_whitespace().next());
        modules.next() == Some("resolve") || server.is_some_and(|server| STUBS.contains(&server))
    }

    /// Whether resolved answers and can be told something.
    fn runs_resolved(&self) -> bool {
        let Some(resolvectl) = self.find_program("resolvectl") else {
            return false;
        };
        let folder = self.file("/run/systemd/resolve");
        let socket = folder.join("io.systemd.Resolve");
        if socket.exists() {
            return UnixStream::connect(socket).is_ok();
        }
        // before systemd 247 it has no socket: only asking tells
        folder.exists() && program::run(&resolvectl, &["dns"], "").is_ok()
    }

    /// Returns the resolvconf that what is told it reaches resolv.conf(5).
    fn useful_resolvconf(&self) -> Option<PathBuf> {
        let resolvconf = self.find_program("resolvconf")?;
        // resolvectl under this name speaks to resolved, and that is not asked
        let target = resolvconf.canonicalize().ok()?;
        if target.file_name() == Some("resolvectl".as_ref()) {
            return None;
        }
        // Debian's writes a file of its own, and is without effect where resolv.conf is no link to it
        let debian = self.file("/lib/resolvconf/list-records").exists();
        let linked = || {
            let ours = self.file("/run/resolvconf/resolv.conf");
            fs::canonicalize(self.file("/etc/resolv.conf")).ok() == fs::canonicalize(ours).ok()
        };
        (!debian || linked()).then_some(resolvconf)
    }

    /// Returns the prefix that gives a tunnel its place in interface-order(5): the first pattern of the form `NAME*`.
    fn interface_prefix(&self, resolvconf: &Path) -> String {
        if resolvconf.is_symlink() {
            return String::new(); // wg-quick: a resolvconf that is a link reads no interface-order
        }
        let is_name = |name: &&str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        self.text("/etc/resolvconf/interface-order")
            .lines()
            .filter_map(|line| line.trim().strip_suffix('*'))
            .find(is_name)
            .map_or_else(String::new, |name| format!("{name}."))
    }

    /// Returns a file's text; what cannot be read is empty.
    pub(super) fn text(&self, path: &str) -> String {
        let bytes = fs::read(self.file(path)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
