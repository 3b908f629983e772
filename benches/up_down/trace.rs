//! What programs ask of the kernel, by strace(1), in runs whose time is not taken.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::case::FOLDER;
use crate::measure::once;

/// What one way up or down asked for.
#[derive(Default)]
pub(crate) struct Trace {
    pub(crate) system_calls: usize,
    pub(crate) processes: usize,
    /// Transactions of nftables: each waits for a grace period of RCU.
    pub(crate) nft_commits: usize,
    /// The files that were opened or started.
    pub(crate) opened: BTreeSet<PathBuf>,
}

/// Runs the programs under strace.
pub(crate) fn trace(commands: Vec<Command>) -> Trace {
    let mut trace = Trace::default();
    for command in commands {
        let output = Path::new(FOLDER).join("strace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-s", "4096", "-o"]).arg(&output);
        strace.arg(command.get_program()).args(command.get_args());
        if let Err(said) = once(&mut strace) {
            panic!("{strace:?}: {said}");
        }
        let text = String::from_utf8_lossy(&fs::read(&output).unwrap()).into_owned();
        text.lines().for_each(|line| trace.add(line));
    }
    trace
}

impl Trace {
    /// Reads a line of strace: `PID NAME(ARGUMENTS) = RESULT`.
    fn add(&mut self, line: &str) {
        let call = line
            .split_once(' ')
            .map_or("", |(_, call)| call.trim_start());
        let Some((name, arguments)) = call.split_once('(') else {
            return; // the end of a process, or of a call that another process's came between
        };
        self.system_calls += 1;
        let failed = call.contains(") = -1 ");
        self.processes += usize::from(name == "execve" && !failed);
        self.nft_commits += usize::from(name.starts_with("send") && call.contains("BATCH_BEGIN"));
        if matches!(name, "execve" | "openat" | "open") && !failed {
            let path = arguments.split('"').nth(1);
            self.opened.extend(path.map(PathBuf::from));
        }
    }
}
