//! Everything that touches the machine: the only place that knows the kernel, its files and other programs.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::apply::{Executor, Failure};
use crate::net::{Ifname, Netns};
use crate::report::Report;
use crate::state::{Dns, LinkKind};
use crate::step::{Batch, Brief, Step};

pub mod address;
mod advertised;
pub mod clients;
pub mod clock;
pub mod config_file;
pub mod confirm;
pub mod dns;
mod driver;
pub mod endpoints;
mod fault;
pub mod firewalls;
pub mod forwarding;
pub mod here;
pub mod hooks;
pub mod kernel;
pub mod keys;
mod lan;
pub mod link;
pub mod lock;
pub mod moved;
pub mod names;
pub mod netlink;
pub mod netns;
pub mod nftables;
pub mod observe;
pub mod path_mtu;
mod program;
pub mod random;
pub mod record;
pub mod remove;
pub mod resolve;
pub mod restore;
pub mod route;
pub mod route_socket;
pub mod rule;
pub mod run_dir;
pub mod screen;
mod sessions;
pub mod signals;
pub mod status;
pub mod sysctl;
pub mod systemd;
pub mod terminal;
pub mod uapi;
pub mod uplink;
pub mod userspace;
pub mod wireguard;

use fault::Fault;
use netlink::KernelError;
use netns::Outside;
use nftables::Deletion;
use route_socket::RouteSocket;
use signals::Signals;
use wireguard::WireGuard;

/// How often it is looked for a signal while a hook runs.
const ATTENTION: Duration = Duration::from_millis(100);

/// This machine: what executes the steps of one interface, and what finds out how things are.
pub struct Host {
    report: Report,
    signals: Signals,
    /// What hooks find as `$CONFIG_FILE`.
    config_file: PathBuf,
    route: RouteSocket,
    /// What is left behind of the namespace of birth, where the tunnel lives in another one.
    outside: Option<Outside>,
    /// Opened when first used: that loads the kernel's module.
    wireguard: Option<WireGuard>,
    /// Who drives the interface, once it is made or found.
    kind: LinkKind,
    fault: Option<Fault>,
}

impl Host {
    /// Opens the machine for work on one interface, which lives in the named network namespace: this thread goes there. From
    /// now on signals that ask to stop are noted, not died of.
    pub fn open(report: Report, config_file: Option<&Path>, netns: Option<&Netns>) -> Result<Self> {
        let outside = netns.map(Outside::leave_for).transpose()?;
        Ok(Self {
            report,
            outside,
            signals: Signals::catch()?,
            config_file: config_file.map_or_else(|| "/dev/stdin".into(), real_path),
            route: RouteSocket::open().context("netlink")?,
            wireguard: None,
            kind: LinkKind::Kernel,
            fault: Fault::from_env(),
        })
    }

    fn wireguard(&mut self) -> Result<&mut WireGuard, KernelError> {
        match &mut self.wireguard {
            Some(open) => Ok(open),
            none => Ok(none.insert(WireGuard::open()?)),
        }
    }

    fn set_device(&mut self, steps: &[Step]) -> Vec<Failure> {
        if self.kind != LinkKind::Kernel {
            return uapi::execute(steps);
        }
        match self.wireguard() {
            Ok(wireguard) => failures(wireguard.execute(steps)),
            Err(error) => vec![failure(0, error.into())],
        }
    }

    /// Executes steps that go together.
    fn execute_run(&mut self, steps: &[Step]) -> Vec<Failure> {
        match steps.first().and_then(Step::batch) {
            Some(Batch::Route) => failures(self.route.execute(steps)),
            Some(Batch::Device) => self.set_device(steps),
            Some(Batch::Deletion) if is_deleted(steps) => Vec::new(),
            Some(Batch::Deletion) | None => {
                let one_by_one = steps.iter().enumerate();
                let failed = one_by_one.filter_map(|(index, step)| {
                    Some(failure(index, self.execute_one(step).err()?))
                });
                failed.collect()
            }
        }
    }

