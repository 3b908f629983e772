//! How long `up` and `down` take beside wg-quick, and beside the least that the same work takes: `cargo bench`.
//!
//! It runs in the virtual machine of tests/vm, where there is a kernel with `WireGuard`, and takes a few minutes. Words after
//! `--` choose the cases that have one of them in their name. What it prints are ratios. The machine's clock counts
//! instructions, so that they are the same in each run, and do not depend on what an emulator finds hard, nor on what else
//! is going on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    missing_docs,
    reason = "a benchmark prints, and fails by panicking"
)]

mod case;
mod firewall;
mod measure;
mod memory;
mod table;
mod tool;
mod trace;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use case::{CASES, Case, Prepared};
use measure::{Namespaces, once};
use table::Results;
use tool::{Tool, Way};

/// The argument by which this program, started by itself, knows that it is in the machine; the paths of wgq and wg-quick
/// follow, and the words by which cases are chosen.
const IN_MACHINE: &str = "--in-machine";

fn main() {
    let arguments: Vec<OsString> = env::args_os().collect();
    match arguments.iter().position(|argument| argument == IN_MACHINE) {
        Some(at) => {
            let words = &arguments[at + 3..];
            in_machine(
                arguments[at + 1].as_ref(),
                arguments[at + 2].as_ref(),
                words,
            );
        }
        None => on_host(arguments[1..].iter().filter(|word| *word != "--bench")),
    }
}

/// Boots the machine, has everything measured there, and adds what can be measured here.
fn on_host<'a>(words: impl Iterator<Item = &'a OsString>) {
    let wgq = Path::new(env!("CARGO_BIN_EXE_wgq"));
    let vm = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vm");
    let ended = Command::new(vm.join("run"))
        .arg("--out")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("vm/up_down"))
        .args(["--timeout", "1200", "--count-instructions"])
        .arg(env::current_exe().unwrap())
        .arg(IN_MACHINE)
        .args([wgq, &wg_quick(&vm)])
        .args(words)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success(), "in the virtual machine: {ended}");
    let kilobytes = fs::metadata(wgq).unwrap().len() / 1000;
    println!("\nthe program: {kilobytes} kB");
    let start = Instant::now();
    let selftest = Command::new(wgq).arg("selftest").output().unwrap();
    if selftest.status.success() {
        let seconds = start.elapsed().as_secs_f64();
        println!("selftest on this machine, not emulated: {seconds:.1} s");
    }
}

/// Returns the newest wg-quick, or else the one that is installed.
fn wg_quick(vm: &Path) -> PathBuf {
    let found = Command::new(vm.join("wg-quick")).output().unwrap();
    if found.status.success() {
        PathBuf::from(String::from_utf8(found.stdout).unwrap().trim_end())
    } else {
        PathBuf::from("/usr/bin/wg-quick")
    }
}

fn in_machine(wgq: &Path, wg_quick: &Path, words: &[OsString]) {
    fs::create_dir_all(case::FOLDER).unwrap();
    let tools = [
        // alone in a folder: it takes the `wg` beside it, and the one that came with it is started by a script
        Tool::WgQuick(copy(wg_quick, "wg-quick")),
        Tool::Wgq(copy(wgq, "wgq")),
        Tool::Floor,
    ];
    once(&mut tool::load_modules()).unwrap();
    // wg-quick's ioctls have the kernel look for a module called netdev-wg0, and modprobe(8) is not in memory
    fs::write("/proc/sys/kernel/modprobe", "\n").unwrap();
    measure::enter_group();
    let mut namespaces = Namespaces::default();
    let words = words.iter().map(|word| word.to_string_lossy());
    let is_chosen =
        |case: &&Case| words.len() == 0 || words.clone().any(|word| case.name.contains(&*word));
    let cases: Vec<Prepared> = CASES.iter().filter(is_chosen).map(Case::prepare).collect();
    let mut results = Results::default();
    for case in cases.iter().filter(|case| case.is_small()) {
        for tool in &tools {
            namespaces.enter_new(case.case.has_firewall);
            for way in Way::BOTH {
                results.add_trace(case, tool, way, trace::trace(tool.commands(way, case)));
            }
        }
    }
    memory::enter_root_of(results.files_opened());
    for case in &cases {
        for round in 0..case.case.rounds {
            for tool in tools.iter().filter(|tool| round < case.rounds_of(tool)) {
                namespaces.enter_new(case.case.has_firewall);
                for way in Way::BOTH {
                    if round == 0
                        && let Some(parts) = tool.parts(way, case)
                    {
                        results.add_parts(case, way, parts.map(measure::run));
                    }
                    let done = tool.commands(way, case).into_iter().map(measure::run);
                    results.add(case, tool, way, done.sum());
                }
            }
        }
    }
    results.print();
}

/// Copies a program to where its way does not matter: into memory.
fn copy(program: &Path, name: &str) -> PathBuf {
    let folder = Path::new(case::FOLDER).join(format!("{name}.bin"));
    fs::create_dir_all(&folder).unwrap();
    let copy = folder.join(name);
    fs::copy(program, &copy).unwrap();
    copy
}
