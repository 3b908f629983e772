//! What the kernel cannot say about a tunnel, kept in IFNAME.json in /run/wgq from before its first step until after its last.
//!
//! It is written before anything is changed, so that `down` can undo an `up` that was killed at any moment: what is
//! recorded and was not done yet is not found on the host, and is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::netns::{self, NetnsId};
use super::remove::remove_if_there;
use super::run_dir::{make_run_dir, run_dir};
use crate::config::Hooks;
use crate::foreign::Passage;
use crate::kept::Memory;
use crate::net::{Ifname, Netns};
use crate::state::{Dns, LinkKind, PolicyRule, Sysctl};

/// What is remembered of one tunnel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The file that the tunnel was made from; none for standard input.
    pub config: Option<PathBuf>,
    /// The network namespace it lives in, if that is not the one of birth.
    #[serde(default)]
    pub netns: Option<Place>,
    /// Whether `up` came so far that all of the file is on the device.
    pub complete: bool,
    /// Who drives the link.
    pub kind: LinkKind,
    /// The policy rules, for when the link and its routes are gone.
    pub rules: BTreeSet<PolicyRule>,
    /// The kernel variables that the tunnel needs.
    pub sysctls: BTreeMap<Sysctl, Needed>,
    /// What the resolver was told.
    pub dns: Option<Dns>,
    /// The hooks, for when the file is gone.
    pub hooks: Hooks,
    /// What the device does not tell of the tunnel.
    #[serde(default)]
    pub memory: Memory,
    /// The link's number, once it is wholly up: one that was made anew has another.
    #[serde(default)]
    pub index: Option<u32>,
}

/// The network namespace that a tunnel lives in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its name.
    pub netns: Netns,
    /// Which one it is, if it was made by us. All tunnels in it have that, so that it goes with the last one.
    pub made: Option<NetnsId>,
}

/// A kernel variable that a tunnel needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// The value it needs.
    pub value: String,
    /// The value to put back when nobody needs it any more; none if it was right before. All tunnels that need the
    /// variable have it, so that whichever is the last can put it back.
    pub before: Option<String>,
    /// What others had to do with forwarding when the value was changed; later, more of it says that they need it too.
    #[serde(default)]
    pub passage: Passage,
}

impl Record {
    /// Reads the record of a tunnel; none if there is none.
    pub fn read(ifname: Ifname) -> Result<Option<Self>> {
        let path = path(&run_dir(), ifname);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let record = serde_json::from_slice(&text);
        record.map(Some).with_context(|| {
            format!(
                "{}: this record is damaged; `wgq down {ifname}` does without it",
                path.display()
            )
        })
    }

    /// Writes the record of a tunnel, whole or not at all.
    pub fn write(&self, ifname: Ifname) -> Result<()> {
        let written = self.replace(ifname);
        if written.is_err() {
            let _ = fs::remove_file(draft(&run_dir(), ifname));
        }
        written
            .with_context(|| format!("{}: cannot be written", path(&run_dir(), ifname).display()))
    }

    fn replace(&self, ifname: Ifname) -> Result<()> {
        let folder = make_run_dir()?;
        let draft = draft(&folder, ifname);
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(true).mode(0o600); // hooks may hold keys
        let mut file = options.open(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(draft, path(&folder, ifname))?;
        Ok(())
    }

    /// Deletes the record of a tunnel, a half-written one too; one that is not there is fine.
    pub fn delete(ifname: Ifname) -> Result<()> {
        let folder = run_dir();
        for path in [draft(&folder, ifname), path(&folder, ifname)] {
            remove_if_there(&path).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    /// The network namespace it lives in, if that is not the one of birth.
    pub fn netns(&self) -> Option<&Netns> {
        self.netns.as_ref().map(|place| &place.netns)
    }

    /// Whether it is what `before` was, but for the link's number, which is known only at the end.
    pub fn is_follow_up(&self, before: &Self) -> bool {
        let at_the_end = Self {
            index: before.index,
            ..self.clone()
        };
        at_the_end == *before
    }

    /// Reads the records of all other tunnels in the network namespace that is worked in, damaged ones left out.
    pub fn others(ifname: Ifname) -> Vec<(Ifname, Self)> {
        let mut records = Self::all();
        records.retain(|(name, _)| *name != ifname);
        records
    }

    /// Reads the records of all tunnels in the network namespace that is worked in, damaged ones left out.
    pub fn all() -> Vec<(Ifname, Self)> {
        let mut records = Self::everywhere();
        records.retain(|(_, record)| record.netns() == netns::entered());
        records
    }

    /// Reads the records of all tunnels that were brought up from the network namespace of birth, wherever they live; damaged
    /// ones are left out.
    pub fn everywhere() -> Vec<(Ifname, Self)> {
        let entries = fs::read_dir(run_dir()).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".json")?.parse::<Ifname>().ok()
        });
        names
            .filter_map(|name| Some((name, Self::read(name).ok()??)))
            .collect()
    }
}

impl Record {
    /// Returns what a tunnel has recorded that changed a kernel variable, if there is one: how it was before all of them.
    pub fn changed(sysctl: &Sysctl) -> Option<Needed> {
        let mut records = Self::all().into_iter();
        records.find_map(|(_, mut record)| {
            let needed = record.sysctls.remove(sysctl)?;
            needed.before.is_some().then_some(needed)
        })
    }

    /// Returns what was counted when the variables of forwarding were changed.
    pub fn passages(&mut self) -> impl Iterator<Item = &mut Passage> {
        let of_forwarding = self.sysctls.iter_mut().filter(|(it, _)| it.is_forwarding());
        let changed = of_forwarding.filter(|(_, needed)| needed.before.is_some());
        changed.map(|(_, needed)| &mut needed.passage)
    }
}

fn path(folder: &Path, ifname: Ifname) -> PathBuf {
    folder.join(format!("{ifname}.json"))
}

/// Where a record is written before it takes its place; always the same, so that a killed `up` leaves no more than one.
fn draft(folder: &Path, ifname: Ifname) -> PathBuf {
    folder.join(format!("{ifname}.json.new"))
}
