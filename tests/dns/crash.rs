//! An end at any moment: a process is killed before and after each of its system calls, and what it had begun is completed.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, gettid};

use super::mounts::in_private_mounts;
use super::*;

/// One call: the interface, the server before and the server after.
type Call = (&'static str, Option<&'static str>, Option<&'static str>);

const UP_0: Call = ("wg0", None, Some("10.0.0.1"));
const DOWN_0: Call = ("wg0", Some("10.0.0.1"), None);
const CHANGE_0: Call = ("wg0", Some("10.0.0.1"), Some("fd00::1"));
const UP_1: Call = ("wg1", None, Some("10.0.0.2"));
const DOWN_1: Call = ("wg1", Some("10.0.0.2"), None);

/// What happens before, which call is killed, and which ones, starting with one of the same tunnel, mend it; then nothing is up.
const STORIES: [(&[Call], Call, &[Call]); 8] = [
    (&[], UP_0, &[DOWN_0]),
    (&[], UP_0, &[UP_0, DOWN_0]),
    (&[UP_0], DOWN_0, &[DOWN_0]),
    (&[UP_0], CHANGE_0, &[DOWN_0]),
    (&[UP_0], UP_1, &[DOWN_1, DOWN_0]),
    (&[UP_0], UP_1, &[DOWN_0, DOWN_1]),
    (&[UP_0, UP_1], DOWN_1, &[DOWN_1, DOWN_0]),
    (&[UP_0, UP_1], DOWN_0, &[DOWN_0, DOWN_1]),
];

fn call(host: &Host, (ifname, from, to): Call) -> Outcome {
    let (from, to) = (from.map(file), to.map(file));
    host.set(name(ifname), from.as_ref(), to.as_ref()).unwrap()
}

/// Tells all stories about hosts made by `make`, with a kill at every point of each.
fn tell_stories(make: fn() -> Folder) {
    for (number, (before, killed, after)) in STORIES.iter().enumerate() {
        let mut point = 0;
        loop {
            let folder = make();
            let nothing = folder.snapshot();
            for &done in *before {
                assert_eq!(call(&folder.host, done), Outcome::Done);
            }
            let came_to_its_end = !run_and_kill(&folder, number, point);
            for &done in *after {
                let outcome = call(&folder.host, done);
                assert_eq!(outcome, Outcome::Done, "{killed:?} killed at {point}");
            }
            assert_eq!(folder.snapshot(), nothing, "{killed:?} killed at {point}");
            if came_to_its_end {
                break;
            }
            point += 1;
        }
        assert!(point > 20, "{killed:?}: only {point} points");
    }
}

/// Runs the killed call of a story in a process of its own, and kills that at its `point`th entry to or exit from the kernel.
///
/// Returns whether it came to that.
#[expect(clippy::zombie_processes, reason = "waitpid(2) it is, for a thread")]
fn run_and_kill(folder: &Folder, story: usize, point: usize) -> bool {
    let victim = Command::new(env::current_exe().unwrap())
        .args(["crash::victim", "--exact", "--ignored"])
        .env("WGQ_TEST_ROOT", &folder.host.root)
        .env("WGQ_TEST_STORY", story.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let victim = Pid::from_raw(victim.id().try_into().unwrap());
    let thread = wait_for_thread(&folder.path("thread"));
    let wait = || waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
    assert_eq!(wait(), WaitStatus::Stopped(thread, Signal::SIGSTOP));
    for _ in 0..=point {
        ptrace::syscall(thread, None).unwrap();
        match wait() {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            // the call is over
            WaitStatus::Stopped(_, Signal::SIGSTOP) => {
                ptrace::detach(thread, None).unwrap();
                let end = waitpid(victim, None).unwrap();
                assert_eq!(end, WaitStatus::Exited(victim, 0));
                return false;
            }
            other @ (WaitStatus::Exited(..)
            | WaitStatus::Signaled(..)
            | WaitStatus::Stopped(..)
            | WaitStatus::PtraceEvent(..)
            | WaitStatus::PtraceSyscall(_)
            | WaitStatus::Continued(_)
            | WaitStatus::StillAlive) => panic!("{other:?}"),
        }
    }
    kill(victim, Signal::SIGKILL).unwrap();
    let killed = |pid| WaitStatus::Signaled(pid, Signal::SIGKILL, false);
    assert_eq!(wait(), killed(thread));
    assert_eq!(waitpid(victim, None).unwrap(), killed(victim));
    true
}

/// Returns the victim's thread, which is not the first one of its process, once it has said which it is.
fn wait_for_thread(file: &Path) -> Pid {
    loop {
        if let Ok(text) = fs::read_to_string(file) {
            return Pid::from_raw(text.parse().unwrap());
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}

#[test]
#[ignore = "is run, and killed, by the other tests"]
fn victim() {
    let root = PathBuf::from(env::var_os("WGQ_TEST_ROOT").unwrap());
    let story: usize = env::var("WGQ_TEST_STORY").unwrap().parse().unwrap();
    let host = Host {
        root,
        path: Vec::new(),
    };
    let (_, killed, _) = STORIES[story];
    ptrace::traceme().unwrap();
    // as a whole or not at all
    fs::write(host.root.join("thread.new"), gettid().to_string()).unwrap();
    fs::rename(host.root.join("thread.new"), host.root.join("thread")).unwrap();
    raise(Signal::SIGSTOP).unwrap();
    assert_eq!(call(&host, killed), Outcome::Done);
    raise(Signal::SIGSTOP).unwrap();
}

#[test]
fn an_end_at_any_moment_leaves_a_file_that_is_put_back() {
    tell_stories(|| Folder::with_resolv_conf("nameserver 192.0.2.53\noptions edns0 trust-ad\n"));
}

#[test]
fn an_end_at_any_moment_leaves_a_link_that_is_put_back() {
    tell_stories(|| {
        let folder = Folder::new();
        symlink("../run/nowhere", folder.path("etc/resolv.conf")).unwrap();
        folder
    });
}

#[test]
fn an_end_at_any_moment_leaves_nothing_where_nothing_was() {
    tell_stories(Folder::new);
}

#[test]
fn an_end_at_any_moment_leaves_a_mounted_file_that_is_put_back() {
    in_private_mounts(|| {
        // something has to be cut off in the end, and in the beginning
        tell_stories(|| mounted("nameserver 192.0.2.53"));
        tell_stories(|| mounted(&"# written by the container's engine\n".repeat(10)));
    });
}

fn mounted(text: &str) -> Folder {
    let folder = Folder::with_resolv_conf("hidden\n");
    fs::write(folder.path("run/mounted"), text).unwrap();
    folder.bind("run/mounted", "etc/resolv.conf");
    folder
}
