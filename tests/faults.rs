//! A fault and a SIGKILL at every step of `up`, `apply` and `down`, for the file of every golden case, on a host with a
//! firewall that drops: the command itself, in network namespaces, with the embedded WireGuard where the kernel has none.
//!
//! After a fault the host is as it was before. After a kill `down` leaves it as it was before the tunnel, and `apply` makes it
//! what the file says. A debug build takes its faults from the environment (src/host/fault.rs).

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test"
)]

mod script;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

const FAULTS: &str = include_str!("engine/faults.sh");

/// At least so many faults there are to be: each is a run of the command that came to its fault.
const LEAST: usize = 1500;

/// The files of the golden cases that come up on this host, each with the one after it; but what is in a network namespace
/// of its own is not moved.
fn pairs() -> Vec<(PathBuf, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("wg0.conf"))
        .filter(|file| !file.parent().is_some_and(|case| case.ends_with("errors")))
        .collect();
    cases.sort();
    let is_moved = |file: &Path| file.parent().is_some_and(|case| case.ends_with("netns"));
    let next = cases.iter().cycle().skip(1);
    let pair = |(file, next): (&PathBuf, &PathBuf)| {
        let other = if is_moved(file) || is_moved(next) {
            file
        } else {
            next
        };
        (file.clone(), other.clone())
    };
    cases.iter().zip(next).map(pair).collect()
}

#[test]
fn after_a_fault_or_a_kill_at_any_step_nothing_is_left_or_all_can_be_put_right() {
    let open = Mutex::new(pairs());
    let faults = Mutex::new(0);
    let next = || open.lock().unwrap().pop();
    let work = || {
        while let Some((file, other)) = next() {
            let (file, other) = (file.display(), other.display());
            let said = script::host(&format!("file={file} other={other}\n{FAULTS}"));
            let count: usize = said.trim().parse().unwrap();
            *faults.lock().unwrap() += count;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
    let faults = faults.into_inner().unwrap();
    eprintln!("{faults} faults and kills");
    assert!(faults >= LEAST, "only {faults} faults and kills");
}
