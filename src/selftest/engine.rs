//! wgq itself, as it is run by hand: this very program, in one of the machines.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::machine::Machine;
use crate::report::{Report, Verbosity};

/// The config file, in the machine's own /run.
const CONFIG: &str = "/run/wg0.conf";

/// Who drives the interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    /// The kernel's WireGuard.
    Kernel,
    /// wgq's own.
    Embedded,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kernel => "kernel",
            Self::Embedded => "embedded",
        })
    }
}

/// How wgq is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Engine {
    pub(super) driver: Driver,
    /// Who is told, where steps are to be shown.
    pub(super) report: Report,
}

impl Engine {
    /// `wgq up` with a config; returns how long it took.
    pub(super) fn up(self, machine: &Machine, config: &str) -> Result<Duration> {
        let write = || {
            let mut options = File::options();
            let open = options.write(true).create(true).truncate(true).mode(0o600);
            Ok(open.open(CONFIG)?.write_all(config.as_bytes())?)
        };
        machine.run(write).context(CONFIG)?;
        match self.driver {
            Driver::Kernel => self.wgq(machine, &["up"]),
            Driver::Embedded => self.wgq(machine, &["up", "--userspace"]),
        }
    }

    /// `wgq down`; returns how long it took.
    pub(super) fn down(self, machine: &Machine) -> Result<Duration> {
        self.wgq(machine, &["down"])
    }

    fn wgq(self, machine: &Machine, arguments: &[&str]) -> Result<Duration> {
        let what = format!("{}: wgq {}", machine.name, arguments.join(" "));
        let verbose = self.report.verbosity() == Verbosity::Verbose;
        if verbose {
            self.report.note(&what);
        }
        let run = || {
            let mut wgq = Command::new("/proc/self/exe");
            wgq.args(arguments)
                .arg(CONFIG)
                .env_remove("WG_QUICK_USERSPACE_IMPLEMENTATION")
                .stdin(Stdio::null());
            if verbose {
                wgq.arg("--verbose").stderr(Stdio::inherit());
            } else {
                wgq.arg("--quiet");
            }
            let start = Instant::now();
            let end = wgq.output()?;
            if !end.status.success() {
                bail!("{}", words(&end.stderr, &end.status.to_string()));
            }
            Ok(start.elapsed())
        };
        machine.run(run).context(what)
    }
}

/// What it said first: why it failed. Then follow hints, and what state the machine is in.
fn words(stderr: &[u8], otherwise: &str) -> String {
    let text = String::from_utf8_lossy(stderr);
    let first = text.lines().find_map(|line| line.strip_prefix("wgq: "));
    first.unwrap_or(otherwise).to_owned()
}
