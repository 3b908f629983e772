//! The embedded userspace WireGuard, as it runs in the background: `wgq userspace IFNAME`.
//!
//! It is gotatun 0.10 (Mullvad's, MPL-2.0) with sockets of our own, and not boringtun 0.7 (Cloudflare's, BSD-3-Clause),
//! from which it descends. Measured side by side in November 2026, one TCP stream between two namespaces on two
//! processors: as they come, gotatun passes as much as boringtun and takes 1.25 times the processor time for it. With our
//! TUN and UDP sockets (`tun`, `udp`) it passes 1.9 times as much, in 0.6 of the time, and the streams lose nothing. It
//! costs twice the size and crates. But boringtun's device dies of a change to a peer, of a peer before a key and of a
//! handshake before a key, tells no private key, and tells the age of a handshake for its time; and it had two releases
//! since July 2023, gotatun fourteen since April 2026. What gotatun's own device lacks is made good in `engine`.

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

mod engine;
mod peers;
mod process;
mod server;
mod tun;
mod udp;

use crate::net::{Ifname, Netns};
use engine::Engine;
use server::{Request, Server};

/// How many things can be worked on at once: one each for reading, de- and encrypting, and writing.
const MAX_THREADS: usize = 4;

/// How often peers are looked after; well below the life of a session.
const INTERVAL: Duration = Duration::from_secs(10);

/// Makes the interface, served in the background by `wgq userspace IFNAME` of the given executable; in the named network
/// namespace, while its UDP socket is in that of this thread.
pub fn start_embedded(wgq: &Path, ifname: Ifname, netns: Option<&Netns>) -> anyhow::Result<()> {
    process::start(wgq, ifname, netns)
}

/// Makes the interface and serves it until SIGTERM or SIGINT, or until its link or its socket is deleted.
///
/// For a process of its own: it leaves its session and closes what files it has inherited.
pub fn serve(ifname: Ifname, netns: Option<Netns>) -> anyhow::Result<()> {
    process::detach().context("detach from the terminal")?;
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    runtime::Builder::new_multi_thread()
        .worker_threads(processors.min(MAX_THREADS))
        .enable_all()
        .build()?
        .block_on(run(ifname, netns))
}

async fn run(ifname: Ifname, netns: Option<Netns>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (send, recv, deleted) = tun::open(ifname, netns)?;
    let mut engine = Engine::start(send, recv).await?;
    let mut server = Server::open(ifname)?;
    let mut interval = tokio::time::interval(INTERVAL);
    process::announce().context("tell that the device is there")?;
    loop {
        tokio::select! {
            () = deleted.notified() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = interval.tick() => engine.look_after().await,
            request = server.next() => match request {
                None => return Ok(()),
                Some(Request::Get(answer)) => drop(answer.send(engine.status().await)),
                Some(Request::Set(set, answer)) => drop(answer.send(engine.set(&set).await)),
            },
        }
    }
}
