//! One wgq at a time works on an interface.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::record::run_dir;
use crate::net::Ifname;

/// How long a lock is waited for: one that was killed may have a child that holds it until it runs its own program.
const PATIENCE: Duration = Duration::from_millis(500);

/// The right to work on an interface; given back when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock of an interface, or says that another wgq holds it.
    pub fn take(ifname: Ifname) -> Result<Self> {
        let path = run_dir()?.join(format!("{ifname}.lock"));
        let start = Instant::now();
        loop {
            let mut options = OpenOptions::new();
            let open = options.write(true).create(true).truncate(false).open(&path);
            let file = open.with_context(|| path.display().to_string())?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, _file: file }),
                Ok(()) => {} // its owner took the file away between our opening and our locking it
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    bail!("{ifname}: another wgq is working on this interface")
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| path.display().to_string());
                }
            }
        }
    }
}

impl Drop for Lock {
    /// The file goes while the lock is still held, so that none is left and nobody's is taken away.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the open file is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    let inode = |found: &fs::Metadata| (found.dev(), found.ino());
    matches!((&file.metadata(), &path.metadata()), (Ok(open), Ok(there)) if inode(open) == inode(there))
}