    /// Executes a step that is no batch's.
    fn execute_one(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::AddNetns(netns) => {
                netns::add(netns)?;
                Ok(self.route.bring_up_loopback()?)
            }
            Step::DeleteNetns(netns) => netns::delete(netns),
            Step::AddLink { ifname, kind } => self.add_link(step, *ifname, kind),
            Step::DeleteLink { ifname, kind } => self.delete_link(step, *ifname, kind),
            Step::SetNftTable {
                from: None,
                to: Some(table),
            } => Ok(nftables::create(table)?),
            Step::SetNftTable {
                to: Some(table), ..
            } => Ok(nftables::replace(table)?),
            Step::SetNftTable { to: None, .. }
            | Step::DeleteAccept(_)
            | Step::DeleteWgQuickTable { .. } => Ok(nftables::delete(deletion(step).as_slice())?),
            Step::AddAccept(accept) => Ok(nftables::add_accept(accept)?),
            Step::SetSysctl {
                sysctl, to, keep, ..
            } => {
                sysctl::write(sysctl, to)?;
                Ok(sysctl::keep(keep)?)
            }
            Step::SetDns { ifname, from, to } => self.set_dns(*ifname, from.as_ref(), to.as_ref()),
            Step::Hook {
                ifname, command, ..
            } => Ok(self.run_hook(command, *ifname)?),
            Step::SetLink { .. }
            | Step::SetDevice { .. }
            | Step::SetPeer { .. }
            | Step::AddAddress { .. }
            | Step::DeleteAddress { .. }
            | Step::AddRoute { .. }
            | Step::DeleteRoute { .. }
            | Step::AddRule(_)
            | Step::DeleteRule(_) => bail!("sent alone, but belongs to a batch"),
        }
    }

    /// Runs a hook to its end. A signal to us alone is not passed on to it, as wg-quick does not; but it is said that one came.
    fn run_hook(&self, command: &str, ifname: Ifname) -> Result<(), hooks::HookError> {
        let before = self.signals.caught();
        let (ended, is_ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let watch = move || {
                while is_ended.recv_timeout(ATTENTION) == Err(RecvTimeoutError::Timeout) {
                    if before.is_none()
                        && let Some(signal) = self.signals.caught()
                    {
                        self.report
                            .note(format_args!("{signal}: waiting for the hook to end"));
                        return;
                    }
                }
            };
            let _ = thread::Builder::new().spawn_scoped(scope, watch); // without a thread nothing is said
            let result = hooks::run(command, ifname, &self.config_file);
            drop(ended);
            result
        })
    }

    fn add_link(&mut self, step: &Step, ifname: Ifname, kind: &LinkKind) -> Result<()> {
        self.kind = kind.clone();
        match (kind, &mut self.outside) {
            (LinkKind::Kernel, None) => self.route_step(step),
            (LinkKind::Kernel, Some(outside)) => Ok(outside.route.add_wireguard_to_us(ifname)?),
            (LinkKind::Userspace { program }, None) => userspace::start(ifname, program.as_deref()),
            (LinkKind::Userspace { program }, Some(outside)) => {
                userspace::start_outside(ifname, program.as_deref(), outside)
            }
        }
    }

    fn delete_link(&mut self, step: &Step, ifname: Ifname, kind: &LinkKind) -> Result<()> {
        match kind {
            LinkKind::Kernel => self.route_step(step),
            LinkKind::Userspace { .. } => userspace::stop(ifname),
        }
    }

    fn route_step(&mut self, step: &Step) -> Result<()> {
        let failed = self.route.execute(std::slice::from_ref(step)).pop();
        failed.map_or(Ok(()), |failure| Err(failure.error.into()))
    }

    fn set_dns(&self, ifname: Ifname, from: Option<&Dns>, to: Option<&Dns>) -> Result<()> {
        let outcome = dns::set(ifname, from, to)?;
        if outcome != dns::Outcome::Done {
            self.report.warning(outcome);
        }
        Ok(())
    }
}

