//! Who brings it up and down.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::case::Prepared;

/// Up or down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Way {
    pub(crate) const BOTH: [Self; 2] = [Self::Up, Self::Down];

    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// One of those that are compared.
pub(crate) enum Tool {
    WgQuick(PathBuf),
    Wgq(PathBuf),
    /// `ip -batch`, `wg setconf` and `nft -f`, with all decided and written down before: the least that the same work
    /// takes with the kernel's own programs.
    Floor,
}

impl Tool {
    /// Its place in tables.
    pub(crate) fn index(&self) -> usize {
        match self {
            Self::WgQuick(_) => 0,
            Self::Wgq(_) => 1,
            Self::Floor => 2,
        }
    }

    /// The programs to run, one after the other.
    pub(crate) fn commands(&self, way: Way, case: &Prepared) -> Vec<Command> {
        match (self, way) {
            (Self::WgQuick(program), way) => {
                vec![with_file(program, &[way.verb()], &case.wg_quick)]
            }
            (Self::Wgq(program), way) => vec![with_file(program, &[way.verb()], &case.wgq)],
            (Self::Floor, Way::Up) => floor_up(case),
            (Self::Floor, Way::Down) => floor_down(case),
        }
    }

    /// wgq that only starts, and that only looks and plans: the parts of which a run consists.
    pub(crate) fn parts(&self, way: Way, case: &Prepared) -> Option<[Command; 2]> {
        let Self::Wgq(program) = self else {
            return None;
        };
        let mut start = Command::new(program);
        start.arg("--version");
        let mut plan = Command::new(program);
        plan.args(["--dry-run", way.verb()]).arg(&case.wgq);
        Some([start, plan])
    }
}

fn floor_up(case: &Prepared) -> Vec<Command> {
    let [v4, v6] = &case.batches[0];
    let mut add = Command::new("ip");
    add.args(["link", "add", "dev", "wg0", "type", "wireguard"]);
    // before the link is up: else its socket is changed, which waits for a grace period
    let mut commands = vec![add, with_file("wg", &["setconf", "wg0"], &case.setconf)];
    commands.extend(v4.iter().map(|batch| ip(batch, false)));
    commands.extend(v6.iter().map(|batch| ip(batch, true)));
    if let Some([up, _]) = &case.nft {
        commands.push(with_file("nft", &["-f"], up));
        commands.push(sysctls(case, 1));
    }
    commands
}

fn floor_down(case: &Prepared) -> Vec<Command> {
    let [v6, v4] = &case.batches[1];
    let mut commands: Vec<Command> = v6.iter().map(|batch| ip(batch, true)).collect();
    commands.extend(v4.iter().map(|batch| ip(batch, false)));
    if let Some([_, down]) = &case.nft {
        commands.push(with_file("nft", &["-f"], down));
        commands.push(sysctls(case, 0));
    }
    commands
}

fn ip(batch: &Path, ipv6: bool) -> Command {
    let family: &[&str] = if ipv6 { &["-6"] } else { &[] };
    let mut command = Command::new("ip");
    command.args(family).arg("-batch").arg(batch);
    command
}

fn sysctls(case: &Prepared, value: u8) -> Command {
    let mut command = Command::new("sysctl");
    let names = case.case.sysctls.iter();
    command
        .arg("-q")
        .args(names.map(|name| format!("{name}={value}")));
    command
}

fn with_file(program: impl AsRef<OsStr>, arguments: &[&str], file: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg(file);
    command
}

/// Loads what the first run would otherwise wait for.
pub(crate) fn load_modules() -> Command {
    let mut command = Command::new("modprobe");
    command.args([
        "-a",
        "wireguard",
        "dummy",
        "nf_tables",
        "nft_fib_inet",
        "nft_ct",
        "nft_chain_nat",
        "nft_masq",
        "nft_nat",
        "nft_compat",
        "xt_MASQUERADE",
        "xt_TCPMSS",
        "xt_addrtype",
        "xt_conntrack",
        "xt_nat",
        "xt_tcpudp",
        "netlink_diag", // for strace
    ]);
    command
}
