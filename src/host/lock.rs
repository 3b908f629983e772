//! One wgq at a time works on an interface, and one at a time on what all interfaces share.
//!
//! Whoever needs both locks takes the interface's first, and the shared one never while a hook runs: hooks may call wgq.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::Host;
use super::run_dir::{make_run_dir, remove_if_unused, run_dir};
use crate::apply::{Executor as _, Stop};
use crate::net::Ifname;
use crate::report::Report;

/// How long an interface's lock is waited for: one that was killed may have a child that holds it until it runs its own
/// program. The shared one is waited for that long in silence.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long the shared lock is waited for when the host is to be put back as it was, which is not to be given up.
const PATIENCE_TO_UNDO: Duration = Duration::from_secs(30);

/// How long others who change the same file are waited for.
const PATIENCE_IN_TURN: Duration = Duration::from_secs(20);

/// The file of the shared lock; no interface has a name that makes this of it.
const SHARED: &str = ".lock";

/// How often it is looked whether a lock is free.
const INTERVAL: Duration = Duration::from_millis(10);

/// The right to work on an interface, or on what all share; given back when dropped, or when the process ends in
/// whatever way.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock of an interface, or says that another wgq holds it.
    pub fn take(ifname: Ifname) -> Result<Self> {
        Self::take_or_share(ifname)?.with_context(|| is_hook(ifname))
    }

    /// As [`Lock::take`]; but another wgq is waited for, as whoever changes a file is done with it soon.
    pub fn take_in_turn(ifname: Ifname, report: Report) -> Result<Self> {
        let lock = Self::wait(ifname, PATIENCE).or_else(|_| {
            report.note(format_args!(
                "{ifname}: waiting for another wgq that works on it"
            ));
            Self::wait(ifname, PATIENCE_IN_TURN)
        });
        lock?.with_context(|| is_hook(ifname))
    }

    /// As [`Lock::take`]; but a hook of the wgq that holds the lock, which waits for its end, does without: none.
    pub fn take_or_share(ifname: Ifname) -> Result<Option<Self>> {
        Self::wait(ifname, PATIENCE)
    }

    fn wait(ifname: Ifname, patience: Duration) -> Result<Option<Self>> {
        let path = run_dir().join(format!("{ifname}.lock"));
        let start = Instant::now();
        loop {
            if let Some(lock) = Self::try_take(&path)? {
                return Ok(Some(lock));
            }
            if holder(&path).is_some_and(|holder| ancestors().any(|pid| pid == holder)) {
                return Ok(None);
            }
            if start.elapsed() >= patience {
                bail!("{ifname}: another wgq is working on this interface");
            }
            thread::sleep(INTERVAL);
        }
    }

    /// Takes the lock of that file, unless another holds it.
    fn try_take(path: &Path) -> Result<Option<Self>> {
        loop {
            let mut options = File::options();
            let options = options.write(true).create(true).truncate(false);
            // whoever could open it could hold it
            let mut file = match options.mode(0o600).open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    make_run_dir()?; // or its last user took it away just now
                    continue;
                }
                open => open.with_context(|| path.display().to_string())?,
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    // over the number of one that was killed; where nothing can be written it is for hooks alone
                    let holder = format!("{:>10}\n", std::process::id());
                    let _ = file.write_all(holder.as_bytes());
                    let path = path.to_owned();
                    return Ok(Some(Self { path, _file: file }));
                }
                Ok(()) => {} // its owner took the file away between our opening and our locking it
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| path.display().to_string());
                }
            }
        }
    }
}

fn is_hook(ifname: Ifname) -> String {
    format!(
        "{ifname}: this is a hook of the wgq that is bringing this interface up or down, which it cannot do itself"
    )
}

impl Drop for Lock {
    /// The file goes while the lock is still held, so that none is left and nobody's is taken away.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        self.path.parent().into_iter().for_each(remove_if_unused);
    }
}

impl Host {
    /// Takes the right to decide by what tunnels share and to change it: kernel variables, routing tables, the
    /// priorities of rules. It is waited for until a signal comes, and not in silence.
    pub fn lock(&self) -> Result<Lock, Stop> {
        self.wait_for_lock(|_| match self.interrupted() {
            Some(signal) => Err(Stop::Interrupted(signal)),
            None => Ok(()),
        })
    }

    /// As [`Host::lock`], in order to undo: a signal ends no waiting, and it is done without the lock rather than not at all.
    pub fn lock_to_undo(&self) -> Option<Lock> {
        let lock = self.wait_for_lock(|waited| {
            if waited < PATIENCE_TO_UNDO {
                return Ok(());
            }
            Err(Stop::Lost(anyhow!("another wgq does not come to an end")))
        });
        match lock {
            Ok(lock) => return Some(lock),
            Err(Stop::Lost(error)) => self
                .report
                .warning(format_args!("{error:#}; undoing all the same")),
            Err(Stop::Interrupted(_) | Stop::Failed(_)) => {}
        }
        None
    }

    /// Asks before every look whether to go on, by the time that has passed.
    fn wait_for_lock(&self, go_on: impl Fn(Duration) -> Result<(), Stop>) -> Result<Lock, Stop> {
        let path = run_dir().join(SHARED);
        let start = Instant::now();
        let mut said = false;
        loop {
            if let Some(lock) = Lock::try_take(&path).map_err(Stop::Lost)? {
                return Ok(lock);
            }
            let waited = start.elapsed();
            go_on(waited)?;
            if waited >= PATIENCE && !said {
                self.report.note("waiting for another wgq to finish");
                said = true;
            }
            thread::sleep(INTERVAL);
        }
    }
}

/// Returns the process that holds the lock of that file, by its own word.
fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Returns the processes that this one is a descendant of, as far as can be seen. One whose parent has ended is none of
/// the parent's ancestors': what a hook leaves in the background is no hook any more.
fn ancestors() -> impl Iterator<Item = u32> {
    let parent = |process: &str| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let mut lines = status.lines();
        let parent = lines.find_map(|line| line.strip_prefix("PPid:"))?;
        parent.trim().parse().ok()
    };
    std::iter::successors(parent("self"), move |pid| parent(&pid.to_string()))
}

/// Whether the open file is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    let inode = |found: &fs::Metadata| (found.dev(), found.ino());
    matches!((&file.metadata(), &path.metadata()), (Ok(open), Ok(there)) if inode(open) == inode(there))
}
