//! Running programs and taking their times.

use std::fs::{self, File};
use std::io::Write as _;
use std::iter::Sum;
use std::ops::Add;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sched::{CloneFlags, unshare};

use crate::case::FOLDER;
use crate::firewall;

/// What a run took, in seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    /// From the start to the end.
    pub(crate) wall: f64,
    /// Of that, at work: in programs and, for them, in the kernel. The rest is waiting.
    pub(crate) work: f64,
}

impl Add for Sample {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            work: self.work + other.work,
        }
    }
}

impl Sum for Sample {
    fn sum<I: Iterator<Item = Self>>(samples: I) -> Self {
        samples.fold(Self::default(), Self::add)
    }
}

/// Network namespaces, each with an uplink that leads nowhere. None goes before the end, so that no run has to wait for
/// the kernel to clean up after another.
#[derive(Default)]
pub(crate) struct Namespaces(Vec<File>);

impl Namespaces {
    /// Makes one, with a firewall that drops or none; from now on it is this program's.
    pub(crate) fn enter_new(&mut self, has_firewall: bool) {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        self.0.push(File::open("/proc/self/ns/net").unwrap());
        let mut ip = Command::new("ip");
        let mut ip = ip
            .args(["-batch", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = "link set lo up\n\
            link add uplink type dummy\n\
            link set uplink up\n\
            address add 192.0.2.2/24 dev uplink\n\
            route add default via 192.0.2.1\n";
        ip.stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        assert!(ip.wait().unwrap().success());
        if has_firewall {
            once(Command::new("bash").args(["-c", firewall::DROPPING])).unwrap();
        }
    }
}

/// The control group of this program and all that it starts. The kernel counts a group's time exactly, but that of a
/// process only by looking, now and then, who is running.
const GROUP: &str = "/sys/fs/cgroup/bench";

/// Makes the control group, and goes there.
pub(crate) fn enter_group() {
    fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu").unwrap();
    fs::create_dir(GROUP).unwrap();
    fs::write(format!("{GROUP}/cgroup.procs"), "0").unwrap();
}

/// What the control group has worked, in seconds.
fn worked() -> f64 {
    let text = fs::read_to_string(format!("{GROUP}/cpu.stat")).unwrap();
    let usage = text
        .lines()
        .find_map(|line| line.strip_prefix("usage_usec "));
    usage.unwrap().parse::<f64>().unwrap() / 1e6
}

/// Runs a program to its end and takes its time, with that of all that it started.
///
/// # Panics
/// If it fails; its own words are in the message.
pub(crate) fn run(mut command: Command) -> Sample {
    let (before, start) = (worked(), Instant::now());
    let ended = once(&mut command);
    let (wall, after) = (start.elapsed(), worked());
    if let Err(said) = ended {
        panic!("{command:?}: {said}");
    }
    Sample {
        wall: wall.as_secs_f64(),
        work: after - before,
    }
}

/// Runs a program to its end; if it fails returns what it said.
pub(crate) fn once(command: &mut Command) -> Result<(), String> {
    let said = Path::new(FOLDER).join("said");
    let file = File::create(&said).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file);
    let ended = command.status().unwrap();
    if ended.success() {
        return Ok(());
    }
    Err(format!("{ended}\n{}", fs::read_to_string(said).unwrap()))
}
