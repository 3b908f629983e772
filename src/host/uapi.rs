//! The client of a userspace WireGuard: reads and changes a device by its socket in /var/run/wireguard, as `wg` does.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::Pid;
use zeroize::Zeroizing;

mod message;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use message::{Set, SetPeer, Sign};

use super::moved::gained;
use crate::apply::Failure;
use crate::net::Ifname;
use crate::status::DeviceStatus;
use crate::step::Step;

/// Where `wg` looks for the sockets of devices.
pub const SOCKET_DIR: &str = "/var/run/wireguard";

/// How long an answer may take; setting 20,000 peers takes the slowest implementation some seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// Returns where the device's socket is.
pub fn socket_path(ifname: Ifname) -> PathBuf {
    PathBuf::from(format!("{SOCKET_DIR}/{ifname}.sock"))
}

/// Returns the devices that a process serves, in the order of the folder, but for names that no config file can have.
pub fn served() -> Vec<Ifname> {
    let entries = std::fs::read_dir(SOCKET_DIR)
        .into_iter()
        .flatten()
        .flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".sock")?.parse().ok()
    });
    names.filter(|name| is_served(*name)).collect()
}

/// Whether a process serves the device.
pub fn is_served(ifname: Ifname) -> bool {
    UnixStream::connect(socket_path(ifname)).is_ok()
}

/// Returns the process that serves the device; none if there is none, or none that can be seen from here.
pub fn server(ifname: Ifname) -> Option<Pid> {
    let socket = UnixStream::connect(socket_path(ifname)).ok()?;
    let credentials = getsockopt(&socket, sockopt::PeerCredentials).ok()?;
    // in a process namespace without a /proc of its own, that number is another process's there
    let own = std::fs::read_link("/proc/self").ok()?;
    let is_seen =
        credentials.pid() > 0 && own.as_os_str() == std::process::id().to_string().as_str();
    is_seen.then(|| Pid::from_raw(credentials.pid()))
}

/// Returns the device and how it fares; none if no process serves it.
pub fn status(ifname: Ifname) -> io::Result<Option<DeviceStatus>> {
    match exchange(ifname, "get=1\n\n") {
        Ok(answer) => Ok(Some(answer.parse().map_err(malformed)?)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Changes the device. An error is the device's own errno; it may have changed in part then.
pub fn set(ifname: Ifname, set: &Set) -> io::Result<()> {
    exchange(ifname, &Zeroizing::new(set.to_string())).map(drop)
}

/// Executes steps of devices and peers in one exchange. Which of them was refused is not told: the first stands for all.
pub fn execute(steps: &[Step]) -> Vec<Failure> {
    let gained = gained(steps);
    let mut change = Set::default();
    let mut device = None;
    for step in steps {
        if let Step::SetDevice { ifname, from, to } = step {
            device = Some(*ifname);
            change.change_settings(from, to);
        } else if let Step::SetPeer { ifname, from, to } = step {
            device = Some(*ifname);
            change.change_peer(from.as_ref(), to.as_ref(), &gained);
        }
    }
    let done = device.map_or(Ok(()), |ifname| set(ifname, &change));
    let failure = |error: io::Error| Failure {
        index: 0,
        error: error.into(),
        uncertain: true, // what came before the refused is done
    };
    done.err().map(failure).into_iter().collect()
}

/// Sends a request; returns what was answered before the closing `errno=0`.
fn exchange(ifname: Ifname, request: &str) -> io::Result<Zeroizing<String>> {
    let mut socket = UnixStream::connect(socket_path(ifname))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.write_all(request.as_bytes())?;
    let mut answer = Zeroizing::new(String::new());
    let mut reader = BufReader::new(socket);
    loop {
        let start = answer.len();
        if reader.read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let errno = answer
            .get(start..)
            .and_then(|line| line.strip_prefix("errno="));
        if let Some(errno) = errno {
            let errno: i32 = errno.trim_end().parse().map_err(malformed)?;
            answer.truncate(start);
            return match errno {
                0 => Ok(answer),
                _ => Err(io::Error::from_raw_os_error(errno.saturating_abs())), // negative in most
            };
        }
    }
}

/// Whether the error says that nobody serves the device: no socket, or one whose process is dead or dies just now.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
