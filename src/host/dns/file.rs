//! /etc/resolv.conf itself, or that of a network namespace: replaced while tunnels are up, put back when the last one goes.
//!
//! Tunnels may come and go in any order; the last one that came has its way. What is to be done is recorded before it is
//! done, so that after an end at any moment the same call completes it. What another program wrote meanwhile is kept.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;

use super::{Host, Outcome};
use crate::net::{Ifname, Netns};
use crate::state::Dns;

mod place;
mod record;

use place::{HEADER, Place};
use record::{Original, Record, Records, Tunnel, remove_if_exists};

/// The file.
const PATH: &str = "/etc/resolv.conf";
/// Where network namespaces have files of their own (ip-netns(8)).
const NETNS_FOLDER: &str = "/etc/netns";
/// What is remembered of it.
const FOLDER: &str = "/run/wgq/resolv.conf";

/// Lets the tunnel's servers stand in the host's file, or that of a network namespace.
pub(super) fn tell(
    host: &Host,
    netns: Option<&Netns>,
    ifname: Ifname,
    dns: &Dns,
) -> anyhow::Result<()> {
    let resolv_conf = ResolvConf::open(host, netns)?;
    let path = resolv_conf.place.path.display().to_string();
    resolv_conf.tell(ifname, dns).context(path)
}

/// Takes the tunnel's servers out of the file.
pub(super) fn take_back(
    host: &Host,
    netns: Option<&Netns>,
    ifname: Ifname,
) -> anyhow::Result<Outcome> {
    if netns.is_none() && !host.file(FOLDER).exists() {
        return recover(host).map(|()| Outcome::Done);
    }
    let resolv_conf = ResolvConf::open(host, netns)?;
    let path = resolv_conf.place.path.display().to_string();
    resolv_conf.take_back(ifname).context(path)
}

/// Puts back what a loss of power has left.
pub(super) fn recover(host: &Host) -> anyhow::Result<()> {
    if may_be_astray(host) {
        ResolvConf::open(host, None)?;
    }
    Ok(())
}

/// Whether the original of the file is kept beside it: for a tunnel that is up, or one that was at a loss of power.
pub(super) fn may_be_astray(host: &Host) -> bool {
    original(host).symlink_metadata().is_ok()
}

/// Where the original of the file is while a tunnel has its place.
fn original(host: &Host) -> PathBuf {
    place::second_name(&host.file(PATH))
}

/// Returns the texts that stood in the file before tunnels, as far as there are any, and what stands there now.
pub(super) fn texts(host: &Host) -> Vec<String> {
    let read = |path: PathBuf| fs::read(path).unwrap_or_default();
    let mut texts = record::contents(&host.file(FOLDER));
    texts.insert(0, read(original(host)));
    texts.push(read(host.file(PATH)));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    texts.into_iter().map(text).collect()
}

/// A file, with what is remembered of it.
struct ResolvConf {
    place: Place,
    /// Where it is for a network namespace: the folders that are made for it, the outer one first.
    folders: Vec<PathBuf>,
    records: Records,
    /// None while no tunnel is in the file.
    record: Option<Record>,
}

impl ResolvConf {
    /// Locks the file and reads what is remembered of it.
    fn open(host: &Host, netns: Option<&Netns>) -> anyhow::Result<Self> {
        let records = Records::lock(host.file(FOLDER))?;
        let mountinfo = host.file("/proc/thread-self/mountinfo");
        let all = host.file(NETNS_FOLDER);
        let own = netns.map(|netns| all.join(netns.as_str()));
        let path = own.as_ref().map(|own| own.join("resolv.conf"));
        let path = path.unwrap_or_else(|| host.file(PATH));
        let place = Place::find(path, netns, &mountinfo, &records);
        let mut this = Self {
            record: records.load(&place.record_name())?,
            place,
            folders: own.map_or_else(Vec::new, |own| vec![all, own]),
            records,
        };
        this.complete()
            .with_context(|| this.place.path.display().to_string())?;
        Ok(this)
    }

    /// Completes what a call that came to no end had begun.
    fn complete(&mut self) -> anyhow::Result<()> {
        let Some(mut record) = self.record.take() else {
            self.place.recover()?;
            // before the first tunnel there was no such file, mostly
            if !self.folders.is_empty() && self.place.is_ours() {
                remove_if_exists(&self.place.path)?;
            }
            return Ok(());
        };
        if record.ours.len() > 1 && !self.is_foreign(&record)? {
            self.write_last(&mut record)?;
        }
        self.record = Some(record);
        Ok(())
    }

