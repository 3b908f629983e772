//! How a resolv.conf(5) is read, replaced and put back.
//!
//! It is replaced as a whole: the file or link that stood there gets a second name beside it, and a new file is renamed
//! over the first one. Putting back is renaming again, so that owner, mode, times and attributes are those of before.
//! Where that cannot be, the file is written in place: a container's or a network namespace's resolv.conf is a mount,
//! which nothing can be renamed over, and a read-only /etc may hold a link to a file that is writable.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};

use super::record::{Original, Records, remove_if_exists};
use crate::net::Netns;

/// What is written at the top, after which the interface's name follows.
pub(super) const HEADER: &str = "# written by wgq for ";

/// A resolv.conf(5) and how to write it.
#[derive(Debug)]
pub(super) struct Place {
    /// Its path.
    pub(super) path: PathBuf,
    /// The name of its record, unless it is written in place.
    name: String,
    /// The file it leads to, if it has to be written in place.
    fixed: Option<Metadata>,
}

impl Place {
    /// Finds out how the file at `path` can be written; one that was written in place before still is.
    pub(super) fn find(
        path: PathBuf,
        netns: Option<&Netns>,
        mountinfo: &Path,
        records: &Records,
    ) -> Self {
        let target = path.canonicalize().ok();
        let target = target.and_then(|target| Some((target.metadata().ok()?, target)));
        let in_place = target.filter(|(metadata, target)| {
            is_mount_point(target, mountinfo)
                || is_read_only(&path)
                || records.has(&in_place_name(metadata))
        });
        Self {
            path,
            name: netns.map_or_else(
                || "replaced.json".to_owned(),
                |netns| format!("netns-{netns}.json"),
            ),
            fixed: in_place.map(|(metadata, _)| metadata),
        }
    }

    /// Returns the name of its record. Each file that is written in place has its own, for the /etc/resolv.conf of a mount
    /// namespace is another one, and /run is shared.
    pub(super) fn record_name(&self) -> String {
        match &self.fixed {
            Some(metadata) => in_place_name(metadata),
            None => self.name.clone(),
        }
    }

    /// Whether a file stands there that holds one of these texts, be it with newlines after it: see [`write_in_place`].
    pub(super) fn holds(&self, texts: &[impl AsRef<[u8]>]) -> io::Result<bool> {
        if self.fixed.is_none() && self.path.is_symlink() {
            return Ok(false);
        }
        let content = match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            read => read?,
        };
        let is_this = |text: &[u8]| {
            let rest = content.strip_prefix(text);
            rest.is_some_and(|rest| rest.iter().all(|&byte| byte == b'\n'))
        };
        Ok(texts.iter().any(|text| is_this(text.as_ref())))
    }

    /// Whether something stands there, be it a link to nothing.
    pub(super) fn exists(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Whether what stood there has its second name.
    pub(super) fn has_second_name(&self) -> bool {
        self.second_name().symlink_metadata().is_ok()
    }

    /// Whether what stands there is what stood there before.
    pub(super) fn is_original(&self, original: &Original) -> io::Result<bool> {
        Ok(match original {
            Original::Absent => !self.exists(),
            Original::Content(content) => self.holds(&[content])?,
            Original::Renamed => {
                let id = |path: &Path| path.symlink_metadata().map(|meta| (meta.dev(), meta.ino()));
                matches!((id(&self.path), id(&self.second_name())), (Ok(a), Ok(b)) if a == b)
            }
        })
    }

    /// Keeps what stands there, instead of what was kept before.
    pub(super) fn keep(&self) -> io::Result<Original> {
        if self.fixed.is_some() {
            return Ok(Original::Content(fs::read(&self.path)?));
        }
        let new = self.new_name();
        remove_if_exists(&new)?;
        match fs::hard_link(&self.path, &new) {
            Ok(()) => fs::rename(&new, self.second_name()).map(|()| Original::Renamed),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Original::Absent),
            Err(error) => Err(error),
        }
    }

    /// Lets our text stand there.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        if self.fixed.is_some() {
            return write_in_place(&self.path, text.as_bytes());
        }
        let new = self.new_name();
        remove_if_exists(&new)?;
        let mut file = File::create_new(&new)?;
        file.write_all(text.as_bytes())?;
        match self.second_name().symlink_metadata() {
            Ok(before) if before.is_file() => {
                std::os::unix::fs::fchown(&file, Some(before.uid()), Some(before.gid()))?;
                file.set_permissions(before.permissions())?;
            }
            _ => file.set_permissions(Permissions::from_mode(0o644))?,
        }
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }

    /// Puts back what stood there before.
    pub(super) fn restore(&self, original: &Original) -> io::Result<()> {
        match original {
            Original::Absent => remove_if_exists(&self.path),
            Original::Renamed => fs::rename(self.second_name(), &self.path),
            Original::Content(content) => write_in_place(&self.path, content),
        }
    }

    /// Whether a text of ours stands there, be it another tunnel's.
    pub(super) fn is_ours(&self) -> bool {
        fs::read(&self.path).is_ok_and(|text| text.starts_with(HEADER.as_bytes()))
    }

    /// Puts back what stood there when nothing is remembered of it: after a loss of power /run is empty, but /etc is not.
    pub(super) fn recover(&self) -> io::Result<()> {
        if self.fixed.is_none() && self.has_second_name() && (!self.exists() || self.is_ours()) {
            self.restore(&Original::Renamed)?;
        }
        self.clean()
    }

    /// Removes our other files there; those beside a file that is written in place are another one's.
    ///
    /// After [`Self::restore`] too: rename(2) does nothing where both names are of one file.
    pub(super) fn clean(&self) -> io::Result<()> {
        if self.fixed.is_some() {
            return Ok(());
        }
        remove_if_exists(&self.new_name())?;
        remove_if_exists(&self.second_name())
    }

    /// The second name of what stood there.
    fn second_name(&self) -> PathBuf {
        second_name(&self.path)
    }

    /// The name of what is to stand there.
    fn new_name(&self) -> PathBuf {
        self.path.with_added_extension("wgq-new")
    }
}

/// The second name of what stood at `path`.
pub(super) fn second_name(path: &Path) -> PathBuf {
    path.with_added_extension("before-wgq")
}

/// Writes one text over another in one call, with newlines up to the length of that, and then cuts those off: at no moment is
/// there something of both.
fn write_in_place(path: &Path, text: &[u8]) -> io::Result<()> {
    let before = fs::read(path)?;
    if before == text {
        return Ok(()); // it may be on a read-only file system
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut padded = text.to_vec();
    padded.resize(before.len().max(text.len()), b'\n');
    file.write_all(&padded)?;
    file.set_len(text.len().try_into().map_err(io::Error::other)?)?;
    file.sync_all()
}

fn in_place_name(file: &Metadata) -> String {
    format!("in-place-{}-{}.json", file.dev(), file.ino())
}

/// Whether something is mounted on the file; no if that cannot be seen.
fn is_mount_point(file: &Path, mountinfo: &Path) -> bool {
    let mounts = fs::read_to_string(mountinfo).unwrap_or_default();
    // proc_pid_mountinfo(5): the fifth field
    mounts
        .lines()
        .any(|line| line.split(' ').nth(4).map(Path::new) == Some(file))
}

/// Whether the folder of the file is on a file system that is mounted read-only.
fn is_read_only(file: &Path) -> bool {
    file.parent()
        .and_then(|folder| statvfs(folder).ok())
        .is_some_and(|fs| fs.flags().contains(FsFlags::ST_RDONLY))
}
