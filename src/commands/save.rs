//! `wgq save`: what changed on a running interface, written into its file.

use super::{load, namespace, origin};
use crate::cli;
use crate::config;
use crate::error::Error;
use crate::host::Host;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::names;
use crate::host::observe::Found;
use crate::host::record::Record;
use crate::report::Report;
use crate::state::State;

/// Saves a running interface.
pub(super) fn save(args: &cli::Target, dry_run: bool, report: Report) -> Result<(), Error> {
    load::require_root("save", dry_run)?;
    let target = Target::find(&args.config, args.name)?;
    if target.path.is_none() {
        return Err(Error::new("standard input cannot be saved to"));
    }
    let _lock = if dry_run {
        None
    } else {
        Lock::take_or_share(target.ifname)?
    };
    let record = Record::read(target.ifname)?;
    let target = origin::of_running(target, record.as_ref(), report);
    if target.path.is_none() {
        return Err(Error::new(format_args!(
            "`{}' was brought up from standard input, which cannot be saved to",
            target.ifname
        )));
    }
    let (_, config) = load::file(&target, report)?;
    let netns = namespace::of_running(target.ifname, record.as_ref(), Some(&config));
    let mut host = Host::open(report, target.path.as_deref(), netns)?;
    let found = host.observe(target.ifname, record.as_ref())?;
    if found.state.link.is_none() {
        return Err(Error::new(format_args!("`{}' is not up", target.ifname)));
    }
    if record.is_some_and(|record| !record.complete) || !found.is_device_known {
        let ifname = target.ifname;
        return Err(Error::new(format_args!(
            "`{ifname}' is not wholly up, not saving it"
        )));
    }
    if !write_back(&target, &found.state, dry_run, report)? {
        report.note(format_args!("{}: nothing to save", target.shown()));
    }
    Ok(())
}

/// Writes what runs into the file it came from; with `dry_run` shows what that would change.
///
/// The file is read anew, and what is written goes by that alone: a hook may have changed it since it was read first.
/// Returns whether anything has changed.
fn write_back(target: &Target, now: &State, dry_run: bool, report: Report) -> Result<bool, Error> {
    let file = target.shown();
    let bytes = target.read()?;
    let parsed = config::parse(&bytes, &names::names(target.ifname));
    let (Some(config), Ok(before)) = (parsed.config, config::decode(&bytes)) else {
        load::tell(&parsed.diagnostics, target, report);
        let what = format_args!("{file}: not saved, it has changed meanwhile");
        return Err(Error::new(what));
    };
    if dry_run {
        let changes = config::show_save(before, &config, now);
        if !changes.is_empty() {
            load::print(&format!("--- {file}\n+++ {file}\n{changes}"))?;
        }
        return Ok(!changes.is_empty());
    }
    let after = config::save(before, &config, now);
    let changed = before != after;
    if changed {
        target.write(&after)?;
        report.note(format_args!("{file}: saved"));
    }
    Ok(changed)
}

/// Saves what is about to be taken down, for `SaveConfig`. What an `up` was killed at is not whole, and not saved.
pub(super) fn before_down(
    target: &Target,
    found: &Found,
    record: Option<&Record>,
    report: Report,
) -> Result<(), Error> {
    if found.state.link.is_none() {
        return Ok(());
    }
    if target.path.is_none() {
        report.warning("not saved: standard input cannot be saved to");
        return Ok(());
    }
    if record.is_some_and(|record| !record.complete) || !found.is_device_known {
        let file = target.shown();
        report.warning(format_args!(
            "{file}: not saved, `up` did not come to its end"
        ));
        return Ok(());
    }
    write_back(target, &found.state, false, report).map(drop)
}