    fn tell(mut self, ifname: Ifname, dns: &Dns) -> anyhow::Result<()> {
        let before = self.record.clone();
        let told = self.try_tell(ifname, dns);
        if told.is_err() {
            // the first error is the one to tell
            let _ = match (before, self.record.take()) {
                (Some(before), _) => self.records.save(&self.place.record_name(), &before),
                (None, Some(record)) => self.put_back(&record, false).map(drop),
                (None, None) => self.place.clean().map_err(Into::into),
            };
        }
        told
    }

    fn try_tell(&mut self, ifname: Ifname, dns: &Dns) -> anyhow::Result<()> {
        let folders = self.make_folders()?;
        let mut record = match self.record.take() {
            Some(record) if !self.is_foreign(&record)? => record,
            // what another program wrote since is what is to be put back now
            Some(record) => Record {
                original: self.place.keep()?,
                ours: Vec::new(),
                ..record
            },
            None => Record {
                original: self.place.keep()?,
                tunnels: Vec::new(),
                ours: Vec::new(),
                folders,
            },
        };
        let tunnel = Tunnel {
            ifname: ifname.to_string(),
            text: text(ifname, dns),
        };
        let same = |it: &&mut Tunnel| it.ifname == tunnel.ifname;
        match record.tunnels.iter_mut().find(same) {
            Some(before) => *before = tunnel,
            None => record.tunnels.push(tunnel),
        }
        let written = self.write_last(&mut record);
        self.record = Some(record);
        written
    }

    /// Makes the folders of a network namespace's file that are not there, and returns those.
    fn make_folders(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut made = Vec::new();
        for folder in self.folders.iter().filter(|folder| !folder.exists()) {
            fs::create_dir(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(0o755))?; // for all to read, whatever the umask is
            made.push(folder.clone());
        }
        Ok(made)
    }

    fn take_back(mut self, ifname: Ifname) -> anyhow::Result<Outcome> {
        let Some(mut record) = self.record.take() else {
            return Ok(Outcome::Done);
        };
        let is_ours = |tunnel: &Tunnel| tunnel.ifname == ifname.as_str();
        let has_its_way = record.tunnels.last().is_some_and(is_ours);
        if !record.tunnels.iter().any(is_ours) {
            return Ok(Outcome::Done);
        }
        let foreign = self.is_foreign(&record)?;
        record.tunnels.retain(|tunnel| !is_ours(tunnel));
        if record.tunnels.is_empty() {
            return self.put_back(&record, foreign);
        }
        if foreign || !has_its_way {
            self.records.save(&self.place.record_name(), &record)?;
        } else {
            self.write_last(&mut record)?;
        }
        Ok(self.outcome(foreign && has_its_way))
    }

    /// Writes what the last tunnel wants, and the record before and after.
    fn write_last(&self, record: &mut Record) -> anyhow::Result<()> {
        let name = self.place.record_name();
        let Some(last) = record.tunnels.last() else {
            return Ok(());
        };
        let text = last.text.clone();
        record.ours.push(text.clone());
        self.records.save(&name, record)?;
        self.place.write(&text)?;
        record.ours = vec![text];
        self.records.save(&name, record)
    }

    /// Puts back what stood there before the first tunnel, and forgets it all.
    fn put_back(&self, record: &Record, foreign: bool) -> anyhow::Result<Outcome> {
        let lost = matches!(record.original, Original::Renamed) && !self.place.has_second_name();
        if !foreign && !lost {
            self.place.restore(&record.original)?;
        }
        let left = if lost {
            // ours, and nothing to put back; else a call that came to no end had put it back already
            !foreign && self.place.exists()
        } else {
            foreign
        };
        self.place.clean()?;
        for folder in record.folders.iter().rev() {
            let _ = fs::remove_dir(folder); // it stays if others have put something there
        }
        self.records.delete(&self.place.record_name())?;
        Ok(self.outcome(left))
    }

    /// Whether another program has written what stands there. That nothing does is for us to mend.
    fn is_foreign(&self, record: &Record) -> anyhow::Result<bool> {
        let place = &self.place;
        Ok(
            place.exists()
                && !place.holds(&record.ours)?
                && !place.is_original(&record.original)?,
        )
    }

    fn outcome(&self, foreign: bool) -> Outcome {
        if foreign {
            Outcome::Foreign(self.place.path.clone())
        } else {
            Outcome::Done
        }
    }
}

/// Returns the whole text of a tunnel's file.
fn text(ifname: Ifname, dns: &Dns) -> String {
    format!(
        "{HEADER}{ifname}; `wgq down {ifname}` puts back what was here before\n{}",
        dns.resolv_conf()
    )
}
