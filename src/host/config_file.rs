//! Finding and reading a config file, by wg-quick's rules for names.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nix::fcntl::OFlag;
use nix::unistd::fchown;

use crate::config::MAX_BYTES;
use crate::host::remove::remove_if_there;
use crate::net::Ifname;

/// The folder of the config files that are named by their interface alone.
pub const CONFIG_DIR: &str = "/etc/wireguard";

/// What a NAME or FILE on the command line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The interface.
    pub ifname: Ifname,
    /// Its file; none is standard input.
    pub path: Option<PathBuf>,
    /// Whether the interface was named and not its file, which is where such files are.
    pub by_name: bool,
    /// Something to tell: another file could have been meant.
    pub hint: Option<String>,
}

impl Target {
    /// Finds out what is meant: `-` is standard input; a text that is an interface's name is a file in /etc/wireguard,
    /// unless it ends in `.conf` and such a file is here; all else is a path.
    pub fn find(config: &Path, name: Option<Ifname>) -> Result<Self> {
        if config == Path::new("-") {
            let ifname = name.context("a config from standard input needs --name")?;
            return Ok(Self {
                ifname,
                path: None,
                by_name: false,
                hint: None,
            });
        }
        if name.is_some() {
            bail!(
                "--name is for a config from standard input: a file's own name is the interface's"
            );
        }
        let text = config
            .to_str()
            .with_context(|| format!("{}: not UTF-8", config.display()))?;
        match text.strip_suffix(".conf").map(str::parse) {
            Some(Ok(ifname)) if !text.contains('/') => Ok(Self::bare_file(text, ifname)),
            _ if text.contains('/') => Self::path(config),
            stem => match (text.parse::<Ifname>(), stem) {
                (Ok(ifname), _) => Ok(Self::named(ifname)),
                (Err(_), Some(Err(why))) => bail!("{text}: {why}"),
                (Err(why), _) => bail!("{why}"),
            },
        }
    }

    /// The file of an interface of that name, there or not.
    pub fn named(ifname: Ifname) -> Self {
        let file = format!("{ifname}.conf");
        let path = Path::new(CONFIG_DIR).join(&file);
        let is_only_here = !path.exists() && Path::new(&file).exists();
        Self {
            ifname,
            path: Some(path),
            by_name: true,
            hint: is_only_here.then(|| format!("the file that is here is ./{file}")),
        }
    }

    /// `wg0.conf` without a folder: the file that is here. (wg-quick: /etc/wireguard/wg0.conf.conf.)
    fn bare_file(text: &str, ifname: Ifname) -> Self {
        let installed = Path::new(CONFIG_DIR).join(text);
        let hint = match (Path::new(text).exists(), installed.exists()) {
            (true, true) => Some(format!(
                "this is ./{text}; `{ifname}` alone is {}",
                installed.display()
            )),
            (false, true) => Some(format!("`{ifname}` alone is {}", installed.display())),
            (_, false) => None,
        };
        Self {
            ifname,
            path: Some(text.into()),
            by_name: false,
            hint,
        }
    }

    /// A path: the interface's name is the file's, less its ending.
    fn path(config: &Path) -> Result<Self> {
        let stem = config
            .file_name()
            .and_then(|name| name.to_str()?.strip_suffix(".conf"));
        let Some(stem) = stem else {
            bail!(
                "{}: the config file must be a valid interface name, followed by .conf",
                config.display()
            );
        };
        let ifname = stem
            .parse()
            .map_err(|why| anyhow!("{}: {why}", config.display()))?;
        Ok(Self {
            ifname,
            path: Some(config.to_owned()),
            by_name: false,
            hint: None,
        })
    }

    /// The file's path from the root, as it was named: links stay, and may lead elsewhere one day.
    pub fn absolute_path(&self) -> Option<PathBuf> {
        std::path::absolute(self.path.as_ref()?).ok()
    }

    /// Whether it was standard input that the interface was made from, of which nothing is left to read.
    pub fn was_input(&self) -> bool {
        self.path.is_none() && self.by_name
    }

