//! A machine that exists only for the selftest: a network of its own, and a /run of its own, so that each has its `wg0`.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};

use crate::host::sysctl;
use crate::state::Sysctl;

/// The flags of a mount that a remount must keep, as the owner of a user namespace may not drop them.
const KEPT: [(FsFlags, MsFlags); 6] = [
    (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
    (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
    (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
    (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
    (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
];

/// A network namespace with a mount namespace; it lasts as long as this value or a process in it.
pub(super) struct Machine {
    pub(super) name: &'static str,
    network: File,
    mounts: File,
}

impl Machine {
    /// Makes a machine without any link but its loopback, which is down.
    pub(super) fn new(name: &'static str) -> Result<Self> {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).context("unshare")?;
            hide_the_host()?;
            tune()?;
            let namespace = |kind: &str| {
                let path = format!("/proc/thread-self/ns/{kind}");
                File::open(&path).context(path)
            };
            Ok(Self {
                name,
                network: namespace("net")?,
                mounts: namespace("mnt")?,
            })
        };
        in_a_thread(make).with_context(|| format!("the machine `{name}'"))
    }

    /// Does some work in it, in a thread of its own. Sockets that are opened and processes that are started there stay there.
    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        in_a_thread(|| {
            unshare(CloneFlags::CLONE_FS)?; // setns(2): a shared root cannot move
            setns(&self.network, CloneFlags::CLONE_NEWNET)?;
            setns(&self.mounts, CloneFlags::CLONE_NEWNS)?;
            work()
        })
    }

    /// The file descriptor of its network, for a link that is to be moved there.
    pub(super) fn network(&self) -> RawFd {
        self.network.as_raw_fd()
    }

    /// Lets it pass on packets that are not for itself.
    pub(super) fn forward(&self) -> Result<()> {
        self.run(|| {
            set_sysctl("net.ipv4.ip_forward", "1")?;
            set_sysctl("net.ipv6.conf.all.forwarding", "1")
        })
    }
}

fn in_a_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

/// Puts an empty folder where a running wgq keeps what it knows, and takes the right to write from /etc.
fn hide_the_host() -> Result<()> {
    let nothing = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(nothing, "/", nothing, private, nothing).context("mount --make-rprivate /")?;
    mount_empty(Path::new("/run"))?;
    let other = Path::new("/var/run");
    if other.canonicalize().is_ok_and(|path| path == other) {
        mount_empty(other)?; // no link to /run, as it is almost everywhere
    }
    make_read_only(Path::new("/etc"))?;
    let resolv_conf = Path::new("/etc/resolv.conf");
    if resolv_conf.exists() {
        make_read_only(resolv_conf)?; // in a container it is a mount of its own
    }
    Ok(())
}

fn mount_empty(path: &Path) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some("mode=0700"))
        .with_context(|| format!("mount -t tmpfs tmpfs {}", path.display()))
}

fn make_read_only(path: &Path) -> Result<()> {
    let nothing = None::<&str>;
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(path), path, nothing, bind, nothing)
        .with_context(|| format!("mount --rbind {0} {0}", path.display()))?;
    let found = statvfs(path)?.flags();
    let kept = KEPT.iter().filter(|(flag, _)| found.contains(*flag));
    let flags = kept.map(|(_, flag)| *flag).collect::<MsFlags>();
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | flags;
    mount(nothing, path, nothing, read_only, nothing)
        .with_context(|| format!("mount -o remount,bind,ro {}", path.display()))
}

/// Lets addresses be used as soon as they are added, and echo requests be sent without a raw socket.
fn tune() -> Result<()> {
    set_sysctl("net.ipv6.conf.default.accept_dad", "0")?;
    set_sysctl("net.ipv4.ping_group_range", "0 0")
}

/// Sets a kernel variable, if this kernel has it.
fn set_sysctl(name: &str, value: &str) -> Result<()> {
    match sysctl::write(&Sysctl(name.to_owned().into()), value) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("sysctl {name}={value}"))
        }
        _ => Ok(()),
    }
}
