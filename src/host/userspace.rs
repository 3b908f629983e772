//! WireGuard without the kernel's: a background process with a TUN device, embedded or another program's.
//!
//! It is found, changed and ended by its socket in /var/run/wireguard alone, so that nothing need be remembered of it,
//! and `wg` and wg-quick can do the same.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::net::if_::if_nametoindex;
use nix::unistd::Pid;

#[cfg(feature = "userspace")]
mod embedded;

#[cfg(not(feature = "userspace"))]
mod embedded {
    //! Stands in for the embedded WireGuard in a wgq without it.

    use std::path::Path;

    use crate::net::{Ifname, Netns};

    /// Refuses.
    pub fn start_embedded(
        _wgq: &Path,
        _ifname: Ifname,
        _netns: Option<&Netns>,
    ) -> anyhow::Result<()> {
        anyhow::bail!(
            "this wgq was built without its userspace WireGuard (the feature `userspace`)"
        )
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it stands in for one that needs it"
    )]
    /// Refuses.
    pub fn serve(ifname: Ifname, netns: Option<Netns>) -> anyhow::Result<()> {
        start_embedded(Path::new(""), ifname, netns.as_ref())
    }
}

pub use embedded::{serve, start_embedded};

use super::netns::{self, Outside};
use super::route_socket::RouteSocket;
use super::run_dir::namespace;
use super::uapi;
use crate::host::remove::remove_if_there;
use crate::net::Ifname;
use crate::state::LinkKind;
use crate::step::Step;

/// How long a process may take to make its device.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a process may take to end when its socket is gone; boringtun looks once a second.
const PATIENCE_WITH_SOCKET: Duration = Duration::from_secs(3);

/// Makes the interface, served by the program in the background, or by this one if none is named.
pub fn start(ifname: Ifname, program: Option<&str>) -> anyhow::Result<()> {
    match program {
        Some(program) => start_program(program, ifname),
        None => start_embedded(Path::new("/proc/self/exe"), ifname, None),
    }
}

/// As [`start`], for a tunnel that lives in another network namespace than that of birth, where its UDP socket is to be.
pub(super) fn start_outside(
    ifname: Ifname,
    program: Option<&str>,
    outside: &mut Outside,
) -> anyhow::Result<()> {
    stop(ifname)?; // one whose namespace has lost its name, and whose link nobody can find any more
    let Some(program) = program else {
        let wgq = Path::new("/proc/self/exe");
        return outside.run(|| start_embedded(wgq, ifname, Some(&outside.netns)));
    };
    refuse_existing(ifname)?;
    outside.run(|| start_program(program, ifname))?;
    let moved = outside.route.move_to_us(ifname);
    moved.map_err(|error| {
        let _ = outside.run(|| stop(ifname));
        let netns = &outside.netns;
        anyhow::Error::new(error).context(format!("ip link set {ifname} netns {netns}"))
    })
}

/// Runs a program that puts itself in the background when its device is there, as wireguard-go does.
fn start_program(program: &str, ifname: Ifname) -> anyhow::Result<()> {
    refuse_existing(ifname)?;
    run_program(program, ifname).inspect_err(|_| {
        let _ = stop(ifname); // it may have come half-way
    })
}

fn run_program(program: &str, ifname: Ifname) -> anyhow::Result<()> {
    let end = Command::new(program)
        .arg(ifname.as_str())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("run {program}"))?;
    ensure!(end.success(), "{program} ended with {end}");
    ensure!(
        wait_until(|| has_link(ifname) && uapi::is_served(ifname), PATIENCE),
        "{program} ended, and made no device {ifname} with a socket in {}",
        uapi::SOCKET_DIR
    );
    Ok(())
}

/// Ends the process that serves the interface, whatever program it is, and with it the interface.
///
/// Done too if there is none, or only one in another network namespace. A process that does not see that its socket is
/// gone loses its link. Its UDP port is free when it has ended, which is a moment after the link is gone.
pub fn stop(ifname: Ifname) -> anyhow::Result<()> {
    let server = uapi::server(ifname);
    if server.is_some_and(is_elsewhere) {
        return Ok(());
    }
    remove_socket(ifname)?;
    if wait_until(|| !has_link(ifname), PATIENCE_WITH_SOCKET) {
        wait_until(
            || !server.is_some_and(is_running_process),
            PATIENCE_WITH_SOCKET,
        );
        return Ok(());
    }
    let kind = LinkKind::Userspace { program: None };
    let delete = Step::DeleteLink { ifname, kind };
    match RouteSocket::open()?.execute(&[delete]).pop() {
        Some(failure) => Err(failure.error.into()),
        None => Ok(()),
    }
}

/// Removes the socket of an interface: its process ends by that, or was killed and has left it.
pub fn remove_socket(ifname: Ifname) -> anyhow::Result<()> {
    let path = uapi::socket_path(ifname);
    remove_if_there(&path).with_context(|| format!("rm {}", path.display()))
}

/// Whether a process serves the interface.
pub fn is_running(ifname: Ifname) -> bool {
    uapi::is_served(ifname)
}

/// Whether a process is in another network namespace.
fn is_elsewhere(process: Pid) -> bool {
    let its = namespace(&process.to_string());
    its.is_some() && its != netns::birth()
}

/// Whether a process has not ended; one that nobody has waited for yet has (`Z`, proc(5)).
fn is_running_process(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| {
        let state = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        !matches!(state, Some('Z' | 'X'))
    })
}

fn refuse_existing(ifname: Ifname) -> anyhow::Result<()> {
    ensure!(!has_link(ifname), "`{ifname}' already exists");
    Ok(())
}

fn has_link(ifname: Ifname) -> bool {
    if_nametoindex(ifname.as_str()).is_ok()
}

/// Looks every few milliseconds whether something is so; returns whether it was in time.
fn wait_until(is_so: impl Fn() -> bool, patience: Duration) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}
