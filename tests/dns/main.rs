//! What a tunnel tells the host's resolver, and that it is all taken back.
//!
//! Nothing here touches this machine's own /etc/resolv.conf: the hosts are folders, or private mounts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod crash;
mod detect;
mod file;
mod mounts;
mod network_manager;
mod resolvconf;
mod resolved;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use mounts::Mounts;
use tempfile::TempDir;
use wgq::host::dns::{Host, Outcome};
use wgq::net::Ifname;
use wgq::state::{Dns, DnsBackend};

/// A host in a folder, with an /etc and a /run.
struct Folder {
    // before the folder, which can be deleted only after it
    mounts: Mounts,
    temp: TempDir,
    host: Host,
}

impl Folder {
    fn new() -> Self {
        // in memory where it can be: an fsync on a disk takes longer than all else
        let temp = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let root = temp.path().to_owned();
        for name in ["etc", "run", "bin"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let path = vec![root.join("bin")];
        let host = Host { root, path };
        Self {
            mounts: Mounts::default(),
            temp,
            host,
        }
    }

    fn with_resolv_conf(text: &str) -> Self {
        let folder = Self::new();
        fs::write(folder.path("etc/resolv.conf"), text).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn resolv_conf(&self) -> String {
        fs::read_to_string(self.path("etc/resolv.conf")).unwrap()
    }

    fn up(&self, ifname: &str, dns: &Dns) {
        assert_eq!(
            self.host.set(name(ifname), None, Some(dns)).unwrap(),
            Outcome::Done
        );
    }

    fn down(&self, ifname: &str, dns: &Dns) -> Outcome {
        self.host.set(name(ifname), Some(dns), None).unwrap()
    }

    /// All that a tunnel could leave behind: the files of /etc to the last bit, and the names of those in /run.
    fn snapshot(&self) -> Vec<String> {
        let mut entries: Vec<String> = fs::read_dir(self.path("etc"))
            .unwrap()
            .map(|entry| describe(&entry.unwrap().path()))
            .collect();
        let records = fs::read_dir(self.path("run/wgq/resolv.conf"));
        entries.extend(
            records
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().path().display().to_string()),
        );
        entries.sort();
        entries
    }
}

fn describe(path: &Path) -> String {
    let meta = path.symlink_metadata().unwrap();
    let content = if meta.is_symlink() {
        format!("-> {}", fs::read_link(path).unwrap().display())
    } else {
        format!("{:?}", String::from_utf8_lossy(&fs::read(path).unwrap()))
    };
    let (mode, ino, uid) = (meta.mode(), meta.ino(), meta.uid());
    let path = path.display();
    format!("{path} {mode:o} {uid} inode {ino} {content}")
}

fn name(ifname: &str) -> Ifname {
    ifname.parse().unwrap()
}

/// What a full tunnel with one server tells `backend`.
fn dns(backend: DnsBackend, server: &str) -> Dns {
    Dns {
        backend,
        servers: vec![server.parse().unwrap()],
        search: Vec::new(),
        all_names: true,
        required: false,
    }
}

fn file(server: &str) -> Dns {
    dns(DnsBackend::File, server)
}

/// The lines of a resolv.conf(5) that say something.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}
