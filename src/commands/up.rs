//! `wgq up`: all of it or nothing.

use super::attempt::{Attempt, Purpose};
use super::steps::Shown;
use super::{load, namespace, not_begun};
use crate::cli;
use crate::config::{Config, Hooks};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::record::Record;
use crate::host::{Host, dns, hooks};
use crate::net::Ifname;
use crate::report::Report;

/// Brings an interface up.
pub(super) fn up(args: &cli::Up, dry_run: bool, json: bool, report: Report) -> Result<(), Error> {
    if !dry_run {
        load::require_root("up", dry_run)?;
    }
    let target = Target::find(&args.target.config, args.target.name)?;
    let (text, mut config) = load::file(&target, report)?;
    load::keys(&mut config, &text, &target, report)?;
    load::leave_out_expired(&mut config, &text, &target, report);
    let ifname = target.ifname;
    let _lock = if dry_run {
        None
    } else {
        Some(Lock::take(ifname)?)
    };
    let leftover = Record::read(ifname)?;
    namespace::refuse_move(ifname, leftover.as_ref(), &config)?;
    let netns = config.interface.home();
    let mut host = Host::open(report, target.path.as_deref(), netns)?;
    namespace::refuse_outside(&mut host, ifname)?;
    if host.has_link(ifname)? {
        return Err(already_exists(&mut host, ifname));
    }
    load::warn_of_kernel(&config, &text, &target, report);
    load::warn_of_absent(&config, &text, &target, &mut host, report)?;
    check_hooks(&config)?;
    let kind = host.choose_driver(args.userspace)?;
    if !dry_run && dns::may_be_astray() {
        let _shared = host.lock().map_err(not_begun)?;
        recover_resolver(report);
    }
    let endpoints: Vec<_> = config
        .peers
        .iter()
        .map(|peer| peer.endpoint.as_ref())
        .collect();
    let endpoints = host.resolve(&endpoints, args.ignore_unresolved)?;
    if load::tell_unresolved(
        &endpoints.unresolved,
        &text,
        &target,
        args.ignore_unresolved,
        report,
    ) {
        return Err(Error::said());
    }
    let attempt = Attempt {
        ifname,
        target: &target,
        config: &config,
        endpoints: &endpoints.addresses,
        kind,
        record: leftover.as_ref(),
        purpose: Purpose::Up,
        report,
    };
    let lock = if dry_run {
        None
    } else {
        Some(host.lock().map_err(not_begun)?)
    };
    let plan = attempt.plan(&mut host, None)?;
    attempt.warn(&plan.up, &[]);
    if dry_run {
        let shown = Shown::new(ifname).steps(&plan.up.before);
        return shown.steps(&plan.up.after).print(json);
    }
    attempt.carry_out(&mut host, lock, plan).map(drop)
}

/// Refuses an interface that is there, whoever's it is.
fn already_exists(host: &mut Host, ifname: Ifname) -> Error {
    let record = Record::read(ifname).ok().flatten();
    let hint = match host.driver(ifname, record.as_ref()) {
        Ok(_) => format!(
            "`wgq apply {ifname}` has it follow its file, `wgq down {ifname}` takes it down"
        ),
        Err(why) => format!("{why:#}; a file of another name makes another interface"),
    };
    Error::new(format_args!("`{ifname}' already exists")).hint(hint)
}

/// Finds out whether hooks could run, which would otherwise go wrong half-way.
pub(super) fn check_hooks(config: &Config) -> anyhow::Result<()> {
    if config.interface.hooks != Hooks::default() {
        hooks::check()?;
    }
    Ok(())
}

/// Sees to a resolver that a loss of power left astray, before it is asked for endpoints.
pub(super) fn recover_resolver(report: Report) {
    if let Err(error) = dns::recover() {
        report.warning(format_args!("{error:#}"));
    }
}
