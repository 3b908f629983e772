//! The TUN device: the side of the tunnel that the kernel's IP stack sees.
//!
//! Packets cross in bulk: the kernel hands over a TCP stream's segments uncut (GSO), and takes received ones joined (GRO).

use std::fs::{self, File};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use gotatun::packet::{Ip, Packet, PacketBufPool};
use gotatun::tun::{IpRecv, IpSend, MtuWatcher};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tun_rs::{AsyncDevice, DeviceBuilder, GROTable, IDEAL_BATCH_SIZE, VIRTIO_NET_HDR_LEN};

use crate::host::netns;
use crate::host::userspace::refuse_existing;
use crate::net::{Ifname, Netns};
use crate::state::LinkSettings;

/// The largest IP packet, in bytes.
const MAX_PACKET: usize = 65_535;

/// How many packets may wait to be written; what the engine itself lets wait.
const MAX_QUEUED: usize = 4_000;

/// How often the link's MTU is looked at; the engine pads packets up to it, never beyond.
const MTU_INTERVAL: Duration = Duration::from_secs(1);

/// What the engine has of the device; the last value is notified when somebody deletes it. (Gotatun's own word for that comes
/// at changes of the key too.)
type Tun = (TunSend, TunRecv, Arc<Notify>);

/// Makes the TUN device in the named network namespace, or this one. There a thread of its own stays, and the only one of this
/// process: whom one asks for an MTU depends on where one asks.
pub(super) fn open(ifname: Ifname, netns: Option<Netns>) -> anyhow::Result<Tun> {
    let (sender, opened) = std::sync::mpsc::channel();
    let runtime = Handle::current();
    thread::Builder::new().spawn(move || {
        let _entered = runtime.enter();
        let made = netns.map_or(Ok(()), |netns| netns::enter(&netns));
        match made.and_then(|()| make(ifname)) {
            Ok((tun, device, mtu)) => {
                let _ = sender.send(Ok(tun));
                follow_mtu(&device, &mtu);
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    })?;
    opened.recv()?
}

/// Makes the TUN device, with the MTU of a new kernel WireGuard link; it vanishes with this process.
fn make(ifname: Ifname) -> anyhow::Result<(Tun, Arc<AsyncDevice>, watch::Sender<u16>)> {
    refuse_existing(ifname)?; // else a TUN device that somebody has left would be taken
    let opened = File::options().read(true).write(true).open("/dev/net/tun");
    opened.map_err(|error| {
        let advice = if error.kind() == io::ErrorKind::PermissionDenied {
            "on most hosts its mode is 0666; root may always"
        } else {
            "`modprobe tun` loads its driver; a container needs `--device /dev/net/tun`"
        };
        anyhow::Error::new(error).context(format!("open /dev/net/tun ({advice})"))
    })?;
    let device = DeviceBuilder::new()
        .name(ifname.as_str())
        .inherit_enable_state() // a new link is down
        .mtu(LinkSettings::NEW.mtu.try_into()?)
        .with(|linux| {
            linux.offload(true);
        })
        .build_async()
        .with_context(|| format!("ip tuntap add dev {ifname} mode tun"))?;
    // as the kernel's WireGuard: no link-local address that nobody asked for (1: none). Where /proc/sys cannot be written
    // there is one, which harms nobody.
    let _ = fs::write(
        format!("/proc/sys/net/ipv6/conf/{ifname}/addr_gen_mode"),
        "1",
    );
    let (device, deleted) = (Arc::new(device), Arc::new(Notify::new()));
    let send = TunSend::new(Arc::clone(&device));
    let (sender, mtu) = watch::channel(device.mtu()?);
    let recv = TunRecv::new(Arc::clone(&device), Arc::clone(&deleted), mtu);
    Ok(((send, recv, deleted), device, sender))
}

/// Takes packets from the engine to the kernel.
pub(super) struct TunSend(mpsc::Sender<Packet<Ip>>);

impl TunSend {
    fn new(device: Arc<AsyncDevice>) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_QUEUED);
        tokio::spawn(write(device, receiver));
        Self(sender)
    }
}

impl IpSend for TunSend {
    async fn send(&mut self, packet: Packet<Ip>) -> io::Result<()> {
        self.0
            .send(packet)
            .await
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Writes packets, all that wait at once, until the device is gone.
async fn write(device: Arc<AsyncDevice>, mut queue: mpsc::Receiver<Packet<Ip>>) {
    let mut joined = GROTable::default();
    let mut packets = Vec::with_capacity(IDEAL_BATCH_SIZE);
    let mut buffers = Vec::new();
    buffers.resize_with(IDEAL_BATCH_SIZE, || {
        Vec::with_capacity(VIRTIO_NET_HDR_LEN + MAX_PACKET)
    });
    while queue.recv_many(&mut packets, IDEAL_BATCH_SIZE).await > 0 {
        let count = packets.len();
        for (buffer, packet) in buffers.iter_mut().zip(packets.drain(..)) {
            buffer.clear();
            buffer.resize(VIRTIO_NET_HDR_LEN, 0);
            buffer.extend_from_slice(&packet.into_bytes());
        }
        let batch = buffers.get_mut(..count).unwrap_or_default();
        match device
            .send_multiple(&mut joined, batch, VIRTIO_NET_HDR_LEN)
            .await
        {
            Err(error) if is_deleted(&error) => return,
            // a packet that the kernel does not take, say while the link is down, is lost, as on any link
            Ok(_) | Err(_) => {}
        }
    }
}

/// Takes packets from the kernel to the engine.
pub(super) struct TunRecv {
    device: Arc<AsyncDevice>,
    deleted: Arc<Notify>,
    mtu: watch::Receiver<u16>,
    whole: Vec<u8>,
    parts: Vec<Vec<u8>>,
    lengths: Vec<usize>,
}

impl TunRecv {
    fn new(device: Arc<AsyncDevice>, deleted: Arc<Notify>, mtu: watch::Receiver<u16>) -> Self {
        Self {
            device,
            deleted,
            mtu,
            whole: vec![0; VIRTIO_NET_HDR_LEN + MAX_PACKET],
            parts: vec![vec![0; MAX_PACKET]; IDEAL_BATCH_SIZE],
            lengths: vec![0; IDEAL_BATCH_SIZE],
        }
    }
}

impl IpRecv for TunRecv {
    async fn recv<'a>(
        &'a mut self,
        pool: &mut PacketBufPool,
    ) -> io::Result<impl Iterator<Item = Packet<Ip>> + Send + 'a> {
        let received = self
            .device
            .recv_multiple(&mut self.whole, &mut self.parts, &mut self.lengths, 0)
            .await;
        let count = received.inspect_err(|error| {
            if is_deleted(error) {
                self.deleted.notify_one();
            }
        })?;
        let pool = pool.clone();
        let parts = self.parts.iter().zip(&self.lengths).take(count);
        Ok(parts.filter_map(move |(part, &length)| {
            let mut packet = pool.get();
            packet.buf_mut().clear();
            packet.buf_mut().extend_from_slice(part.get(..length)?);
            packet.try_into_ip().ok()
        }))
    }

    fn mtu(&self) -> MtuWatcher {
        self.mtu.clone().into()
    }
}

fn follow_mtu(device: &AsyncDevice, mtu: &watch::Sender<u16>) {
    while !mtu.is_closed() {
        thread::sleep(MTU_INTERVAL);
        if let Ok(now) = device.mtu() {
            mtu.send_if_modified(|mtu| std::mem::replace(mtu, now) != now);
        }
    }
}

/// Whether the error says that the link was deleted.
fn is_deleted(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::EBADFD)
}
