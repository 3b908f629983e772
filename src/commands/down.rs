//! `wgq down`: as much of it as can be done.

use super::{load, save};
use crate::apply::{FailedStep, as_much_as_possible};
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
use crate::step::Step;

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
    let mut found = host.observe(ifname, record.as_ref())?;
    if record.is_none() {
        if found.state.is_nothing() {
            if !dry_run {
                Record::delete(ifname)?; // one that an `up` was killed at writing
                dns::recover()?; // a loss of power while it was up has left its resolv.conf(5)
            }
            return Err(Error::new(format_args!("`{ifname}' is not up")));
        }
        found.state.dns = config.as_ref().and_then(dns_of_wg_quick);
    }
    let hooks = hooks(config.as_ref(), record.as_ref());
    let gone = gone(ifname, &found, record.as_ref());
    let plan = plan::down(ifname, &hooks, &found.state, &gone);
    if dry_run {
        return load::show(&[plan.before, plan.after].concat());
    }
    let mut failed = as_much_as_possible(&mut host, &plan.before);
    let saved = config
        .filter(|config| config.interface.save_config)
        .map_or(Ok(()), |config| {
            save(&mut host, &target, &config, record.as_ref(), report)
        });
    failed.extend(as_much_as_possible(&mut host, &plan.after));
    forget(ifname, record, &failed)?;
    if failed.is_empty() {
        return saved;
    }
    if let Err(error) = saved {
        error.tell(&report);
    }
    let sentence = format!("{ifname} is not wholly down; what failed:");
    Err(Error::said().outcome(sentence).left(&failed))
}

/// Saves what runs, as PreDown hooks have left it.
fn save(
    host: &mut Host,
    target: &Target,
    config: &Config,
    record: Option<&Record>,
    report: Report,
) -> Result<(), Error> {
    let found = host.observe(target.ifname, record)?;
    save::before_down(target, config, &found, record, report).map_err(Error::something_left)
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
fn forget(ifname: Ifname, record: Option<Record>, failed: &[FailedStep]) -> anyhow::Result<()> {
    let is_hook = |failed: &FailedStep| matches!(failed.step, Step::Hook { .. });
    if !failed.iter().all(is_hook) {
        return Ok(());
    }
    if let Some(record) = record {
        record.hand_over_sysctls(ifname)?;
        if record.kind != LinkKind::Kernel {
            userspace::remove_socket(ifname)?;
        }
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
