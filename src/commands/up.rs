//! `wgq up`: all of it or nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::{describe, load, not_begun};
use crate::apply::{FailedStep, Stop, Transaction, as_much_as_possible};
use crate::cli;
use crate::config::{Config, Hooks};
use crate::error::Error;
use crate::foreign::Passage;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::observe::read_sysctls;
use crate::host::record::{Needed, Record};
use crate::host::{Host, dns, hooks, keys};
use crate::net::Ifname;
use crate::plan::{self, Up};
use crate::report::Report;
use crate::state::{LinkKind, Sysctl};
use crate::step::{HookPhase, Step};

/// Brings an interface up.
pub(super) fn up(args: &cli::Up, dry_run: bool, report: Report) -> Result<(), Error> {
    if !dry_run {
        load::require_root("up", dry_run)?;
    }
    let target = Target::find(&args.target.config, args.target.name)?;
    let (text, mut config) = load::file(&target, report)?;
    keys::load(&mut config, &target.shown())?;
    for peer in config.own_peers() {
        let (file, line) = (target.shown(), peer.public_key.span.line);
        report.warning(format_args!(
            "{file}:{line}: PublicKey: this is the interface's own key, so there will be no such peer"
        ));
        report.hint("here goes what `wg pubkey` prints on the other side");
    }
    for path in keys::world_accessible(&config) {
        load::warn_of_access(&path.display(), report);
    }
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
    let (plan, record) = attempt.plan(&mut host, &target)?;
    warn(&plan, &[], report);
    if dry_run {
        return load::show(&[plan.before, plan.after].concat());
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
            found.foreign_rules,
            found.firewalls,
            &endpoints,
        )?;
        let uplinks = around.advertised_uplinks.iter().copied();
        let accept_ra: Vec<Sysctl> = uplinks.map(Sysctl::accept_ra).collect();
        read_sysctls(&mut found.state, &accept_ra)?;
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
        *lock = None;
        transaction.execute(host, hooks)
    }

    /// Undoes what was done, and says how that went.
    fn give_up(
        &self,
        host: &mut Host,
        lock: Option<Lock>,
        mut transaction: Transaction,
        stop: Stop,
    ) -> Error {
        let ifname = self.ifname;
        let begun = |phase| {
            let of_phase = |step: &Step| matches!(step, Step::Hook { phase: p, .. } if *p == phase);
            transaction.done().iter().any(of_phase)
        };
        let post_up = begun(HookPhase::PostUp);
        let hooks = post_up || begun(HookPhase::PreUp);
        let mut left = Vec::new();
        if post_up {
            left.extend(self.run_hooks(host, HookPhase::PreDown));
        }
        let lock = lock.or_else(|| host.lock_to_undo());
        let left_to_us = self.share_sysctls(host, &mut transaction);
        let mut not_undone = transaction.roll_back(host);
        not_undone.extend(as_much_as_possible(host, &left_to_us));
        let forgotten = if not_undone.is_empty() {
            self.forget()
        } else {
            Ok(())
        };
        drop(lock);
        left.extend(not_undone);
        if hooks {
            left.extend(self.run_hooks(host, HookPhase::PostDown));
        }
        let mut error = describe(stop);
        if let Err(why) = &forgotten {
            error = error.outcome(format_args!("{why:#}")).something_left();
        }
        if !left.is_empty() {
            let sentence = if left.iter().all(FailedStep::is_hook) {
                format!("{ifname} was rolled back, but hooks failed:")
            } else {
                format!("{ifname} was not rolled back completely; still to undo:")
            };
            return error.outcome(sentence).left(&left);
        }
        if forgotten.is_err() {
            return error;
        }
        error.outcome(if hooks {
            format!(
                "{ifname} was rolled back, and what PreUp and PostUp did as far as PreDown and PostDown undo it"
            )
        } else {
            format!("{ifname} was rolled back: nothing was changed")
        })
    }

    /// Leaves the kernel variables as they are that others need by now, and returns the steps that put those back which
    /// others have left to this tunnel meanwhile. If nobody can tell, what was done is undone.
    fn share_sysctls(&self, host: &mut Host, transaction: &mut Transaction) -> Vec<Step> {
        let Ok(Some(record)) = Record::read(self.ifname) else {
            return Vec::new();
        };
        if record.sysctls.is_empty() {
            return Vec::new();
        }
        let Ok(found) = host.observe(self.ifname, Some(&record)) else {
            return Vec::new();
        };
        let mut ours = record.sysctls_to_restore(self.ifname, &found);
        transaction.leave(
            |step| matches!(step, Step::SetSysctl { sysctl, .. } if !ours.contains_key(sysctl)),
        );
        let is_done = |it: &Sysctl| {
            let sets = |step: &Step| matches!(step, Step::SetSysctl { sysctl, .. } if sysctl == it);
            transaction.done().iter().any(sets)
        };
        let is_leftover = |it: &Sysctl| {
            let needs = |record: &Record| record.sysctls.contains_key(it);
            self.leftover.is_some_and(needs)
        };
        ours.retain(|sysctl, _| !is_done(sysctl) && !is_leftover(sysctl));
        let put_back = |(sysctl, to)| {
            let from = record.sysctls.get(&sysctl)?.value.clone();
            Some(Step::SetSysctl { sysctl, from, to })
        };
        ours.into_iter().filter_map(put_back).collect()
    }

    /// Puts the record back to what it was before.
    fn forget(&self) -> anyhow::Result<()> {
        match self.leftover {
            Some(record) => record.write(self.ifname),
            None => Record::delete(self.ifname),
        }
    }

    fn run_hooks(&self, host: &mut Host, phase: HookPhase) -> Vec<FailedStep> {
        let hooks = &self.config.interface.hooks;
        as_much_as_possible(host, &plan::hook_steps(self.ifname, hooks, phase))
    }
}
