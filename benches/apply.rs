//! How long `wgq apply` takes for one changed peer of 10,000, beside `wg syncconf` of the same file, and for none, beside
//! `wg show dump`: `cargo bench --bench apply`.
//!
//! It runs in the virtual machine of tests/vm, where there is a kernel with `WireGuard`. What it prints are ratios.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The argument by which this program, started by itself, knows that it is in the machine; the path of wgq follows.
const IN_MACHINE: &str = "--in-machine";

/// Where the files and programs are: in memory.
const FOLDER: &str = "/run/bench";

const PEERS: u32 = 10_000;
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<OsString> = env::args_os().collect();
    match arguments.iter().position(|it| it == IN_MACHINE) {
        Some(at) => in_machine(arguments[at + 1].as_ref()),
        None => on_host(),
    }
}

fn on_host() {
    let vm = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vm/run");
    let ended = Command::new(vm)
        .arg("--out")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("vm/apply"))
        .args(["--timeout", "1200"])
        .arg(env::current_exe().unwrap())
        .args([IN_MACHINE, env!("CARGO_BIN_EXE_wgq")])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success(), "in the virtual machine: {ended}");
}

fn in_machine(wgq: &Path) {
    fs::create_dir_all(FOLDER).unwrap();
    fs::copy(wgq, format!("{FOLDER}/wgq")).unwrap();
    fs::copy("/usr/bin/wg", format!("{FOLDER}/wg")).unwrap();
    run("modprobe", &["-a", "wireguard", "nf_tables"]);
    for change in [0, 1] {
        for (name, address) in [("quick", "Address = 10.0.0.1/8\n"), ("wg", "")] {
            fs::write(format!("{FOLDER}/{name}{change}"), config(address, change)).unwrap();
        }
    }
    // wg takes back what wgq has applied
    fs::rename(format!("{FOLDER}/wg0"), format!("{FOLDER}/wg0.stripped")).unwrap();
    let take = |change: usize| {
        let file = format!("{FOLDER}/wg0.conf");
        fs::copy(format!("{FOLDER}/quick{change}"), &file).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    };
    take(0);
    let file = format!("{FOLDER}/wg0.conf");
    let wgq = format!("{FOLDER}/wgq");
    let wg = format!("{FOLDER}/wg");
    run(&wgq, &["-q", "up", &file]);
    let mut times = [0.0; 4];
    for _ in 0..ROUNDS {
        times[0] += run(&wgq, &["-q", "apply", &file]);
        times[1] += run(&wg, &["show", "wg0", "dump"]);
        take(1);
        times[2] += run(&wgq, &["-q", "apply", &file]);
        times[3] += run(&wg, &["syncconf", "wg0", &format!("{FOLDER}/wg0.stripped")]);
        take(0);
        run(&wgq, &["-q", "diff", &file]);
    }
    println!("{PEERS} peers, {ROUNDS} rounds");
    println!("unchanged apply / wg show dump: {:.2}", times[0] / times[1]);
    println!(
        "apply of one changed peer / wg syncconf: {:.2}",
        times[2] / times[3]
    );
}

/// A file with many peers, of which one has another address in the second version.
fn config(interface: &str, change: usize) -> String {
    let mut text = format!(
        "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nListenPort = 51820\n{interface}"
    );
    for number in 0..PEERS {
        // no two are alike, and the kernel asks for no more than 32 bytes
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        key[31] = 64;
        let [.., a, b] = (number + 2).to_be_bytes();
        let key = wgq::key::PublicKey(key);
        let net = if change == 1 && number == PEERS / 2 {
            2
        } else {
            1
        };
        let _ = write!(
            text,
            "[Peer]\nPublicKey = {key}\nAllowedIPs = 10.{net}.{a}.{b}/32\n"
        );
    }
    text
}

/// Runs a program to its end, and returns how long that took, in seconds.
fn run(program: &str, arguments: &[&str]) -> f64 {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let start = Instant::now();
    let ended = command.output().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let said = || String::from_utf8_lossy(&ended.stdout[..ended.stdout.len().min(2000)]);
    assert!(
        ended.status.success(),
        "{program} {arguments:?}: {}",
        said()
    );
    seconds
}
