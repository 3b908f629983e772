//! How it goes with the peers of a running interface.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::clock::since_epoch;
use super::record::Record;
use super::{ATTENTION, Host, uapi};
use crate::net::Ifname;
use crate::reresolve::Look;
use crate::state::LinkKind;
use crate::status::DeviceStatus;

impl Host {
    /// Looks at a device and its peers; none if there is none that runs. From then on it is the one whose peers are set.
    pub fn look(&mut self, ifname: Ifname, record: Option<&Record>) -> Result<Option<Look>> {
        let Some(kind) = self.driver(ifname, record)? else {
            return Ok(None);
        };
        self.kind = kind.clone();
        let found = self.status(ifname, &kind)?;
        let now = since_epoch();
        Ok(found.map(|found| {
            let sessions = found.sessions();
            Look::new(found.into_device(), &sessions, now)
        }))
    }

    /// Returns a device and how it fares; none if there is none that runs.
    pub fn status(&mut self, ifname: Ifname, kind: &LinkKind) -> Result<Option<DeviceStatus>> {
        Ok(match kind {
            LinkKind::Kernel => self.wireguard()?.status(ifname)?,
            LinkKind::Userspace { .. } => uapi::status(ifname)?,
        })
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
