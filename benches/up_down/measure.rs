//! Running programs and taking their times.

use std::fs::{self, File};
use std::io::Write as _;
use std::iter::Sum;
use std::ops::Add;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::case::FOLDER;

/// What a run took, in seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    /// From the start to the end.
    pub(crate) wall: f64,
    /// Of that, in programs.
    pub(crate) user: f64,
    /// Of that, in the kernel, at work; the rest is waiting.
    pub(crate) system: f64,
}

impl Add for Sample {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            user: self.user + other.user,
            system: self.system + other.system,
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
    /// Makes one; from now on it is this program's.
    pub(crate) fn enter_new(&mut self) {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        self.0.push(File::open("/proc/self/ns/net").unwrap());
        let mut ip = Command::new("ip");
        let mut ip = ip.args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let lines = "link set lo up\n\
            link add uplink type dummy\n\
            link set uplink up\n\
            address add 192.0.2.2/24 dev uplink\n\
            route add default via 192.0.2.1\n";
        ip.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(ip.wait().unwrap().success());
    }
}

/// Runs a program to its end and takes its time, with that of all that it started.
///
/// # Panics
/// If it fails; its own words are in the message.
pub(crate) fn run(mut command: Command) -> Sample {
    let usage = || getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let (before, start) = (usage(), Instant::now());
    let ended = once(&mut command);
    let (wall, after) = (start.elapsed(), usage());
    if let Err(said) = ended {
        panic!("{command:?}: {said}");
    }
    let passed = |of: fn(&Usage) -> nix::sys::time::TimeVal| {
        let microseconds = (of(&after) - of(&before)).num_microseconds();
        Duration::from_micros(microseconds.unsigned_abs()).as_secs_f64()
    };
    Sample {
        wall: wall.as_secs_f64(),
        user: passed(Usage::user_time),
        system: passed(Usage::system_time),
    }
}

/// Runs a program to its end; if it fails returns what it said.
pub(crate) fn once(command: &mut Command) -> Result<(), String> {
    let said = Path::new(FOLDER).join("said");
    let file = File::create(&said).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let ended = command.status().unwrap();
    if ended.success() {
        return Ok(());
    }
    Err(format!("{ended}\n{}", fs::read_to_string(said).unwrap()))
}
