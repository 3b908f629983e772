//! `wgq down`: as much of it as can be done.

use super::steps::Shown;
use super::{describe, load, namespace, not_begun, origin, save};
use crate::apply::{FailedStep, Stop, as_much_as_possible};
use crate::cli;
use crate::config::{self, Config, Hooks};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::observe::Found;
use crate::host::record::Record;
use crate::host::restore::Restored;
use crate::host::{Host, dns, netns, userspace};
use crate::plan;
use crate::report::Report;
use crate::state::{Dns, DnsBackend, LinkKind, State};

/// Takes an interface down: with or without its file, its link or a record, and after `wg-quick up` too.
pub(super) fn down(
    args: &cli::Target,
    dry_run: bool,
    json: bool,
    report: Report,
) -> Result<(), Error> {
    if !dry_run {
        load::require_root("down", dry_run)?;
    }
    let target = Target::find(&args.config, args.name)?;
    let ifname = target.ifname;
    let _lock = if dry_run {
        None
    } else {
        Some(Lock::take(ifname)?)
    };
    let record = load::record(ifname, report);
    let target = origin::of_running(target, record.as_ref(), report);
    let config = config(&target, record.as_ref(), report);
    let hooks = hooks(config.as_ref(), record.as_ref());
    let netns = namespace::of_running(ifname, record.as_ref(), config.as_ref());
    let mut host = Host::open(report, target.path.as_deref(), netns)?;
    let down = Down {
        target,
        record,
        config,
        hooks,
        report,
    };
    if !dry_run {
        return down.run(&mut host);
    }
    let found = down.look(&mut host)?;
    if !down.is_up(&found) {
        return Err(down.not_up());
    }
    let (plan, kept) = down.plan(&found);
    for stays in &kept {
        report.note(stays);
    }
    let mut shown = Shown::new(ifname).steps(&plan.before);
    if down.saves() {
        shown = shown.command("save", format!("wgq save {ifname}"));
    }
    shown.steps(&plan.after).print(json)
}

/// What is known of an interface that is to go.
struct Down {
    target: Target,
    record: Option<Record>,
    config: Option<Config>,
    hooks: Hooks,
    report: Report,
}

impl Down {
    /// Takes it down, and gives the lock away while hooks run.
    fn run(self, host: &mut Host) -> Result<(), Error> {
        let mut lock = host.lock().map_err(not_begun)?;
        let mut found = self.look(host)?;
        if !self.is_up(&found) {
            Record::delete(self.target.ifname)?; // one that an `up` was killed at writing
            dns::recover()?; // a loss of power while it was up has left its resolv.conf(5)
            return Err(self.not_up());
        }
        let (mut plan, mut kept) = self.plan(&found);
        let mut failed = Vec::new();
        if !plan.before.is_empty() {
            drop(lock);
            failed = as_much_as_possible(host, &plan.before);
            lock = host.lock().map_err(|stop| self.still_up(stop))?;
            found = self.look_again(host, found);
            (plan, kept) = self.plan(&found);
        }
        for stays in &kept {
            self.report.note(stays);
        }
        let saved = self.save(&found);
        let (steps, post_down) = plan::split_hooks(&plan.after);
        let not_done = as_much_as_possible(host, steps);
        let forgotten = match not_done.as_slice() {
            [] => self.forget(),
            _ => Ok(()),
        };
        drop(lock);
        failed.extend(not_done);
        failed.extend(as_much_as_possible(host, post_down));
        if failed.is_empty() && forgotten.is_ok() {
            return saved;
        }
        if let Err(error) = saved {
            error.tell(&self.report);
        }
        let ifname = self.target.ifname;
        let sentence = if forgotten.is_ok() && failed.iter().all(FailedStep::is_hook) {
            format!("{ifname} is down, but hooks failed:")
        } else {
            format!("{ifname} is not wholly down; what failed:")
        };
        let error = Error::said().outcome(sentence).left(&failed);
        Err(match forgotten {
            Ok(()) => error,
            Err(why) => error.outcome(format_args!("  {why:#}")).something_left(),
        })
    }

