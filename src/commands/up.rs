//! `wgq up`: all of it or nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::{load, not_begun};
use crate::apply::{Stop, Transaction};
use crate::cli;
use crate::config::{Config, Hooks};
use crate::error::Error;
use crate::foreign::Passage;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::record::{Needed, Record};
use crate::host::{Host, dns, firewalls, hooks};
use crate::net::Ifname;
use crate::plan::{self, Up};
use crate::report::Report;
use crate::state::LinkKind;
use crate::step::Step;

mod give_up;

/// Brings an interface up.
pub(super) fn up(args: &cli::Up, dry_run: bool, report: Report) -> Result<(), Error> {
    if !dry_run {
        load::require_root("up", dry_run)?;
    }
    let target = Target::find(&args.target.config, args.target.name)?;
    let (text, mut config) = load::file(&target, report)?;
    load::keys(&mut config, &text, &target, report)?;
    let ifname = target.ifname;
    let _lock = if dry_run {
        None
    } else {
        Some(Lock::take(ifname)?)
    };
    let mut host = Host::open(report, target.path.as_deref())?;
    if host.has_link(ifname)? {
        return Err(already_exists(&mut host, ifname));
    }
    load::warn_of_kernel(&config, &text, &target, report);
    load::warn_of_absent(&config, &text, &target, &mut host, report)?;
    let leftover = Record::read(ifname)?;
    check_hooks(&config)?;
    let kind = host.choose_driver(args.userspace)?;
    if !dry_run && dns::may_be_astray() {
        let _shared = host.lock().map_err(not_begun)?;
        recover_resolver(report);
    }
    let endpoints = host.resolve(&config, args.ignore_unresolved)?;
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
        config: &config,
        endpoints: &endpoints.addresses,
        kind,
        leftover: leftover.as_ref(),
        report,
    };
    let mut lock = if dry_run {
        None
    } else {
        Some(host.lock().map_err(not_begun)?)
    };
    let (plan, mut record) = attempt.plan(&mut host, &target)?;
    warn(&plan, &[], report);
    if dry_run {
        return load::show(&[plan.before, plan.after].concat());
    }
    if !plan.before.is_empty() {
        // PreUp hooks come first, and a second look: until then no variable is changed by us, or needed
        let left = leftover.as_ref().map(|record| record.sysctls.clone());
        record.sysctls = left.unwrap_or_default();
    }
    record.write(ifname)?;
    let mut transaction = Transaction::default();
    match attempt.execute(
        &mut host,
        &mut lock,
        &mut transaction,
        &target,
        plan,
        record,
    ) {
        Ok(()) => Ok(()),
        Err(stop) => Err(attempt.give_up(&mut host, lock, transaction, stop)),
    }
}

/// Refuses an interface that is there, whoever's it is.
fn already_exists(host: &mut Host, ifname: Ifname) -> Error {
    let record = Record::read(ifname).ok().flatten();
    let hint = match host.driver(ifname, record.as_ref()) {
        Ok(_) => format!("`wgq down {ifname}` takes it down"),
        Err(why) => format!("{why:#}; a file of another name makes another interface"),
    };
    Error::new(format_args!("`{ifname}' already exists")).hint(hint)
}

/// Says what is left out or will not work, but for what was said already.
fn warn(plan: &Up, said: &[String], report: Report) {
    let warnings = plan.desired.warnings.iter();
    warnings
        .filter(|warning| !said.contains(warning))
        .for_each(|warning| report.warning(warning));
}

/// Finds out whether hooks could run, which would otherwise go wrong half-way.
fn check_hooks(config: &Config) -> anyhow::Result<()> {
    if config.interface.hooks != Hooks::default() {
        hooks::check()?;
    }
    Ok(())
}

/// Sees to a resolver that a loss of power left astray, before it is asked for endpoints.
fn recover_resolver(report: Report) {
    if let Err(error) = dns::recover() {
        report.warning(format_args!("{error:#}"));
    }
}

/// One attempt to bring an interface up.
struct Attempt<'a> {
    ifname: Ifname,
    config: &'a Config,
    endpoints: &'a [Option<SocketAddr>],
    kind: LinkKind,
    /// What an earlier attempt that was killed left of itself.
    leftover: Option<&'a Record>,
    report: Report,
}

