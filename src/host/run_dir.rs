//! The folder of records and locks. Network namespaces share /run, and each has its own tunnels.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::netns;

/// The folder for the tunnels of the host's own network namespace; those of others have a folder in it, `netns-` with the
/// number that lsns(8) shows.
pub const RUN_DIR: &str = "/run/wgq";

/// Returns the folder for the tunnels of the network namespace of birth.
pub fn run_dir() -> PathBuf {
    let base = Path::new(RUN_DIR);
    match netns::birth() {
        Some(own) if namespace("1") != Some(own) => base.join(format!("netns-{own}")),
        _ => base.to_owned(),
    }
}

/// Makes the folder if it is not there, and returns it.
pub fn make_run_dir() -> Result<PathBuf> {
    let folder = run_dir();
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// Removes the folder of a network namespace that has nothing in it.
pub fn remove_if_unused(folder: &Path) {
    if folder != Path::new(RUN_DIR) {
        let _ = fs::remove_dir(folder); // it stays while there is something in it
    }
}

/// The network namespace of a process, by the number of its inode (namespaces(7)).
pub fn namespace(process: &str) -> Option<u64> {
    let found = fs::metadata(format!("/proc/{process}/ns/net"));
    Some(found.ok()?.ino())
}
