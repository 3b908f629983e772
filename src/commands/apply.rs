//! `wgq apply`: what runs becomes what the file says, and only what differs is touched. `wgq diff` shows what that is.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use anyhow::anyhow;

use super::attempt::{Attempt, Plan, Progress, Purpose};
use super::steps::Shown;
use super::{load, namespace, not_begun, origin, up};
use crate::apply::{Executor as _, Stop};
use crate::cli;
use crate::config::{self, Config, Endpoint, Spanned};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::confirm::{self, Outcome};
use crate::host::lock::Lock;
use crate::host::observe::Found;
use crate::host::record::Record;
use crate::host::{Host, dns, names};
use crate::kept::{Running, has_hooks};
use crate::net::Ifname;
use crate::report::Report;
use crate::state::State;

/// Has an interface follow its file, whether it is up or not.
pub(super) fn apply(
    args: &cli::Apply,
    dry_run: bool,
    json: bool,
    report: Report,
) -> Result<(), Error> {
    load::require_root("apply", dry_run)?;
    if args.confirm.is_some() && !dry_run {
        if !args.detached {
            return in_background();
        }
        confirm::detach();
    }
    let target = Target::find(&args.target.config, args.target.name)?;
    let _lock = if dry_run {
        None
    } else {
        Some(Lock::take(target.ifname)?)
    };
    let application = Application::read(target, args, report)?;
    if dry_run {
        return application.differences()?.print(json);
    }
    application.run()
}

/// Shows what an interface lacks to be what its file says.
pub(super) fn diff(args: &cli::Diff, json: bool, report: Report) -> Result<(), Error> {
    let differences = || -> Result<Shown, Error> {
        load::require_root("diff", false)?;
        let target = Target::find(&args.target.config, args.target.name)?;
        let args = cli::Apply {
            target: args.target.clone(),
            keep_peers: args.keep_peers,
            ignore_unresolved: true,
            ..cli::Apply::default()
        };
        Application::read(target, &args, report)?.differences()
    };
    let shown = differences().map_err(Error::trouble)?;
    shown.print(json).map_err(Error::trouble)?;
    if shown.is_empty() {
        Ok(())
    } else {
        Err(Error::said())
    }
}

/// A file that is to be applied, and what is known of its interface.
struct Application<'a> {
    args: &'a cli::Apply,
    target: Target,
    bytes: Vec<u8>,
    record: Option<Record>,
    host: Host,
    report: Report,
}

impl<'a> Application<'a> {
    fn read(target: Target, args: &'a cli::Apply, report: Report) -> Result<Self, Error> {
        let record = load::record(target.ifname, report);
        let target = origin::of_running(target, record.as_ref(), report);
        if target.was_input() {
            let what = format_args!("`{}' was brought up from standard input", target.ifname);
            return Err(Error::new(what).hint(format!("`wgq apply - --name {}`", target.ifname)));
        }
        let bytes = load::read(&target)?;
        let home = if let Some(record) = &record {
            record.netns().cloned() // that of the file, or the file is refused
        } else {
            let parsed = config::parse(&bytes, &names::names(target.ifname));
            parsed
                .config
                .and_then(|config| config.interface.home().cloned())
        };
        let host = Host::open(report, target.path.as_deref(), home.as_ref())?;
        Ok(Self {
            args,
            target,
            bytes,
            record,
            host,
            report,
        })
    }