    /// Whether the file is there.
    pub fn exists(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.exists())
    }

    /// Whether both are one file, by its name or by what is there, or both none.
    pub fn is_same_file(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (&self.path, &other.path) else {
            return self.path == other.path;
        };
        a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
    }

    /// How the file is called in messages.
    pub fn shown(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "<stdin>".to_owned(), |path| path.display().to_string())
    }

    /// Reads the file, a regular one of bearable size.
    pub fn read(&self) -> Result<Vec<u8>> {
        let read = match &self.path {
            Some(path) => read(path),
            None => read_at_most(&mut io::stdin().lock(), 0),
        };
        read.with_context(|| self.shown())
    }

    /// Writes the file anew, whole or not at all, readable by its owner alone. A link stays, and its target is written.
    pub fn write(&self, text: &str) -> Result<()> {
        let path = self
            .path
            .as_ref()
            .context("standard input cannot be written")?;
        replace(path, text).with_context(|| format!("{}: cannot be written", self.shown()))
    }

    /// Writes a file that is not there yet, whole or not at all, readable by its owner alone. Its folder is made, for root
    /// alone, if it is not there.
    pub fn create(&self, text: &str) -> Result<()> {
        let path = self
            .path
            .as_ref()
            .context("standard input cannot be written")?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| folder.display().to_string())?;
        }
        let draft = path.with_added_extension("wgq-new");
        let created = remove_if_there(&draft)
            .and_then(|()| create(&draft, text.as_bytes(), None))
            .and_then(|()| fs::hard_link(&draft, path)); // unlike a renamed file, it takes no other's place
        let _ = fs::remove_file(&draft); // the first error is the one to tell
        created
            .and_then(|()| sync_folder(path))
            .with_context(|| self.shown())
    }

    /// Writes a text beside the file, under its name with that ending, or with a number more if there is such a file:
    /// none is written over. Returns where it is.
    pub fn back_up(&self, text: &str, ending: &str) -> Result<PathBuf> {
        let file = self.path.as_ref().context("standard input has no place")?;
        let file = file.canonicalize().with_context(|| self.shown())?;
        let owner = file.metadata().with_context(|| self.shown())?;
        let mut number = 1;
        loop {
            let path = match number {
                1 => file.with_added_extension(ending),
                _ => file.with_added_extension(format!("{ending}-{number}")),
            };
            match create(&path, text.as_bytes(), Some(&owner)) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => {
                    return Err(error).with_context(|| path.display().to_string());
                }
            }
        }
    }

    /// Whether others than the owner and the group can get at the file, by wg-quick's rule: the same permission is
    /// given to all others on the file and on its folder.
    pub fn is_world_accessible(&self) -> bool {
        self.path.as_deref().is_some_and(is_world_accessible)
    }
}

/// The interfaces with a file in /etc/wireguard, by name.
pub fn interfaces() -> Vec<Ifname> {
    let files = fs::read_dir(CONFIG_DIR).into_iter().flatten().flatten();
    let ifname = |path: PathBuf| {
        path.file_name()?
            .to_str()?
            .strip_suffix(".conf")?
            .parse()
            .ok()
    };
    let mut found: Vec<Ifname> = files.filter_map(|file| ifname(file.path())).collect();
    found.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    found
}

/// Writes a file that is not there yet, readable by its owner alone.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path, bytes, None)
}

/// As [`Target::is_world_accessible`], for any file.
pub(super) fn is_world_accessible(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    let mode = |path: &Path| path.metadata().map(|found| found.mode());
    let folder = path.parent().map(mode);
    matches!((mode(&path), folder), (Ok(file), Some(Ok(folder))) if file & folder & 0o007 != 0)
}

fn replace(path: &Path, text: &str) -> Result<()> {
    let path = path.canonicalize()?;
    let owner = path.metadata()?;
    Ok(write_over(&path, text, Some(&owner))?)
}

/// Writes a file, in place of what there is or not, whole or not at all, readable by its owner alone.
pub(super) fn put(path: &Path, text: &str) -> io::Result<()> {
    let owner = path.metadata().ok();
    write_over(path, text, owner.as_ref())
}

fn write_over(path: &Path, text: &str, owner: Option<&Metadata>) -> io::Result<()> {
    // always the same, so that one that was killed here leaves no more than one, which the next one takes away
    let draft = path.with_added_extension("wgq-new");
    // nothing that stands under its name already is written through or kept
    let replaced = remove_if_there(&draft)
        .and_then(|()| create(&draft, text.as_bytes(), owner))
        .and_then(|()| fs::rename(&draft, path));
    if let Err(error) = replaced {
        let _ = fs::remove_file(&draft); // the first error is the one to tell
        return Err(error);
    }
    sync_folder(path)
}

/// A new name, too, is to survive a loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    };
    File::open(folder)?.sync_all()
}

/// Writes a file that was not there, for its owner alone.
fn create(path: &Path, bytes: &[u8], owner: Option<&Metadata>) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    if let Some(owner) = owner {
        fchown(&file, Some(owner.uid().into()), Some(owner.gid().into()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a regular file of bearable size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut file = open_regular(path)?;
    let length = file.metadata()?.len();
    read_at_most(&mut file, length)
}

/// Opens a regular file. A FIFO or a device must not make us wait: it is opened without blocking and refused.
pub(super) fn open_regular(path: &Path) -> Result<File> {
    let open = File::options()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path);
    let file = open?;
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    if !found.is_file() {
        bail!("not a regular file");
    }
    Ok(file)
}

/// Reads to the end of what is `expected` to have so many bytes.
fn read_at_most(from: &mut dyn Read, expected: u64) -> Result<Vec<u8>> {
    let most = u64::try_from(MAX_BYTES)? + 1; // one more, to see the end without growing
    let mut text = Vec::with_capacity(usize::try_from((expected + 1).min(most))?);
    from.take(most).read_to_end(&mut text)?;
    if text.len() > MAX_BYTES {
        bail!(
            "larger than {} MiB: this is no config file",
            MAX_BYTES >> 20
        );
    }
    Ok(text)
}
