//! WireGuard without the kernel's: a background process with a TUN device, embedded or another program's.
//!
//! It is found, changed and ended by its socket in /var/run/wireguard alone, so that nothing need be remembered of it,
//! and `wg` and wg-quick can do the same.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::net::if_::if_nametoindex;

#[cfg(feature = "userspace")]
mod embedded;

#[cfg(not(feature = "userspace"))]
mod embedded {
    //! Stands in for the embedded WireGuard in a wgq without it.

    use std::path::Path;

    use crate::net::Ifname;

    /// Refuses.
    pub fn start_embedded(_wgq: &Path, _ifname: Ifname) -> anyhow::Result<()> {
        anyhow::bail!(
            "this wgq was built without its userspace WireGuard (the feature `userspace`)"
        )
    }

    /// Refuses.
    pub fn serve(ifname: Ifname) -> anyhow::Result<()> {
        start_embedded(Path::new(""), ifname)
    }
}

pub use embedded::{serve, start_embedded};

use super::uapi;
use crate::net::Ifname;

/// How long a process may take to make its device, or to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes the interface, served by the program in the background, or by this one if none is named.
pub fn start(ifname: Ifname, program: Option<&str>) -> anyhow::Result<()> {
    ensure!(!has_link(ifname), "`{ifname}' already exists");
    match program {
        Some(program) => start_program(program, ifname),
        None => start_embedded(Path::new("/proc/self/exe"), ifname),
    }
}

/// Runs a program that puts itself in the background when its device is there, as wireguard-go does.
fn start_program(program: &str, ifname: Ifname) -> anyhow::Result<()> {
    let end = Command::new(program)
        .arg(ifname.as_str())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("run {program}"))?;
    ensure!(end.success(), "{program} ended with {end}");
    ensure!(
        wait_until(|| has_link(ifname) && uapi::is_served(ifname)),
        "{program} ended, and made no device {ifname} with a socket in {}",
        uapi::SOCKET_DIR
    );
    Ok(())
}

/// Ends the process that serves the interface, whatever program it is, and with it the interface.
///
/// Done too if there is none.
pub fn stop(ifname: Ifname) -> anyhow::Result<()> {
    let process = UnixStream::connect(uapi::socket_path(ifname)); // the end of which is that of the process
    let path = uapi::socket_path(ifname);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("rm {}", path.display()));
        }
        _ => {}
    }
    if !wait_until(|| !has_link(ifname)) {
        bail!("its process did not end within {} s", PATIENCE.as_secs());
    }
    if let Ok(mut process) = process {
        process.set_read_timeout(Some(PATIENCE))?;
        let _ = process.read(&mut [0]);
    }
    Ok(())
}

/// Whether a process serves the interface.
pub fn is_running(ifname: Ifname) -> bool {
    uapi::is_served(ifname)
}

fn has_link(ifname: Ifname) -> bool {
    if_nametoindex(ifname.as_str()).is_ok()
}

/// Looks every few milliseconds whether something is so; returns whether it was before `PATIENCE` was over.
fn wait_until(is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}