    /// Parses the file, and looks at the host at the same time: with thousands of peers either takes a while.
    fn look(&mut self) -> Result<(String, Config, Found), Error> {
        let (ifname, bytes) = (self.target.ifname, std::mem::take(&mut self.bytes));
        let (host, record) = (&mut self.host, self.record.as_ref());
        let (parsed, found) = thread::scope(|scope| {
            let found = scope.spawn(move || host.observe(ifname, record));
            let parsed = config::parse(&bytes, &names::names(ifname));
            let found = found.join();
            (parsed, found.unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let (target, report) = (&self.target, self.report);
        let (text, mut config) = load::parsed_file(bytes, parsed, target, report)?;
        load::keys(&mut config, &text, target, report)?;
        load::leave_out_expired(&mut config, &text, target, report);
        namespace::refuse_move(ifname, self.record.as_ref(), &config)?;
        namespace::refuse_outside(&mut self.host, ifname)?;
        load::warn_of_kernel(&config, &text, target, report);
        load::warn_of_absent(&config, &text, target, &mut self.host, report)?;
        if self.args.hooks {
            up::check_hooks(&config)?;
        }
        Ok((text, config, found?))
    }

    fn run(mut self) -> Result<(), Error> {
        if dns::may_be_astray() {
            let _shared = self.host.lock().map_err(not_begun)?;
            up::recover_resolver(self.report);
        }
        let patience = self.args.confirm;
        self.attempt(true, |attempt, host, lock, plan| {
            attempt.warn(&plan.up, &[]);
            let (ifname, is_up) = (attempt.ifname, plan.now.link.is_some());
            let is_settled = attempt
                .record
                .is_some_and(|before| plan.record.is_follow_up(before));
            if plan.up.before.is_empty() && plan.up.after.is_empty() && is_settled {
                let what = format_args!("{ifname}: nothing to do, it is what the file says");
                attempt.report.note(what);
                tell_hooks(attempt, is_up);
                return Ok(());
            }
            let pending = patience
                .map(|_| confirm::Pending::open(ifname))
                .transpose()?;
            let stays = plan.stays.clone();
            let done = attempt.carry_out(host, lock, plan)?;
            for line in &stays {
                attempt.report.note(line);
            }
            if let (Some(pending), Some(patience)) = (pending, patience) {
                wait(attempt, host, pending, patience, done)?;
            }
            tell_hooks(attempt, is_up);
            Ok(())
        })
    }

    /// Plans what is to be done, and does nothing.
    fn differences(mut self) -> Result<Shown, Error> {
        self.attempt(false, |attempt, _, _, Plan { up, .. }| {
            attempt.warn(&up, &[]);
            let shown = Shown::new(attempt.ifname).steps(&up.before);
            Ok(shown.steps(&up.after))
        })
    }

    /// Looks up what it takes to know, plans an attempt, and makes it; the lock is given away while names are looked up.
    fn attempt<T>(
        &mut self,
        locks: bool,
        make: impl FnOnce(&Attempt<'_>, &mut Host, Option<Lock>, Plan) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let take = |host: &Host| locks.then(|| host.lock().map_err(not_begun)).transpose();
        let mut lock = take(&self.host)?;
        let (text, config, mut found) = self.look()?;
        if found.state.link.is_some() && !found.is_device_known {
            let what = format_args!("`{}': its process does not answer", self.target.ifname);
            return Err(Error::new(what));
        }
        let kind = match &found.state.link {
            Some(link) => link.kind.clone(),
            None => self.host.choose_driver(self.args.userspace)?,
        };
        let ignore = self.args.ignore_unresolved;
        let endpoints = endpoints(&config, self.record.as_ref(), &found);
        let is_name = |it: &&Spanned<Endpoint>| matches!(it.value, Endpoint::Name { .. });
        let waits = endpoints.iter().flatten().any(is_name);
        if waits {
            lock = None;
        }
        let endpoints = self.host.resolve(&endpoints, ignore)?;
        if load::tell_unresolved(
            &endpoints.unresolved,
            &text,
            &self.target,
            ignore,
            self.report,
        ) {
            return Err(Error::said());
        }
        let attempt = Attempt {
            ifname: self.target.ifname,
            target: &self.target,
            config: &config,
            endpoints: &endpoints.addresses,
            kind,
            record: self.record.as_ref(),
            purpose: Purpose::Apply {
                keep_peers: self.args.keep_peers,
                hooks: self.args.hooks,
            },
            report: self.report,
        };
        if waits {
            lock = take(&self.host)?;
            found = self.host.observe(attempt.ifname, attempt.record)?;
        }
        let planned = attempt.plan_from(&mut self.host, found, None)?;
        if let Some(what) = stale_endpoint(&text, attempt.ifname, &planned) {
            self.report.warning(what);
        }
        make(&attempt, &mut self.host, lock, planned)
    }
}

/// Says that hooks were not run that the file has, and that were not run before.
fn tell_hooks(attempt: &Attempt<'_>, was_up: bool) {
    let ifname = attempt.ifname;
    let hooks = &attempt.config.interface.hooks;
    let has_changed = |record: &Record| record.hooks != *hooks;
    if attempt.runs_hooks() {
        return;
    }
    if !was_up && has_hooks(attempt.config) {
        attempt.report.note(format_args!(
            "{ifname} is up, but its hooks were not run: that takes --hooks"
        ));
    } else if was_up && attempt.record.is_some_and(has_changed) {
        attempt.report.note(format_args!(
            "{ifname}: its hooks have changed, and were not run: that takes --hooks"
        ));
    }
}

/// Runs the command in a process that outlives the terminal. It says all itself.
fn in_background() -> Result<(), Error> {
    match confirm::run_detached(&format!("--{}", cli::DETACHED))? {
        0 => Ok(()),
        3 => Err(Error::said().something_left()),
        _ => Err(Error::said()),
    }
}

/// Waits for somebody to confirm what was done, or undoes it.
fn wait(
    attempt: &Attempt<'_>,
    host: &mut Host,
    pending: confirm::Pending,
    patience: Duration,
    done: Progress,
) -> Result<(), Error> {
    let (ifname, seconds) = (attempt.ifname, patience.as_secs());
    attempt.report.note(format_args!(
        "{ifname}: `wgq confirm {ifname}` within {seconds} seconds keeps this"
    ));
    let stop = match pending.wait(patience, || host.interrupted()) {
        Outcome::Confirmed => {
            attempt.report.note(format_args!("{ifname}: confirmed"));
            return Ok(());
        }
        Outcome::Late => Stop::Lost(anyhow!("{ifname}: not confirmed within {seconds} seconds")),
        Outcome::Interrupted(signal) => Stop::Interrupted(signal),
    };
    let error = attempt.give_up(host, None, done, stop);
    Err(error.outcome("the file still says otherwise: `wgq apply` would do it again"))
}

/// Keeps what was applied and waits for that.
pub(super) fn confirm(ifname: Ifname, report: Report) -> Result<(), Error> {
    load::require_root("confirm", false)?;
    confirm::confirm(ifname)?;
    report.note(format_args!("{ifname}: confirmed"));
    Ok(())
}

/// That clients have been told another port than the one that it is to be.
fn stale_endpoint(text: &str, ifname: Ifname, plan: &Plan) -> Option<String> {
    let port = |state: &State| state.device.settings.listen_port;
    let (old, new) = (port(&plan.now)?, port(&plan.up.desired.state)?);
    if old == new {
        return None; // before the file is looked through, which may be long
    }
    let told = config::interface_note(text, "Endpoint")?;
    let stale = told.strip_suffix(&format!(":{old}"))?;
    Some(format!(
        "clients connect to {told}, and nobody listens there from now on: `wgq endpoint {ifname} {stale}:{new}`"
    ))
}

/// The endpoint of each peer that is to get the one of the file.
pub(super) fn endpoints<'a>(
    config: &'a Config,
    record: Option<&Record>,
    found: &Found,
) -> Vec<Option<&'a Spanned<Endpoint>>> {
    let running = Running {
        now: &found.state,
        rules: None,
        memory: record.map(|record| &record.memory),
    };
    let needs = running.needs_endpoint(config);
    let peers = config.peers.iter().zip(needs);
    peers
        .map(|(peer, needs)| peer.endpoint.as_ref().filter(|_| needs))
        .collect()
}
