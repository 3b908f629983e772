//! `wgq migrate`: the hooks of a file, turned into keys.

use super::load;
use crate::cli;
use crate::config::{self, Hooks};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::here::here;
use crate::host::lock::Lock;
use crate::host::names;
use crate::migrate::{Migration, migrate};
use crate::report::Report;

/// Shows what would change in the file, and with `--write` changes it.
pub(super) fn run(args: &cli::Migrate, dry_run: bool, report: Report) -> Result<(), Error> {
    let write = args.write && !dry_run;
    if write {
        load::require_root("migrate --write", dry_run)?;
    }
    let target = Target::find(&args.target.config, args.target.name)?;
    if write && target.path.is_none() {
        return Err(Error::new("standard input cannot be written to"));
    }
    let _lock = write.then(|| Lock::take(target.ifname)).transpose()?;
    let bytes = load::read(&target)?;
    let config = load::parse(&bytes, &target, report).ok_or_else(Error::said)?;
    let Ok(text) = config::decode(&bytes) else {
        return Err(Error::said()); // it was parsed
    };
    let here = here();
    let migration = migrate(text, &config, target.ifname, &here);
    load::tell(&migration.diagnostics, &target, report);
    let file = target.shown();
    for note in &migration.notes {
        report.note(format_args!("{file}: {note}"));
    }
    if migration.diff.is_empty() {
        let why = if config.interface.hooks == Hooks::default() {
            "it has no hooks, so there is nothing to do"
        } else {
            "no hook here can become a key"
        };
        report.note(format_args!("{file}: {why}"));
        return Ok(());
    }
    let diff = &migration.diff;
    load::print(&format!("--- {file}\n+++ {file}\n{diff}"))?;
    if !write {
        report.note(if args.write {
            "nothing was changed: that is what --dry-run is for"
        } else {
            "nothing was changed: --write changes the file"
        });
        return Ok(());
    }
    if here.interfaces.contains(target.ifname.as_str()) {
        return Err(is_up(&target));
    }
    write_back(&target, text, &migration, report)
}

/// What its hooks did, only its hooks undo.
fn is_up(target: &Target) -> Error {
    let ifname = target.ifname;
    let told = format!("`{ifname}' is up: without its hooks nothing would undo what they did");
    let hint = format!("`wgq down {ifname}` first, and `wgq up {ifname}` after");
    Error::new(told).hint(hint).outcome("nothing was changed")
}

fn write_back(
    target: &Target,
    before: &str,
    migration: &Migration,
    report: Report,
) -> Result<(), Error> {
    let parsed = config::parse(migration.text.as_bytes(), &names::names(target.ifname));
    if parsed.config.is_none() {
        load::tell(&parsed.diagnostics, target, report);
        return Err(Error::new("the keys and the rest of the file do not agree")
            .outcome("nothing was changed"));
    }
    let backup = target.back_up(before, "before-migrate")?;
    target.write(&migration.text)?;
    report.note(format_args!(
        "{}: written; as it was it is in {}",
        target.shown(),
        backup.display()
    ));
    Ok(())
}