    /// Finds out what there is; without a record, what wg-quick may have left.
    fn look(&self, host: &mut Host) -> anyhow::Result<Found> {
        let mut found = host.observe(self.target.ifname, self.record.as_ref())?;
        if let Err(error) = found.look_at_firewalls(self.target.ifname) {
            let what = format_args!("{error:#}; leaving other programs' tables as they are");
            self.report.warning(what);
        }
        let to_delete = |record| netns::to_delete(self.target.ifname, record);
        found.state.netns = self.record.as_ref().map_or(Ok(None), to_delete)?;
        if self.record.is_none() && !found.state.is_nothing() {
            found.state.dns = self.config.as_ref().and_then(dns_of_wg_quick);
        }
        Ok(found)
    }

    /// Finds out what there is after the PreDown hooks, or else goes by what was there before.
    fn look_again(&self, host: &mut Host, before: Found) -> Found {
        self.look(host).unwrap_or_else(|error| {
            self.report.warning(format_args!("{error:#}"));
            before
        })
    }

    /// Whether there is anything to take down.
    fn is_up(&self, found: &Found) -> bool {
        self.record.is_some() || !found.state.is_nothing()
    }

    fn not_up(&self) -> Error {
        Error::new(format_args!("`{}' is not up", self.target.ifname))
    }

    /// Plans the way to the host without the tunnel: nothing of it, and the kernel variables as they were before where that
    /// is for us to say. Sentences tell of those where it is not.
    fn plan(&self, found: &Found) -> (plan::Down, Vec<String>) {
        let record = self.record.as_ref();
        let restored = record.map(|record| record.sysctls_to_restore(found));
        let Restored { values, kept } = restored.unwrap_or_default();
        let mut sysctls = found.state.sysctls.clone();
        sysctls.extend(values);
        let gone = State {
            sysctls,
            ..State::default()
        };
        let plan = plan::down(self.target.ifname, &self.hooks, &found.state, &gone);
        (plan, kept.into_iter().map(|(_, why)| why).collect())
    }

    /// Whether the file asks for what runs to be saved.
    fn saves(&self) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.interface.save_config)
    }

    /// Saves what runs, as PreDown hooks have left it.
    fn save(&self, found: &Found) -> Result<(), Error> {
        if !self.saves() {
            return Ok(());
        }
        save::before_down(&self.target, found, self.record.as_ref(), self.report)
            .map_err(Error::something_left)
    }

    /// Forgets the tunnel once nothing is left of it that a second `down` could take away.
    fn forget(&self) -> anyhow::Result<()> {
        let ifname = self.target.ifname;
        let is_userspace = |record: &Record| record.kind != LinkKind::Kernel;
        if self.record.as_ref().is_some_and(is_userspace) {
            userspace::remove_socket(ifname)?;
        }
        Record::delete(ifname)
    }

    /// Says that nothing was taken away, after PreDown hooks have run.
    fn still_up(&self, stop: Stop) -> Error {
        let ifname = self.target.ifname;
        describe(stop)
            .outcome(format_args!(
                "{ifname} is still up, but its PreDown hooks have run"
            ))
            .something_left()
    }
}

/// The file, if it can be read and is in order; what was up does not depend on it.
fn config(target: &Target, record: Option<&Record>, report: Report) -> Option<Config> {
    if target.was_input() {
        return None;
    }
    let instead = match record {
        Some(_) => "going by what is remembered of it",
        None if target.by_name && !target.exists() => return None, // `ip link` made it, say
        None => "going by what the kernel shows",
    };
    let text = match target.read() {
        Ok(text) => text,
        Err(error) => {
            report.warning(format_args!("cannot read {error:#}; {instead}"));
            return None;
        }
    };
    let config = load::parse(&text, target, report);
    if config.is_none() {
        report.warning(format_args!("{}: not in order; {instead}", target.shown()));
    }
    config
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
