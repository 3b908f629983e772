//! `wgq apply`: what runs becomes what the file says, and only what differs is touched. `wgq diff` shows what that is.

use super::attempt::{Attempt, Purpose};
use super::{load, namespace, not_begun, origin, up};
use crate::cli;
use crate::config::{Config, Endpoint, Spanned};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::observe::Found;
use crate::host::record::Record;
use crate::host::{Host, dns};
use crate::kept::{Running, has_hooks};
use crate::plan::Up;
use crate::report::Report;
use crate::step::Step;

/// Has an interface follow its file, whether it is up or not.
pub(super) fn apply(args: &cli::Apply, dry_run: bool, report: Report) -> Result<(), Error> {
    load::require_root("apply", dry_run)?;
    let target = Target::find(&args.target.config, args.target.name)?;
    let _lock = if dry_run {
        None
    } else {
        Some(Lock::take(target.ifname)?)
    };
    let application = Application::read(target, args, report)?;
    if dry_run {
        let plan = application.plan()?;
        return load::show(&steps(plan));
    }
    application.run()
}

/// Shows what an interface lacks to be what its file says.
pub(super) fn diff(args: &cli::Diff, report: Report) -> Result<(), Error> {
    let differences = || {
        load::require_root("diff", false)?;
        let target = Target::find(&args.target.config, args.target.name)?;
        let args = cli::Apply {
            target: args.target.clone(),
            keep_peers: args.keep_peers,
            ignore_unresolved: true,
            ..cli::Apply::default()
        };
        let plan = Application::read(target, &args, report)?.plan()?;
        Ok(steps(plan))
    };
    let steps: Vec<Step> = differences().map_err(Error::trouble)?;
    load::show(&steps).map_err(Error::trouble)?;
    if steps.is_empty() {
        Ok(())
    } else {
        Err(Error::said())
    }
}

fn steps(plan: Up) -> Vec<Step> {
    [plan.before, plan.after].concat()
}

/// A file that is to be applied, and what is known of its interface.
struct Application<'a> {
    args: &'a cli::Apply,
    target: Target,
    config: Config,
    text: String,
    record: Option<Record>,
    host: Host,
    report: Report,
}

impl<'a> Application<'a> {
    fn read(target: Target, args: &'a cli::Apply, report: Report) -> Result<Self, Error> {
        let record = Record::read(target.ifname).unwrap_or_else(|error| {
            report.warning(format_args!("{error:#}; going by what the kernel shows"));
            None
        });
        let target = origin::of_running(target, record.as_ref(), report);
        if target.was_input() {
            let what = format_args!("`{}' was brought up from standard input", target.ifname);
            return Err(Error::new(what).hint(format!("`wgq apply - --name {}`", target.ifname)));
        }
        let (text, mut config) = load::file(&target, report)?;
        load::keys(&mut config, &text, &target, report)?;
        namespace::refuse_move(target.ifname, record.as_ref(), &config)?;
        let netns = config.interface.netns.as_ref();
        let netns = netns.map(|netns| &netns.value);
        let mut host = Host::open(report, target.path.as_deref(), netns)?;
        namespace::refuse_outside(&mut host, target.ifname)?;
        load::warn_of_kernel(&config, &text, &target, report);
        load::warn_of_absent(&config, &text, &target, &mut host, report)?;
        if args.hooks {
            up::check_hooks(&config)?;
        }
        Ok(Self {
            args,
            target,
            config,
            text,
            record,
            host,
            report,
        })
    }

    fn run(mut self) -> Result<(), Error> {
        if dns::may_be_astray() {
            let _shared = self.host.lock().map_err(not_begun)?;
            up::recover_resolver(self.report);
        }
        self.attempt(|attempt, host| {
            let lock = host.lock().map_err(not_begun)?;
            let (plan, record) = attempt.plan(host, None)?;
            attempt.warn(&plan, &[]);
            let (ifname, is_up) = (attempt.ifname, plan.now.link.is_some());
            let is_settled = attempt
                .record
                .is_some_and(|before| record.is_follow_up(before));
            if plan.before.is_empty() && plan.after.is_empty() && is_settled {
                let what = format_args!("{ifname}: nothing to do, it is what the file says");
                attempt.report.note(what);
                return Ok(());
            }
            attempt.carry_out(host, Some(lock), plan, record)?;
            if !is_up && !runs_hooks(attempt) && has_hooks(attempt.config) {
                let what =
                    format_args!("{ifname} is up, but its hooks were not run: that takes --hooks");
                attempt.report.note(what);
            }
            Ok(())
        })
    }

    /// Plans what is to be done, and does nothing.
    fn plan(mut self) -> Result<Up, Error> {
        self.attempt(|attempt, host| {
            let (plan, _) = attempt.plan(host, None)?;
            attempt.warn(&plan, &[]);
            Ok(plan)
        })
    }

    /// Looks up what it takes to know, and makes the attempt.
    fn attempt<T>(
        &mut self,
        make: impl FnOnce(&Attempt<'_>, &mut Host) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let found = self
            .host
            .observe(self.target.ifname, self.record.as_ref())?;
        if found.state.link.is_some() && !found.is_device_known {
            let what = format_args!("`{}': its process does not answer", self.target.ifname);
            return Err(Error::new(what));
        }
        let kind = match &found.state.link {
            Some(link) => link.kind.clone(),
            None => self.host.choose_driver(self.args.userspace)?,
        };
        let ignore = self.args.ignore_unresolved;
        let endpoints = endpoints(&self.config, self.record.as_ref(), &found);
        let endpoints = self.host.resolve(&endpoints, ignore)?;
        if load::tell_unresolved(
            &endpoints.unresolved,
            &self.text,
            &self.target,
            ignore,
            self.report,
        ) {
            return Err(Error::said());
        }
        let attempt = Attempt {
            ifname: self.target.ifname,
            target: &self.target,
            config: &self.config,
            endpoints: &endpoints.addresses,
            kind,
            record: self.record.as_ref(),
            purpose: Purpose::Apply {
                keep_peers: self.args.keep_peers,
                hooks: self.args.hooks,
            },
            report: self.report,
        };
        make(&attempt, &mut self.host)
    }
}

/// The endpoint of each peer that is to get the one of the file.
fn endpoints<'a>(
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

fn runs_hooks(attempt: &Attempt<'_>) -> bool {
    matches!(attempt.purpose, Purpose::Apply { hooks: true, .. })
}
