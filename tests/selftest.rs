//! `wgq selftest` on hosts of several kinds: what it says, that it changes nothing, and that nothing of it is left.
//!
//! Needs root, or `unshare -rm`, and the kernel's WireGuard or /dev/net/tun; `ip`, `nft`, `unshare`, `setpriv`.
#![cfg(feature = "userspace")] // where the kernel has no WireGuard
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test may panic and touch the machine"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long something may take that is to happen; long, as a busy machine runs these tests too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs its arguments on a host with an uplink, a firewall, policy rules and a tunnel that runs; says what they changed.
const ON_A_HOST: &str = r#"
set -e
mount -t tmpfs none /run
mkdir -p /run/wgq /run/wireguard
echo something >/run/wgq/wg0.json
echo something >/run/wireguard/wg0.sock
ip link set lo up
ip link add uplink type veth peer name router
ip link set router up
ip link set uplink up
ip address add 192.0.2.2/24 dev uplink
ip address add 2001:db8::2/64 dev uplink nodad
ip route add default via 192.0.2.1
ip rule add not fwmark 51820 table 51820 priority 32765
nft add table inet wgq-wg0
while ip -6 address show tentative | grep -q .; do sleep 0.1; done
state() {
    ip -brief address
    ip route show table all
    ip -6 route show table all
    ip rule
    ip -6 rule
    nft list ruleset
    grep -r . /proc/sys/net/ipv4/conf/all /proc/sys/net/ipv4/ip_forward
    find /run -printf '%p %s %T@ %i\n'
    stat -L -c '%y %i' /etc/resolv.conf
    cat /proc/self/mountinfo
}
before=$(state)
code=0
"$@" || code=$?
after=$(state)
if [ "$after" != "$before" ]; then
    printf 'before\n%s\nafter\n%s\n' "$before" "$after" >&2
fi
exit $code
"#;

/// Puts a TUN device there that everybody may open, as it is on most hosts, and runs its arguments as a plain user.
const AS_NOBODY: &str = r#"
set -e
mount -t tmpfs -o mode=755 none /dev/net
mknod -m 666 /dev/net/tun c 10 200
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"#;

/// As [`AS_NOBODY`], where this test has no other user to be, and no device to make.
const AS_SOMEBODY: &str = r#"exec unshare --user --map-user=1000 --map-group=1000 "$@""#;

/// Runs its arguments as root where no process namespace can be made.
const WITHOUT_NAMESPACES: &str = r#"
exec unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_pid_namespaces; exec "$@"' sh "$@"
"#;

/// Runs its arguments where there is no TUN device.
const WITHOUT_TUN: &str = r#"mount -t tmpfs none /dev/net; exec "$@""#;

/// A copy of the program that everybody may run, and whose processes can be told from all others.
struct Program {
    folder: TempDir,
}

impl Program {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("chmod").arg("755").arg(folder.path()));
        let this = Self { folder };
        // cp(1) makes it: a file that this process has written cannot be run while another test forks
        run(Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_wgq"))
            .arg(this.path()));
        this
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("wgq")
    }

    /// Runs `wgq selftest` by a shell script that has it as its arguments; in a network and mount namespace of its own.
    fn by(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "sh", "-c", script, "sh"]);
        command.arg(self.path()).arg("selftest");
        command.stdin(Stdio::null()).env_remove("NO_COLOR");
        command
    }

    /// Waits until no process runs the program.
    fn wait_for_the_end(&self) {
        let runs = |process: &Path| {
            fs::read_link(process.join("exe")).is_ok_and(|program| program == self.path())
        };
        let start = Instant::now();
        while fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .any(|entry| runs(&entry.path()))
        {
            assert!(start.elapsed() < PATIENCE, "a process is left");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// Whether this is root, and not one of a user namespace.
fn is_root_of_host() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap();
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Whether each line fits a terminal, and all is plain text.
fn is_plain(table: &str) -> bool {
    table.lines().all(|line| line.len() <= 80) && !table.contains('\x1b')
}

#[test]
fn a_host_is_as_it_was() {
    let program = Program::new();
    let (code, stdout, stderr) = output(&mut program.by(ON_A_HOST));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(is_plain(&stdout), "{stdout}");
    for works in [
        "  ok       policy routing\n",
        "  ok       nftables: fib\n",
        ", split, IPv4  up ",
        ", split, IPv6  up ",
        ", full, IPv4   up ",
        ", full, IPv6   up ",
    ] {
        assert!(stdout.contains(works), "no `{works}': {stdout}");
    }
    assert!(stdout.contains("; no leak:"), "{stdout}");
    assert!(stdout.contains("\nwgq works here ("), "{stdout}");
    program.wait_for_the_end();
}

#[test]
fn a_plain_user_needs_no_rights() {
    let program = Program::new();
    let script = if is_root_of_host() {
        AS_NOBODY
    } else {
        AS_SOMEBODY
    };
    let (code, stdout, stderr) = output(&mut program.by(script));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let heading = stdout.lines().next().unwrap();
    assert!(heading.ends_with(", in a user namespace"), "{stdout}");
    assert!(!stdout.contains("FAILED"), "{stdout}");
    program.wait_for_the_end();
}

#[test]
fn a_host_without_namespaces_is_told_in_one_sentence() {
    let program = Program::new();
    let (code, stdout, stderr) = output(&mut program.by(WITHOUT_NAMESPACES));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let said = "wgq: selftest runs in namespaces of its own, and this host lets root make none: ";
    assert!(stderr.starts_with(said), "{stderr}");
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
}

#[test]
fn what_is_missing_is_told_with_its_cost() {
    let program = Program::new();
    let (code, stdout, stderr) = output(&mut program.by(WITHOUT_TUN));
    let missing = "  missing  /dev/net/tun           wgq's own WireGuard cannot";
    assert!(stdout.contains(missing), "{stdout}");
    if stdout.contains("ok       kernel WireGuard\n") {
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    } else {
        let said = "wgq: selftest: there is no WireGuard in this kernel and no /dev/net/tun";
        assert!(stderr.starts_with(said), "{stderr}");
        assert_eq!(code, Some(1), "{stdout}");
    }
}

#[test]
fn nothing_is_left_whenever_it_is_ended() {
    let program = Program::new();
    let signals = ["TERM", "KILL", "INT", "HUP"].into_iter().cycle();
    for (after, signal) in (20..).step_by(40).zip(signals).take(20) {
        let script = format!(r#"exec timeout --signal={signal} 0.{after:03} "$@""#);
        program.by(&script).stdout(Stdio::null()).status().unwrap();
        program.wait_for_the_end();
    }
}

#[test]
fn a_quiet_one_only_tells_by_its_exit_code() {
    let program = Program::new();
    let (code, stdout, stderr) = output(program.by(r#"exec "$@""#).arg("--quiet"));
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn a_dry_run_tells_what_would_be_done() {
    let program = Program::new();
    let (code, stdout, stderr) = output(program.by(WITHOUT_NAMESPACES).arg("--dry-run"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("make namespaces "), "{stdout}");
}
