//! What keeps the selftest away from this host: namespaces for it alone, and an end that takes all its processes along.
//!
//! The selftest runs as the first process of a process namespace, so that the kernel ends all it started when it ends;
//! and it ends when the process that stayed outside does, for whatever reason.

use std::env;
use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

/// How long all of it may take; it takes a second, and half a minute in an emulated machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// The variable that tells the process in the sandbox what it is.
const INSIDE: &str = "WGQ_SELFTEST_INSIDE";

/// The namespaces of the whole selftest; its machines make their own of networks and mounts.
const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWPID.union(CloneFlags::CLONE_NEWNS);

/// Goes into the namespaces, of which the next process is the first. An error says that this host does not allow that.
///
/// Root of the host needs no user namespace. One of a container may lack the right, as a plain user does, and gets it
/// in one. There must be no other thread.
pub(crate) fn enter() -> io::Result<()> {
    if unshare(NAMESPACES).is_ok() {
        return Ok(());
    }
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER.union(NAMESPACES))?;
    fs::write("/proc/self/setgroups", "deny")?; // user_namespaces(7): without, no group can be mapped
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Whether this is root itself, and not one of a user namespace.
pub(super) fn is_root_of_host() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Whether this is the process in the sandbox.
pub(crate) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs this program again with the same arguments, as the first process of the namespaces.
pub(crate) fn run_again() -> anyhow::Result<ExitStatus> {
    let mut inside = Command::new("/proc/self/exe")
        .args(env::args_os().skip(1))
        .env(INSIDE, "")
        .stdin(Stdio::piped())
        .spawn()
        .context("/proc/self/exe")?;
    let lifeline = inside.stdin.take(); // `wait` would close it
    let status = inside.wait()?;
    drop(lifeline);
    Ok(status)
}

/// Ends this process, and all it started, as soon as the one outside is gone, or when all takes too long.
#[expect(clippy::exit, reason = "this is the end of all, not of a thread")]
pub(crate) fn end_with_the_one_outside(too_late: impl FnOnce() + Send + 'static) {
    thread::spawn(|| {
        let lifeline = io::stdin();
        let mut waited = [PollFd::new(lifeline.as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
        if poll(&mut waited, patience) == Ok(0) {
            too_late();
        }
        std::process::exit(1)
    });
}
