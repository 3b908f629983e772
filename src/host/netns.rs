//! Network namespaces by name, as ip-netns(8) has them: files in /run/netns that the namespaces are mounted on.
//!
//! A tunnel with `Netns` lives in such a one, but for its UDP socket, which stays in the namespace of birth: that in which
//! wgq was started. The process goes into the namespace before it looks at anything. One that is not there yet is made
//! without a name, and so planned for; a step gives it the name, and without that step nothing is left of it.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::thread;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statfs::{NSFS_MAGIC, fstatfs};
use serde::{Deserialize, Serialize};

use super::record::{Place, Record};
use super::remove::remove_if_there;
use super::route_socket::RouteSocket;
use super::run_dir::namespace;
use crate::net::{Ifname, Netns};

/// Where the names are.
const FOLDER: &str = "/run/netns";

/// The network namespace of this thread.
pub(super) const OWN: &str = "/proc/thread-self/ns/net";

/// Set while this process works in another network namespace than that of its birth.
static ENTERED: RwLock<Option<&'static Entered>> = RwLock::new(None);

struct Entered {
    netns: Netns,
    birth: Option<u64>,
}

/// Returns the name of the network namespace that this process has gone into.
pub fn entered() -> Option<&'static Netns> {
    current().map(|entered| &entered.netns)
}

fn current() -> Option<&'static Entered> {
    *ENTERED.read().unwrap_or_else(PoisonError::into_inner)
}

fn set_current(entered: Option<&'static Entered>) {
    *ENTERED.write().unwrap_or_else(PoisonError::into_inner) = entered;
}

/// Returns the network namespace of birth, by the number of its inode.
pub fn birth() -> Option<u64> {
    match current() {
        Some(entered) => entered.birth,
        None => namespace("thread-self"),
    }
}

/// A network namespace that is told from one that came later: the number of its inode may be given again, but the time is
/// that at which somebody first looked at this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetnsId {
    inode: u64,
    /// In seconds since the epoch, and nanoseconds.
    since: (i64, i64),
}

impl NetnsId {
    /// That of an open file, or of this thread's namespace, which must be open somewhere to stay the same.
    fn of(found: &Metadata) -> Self {
        Self {
            inode: found.ino(),
            since: (found.mtime(), found.mtime_nsec()),
        }
    }
}

/// What a process that works in another network namespace has kept of that of its birth.
pub(super) struct Outside {
    /// The one that it works in.
    pub(super) netns: Netns,
    birth: File,
    /// Open for as long as it has no name yet, which keeps its [`NetnsId`].
    _inside: File,
    /// Makes links whose UDP sockets are in the namespace of birth.
    pub(super) route: RouteSocket,
}

impl Outside {
    /// Goes into a namespace with all that this thread opens or starts from now on: into that of the name, or into a new one.
    pub(super) fn leave_for(netns: &Netns) -> Result<Self> {
        let outside = File::open(OWN).context(OWN)?;
        let route = RouteSocket::open().context("netlink")?;
        let birth = namespace("thread-self");
        let entered = Entered {
            netns: netns.clone(),
            birth,
        };
        set_current(Some(Box::leak(Box::new(entered)))); // a few words, as often as there are namespaces
        let entered = match open(netns)? {
            Some(file) => setns(file, CloneFlags::CLONE_NEWNET),
            None => unshare(CloneFlags::CLONE_NEWNET),
        };
        entered.with_context(|| format!("enter the network namespace {netns}"))?;
        Ok(Self {
            netns: netns.clone(),
            birth: outside,
            _inside: File::open(OWN).context(OWN)?,
            route,
        })
    }

    /// Goes back to the namespace of birth. What was opened before stays where it is.
    pub(super) fn go_back(&self) -> Result<()> {
        setns(&self.birth, CloneFlags::CLONE_NEWNET)
            .context("go back to the namespace of birth")?;
        set_current(None);
        Ok(())
    }

    /// Goes after a name that stands for another namespace by now; says whether it does.
    pub(super) fn follow(&self) -> Result<bool> {
        let netns = &self.netns;
        let Some(file) = open(netns)? else {
            return Ok(false);
        };
        if Some(file.metadata()?.ino()) == namespace("thread-self") {
            return Ok(false);
        }
        setns(file, CloneFlags::CLONE_NEWNET)
            .with_context(|| format!("enter the network namespace {netns}"))?;
        Ok(true)
    }

    /// Whether this thread's namespace has the name, or is still without.
    pub(super) fn is_named(&self) -> Result<bool> {
        let named = open(&self.netns)?.map(|file| file.metadata());
        let named = named.transpose()?.map(|named| named.ino());
        Ok(named.is_some() && named == namespace("thread-self"))
    }

