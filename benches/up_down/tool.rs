//! Who brings it up and down.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::case::Prepared;

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

    /// The programs to run for `up`, one after the other.
    pub(crate) fn up(&self, case: &Prepared) -> Vec<Command> {
        let Self::Floor = self else {
            return self.one("up", case);
        };
        let mut commands = Vec::new();
        let mut batches = case.batches[0].iter().flatten();
        commands.extend(batches.next().map(|batch| ip(batch, false)));
        commands.push(with_file("wg", &["setconf", "wg0"], &case.setconf));
        commands.extend(batches.next().map(|batch| ip(batch, true)));
        if let Some([up, _]) = &case.nft {
            commands.push(with_file("nft", &["-f"], up));
            commands.push(src_valid_mark(1));
        }
        commands
    }

    /// The programs to run for `down`.
    pub(crate) fn down(&self, case: &Prepared) -> Vec<Command> {
        let Self::Floor = self else {
            return self.one("down", case);
        };
        let [v6, v4] = &case.batches[1];
        let mut commands: Vec<Command> = v6.iter().map(|batch| ip(batch, true)).collect();
        commands.extend(v4.iter().map(|batch| ip(batch, false)));
        if let Some([_, down]) = &case.nft {
            commands.push(with_file("nft", &["-f"], down));
            commands.push(src_valid_mark(0));
        }
        commands
    }

    fn one(&self, verb: &str, case: &Prepared) -> Vec<Command> {
        let program = match self {
            Self::WgQuick(program) | Self::Wgq(program) => program.as_path(),
            Self::Floor => Path::new("ip"),
        };
        let mut command = Command::new(program);
        command.arg(verb).arg(&case.config);
        vec![command]
    }
}

fn ip(batch: &Path, ipv6: bool) -> Command {
    let family: &[&str] = if ipv6 { &["-6"] } else { &[] };
    let mut command = Command::new("ip");
    command.args(family).arg("-batch").arg(batch);
    command
}

fn src_valid_mark(value: u8) -> Command {
    let mut command = Command::new("sysctl");
    command.args(["-q", &format!("net.ipv4.conf.all.src_valid_mark={value}")]);
    command
}

fn with_file(program: &str, arguments: &[&str], file: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg(file);
    command
}

/// Loads what the first run would otherwise wait for.
pub(crate) fn load_modules() -> Command {
    let mut command = Command::new("modprobe");
    command.args(["-a", "wireguard", "dummy", "nf_tables", "nft_fib_inet", "nft_ct"]);
    command
}
