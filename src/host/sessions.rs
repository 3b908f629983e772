//! How it goes with the peers of a running interface.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use super::record::Record;
use super::{ATTENTION, Host, uapi};
use crate::net::Ifname;
use crate::reresolve::Look;
use crate::state::LinkKind;

impl Host {
    /// Looks at a device and its peers; none if there is none that runs. From then on it is the one whose peers are set.
    pub fn look(&mut self, ifname: Ifname, record: Option<&Record>) -> Result<Option<Look>> {
        let Some(kind) = self.driver(ifname, record)? else {
            return Ok(None);
        };
        self.kind = kind;
        let found = match self.kind {
            LinkKind::Kernel => self.wireguard()?.look(ifname)?,
            LinkKind::Userspace { .. } => uapi::status(ifname)?.map(|status| {
                let sessions = status.sessions();
                (status.into_device(), sessions)
            }),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        Ok(found.map(|(device, sessions)| Look::new(device, &sessions, now)))
    }

    /// Lets that time pass; a signal is an error.
    pub fn wait(&self, time: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(signal) = self.signals.caught() {
                bail!("interrupted by {signal}; nothing was changed");
            }
            thread::sleep(ATTENTION);
        }
        Ok(())
    }
}
