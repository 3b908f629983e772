//! Signals that ask to stop. They are noted, and looked at between steps: nothing is torn in the middle.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

const STOPPING: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")];

/// The signals that came since [`Signals::catch`].
#[derive(Debug, Clone)]
pub struct Signals {
    // 0, or the number of the last signal
    caught: Arc<AtomicUsize>,
}

impl Signals {
    /// Notes SIGINT, SIGTERM and SIGHUP from now on, instead of dying of them. Those that are ignored stay so: nohup(1)
    /// asks for that, and a shell for what it runs in the background.
    pub fn catch() -> Result<Self> {
        let caught = Arc::new(AtomicUsize::new(0));
        let ignored = ignored();
        for (signal, name) in STOPPING {
            if ignored & (1 << (signal - 1)) != 0 {
                continue;
            }
            let number = usize::try_from(signal)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&caught), number)
                .with_context(|| format!("catch {name}"))?;
        }
        Ok(Self { caught })
    }

    /// Returns the name of the last signal that came.
    pub fn caught(&self) -> Option<&'static str> {
        let caught = self.caught.load(Ordering::Relaxed);
        let found = STOPPING
            .iter()
            .find(|(signal, _)| usize::try_from(*signal) == Ok(caught));
        found.map(|(_, name)| *name)
    }
}

/// The signals that this process ignores, as a set of bits: 1 is signal 1 (proc(5)). All that is not known is not ignored.
fn ignored() -> u64 {
    let mut status = String::with_capacity(4096); // it has no size by which to know how much to read at once
    let _ = File::open("/proc/self/status").map(|mut file| file.read_to_string(&mut status));
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
