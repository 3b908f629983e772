//! Waiting for somebody to confirm a change that may have cut them off.
//!
//! The wait is a process of its own session, so that it outlives the terminal. It listens on a socket that is there as long
//! as it waits.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail};

use super::run_dir::{make_run_dir, run_dir};
use crate::host::remove::remove_if_there;
use crate::net::Ifname;

/// How often it is looked whether somebody has confirmed, or asks to stop.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long the process that waits may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

const ANSWER: &[u8] = b"confirmed\n";

/// How a wait has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody has confirmed.
    Confirmed,
    /// The time is over.
    Late,
    /// The named signal came.
    Interrupted(&'static str),
}

/// A change of an interface that waits to be confirmed.
#[derive(Debug)]
pub struct Pending {
    socket: UnixListener,
    path: PathBuf,
}

impl Pending {
    /// Opens the socket on which [`confirm`] is heard, before anything is changed.
    pub fn open(ifname: Ifname) -> Result<Self> {
        make_run_dir()?;
        let path = path(ifname);
        let opened = || -> io::Result<UnixListener> {
            remove_if_there(&path)?; // what a wait has left that was killed
            let socket = UnixListener::bind(&path)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let socket = opened().with_context(|| path.display().to_string())?;
        Ok(Self { socket, path })
    }

    /// Waits until somebody confirms, for that long at most; `interrupted` tells of a signal.
    pub fn wait(
        self,
        patience: Duration,
        interrupted: impl Fn() -> Option<&'static str>,
    ) -> Outcome {
        let start = Instant::now();
        loop {
            if let Ok((mut peer, _)) = self.socket.accept() {
                let _ = peer.write_all(ANSWER); // whether or not it is still there to hear that
                return Outcome::Confirmed;
            }
            if let Some(signal) = interrupted() {
                return Outcome::Interrupted(signal);
            }
            if start.elapsed() >= patience {
                return Outcome::Late;
            }
            thread::sleep(INTERVAL);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let _ = remove_if_there(&self.path);
    }
}

/// Confirms the change that waits for it; that there is none is an error.
pub fn confirm(ifname: Ifname) -> Result<()> {
    let mut socket = match UnixStream::connect(path(ifname)) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            bail!("{ifname}: nothing waits to be confirmed")
        }
        socket => socket.with_context(|| path(ifname).display().to_string())?,
    };
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    if read.is_err() || answer != ANSWER {
        bail!("{ifname}: came too late, what was applied is rolled back");
    }
    Ok(())
}

/// Runs this very command again in a process that outlives the terminal, with one more argument. Returns its exit code,
/// if this process lives to see it.
pub fn run_detached(argument: &str) -> Result<i32> {
    let mut command = Command::new("/proc/self/exe");
    command.args(env::args_os().skip(1)).arg(argument);
    let ended = command.stdin(Stdio::null()).status();
    let ended = ended.context("start a process in the background")?;
    Ok(ended.code().unwrap_or(1))
}

/// Leaves the session of the terminal, so that its end is none of this process's.
pub fn detach() {
    let _ = nix::unistd::setsid(); // it fails for the first of a group, which no child is
}

fn path(ifname: Ifname) -> PathBuf {
    run_dir().join(format!("{ifname}.confirm"))
}