    /// Does something in the namespace of birth, in a thread of its own.
    pub(super) fn run<T: Send>(&self, what: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let birth = self.birth.as_fd();
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(birth, CloneFlags::CLONE_NEWNET)
                    .context("go back to the namespace of birth")?;
                what()
            });
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}

/// Returns what to remember of the namespace that this process works in: where it was without a name, or another tunnel's
/// record says so, that we have made it.
pub fn place(is_named: bool) -> Option<Place> {
    let netns = entered()?.clone();
    let current = fs::metadata(OWN).ok().as_ref().map(NetnsId::of);
    let is_made_by = |record: &Record| record.netns.as_ref().is_some_and(|it| it.made == current);
    let is_ours = !is_named || Record::all().iter().any(|(_, record)| is_made_by(record));
    let made = current.filter(|_| is_ours);
    Some(Place { netns, made })
}

/// Returns the name that goes with a tunnel: of a namespace that we made, and that no other tunnel of ours is in.
pub fn to_delete(ifname: Ifname, record: &Record) -> Result<Option<Netns>> {
    let Some(Place {
        netns,
        made: Some(made),
    }) = &record.netns
    else {
        return Ok(None);
    };
    let is_it = match open(netns)? {
        Some(file) => NetnsId::of(&file.metadata()?) == *made,
        None => is_unmounted(&path(netns)),
    };
    let goes = is_it && Record::others(ifname).is_empty();
    Ok(goes.then(|| netns.clone()))
}

/// Whether there is an interface of that name in this thread's network namespace.
pub fn has_link_here(ifname: Ifname) -> bool {
    if_nametoindex(ifname.as_str()).is_ok()
}

/// Enters the namespace of that name, with this thread alone.
#[cfg(feature = "userspace")]
pub(super) fn enter(netns: &Netns) -> Result<()> {
    let file = open(netns)?.with_context(|| format!("no network namespace {netns}"))?;
    Ok(setns(file, CloneFlags::CLONE_NEWNET)?)
}

/// Gives this thread's network namespace its name.
pub(super) fn add(netns: &Netns) -> Result<()> {
    make_folder().context(FOLDER)?;
    let path = path(netns);
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o000).open(&path);
    match made {
        Err(error) if !(error.kind() == ErrorKind::AlreadyExists && is_unmounted(&path)) => {
            return Err(error).with_context(|| path.display().to_string());
        }
        Ok(_) | Err(_) => {} // or it is left of one that was killed before the next line
    }
    mount(
        Some(OWN),
        &path,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .inspect_err(|_| drop(fs::remove_file(&path)))
    .with_context(|| format!("mount on {}", path.display()))
}

/// Takes its name from a network namespace; that there is none is fine.
pub(super) fn delete(netns: &Netns) -> Result<()> {
    let path = path(netns);
    match umount2(&path, MntFlags::MNT_DETACH) {
        Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => {} // not mounted, or not there
        Err(error) => return Err(error).with_context(|| format!("unmount {}", path.display())),
    }
    remove_if_there(&path).with_context(|| path.display().to_string())
}

/// Opens the namespace of that name; none if there is none.
fn open(netns: &Netns) -> Result<Option<File>> {
    let path = path(netns);
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(|| path.display().to_string())?,
    };
    let is_namespace = fstatfs(&file)?.filesystem_type() == NSFS_MAGIC;
    Ok(Some(file).filter(|_| is_namespace))
}

fn path(netns: &Netns) -> PathBuf {
    Path::new(FOLDER).join(netns.as_str())
}

/// Whether the file is one that a namespace would be mounted on: there, and empty.
fn is_unmounted(path: &Path) -> bool {
    let is_namespace = File::open(path)
        .is_ok_and(|file| fstatfs(&file).is_ok_and(|found| found.filesystem_type() == NSFS_MAGIC));
    let found = path.symlink_metadata();
    !is_namespace && found.is_ok_and(|found| found.is_file() && found.len() == 0)
}

/// Makes the folder as `ip netns add` does: a mount point of its own that is shared, so that names come and go in all mount
/// namespaces at once.
fn make_folder() -> io::Result<()> {
    match DirBuilder::new().create(FOLDER) {
        Ok(()) => fs::set_permissions(FOLDER, Permissions::from_mode(0o755))?, // whatever the umask is
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let none = None::<&str>;
    let share = || {
        mount(
            none,
            FOLDER,
            none,
            MsFlags::MS_SHARED | MsFlags::MS_REC,
            none,
        )
    };
    match share() {
        Err(Errno::EINVAL) => {
            let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
            mount(Some(FOLDER), FOLDER, none, flags, none)?;
            Ok(share()?)
        }
        shared => Ok(shared?),
    }
}
