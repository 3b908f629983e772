//! Running another program to its end: no shell, a bounded time, its complaints kept.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a program may take: a resolvconf that finds its lock held waits for 10 s, a D-Bus call for 25 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a program did not do what it was asked; prints its own words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It could not be started, or not be waited for.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It ended badly.
    #[error("{said}{separator}{status}", separator = if said.is_empty() { "" } else { ": " })]
    Exit {
        /// What it wrote to stderr, without the final newline.
        said: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It did not end in time, and was killed.
    #[error("no end after {} seconds", PATIENCE.as_secs())]
    Timeout,
}

/// Runs `program` with `args` and `input` as its standard input, and waits for its end.
///
/// It is the leader of a process group of its own, so that a Ctrl-C at the terminal is for us to answer.
pub(crate) fn run(program: &Path, args: &[&str], input: &str) -> Result<(), Failure> {
    run_to(program, args, input, Stdio::null())
}

/// Runs `program` with `args`, waits for its end, and returns what it wrote to its standard output.
pub(crate) fn read(program: &Path, args: &[&str]) -> Result<String, Failure> {
    let mut stdout = memory_file()?;
    run_to(program, args, "", stdout.try_clone()?.into())?;
    let mut said = Vec::new();
    stdout.rewind()?;
    stdout.read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn run_to(program: &Path, args: &[&str], input: &str, stdout: Stdio) -> Result<(), Failure> {
    // files rather than pipes: none fills up, and a daemon that the program leaves behind holds nobody up
    let mut stdin = memory_file()?;
    stdin.write_all(input.as_bytes())?;
    stdin.rewind()?;
    let mut stderr = memory_file()?;
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr.try_clone()?)
        .process_group(0)
        .spawn()?;
    let status = wait(&mut child)?;
    if status.success() {
        return Ok(());
    }
    let mut said = Vec::new();
    stderr.rewind()?;
    stderr.read_to_end(&mut said)?;
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Err(Failure::Exit { said, status })
}

/// Returns an empty file that has no name and lives in memory.
fn memory_file() -> std::io::Result<File> {
    Ok(memfd_create(c"wgq", MFdFlags::MFD_CLOEXEC)?.into())
}

/// Waits for the child's end, and kills it and its group when that takes too long.
fn wait(child: &mut Child) -> Result<ExitStatus, Failure> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > PATIENCE {
            if let Ok(id) = i32::try_from(child.id()) {
                let _ = killpg(Pid::from_raw(id), Signal::SIGKILL); // it may just have ended
            }
            child.wait()?;
            return Err(Failure::Timeout);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs a program whose name and first argument say in an error what was asked of it.
pub(crate) fn run_named(program: &Path, args: &[&str], input: &str) -> anyhow::Result<()> {
    run(program, args, input).with_context(|| {
        let name = program.file_name().unwrap_or(program.as_os_str());
        let verb = args.first().copied().unwrap_or_default();
        format!("{} {verb}", name.to_string_lossy())
    })
}