impl Attempt<'_> {
    /// Looks at the host, plans the way from there, and notes down what `down` needs to know of it.
    fn plan(&self, host: &mut Host, target: &Target) -> anyhow::Result<(Up, Record)> {
        let mut found = host.observe(self.ifname, self.leftover)?;
        if self.config.interface.firewall.asks_others() || self.leftover.is_some() {
            found.look_at_firewalls(self.ifname)?;
        }
        if !self.config.interface.dns.servers.is_empty() {
            // Whether an `up` that was killed had come so far as to tell the resolver, nobody knows: it is told again.
            found.state.dns = None;
        }
        let own = self.endpoints.iter().flatten().map(SocketAddr::ip);
        let hooks = found
            .state
            .device
            .peers
            .iter()
            .filter_map(|peer| peer.endpoint);
        let endpoints: BTreeSet<IpAddr> = own.chain(hooks.map(|endpoint| endpoint.ip())).collect();
        let around = host.surroundings(
            self.ifname,
            &self.config.interface,
            self.kind.clone(),
            &mut found,
            self.leftover,
            &endpoints,
        )?;
        let (now, endpoints) = (&found.state, self.endpoints);
        let plan = plan::up(self.ifname, self.config, endpoints, now, &around);
        let record = self.record(target, &plan, &Passage::through(&around.firewalls));
        Ok((plan, record))
    }

    /// What `down` needs to know, should this be the last that is heard of us.
    fn record(&self, target: &Target, plan: &Up, passage: &Passage) -> Record {
        let (now, want) = (&plan.now, &plan.desired.state);
        let needed = want.sysctls.iter().map(|(sysctl, value)| {
            let before = now.sysctls.get(sysctl).filter(|now| *now != value);
            let changed = match before {
                Some(_) => Needed {
                    before: before.cloned(),
                    passage: passage.clone(),
                    ..Needed::default()
                },
                None => Record::changed(sysctl).unwrap_or_default(),
            };
            let value = value.clone();
            (sysctl.clone(), Needed { value, ..changed })
        });
        Record {
            config: target.absolute_path(),
            complete: false,
            kind: self.kind.clone(),
            rules: &want.rules | &now.rules, // until those that go are gone
            sysctls: needed.collect(),
            dns: want.dns.clone(),
            hooks: self.config.interface.hooks.clone(),
        }
    }

    /// Carries the plan out, and gives the lock away while hooks run. What a PreUp hook put on the link is taken into
    /// account by a second look, and what others did meanwhile.
    fn execute(
        &self,
        host: &mut Host,
        lock: &mut Option<Lock>,
        transaction: &mut Transaction,
        target: &Target,
        mut plan: Up,
        mut record: Record,
    ) -> Result<(), Stop> {
        if !plan.before.is_empty() {
            *lock = None;
            transaction.execute(host, &plan.before)?;
            *lock = Some(host.lock()?);
            let said = plan.desired.warnings;
            (plan, record) = self.plan(host, target).map_err(Stop::Lost)?;
            warn(&plan, &said, self.report);
            record.write(self.ifname).map_err(Stop::Lost)?;
        }
        let (steps, hooks) = plan::split_hooks(&plan.after);
        transaction.execute(host, steps)?;
        record.complete = true;
        record.rules.clone_from(&plan.desired.state.rules);
        let is_dns = |step: &Step| matches!(step, Step::SetDns { .. });
        if transaction.forgone().iter().any(is_dns) {
            record.dns = None; // nothing was told that could be taken back
        }
        record.write(self.ifname).map_err(Stop::Lost)?;
        if hooks.is_empty() || record.passages().next().is_none() {
            *lock = None;
            return transaction.execute(host, hooks);
        }
        let before = firewalls::passage().map_err(Stop::Lost)?;
        *lock = None;
        let executed = transaction.execute(host, hooks);
        let counted = self.count_own(host, record, &before);
        executed.and(counted.map_err(Stop::Lost))
    }

    /// Notes down which rules the PostUp hooks have made: `down` looks who needs forwarding before PostDown takes them away.
    fn count_own(&self, host: &Host, mut record: Record, before: &Passage) -> anyhow::Result<()> {
        let _shared = host.lock_to_undo();
        let after = firewalls::passage()?;
        record
            .passages()
            .for_each(|passage| passage.add_growth(before, &after));
        record.write(self.ifname)
    }
}
