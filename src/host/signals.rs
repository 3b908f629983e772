//! Signals that ask to stop. They are noted, and looked at between steps: nothing is torn in the middle.

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
    /// Notes SIGINT, SIGTERM and SIGHUP from now on, instead of dying of them.
    pub fn catch() -> Result<Self> {
        let caught = Arc::new(AtomicUsize::new(0));
        for (signal, name) in STOPPING {
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
