//! Removing a file that may not be there.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Removes a file; that there is none is fine.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
