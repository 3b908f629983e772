//! What the kernel cannot say about a tunnel, kept in IFNAME.json in /run/wgq from before its first step until after its last.
//!
//! It is written before anything is changed, so that `down` can undo an `up` that was killed at any moment: what is
//! recorded and was not done yet is not found on the host, and is passed over.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::firewalls;
use super::observe::Found;
use super::run_dir::{make_run_dir, run_dir};
use crate::config::Hooks;
use crate::foreign::Passage;
use crate::net::Ifname;
use crate::state::{Dns, LinkKind, PolicyRule, Sysctl};

/// What is remembered of one tunnel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The file that the tunnel was made from; none for standard input.
    pub config: Option<PathBuf>,
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
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| path.display().to_string());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads the records of all other tunnels, damaged ones left out.
    pub fn others(ifname: Ifname) -> Vec<(Ifname, Self)> {
        let mut records = Self::all();
        records.retain(|(name, _)| *name != ifname);
        records
    }

    /// Reads the records of all tunnels, damaged ones left out.
    pub fn all() -> Vec<(Ifname, Self)> {
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

    /// Decides on the kernel variables when this tunnel goes: those that it changed and that are still as it set them are
    /// put back, unless somebody else needs them.
    pub fn sysctls_to_restore(&self, ifname: Ifname, now: &Found) -> Restored {
        let mut restored = Restored::default();
        if self.sysctls.is_empty() {
            return restored;
        }
        let others = Self::others(ifname);
        let passage = LazyCell::new(|| {
            Passage::through(&[&now.firewalls[..], &firewalls::legacy()].concat())
        });
        for (sysctl, needed) in &self.sysctls {
            let as_set = now.state.sysctls.get(sysctl) == Some(&needed.value);
            let Some(before) = needed.before.as_ref().filter(|_| as_set) else {
                continue;
            };
            let by_ours = |(_, other): &&(Ifname, Self)| other.sysctls.contains_key(sysctl);
            // another program leaves no record with us
            let needed_for = if let Some((other, _)) = others.iter().find(by_ours) {
                format!("{other} needs it")
            } else if *sysctl == Sysctl::SRC_VALID_MARK && now.has_foreign_full_tunnel(&others) {
                "another full tunnel needs it".to_owned()
            } else if sysctl.is_forwarding() && passage.has_grown_since(&needed.passage) {
                "other rules by which packets are passed on have come since".to_owned()
            } else {
                restored.values.insert(sysctl.clone(), before.clone());
                continue;
            };
            let stays = format!("{} stays {}: {needed_for}", sysctl.0, needed.value);
            restored.kept.push(stays);
        }
        let ipv6 = &Sysctl::IPV6_FORWARDING;
        let forwards = now.state.sysctls.get(ipv6).is_some_and(|it| it != "0");
        if forwards && !restored.values.contains_key(ipv6) {
            // a host that forwards on would lose its routes
            restored.values.retain(|sysctl, _| !sysctl.is_accept_ra());
        }
        restored
    }
}

/// What becomes of the kernel variables that a tunnel changed.
#[derive(Debug, Default)]
pub struct Restored {
    /// Those to put back, with their values.
    pub values: BTreeMap<Sysctl, String>,
    /// Sentences on those that stay as they are, as others need them.
    pub kept: Vec<String>,
}

fn path(folder: &Path, ifname: Ifname) -> PathBuf {
    folder.join(format!("{ifname}.json"))
}

/// Where a record is written before it takes its place; always the same, so that a killed `up` leaves no more than one.
fn draft(folder: &Path, ifname: Ifname) -> PathBuf {
    folder.join(format!("{ifname}.json.new"))
}
