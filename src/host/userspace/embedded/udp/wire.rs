//! Sending and receiving on the bound socket, with the control messages that go beside the data.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use gotatun::packet::{Packet, PacketBufPool};
use nix::errno::Errno;
use nix::libc::{self, in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::source::Sources;

/// How often the socket is read before the engine gets what has come, each time up to 64 KiB.
const MAX_READS: usize = 16;

/// The socket, and what is known of the network.
pub(super) struct Wire {
    socket: UdpSocket,
    sources: Sources,
    /// Whether a large send can be cut into datagrams on its way out, as far as is known.
    can_cut: AtomicBool,
}

impl Wire {
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
            sources: Sources::default(),
            can_cut: AtomicBool::new(true),
        })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(super) fn set_mark(&self, mark: u32) -> io::Result<()> {
        Ok(setsockopt(&self.socket, sockopt::Mark, &mark)?)
    }

    /// Sends one datagram.
    pub(super) async fn send(&self, packet: &[u8], to: SocketAddr) -> io::Result<()> {
        let data = [IoSlice::new(packet)];
        if let Some(source) = self.sources.get(to) {
            match self.send_from(Some(source), &data, None, to).await {
                Ok(()) => return Ok(()),
                // the address is no longer ours, or does not lead there
                Err(_) => self.sources.forget(to),
            }
        }
        self.send_from(None, &data, None, to).await
    }

    /// Sends datagrams of one length, but for the last, in one call. Returns whether it could.
    pub(super) async fn send_joined(&self, run: &[(Packet, SocketAddr)], to: SocketAddr) -> bool {
        let length = run
            .first()
            .and_then(|(packet, _)| u16::try_from(packet.len()).ok());
        if length.is_none() || !self.can_cut.load(Ordering::Relaxed) {
            return false;
        }
        let data: Vec<_> = run.iter().map(|(packet, _)| IoSlice::new(packet)).collect();
        let sent = self
            .send_from(self.sources.get(to), &data, length, to)
            .await;
        // EIO: there is no checksum offload, and never will be. Others, as EINVAL for a narrow path, may pass.
        if sent
            .as_ref()
            .is_err_and(|error| error.raw_os_error() == Some(libc::EIO))
        {
            self.can_cut.store(false, Ordering::Relaxed);
        }
        sent.is_ok()
    }

    async fn send_from(
        &self,
        source: Option<IpAddr>,
        data: &[IoSlice<'_>],
        cut_at: Option<u16>,
        to: SocketAddr,
    ) -> io::Result<()> {
        let v4 = source.and_then(v4_info);
        let v6 = source.and_then(v6_info);
        let control = [
            v4.as_ref().map(ControlMessage::Ipv4PacketInfo),
            v6.as_ref().map(ControlMessage::Ipv6PacketInfo),
            cut_at.as_ref().map(ControlMessage::UdpGsoSegments),
        ];
        let control: Vec<_> = control.into_iter().flatten().collect();
        let to = SockaddrStorage::from(to);
        let socket = self.socket.as_raw_fd();
        let send = || {
            sendmsg(socket, data, &control, MsgFlags::MSG_DONTWAIT, Some(&to))?;
            Ok(())
        };
        self.socket.async_io(Interest::WRITABLE, send).await
    }

    /// Waits for datagrams and takes what has come.
    pub(super) async fn receive(
        &self,
        buffer: &mut ReadBuffer,
        pool: &PacketBufPool,
        packets: &mut Vec<(Packet, SocketAddr)>,
    ) -> io::Result<()> {
        let read = || {
            for _ in 0..MAX_READS {
                match self.read(buffer, pool, packets) {
                    Ok(()) => {}
                    Err(Errno::EAGAIN) if packets.is_empty() => {
                        return Err(io::ErrorKind::WouldBlock.into());
                    }
                    // a datagram that cannot be had is lost, as on any link
                    Err(_) => break,
                }
            }
            Ok(())
        };
        self.socket.async_io(Interest::READABLE, read).await
    }

    /// Reads one datagram, or several of one peer that the kernel has joined.
    fn read(
        &self,
        buffer: &mut ReadBuffer,
        pool: &PacketBufPool,
        packets: &mut Vec<(Packet, SocketAddr)>,
    ) -> nix::Result<()> {
        let mut data = [IoSliceMut::new(&mut buffer.data)];
        let control = Some(buffer.control.as_mut_slice());
        let socket = self.socket.as_raw_fd();
        let message = recvmsg(socket, &mut data, control, MsgFlags::MSG_DONTWAIT)?;
        let (mut cut_at, mut local) = (None, None);
        for control in message.cmsgs()? {
            if let ControlMessageOwned::UdpGroSegments(length) = control {
                cut_at = usize::try_from(length).ok().filter(|&length| length > 0);
            } else {
                local = local.or(local_address(&control));
            }
        }
        let length = message.bytes;
        let Some(peer) = message.address.as_ref().and_then(peer_address) else {
            return Ok(());
        };
        if let Some(local) = local {
            self.sources.learn(peer, local);
        }
        let data = buffer.data.get(..length).unwrap_or_default();
        for datagram in data.chunks(cut_at.unwrap_or(length.max(1))) {
            let mut packet = pool.get();
            packet.buf_mut().clear();
            packet.buf_mut().extend_from_slice(datagram);
            packets.push((packet, peer));
        }
        Ok(())
    }
}

/// Where datagrams are read to.
pub(in super::super) struct ReadBuffer {
    data: Vec<u8>,
    control: Vec<u8>,
}

impl Default for ReadBuffer {
    fn default() -> Self {
        Self {
            data: vec![0; 1 << 16],
            control: nix::cmsg_space!(libc::c_int, in_pktinfo, in6_pktinfo),
        }
    }
}

fn v4_info(source: IpAddr) -> Option<in_pktinfo> {
    let IpAddr::V4(ip) = source else { return None };
    Some(in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: in_addr {
            s_addr: ip.to_bits().to_be(),
        },
        ipi_addr: in_addr { s_addr: 0 },
    })
}

fn v6_info(source: IpAddr) -> Option<in6_pktinfo> {
    let IpAddr::V6(ip) = source else { return None };
    Some(in6_pktinfo {
        ipi6_addr: in6_addr {
            s6_addr: ip.octets(),
        },
        ipi6_ifindex: 0,
    })
}

/// Returns which of our addresses a datagram was sent to; an IPv4 address as such, on a socket of either family.
fn local_address(control: &ControlMessageOwned) -> Option<IpAddr> {
    if let ControlMessageOwned::Ipv4PacketInfo(info) = control {
        return Some(Ipv4Addr::from_bits(u32::from_be(info.ipi_addr.s_addr)).into());
    }
    if let ControlMessageOwned::Ipv6PacketInfo(info) = control {
        return Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical());
    }
    None
}

/// Returns whom a datagram is from; an IPv4 address as such, an IPv6 address with its scope.
fn peer_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address
        .as_sockaddr_in()
        .map(|&v4| SocketAddr::V4(v4.into()));
    let v6 = || {
        address
            .as_sockaddr_in6()
            .map(|&v6| SocketAddr::V6(v6.into()))
    };
    let peer = v4.or_else(v6)?;
    match peer.ip().to_canonical() {
        ip @ IpAddr::V4(_) => Some(SocketAddr::new(ip, peer.port())),
        IpAddr::V6(_) => Some(peer),
    }
}
