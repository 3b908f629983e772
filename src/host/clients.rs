//! The configs of clients, kept beside the file of the interface that they connect to: clients/IFNAME/NAME.conf.

use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use super::config_file::{self, Target, put};
use super::remove::remove_if_there;
use crate::client::file_name;

/// Where the configs of removed clients go.
const REMOVED: &str = "removed";

/// The folder of one interface's clients. It and its files are for root alone.
#[derive(Debug)]
pub struct Clients {
    folder: PathBuf,
}

impl Clients {
    /// The clients of the interface with that file.
    pub fn of(target: &Target) -> Result<Self> {
        let file = target
            .path
            .as_ref()
            .context("standard input has no clients")?;
        let file = file.canonicalize().with_context(|| target.shown())?;
        let beside = file.parent().context("no folder")?;
        let folder = beside.join("clients").join(target.ifname.as_str());
        Ok(Self { folder })
    }

    /// Where the config of a client is, whether it is there or not.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(file_name(name))
    }

    /// Where the config of a client is; none if it is not kept.
    pub fn kept(&self, name: &str) -> Option<PathBuf> {
        Some(self.path(name)).filter(|path| path.exists())
    }

    /// Reads the config of a client; none if it is not kept.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>> {
        let path = self.path(name);
        match config_file::read(&path) {
            Err(error) if is_absent(&error) => Ok(None),
            read => {
                let text = read.and_then(|bytes| Ok(String::from_utf8(bytes)?));
                Ok(Some(
                    text.with_context(|| path.display().to_string())?.into(),
                ))
            }
        }
    }

    /// Keeps the config of a client, in place of what there is, whole or not at all. Returns where.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        make(&self.folder)?;
        let path = self.path(name);
        put(&path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(path)
    }

    /// Puts back what was kept of a client, which may be nothing.
    pub fn restore(&self, name: &str, before: Option<&str>) -> Result<()> {
        match before {
            Some(text) => self.write(name, text).map(drop),
            None => self.remove(name),
        }
    }

    /// Takes the config of a client away; that there is none is fine.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        remove_if_there(&path).with_context(|| path.display().to_string())
    }

    /// Keeps what is left of a client that was removed, beside what is left of others. Returns where.
    pub fn put_away(&self, name: &str, text: &str) -> Result<PathBuf> {
        let folder = self.folder.join(REMOVED);
        make(&folder)?;
        let mut path = folder.join(file_name(name));
        let mut number = 1;
        while path.exists() {
            number += 1;
            path = folder.join(file_name(&format!("{name} ({number})")));
        }
        put(&path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(path)
    }

    /// Takes back what was put away.
    pub fn take_back(&self, path: &Path) -> Result<()> {
        remove_if_there(path).with_context(|| path.display().to_string())
    }
}

fn make(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder);
    made.with_context(|| folder.display().to_string())
}

fn is_absent(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::NotFound)
}
