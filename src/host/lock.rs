//! One wgq at a time works on an interface.

use std::fs::{File, OpenOptions, TryLockError};

use anyhow::{Context, Result, bail};

use super::record::run_dir;
use crate::net::Ifname;

/// The right to work on an interface; given back when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of an interface, or says that another wgq holds it.
    pub fn take(ifname: Ifname) -> Result<Self> {
        let path = run_dir()?.join(format!("{ifname}.lock"));
        let open = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = open.with_context(|| path.display().to_string())?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                bail!("{ifname}: another wgq is working on this interface")
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| path.display().to_string())
            }
        }
    }
}
