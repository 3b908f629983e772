//! What is remembered of a resolv.conf(5) while tunnels have replaced it, in /run/wgq/resolv.conf/.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The name of a record that is being written.
const NEW: &str = "new";

/// All that is remembered; written before what it speaks of is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// What stood there before the first tunnel.
    pub(super) original: Original,
    /// What the tunnels want there, in the order in which they came; the last one has its way.
    pub(super) tunnels: Vec<Tunnel>,
    /// The texts of ours that may stand there: one, or two while one replaces the other.
    pub(super) ours: Vec<String>,
    /// The folders that were made for it, the outer one first.
    #[serde(default)]
    pub(super) folders: Vec<PathBuf>,
}

/// What stood there before the first tunnel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Original {
    /// Nothing.
    Absent,
    /// A file or a link, which has another name meanwhile.
    Renamed,
    /// A file that cannot be replaced, with this content.
    Content(#[serde(with = "latin1")] Vec<u8>),
}

/// A tunnel's wish.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Tunnel {
    /// Its interface.
    pub(super) ifname: String,
    /// The whole text.
    pub(super) text: String,
}

/// The folder of the records, locked for as long as this lives.
#[derive(Debug)]
pub(super) struct Records {
    folder: PathBuf,
    _lock: File,
}

impl Records {
    /// Waits for the lock on the records in `folder`, which is made where it is missing.
    pub(super) fn lock(folder: PathBuf) -> anyhow::Result<Self> {
        let lock = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .and_then(|()| File::open(&folder))
            .and_then(|lock| lock.lock().map(|()| lock))
            .and_then(|lock| remove_if_exists(&folder.join(NEW)).map(|()| lock))
            .with_context(|| folder.display().to_string())?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Whether there is a record of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    /// Returns a record, if there is one.
    pub(super) fn load(&self, name: &str) -> anyhow::Result<Option<Record>> {
        let path = self.folder.join(name);
        match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json)
                .map(Some)
                .with_context(|| path.display().to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// Writes a record, at once; it need not outlive a loss of power, for /run does not.
    pub(super) fn save(&self, name: &str, record: &Record) -> anyhow::Result<()> {
        let json = serde_json::to_vec_pretty(record)?;
        let new = self.folder.join(NEW);
        File::create(&new)
            .and_then(|mut file| file.write_all(&json))
            .and_then(|()| fs::rename(&new, self.folder.join(name)))
            .with_context(|| self.folder.join(name).display().to_string())
    }

    /// Deletes a record.
    pub(super) fn delete(&self, name: &str) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        remove_if_exists(&path).with_context(|| path.display().to_string())
    }
}

/// Returns what stood in files that could not be renamed, by all records in `folder`. It takes no lock: each is whole.
pub(super) fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let records = entries.filter_map(|entry| {
        let json = fs::read(entry.path()).ok()?;
        serde_json::from_slice::<Record>(&json).ok()
    });
    records
        .filter_map(|record| match record.original {
            Original::Content(text) => Some(text),
            Original::Absent | Original::Renamed => None,
        })
        .collect()
}

/// Removes a file; that it is not there is fine, on a read-only file system too.
pub(super) fn remove_if_exists(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if path.symlink_metadata().is_ok() => Err(error),
        _ => Ok(()),
    }
}

/// Bytes as a string of as many characters, so that the record of a text is readable and that of anything else exact.
mod latin1 {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(
            &bytes
                .iter()
                .map(|&byte| char::from(byte))
                .collect::<String>(),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from)?
            .chars()
            .map(|c| u8::try_from(c).map_err(D::Error::custom))
            .collect()
    }
}
