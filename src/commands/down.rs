//! `wgq down`: as much of it as can be done.

use super::{describe, load, save};
use crate::apply::{Stop, as_much_as_possible};
use crate::cli;
use crate::config::{self, Config, Hooks};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::observe::Found;
use crate::host::record::Record;
use crate::host::{Host, dns, userspace};
use crate::net::Ifname;
use crate::plan;
use crate::report::Report;
use crate::state::{Dns, DnsBackend, LinkKind, State};
use crate::step::HookPhase;

/// Takes an interface down: with or without its file, its link or a record, and after `wg-quick up` too.
pub(super) fn down(args: &cli::Target, dry_run: bool, report: Report) -> Result<(), Error> {
    if !dry_run {
        load::require_root("down")?;
    }
    let target = Target::find(&args.config, args.name)?;
    let ifname = target.ifname;
    let _lock = if dry_run {
        None
    } else {
        Some(Lock::take(ifname)?)
    };
    let record = record(ifname, report);
    let config = config(&target, report);
    let mut host = Host::open(report, target.path.as_deref())?;
    let mut lock = None;
    if !dry_run {
        lock = Some(host.lock().map_err(describe)?);
    }
    let mut found = look(&mut host, ifname, record.as_ref(), config.as_ref())?;
    if record.is_none() && found.state.is_nothing() {
        Record::delete(ifname)?; // one that an `up` was killed at writing
        return Err(Error::new(format_args!("`{ifname}' is not up")));
    }
    let hooks = hooks(config.as_ref(), record.as_ref());
    let pre_down = plan::hook_steps(ifname, &hooks, HookPhase::PreDown);
    let mut failed = Vec::new();
    if !dry_run && !pre_down.is_empty() {
        drop(lock.take());
        failed = as_much_as_possible(&mut host, &pre_down);
        lock = Some(host.lock().map_err(|stop| still_up(ifname, stop))?);
        found = look(&mut host, ifname, record.as_ref(), config.as_ref())?;
    }
    let plan = plan::down(
        ifname,
        &hooks,
        &found.state,
        &gone(ifname, &found, record.as_ref()),
    );
    if dry_run {
        return load::show(&[plan.before, plan.after].concat());
    }
    let saved = match &config {
        Some(config) if config.interface.save_config => {
            save::before_down(&target, config, &found, record.as_ref(), report)
                .map_err(Error::something_left)
        }
        _ => Ok(()),
    };
    let (steps, post_down) = plan::split_hooks(&plan.after);
    let not_done = as_much_as_possible(&mut host, steps);
    if not_done.is_empty() {
        forget(ifname, record)?;
    }
    drop(lock);
    failed.extend(not_done);
    failed.extend(as_much_as_possible(&mut host, post_down));
    if failed.is_empty() {
        return saved;
    }
    if let Err(error) = saved {
        error.tell(&report);
    }
    let sentence = format!("{ifname} is not wholly down; what failed:");
    Err(Error::said().outcome(sentence).left(&failed))
}

/// Finds out what there is; without a record, what wg-quick may have left.
fn look(
    host: &mut Host,
    ifname: Ifname,
    record: Option<&Record>,
    config: Option<&Config>,
) -> Result<Found, Error> {
    let mut found = host.observe(ifname, record)?;
    if record.is_none() && !found.state.is_nothing() {
        found.state.dns = config.and_then(dns_of_wg_quick);
    }
    Ok(found)
}

/// Says that nothing was taken away, after PreDown hooks have run.
fn still_up(ifname: Ifname, stop: Stop) -> Error {
    describe(stop)
        .outcome(format_args!(
            "{ifname} is still up, but its PreDown hooks have run"
        ))
        .something_left()
}

/// The host without the tunnel: nothing of it, and the kernel variables as they were before where that is for us to say.
fn gone(ifname: Ifname, found: &Found, record: Option<&Record>) -> State {
    let mut sysctls = found.state.sysctls.clone();
    if let Some(record) = record {
        sysctls.extend(record.sysctls_to_restore(ifname, found));
    }
    State {
        sysctls,
        ..State::default()
    }
}

/// Forgets the tunnel once nothing is left of it that a second `down` could take away.
fn forget(ifname: Ifname, record: Option<Record>) -> anyhow::Result<()> {
    if record.is_some_and(|record| record.kind != LinkKind::Kernel) {
        userspace::remove_socket(ifname)?;
    }
    Record::delete(ifname)
}

/// A record that cannot be read is said and done without.
fn record(ifname: Ifname, report: Report) -> Option<Record> {
    Record::read(ifname).unwrap_or_else(|error| {
        report.warning(format_args!("{error:#}; going by what the kernel shows"));
        None
    })
}

/// The file, if it is there and in order; what was up does not depend on it.
fn config(target: &Target, report: Report) -> Option<Config> {
    target.canonical_path()?;
    load::config(target, report).ok()
}

/// The hooks of the file as it is now, as with wg-quick; those of `up` when there is no file any more.
fn hooks(config: Option<&Config>, record: Option<&Record>) -> Hooks {
    let of_file = config.map(|config| config.interface.hooks.clone());
    of_file
        .or_else(|| Some(record?.hooks.clone()))
        .unwrap_or_default()
}

/// What wg-quick has told the resolver, which only the file says; it always uses resolvconf.
fn dns_of_wg_quick(config: &Config) -> Option<Dns> {
    let config::Dns { servers, search } = config.interface.dns.clone();
    let backend = dns::detect();
    let told = !servers.is_empty() && matches!(backend, DnsBackend::Resolvconf { .. });
    told.then_some(Dns {
        backend,
        servers,
        search,
        all_names: false,
        required: false,
    })
}