/// Deletes all from nftables, or nothing, and says which; a single step is none of its business.
fn is_deleted(steps: &[Step]) -> bool {
    let deletions: Vec<Deletion<'_>> = steps.iter().filter_map(deletion).collect();
    steps.len() > 1 && nftables::delete(&deletions).is_ok()
}

fn deletion(step: &Step) -> Option<Deletion<'_>> {
    if let Step::SetNftTable { from, to: None } = step {
        Some(Deletion::Table(&from.as_ref()?.name))
    } else if let Step::DeleteWgQuickTable { ifname, family } = step {
        Some(Deletion::WgQuickTable(*ifname, *family))
    } else if let Step::DeleteAccept(accept) = step {
        Some(Deletion::Accept(accept))
    } else {
        None
    }
}

/// Returns a file's path without links, as wg-quick has it; that of one that is not there as it is.
fn real_path(path: &Path) -> PathBuf {
    let real = path.canonicalize().or_else(|_| std::path::absolute(path));
    real.unwrap_or_else(|_| path.to_owned())
}

impl Executor for Host {
    fn execute(&mut self, steps: &[Step]) -> Vec<Failure> {
        if let Some(mut fault) = self.fault.take() {
            if let Some(failures) = fault.strike(steps, |steps| self.execute_run(steps)) {
                return failures;
            }
            self.fault = Some(fault);
        }
        self.execute_run(steps)
    }

    fn announce(&mut self, steps: &[Step]) {
        let netns = self.outside.as_ref().map(|outside| &outside.netns);
        self.report.steps(steps, netns);
    }

    fn forgo(&mut self, step: &Step, error: anyhow::Error) {
        self.report
            .warning(format_args!("{}: {error:#}", Brief(step)));
    }

    fn interrupted(&self) -> Option<&'static str> {
        self.signals.caught()
    }
}

fn failures(failed: Vec<netlink::Failure>) -> Vec<Failure> {
    let failed = failed.into_iter();
    failed
        .map(|failed| failure(failed.index, failed.error.into()))
        .collect()
}

fn failure(index: usize, error: anyhow::Error) -> Failure {
    let kernel = |cause: &(dyn std::error::Error + 'static)| {
        let error = cause.downcast_ref::<KernelError>();
        error.is_some_and(KernelError::is_uncertain)
    };
    Failure {
        index,
        uncertain: error.chain().any(kernel),
        error,
    }
}

/// Returns an action that the user can take, where the cause tells of one.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    let firewall =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<nftables::Error>()?.hint();
    error.chain().find_map(firewall)
}

/// Returns the number of the kernel's error, where one is the cause.
pub fn errno(error: &anyhow::Error) -> Option<i32> {
    error.chain().find_map(|cause| {
        let kernel = cause.downcast_ref::<KernelError>().map(KernelError::errno);
        kernel.or_else(|| cause.downcast_ref::<std::io::Error>()?.raw_os_error())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_firewall_lacks_is_told_with_what_to_do() {
        let error = nftables::Error::Unsupported(KernelError::from_errno(libc::EPROTONOSUPPORT));
        let error = anyhow::Error::from(error).context("wg0");
        assert!(hint(&error).is_some_and(|hint| hint.contains("modprobe nf_tables")));
        assert_eq!(hint(&anyhow::anyhow!("wg0")), None);
    }

    #[test]
    fn a_step_whose_answer_was_lost_is_told_from_one_that_was_refused() {
        let route = |errno| failure(0, KernelError::from_errno(errno).into()).uncertain;
        let table = |errno| {
            let error = nftables::Error::Unreadable(KernelError::from_errno(errno));
            failure(0, anyhow::Error::from(error).context("wg0")).uncertain
        };
        for errno in [libc::ENOBUFS, libc::ETIMEDOUT, libc::EINTR] {
            assert!(route(errno) && table(errno), "{errno}");
        }
        for errno in [libc::EEXIST, libc::EPERM] {
            assert!(!route(errno) && !table(errno), "{errno}");
        }
    }
}
