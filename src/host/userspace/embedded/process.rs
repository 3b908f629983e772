//! The background process that serves a device: how it is started, and how it lets go of who started it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};

use crate::host::userspace::PATIENCE;
use crate::net::{Ifname, Netns};

/// What the process writes when the device is there.
const READY: &[u8] = b"ready\n";

/// Runs `wgq userspace IFNAME` in the background, from the given executable, and waits until the device is there.
///
/// The error is what the process said.
pub(super) fn start(wgq: &Path, ifname: Ifname, netns: Option<&Netns>) -> anyhow::Result<()> {
    let mut child = Command::new(wgq)
        .arg0("wgq") // for the list of processes
        .args(["userspace", ifname.as_str()])
        .args(
            netns
                .into_iter()
                .flat_map(|netns| ["--netns", netns.as_str()]),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("run {}", wgq.display()))?;
    if is_ready(&mut child).unwrap_or(false) {
        return Ok(());
    }
    let _ = child.kill(); // it has ended, or hangs
    let end = child.wait_with_output()?;
    let words = String::from_utf8_lossy(&end.stderr);
    match words.trim().trim_start_matches("wgq: ") {
        "" => bail!("not ready after {} s ({})", PATIENCE.as_secs(), end.status),
        words => bail!("{words}"),
    }
}

/// Waits until the process says that it is ready, or ends, or `PATIENCE` is over.
fn is_ready(child: &mut Child) -> io::Result<bool> {
    let Some(mut output) = child.stdout.take() else {
        return Ok(false);
    };
    let deadline = Instant::now() + PATIENCE;
    let mut said = Vec::new();
    while said != READY {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut waited = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
        match poll(
            &mut waited,
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX),
        ) {
            Err(nix::errno::Errno::EINTR) => continue,
            Ok(0) => return Ok(false),
            result => result?,
        };
        let mut some = [0; READY.len()];
        match output.read(&mut some)? {
            0 => return Ok(false),
            length => said.extend_from_slice(some.get(..length).unwrap_or_default()),
        }
    }
    Ok(true)
}

/// Leaves what this process has of the one that started it: the session, the folder, open files.
///
/// An inherited file would be held open as long as the device is there, and with it a lock (`flock FILE wgq up wg0`).
///
/// Until the device is there, it dies with the one who waits for it, so that nothing comes of an `up` that is killed.
/// Nobody waits where stdout is no pipe: whoever started it so, a shell perhaps, may be gone at once.
pub(super) fn detach() -> io::Result<()> {
    if stdout()?.metadata()?.file_type().is_fifo() {
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    }
    let _ = nix::unistd::setsid(); // fails for the first of a group, as a shell starts it by hand; then it stays there
    let _ = nix::sys::prctl::set_name(c"wgq");
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    std::env::set_current_dir("/")?;
    let number = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?.filter_map(number).collect();
    for fd in open.into_iter().filter(|&fd| fd > 2) {
        let _ = nix::unistd::close(fd); // one of them was that folder
    }
    Ok(())
}

/// Says that the device is there, and then no more.
pub(super) fn announce() -> io::Result<()> {
    let mut starter = stdout()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    nix::unistd::dup2_stderr(&null)?;
    nix::sys::prctl::set_pdeathsig(None)?; // before the word: the starter may end as soon as it has it
    starter.write_all(READY) // fails if nobody waits for it any more
}

fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}
