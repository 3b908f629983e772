//! One tunnel, from nothing to nothing: up, packets through it, down.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::capture::{Capture, Seen};
use super::configs::{self, PORT, Reach};
use super::engine::{Driver, Engine};
use super::lab::{Lab, Place};
use super::snapshot::Snapshot;
use super::traffic;
use crate::net::Family;
use crate::report::Report;

/// How much is sent each way: enough to fill windows and packets.
const BYTES: usize = 1 << 20;

/// How much is sent each way while all packets are looked at: few enough that none is overlooked.
const WATCHED_BYTES: usize = 16 << 10;

/// A tunnel to test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tunnel {
    pub(super) driver: Driver,
    pub(super) reach: Reach,
    /// The family of the server's address.
    pub(super) endpoint: Family,
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reach = match self.reach {
            Reach::Split => "split",
            Reach::Full => "full",
        };
        let endpoint = match self.endpoint {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        };
        f.pad(&format!("{}, {reach}, {endpoint}", self.driver))
    }
}

/// What a tunnel that works is told by.
pub(super) struct Outcome {
    up: Duration,
    ping: Duration,
    down: Duration,
    /// How many packets the capture of a full tunnel has seen.
    encrypted: Option<usize>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let (up, ping, down) = (ms(self.up), ms(self.ping), ms(self.down));
        write!(f, "up {up:.0} ms, ping {ping:.2} ms, down {down:.0} ms")?;
        match self.encrypted {
            Some(count) => write!(f, "; no leak: all {count} packets encrypted"),
            None => Ok(()),
        }
    }
}

impl Tunnel {
    /// Tests it between fresh machines.
    pub(super) fn test(self, families: &[Family], report: Report) -> Result<Outcome> {
        let lab = Lab::new(families)?;
        let engine = Engine {
            driver: self.driver,
            report,
        };
        let both = [&lab.client, &lab.server];
        let before = both.map(|machine| machine.run(Snapshot::take));
        let outcome = match self.reach {
            Reach::Split => self.split(&lab, engine),
            Reach::Full => self.full(&lab, engine),
        }?;
        for (machine, before) in both.into_iter().zip(before) {
            let changes = machine.run(Snapshot::take)?.changes(&before?);
            let name = machine.name;
            ensure!(
                changes.is_empty(),
                "{name}: wgq down: {}",
                changes.join(", ")
            );
        }
        Ok(outcome)
    }

    /// The tunnel's other end and the LAN behind it are reached through it, and a site in the internet beside it.
    fn split(self, lab: &Lab, engine: Engine) -> Result<Outcome> {
        let up = self.up(lab, engine)?;
        let mut ping = Duration::MAX;
        for &family in &lab.families {
            traffic::ping(&lab.client, Place::SERVER_INSIDE.ip(family))?; // waits for the handshake
            ping = ping.min(traffic::ping(&lab.client, Place::LAN_HOST.ip(family))?);
            let from = (&lab.client, Place::CLIENT_INSIDE.ip(family));
            traffic::stream(from, (&lab.lan, Place::LAN_HOST.ip(family)), BYTES)?;
            traffic::ping(&lab.client, Place::SITE.ip(family)).context("beside the tunnel")?;
        }
        let down = engine.down(&lab.client)?;
        engine.down(&lab.server)?;
        Ok(Outcome {
            up,
            ping,
            down,
            encrypted: None,
        })
    }

    /// All is reached through the tunnel, and nothing beside it: not while it is up, not when its server is gone.
    fn full(self, lab: &Lab, engine: Engine) -> Result<Outcome> {
        sees_clear_packets(lab)?;
        let capture = start_capture(lab)?;
        let times = self.up_and_used(lab, engine);
        // ended before `down`: from there on connections may go on without the tunnel
        let Seen { encrypted, clear } = capture.end()?;
        if let Some(first) = clear.first() {
            let count = clear.len();
            bail!("leak: {count} in the clear on the uplink, the first to {first}");
        }
        let (up, ping) = times?;
        ensure!(encrypted > 0, "no packet of the tunnel was on the uplink");
        let down = engine.down(&lab.client)?;
        Ok(Outcome {
            up,
            ping,
            down,
            encrypted: Some(encrypted),
        })
    }

    /// Brings a full tunnel up, uses it, and takes its server away; returns how long the client's `up` and an echo took.
    fn up_and_used(self, lab: &Lab, engine: Engine) -> Result<(Duration, Duration)> {
        let up = self.up(lab, engine)?;
        let mut ping = Duration::MAX;
        for &family in &lab.families {
            let site = Place::SITE.ip(family);
            ping = ping.min(traffic::ping(&lab.client, site)?);
            traffic::ping(&lab.client, Place::LAN_HOST.ip(family))?;
            let from = (&lab.client, Place::CLIENT_INSIDE.ip(family));
            traffic::stream(from, (&lab.internet, site), WATCHED_BYTES)?;
        }
        engine.down(&lab.server)?;
        for &family in &lab.families {
            traffic::knock(&lab.client, Place::SITE.ip(family))?;
        }
        Ok((up, ping))
    }

    /// Brings both ends up; returns how long the client's took.
    fn up(self, lab: &Lab, engine: Engine) -> Result<Duration> {
        engine.up(&lab.server, &configs::server(&lab.families))?;
        engine.up(
            &lab.client,
            &configs::client(&lab.families, self.reach, self.endpoint),
        )
    }
}

/// Makes sure that packets do flow without a tunnel, and that the capture tells them: else its silence means nothing.
fn sees_clear_packets(lab: &Lab) -> Result<()> {
    let capture = start_capture(lab)?;
    for &family in &lab.families {
        let site = Place::SITE.ip(family);
        traffic::ping(&lab.client, site).context("without a tunnel")?;
    }
    let clear = capture.end()?.clear;
    let sites = lab.families.iter().map(|&family| Place::SITE.ip(family));
    let mut unseen = sites.filter(|site| !clear.contains(site));
    if let Some(site) = unseen.next() {
        bail!("the capture on the uplink did not see a ping to {site}");
    }
    Ok(())
}

fn start_capture(lab: &Lab) -> Result<Capture> {
    let servers = Family::BOTH.map(|family| Place::SERVER.ip(family));
    Capture::start(&lab.internet, lab.client.name, servers.to_vec(), PORT)
}
