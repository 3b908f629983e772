//! One tunnel, from nothing to nothing: up, packets through it, down.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::capture::{Capture, Seen};
use super::engine::{Driver, Engine};
use super::lab::{Lab, Place};
use super::snapshot::Snapshot;
use super::traffic;
use crate::net::Family;

/// Where the server listens.
const PORT: u16 = 51820;

/// How much is sent each way: enough to fill windows and packets.
const BYTES: usize = 1 << 20;

/// How much is sent each way while all packets are looked at: few enough that none is overlooked.
const WATCHED_BYTES: usize = 16 << 10;

// keys for the selftest alone, whose machines nobody else can reach; WireGuard wants each public one beforehand
const SERVER_KEYS: (&str, &str) = (
    "0HDI2V9c64l/sARzRdd/DLPD+tuSwl0nPzV/0qDU4GM=",
    "sgPqOuWKpxsYokJMJyFx+53/UrqChGMcNpaXqxZ2JlQ=",
);
const CLIENT_KEYS: (&str, &str) = (
    "qJwyS/qJsHsbGvpN+h40m1aPdcbiPNRQc4iRZnVorF4=",
    "X8yhDr1MZ1Ix+4y2b6Skny3E5cqN7jfoYHQJPZ6TXxs=",
);
const PRESHARED_KEY: &str = "OPUNq/ilGvrbbtcnb+jeN/hrAuHUQNkV/4dhlc09jbk=";

/// What a client sends into its tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// What is for the tunnel's network and the server's LAN.
    Split,
    /// All.
    Full,
}

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
        write!(f, "up {up:.0} ms, ping {ping:.1} ms, down {down:.0} ms")?;
        match self.encrypted {
            Some(count) => write!(f, "; no leak: all {count} packets encrypted"),
            None => Ok(()),
        }
    }
}

impl Tunnel {
    /// Tests it between fresh machines.
    pub(super) fn test(self, families: &[Family], verbose: bool) -> Result<Outcome> {
        let lab = Lab::new(families.to_vec())?;
        let engine = Engine {
            driver: self.driver,
            verbose,
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
        self.sees_clear_packets(lab)?;
        let capture = self.capture(lab)?;
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
        // from here on connections may go on without the tunnel: that is what `down` is for
        let Seen { encrypted, clear } = capture.end()?;
        if let Some(first) = clear.first() {
            bail!("leak: {} in the clear, the first to {first}", clear.len());
        }
        ensure!(encrypted > 0, "no packet of the tunnel was on the uplink");
        let down = engine.down(&lab.client)?;
        Ok(Outcome {
            up,
            ping,
            down,
            encrypted: Some(encrypted),
        })
    }

    /// Makes sure that packets do flow without a tunnel, and that the capture tells them: else its silence means nothing.
    fn sees_clear_packets(self, lab: &Lab) -> Result<()> {
        let capture = self.capture(lab)?;
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

    fn capture(self, lab: &Lab) -> Result<Capture> {
        let servers = Family::BOTH.map(|family| Place::SERVER.ip(family));
        Capture::start(&lab.internet, lab.client.name, servers.to_vec(), PORT)
    }

    /// Brings both ends up; returns how long the client's took.
    fn up(self, lab: &Lab, engine: Engine) -> Result<Duration> {
        engine.up(&lab.server, &self.server(&lab.families))?;
        engine.up(&lab.client, &self.client(&lab.families))
    }

    fn server(self, families: &[Family]) -> String {
        let addresses = list(families, "10.77.0.1/24", "fd77::1/64");
        let allowed = list(families, "10.77.0.2/32", "fd77::2/128");
        let (private, peer) = (SERVER_KEYS.0, CLIENT_KEYS.1);
        format!(
            "[Interface]\nPrivateKey = {private}\nAddress = {addresses}\nListenPort = {PORT}\n\n\
             [Peer]\nPublicKey = {peer}\nPresharedKey = {PRESHARED_KEY}\nAllowedIPs = {allowed}\n"
        )
    }

    fn client(self, families: &[Family]) -> String {
        let addresses = list(families, "10.77.0.2/24", "fd77::2/64");
        let allowed = match self.reach {
            Reach::Split => list(
                families,
                "10.77.0.0/24, 192.168.77.0/24",
                "fd77::/64, fd77:1::/64",
            ),
            Reach::Full => list(families, "0.0.0.0/0", "::/0"),
        };
        let (private, peer) = (CLIENT_KEYS.0, SERVER_KEYS.1);
        let endpoint = SocketAddr::new(Place::SERVER.ip(self.endpoint), PORT);
        format!(
            "[Interface]\nPrivateKey = {private}\nAddress = {addresses}\n\n\
             [Peer]\nPublicKey = {peer}\nPresharedKey = {PRESHARED_KEY}\nAllowedIPs = {allowed}\n\
             Endpoint = {endpoint}\n"
        )
    }
}

/// Joins what is of the families that the kernel has.
fn list(families: &[Family], v4: &str, v6: &str) -> String {
    let of = |family: &Family| match family {
        Family::V4 => v4,
        Family::V6 => v6,
    };
    families.iter().map(of).collect::<Vec<_>>().join(", ")
}
