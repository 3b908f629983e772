//! The UDP socket: the side of the tunnel that the network sees.
//!
//! One socket for both families. A reply leaves from the address that its peer wrote to, as the kernel's WireGuard does
//! it: on a host with several addresses the peer's firewall would drop any other. Datagrams cross in bulk (GSO, GRO).

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use gotatun::packet::{Packet, PacketBufPool};
use gotatun::udp::{UdpRecv, UdpSend, UdpTransportFactory, UdpTransportFactoryParams};
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    SockaddrStorage, bind, recvmsg, sendmsg, setsockopt, socket, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::source::Sources;

/// The largest UDP payload over IPv4, in bytes; what one GSO send may hold.
const MAX_PAYLOAD: usize = 65_507;

/// How many datagrams one GSO send may hold: `UDP_MAX_SEGMENTS` of older kernels.
const MAX_SEGMENTS: usize = 64;

/// How many datagrams are taken from the engine at once.
const MAX_SENT: usize = 128;

/// How often the socket is read before the engine gets what has come, each time up to 64 KiB.
const MAX_READS: usize = 16;

/// The socket's buffers, in bytes: what wireguard-go asks for. The usual 208 KiB lose a tenth of a fast stream.
const BUFFER: usize = 7 << 20;

/// Makes the device's socket, anew when its port changes.
#[derive(Default)]
pub(super) struct Udp {
    last: Weak<Inner>,
}

impl UdpTransportFactory for Udp {
    type Send = Socket;
    type Recv = Socket;

    async fn bind(&mut self, params: &UdpTransportFactoryParams) -> io::Result<(Socket, Socket)> {
        // the engine asks again when the key changes; the port would be taken still, and what is on the way lost
        if let Some(last) = self.last.upgrade().filter(|last| last.is_on(params.port)) {
            return Ok((Socket(Arc::clone(&last)), Socket(last)));
        }
        let socket = match open(AddressFamily::Inet6, params) {
            // a kernel without IPv6 (`ipv6.disable=1`)
            Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) => open(AddressFamily::Inet, params),
            result => result,
        }?;
        let inner = Arc::new(Inner {
            socket: UdpSocket::from_std(socket.into())?,
            segments: AtomicBool::new(true),
            sources: Sources::default(),
        });
        self.last = Arc::downgrade(&inner);
        Ok((Socket(Arc::clone(&inner)), Socket(inner)))
    }
}

/// Opens a socket on all addresses of the family; `Inet6` takes IPv4 too.
fn open(family: AddressFamily, params: &UdpTransportFactoryParams) -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Datagram, flags, None)?;
    let any: IpAddr = if family == AddressFamily::Inet6 {
        setsockopt(&socket, sockopt::Ipv6V6Only, &false)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        Ipv4Addr::UNSPECIFIED.into()
    };
    if let Some(mark) = params.fwmark {
        setsockopt(&socket, sockopt::Mark, &mark)?;
    }
    // beyond the limit of the host with the privilege, up to it without; less is only slower
    let _ = setsockopt(&socket, sockopt::RcvBufForce, &BUFFER)
        .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &BUFFER));
    let _ = setsockopt(&socket, sockopt::SndBufForce, &BUFFER)
        .or_else(|_| setsockopt(&socket, sockopt::SndBuf, &BUFFER));
    let _ = setsockopt(&socket, sockopt::UdpGroSegment, &true); // since Linux 5.0
    bind(
        socket.as_raw_fd(),
        &SockaddrStorage::from(SocketAddr::new(any, params.port)),
    )?;
    Ok(socket)
}

/// A bound socket.
#[derive(Clone)]
pub(super) struct Socket(Arc<Inner>);

struct Inner {
    socket: UdpSocket,
    /// Whether the network card can cut a large send into datagrams, as far as is known.
    segments: AtomicBool,
    sources: Sources,
}

impl UdpSend for Socket {
    type SendManyBuf = ();

    async fn send_to(&self, packet: Packet, to: SocketAddr) -> io::Result<()> {
        self.0.send(&[IoSlice::new(&packet)], None, to).await
    }

    fn max_number_of_packets_to_send(&self) -> usize {
        MAX_SENT
    }

    async fn send_many_to(
        &self,
        (): &mut (),
        packets: &mut Vec<(Packet, SocketAddr)>,
    ) -> io::Result<()> {
        let mut rest = packets.as_slice();
        while let Some((first, to)) = rest.first() {
            let (run, after) = rest.split_at(run_length(rest));
            rest = after;
            // what cannot be sent is lost, as on any link, and must not take other peers' packets with it
            if run.len() == 1 || !self.0.send_run(run, first.len(), *to).await {
                for (packet, to) in run {
                    let _ = self.0.send(&[IoSlice::new(packet)], None, *to).await;
                }
            }
        }
        packets.clear();
        Ok(())
    }

    fn local_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.0.socket.local_addr().map(Some)
    }

    fn set_fwmark(&self, mark: u32) -> io::Result<()> {
        Ok(setsockopt(&self.0.socket, sockopt::Mark, &mark)?)
    }
}

/// Returns how many packets from the first on one GSO send can take: same peer, same length, but for the last.
fn run_length(packets: &[(Packet, SocketAddr)]) -> usize {
    let Some((first, to)) = packets.first() else {
        return 0;
    };
    let most = MAX_SEGMENTS.min(MAX_PAYLOAD / first.len().max(1)).max(1);
    let alike =
        |(packet, other): &&(Packet, SocketAddr)| packet.len() == first.len() && other == to;
    let alike = packets.iter().take(most).take_while(alike).count();
    let last = packets
        .get(alike)
        .filter(|(packet, other)| packet.len() < first.len() && other == to);
    alike + usize::from(last.is_some() && alike < most)
}

impl Inner {
    fn is_on(&self, port: u16) -> bool {
        self.socket
            .local_addr()
            .is_ok_and(|local| local.port() == port)
    }

    /// Sends all in one call, to be cut every `size` bytes. Returns whether it could.
    async fn send_run(&self, run: &[(Packet, SocketAddr)], size: usize, to: SocketAddr) -> bool {
        let Ok(size) = u16::try_from(size) else {
            return false;
        };
        if !self.segments.load(Ordering::Relaxed) {
            return false;
        }
        let slices: Vec<_> = run.iter().map(|(packet, _)| IoSlice::new(packet)).collect();
        match self.send(&slices, Some(size), to).await {
            Ok(()) => true,
            Err(error) => {
                // EIO: the card computes no checksums, and never will. Others (EINVAL, EMSGSIZE: the path is too
                // narrow for the datagrams) may pass.
                if error.raw_os_error() == Some(nix::libc::EIO) {
                    self.segments.store(false, Ordering::Relaxed);
                }
                false
            }
        }
    }

    async fn send(
        &self,
        data: &[IoSlice<'_>],
        size: Option<u16>,
        to: SocketAddr,
    ) -> io::Result<()> {
        if let Some(source) = self.sources.get(to) {
            match self.send_from(Some(source), data, size, to).await {
                // the address is no longer ours, or does not lead there
                Err(_) if size.is_none() => self.sources.forget(to),
                result => return result,
            }
        }
        self.send_from(None, data, size, to).await
    }

    async fn send_from(
        &self,
        source: Option<IpAddr>,
        data: &[IoSlice<'_>],
        size: Option<u16>,
        to: SocketAddr,
    ) -> io::Result<()> {
        let v4 = source.and_then(v4_info);
        let v6 = source.and_then(v6_info);
        let control: Vec<_> = [
            v4.as_ref().map(ControlMessage::Ipv4PacketInfo),
            v6.as_ref().map(ControlMessage::Ipv6PacketInfo),
            size.as_ref().map(ControlMessage::UdpGsoSegments),
        ]
        .into_iter()
        .flatten()
        .collect();
        let to = SockaddrStorage::from(to);
        let fd = self.socket.as_raw_fd();
        let send = || Ok(sendmsg(fd, data, &control, MsgFlags::MSG_DONTWAIT, Some(&to)).map(drop)?);
        self.socket.async_io(Interest::WRITABLE, send).await
    }

    /// Reads one datagram, or several of one peer that the kernel has joined.
    fn read(
        &self,
        buffer: &mut ReadBuffer,
        pool: &PacketBufPool,
        packets: &mut Vec<(Packet, SocketAddr)>,
    ) -> io::Result<()> {
        let mut slices = [IoSliceMut::new(&mut buffer.data)];
        let control = Some(buffer.control.as_mut_slice());
        let fd = self.socket.as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut slices, control, MsgFlags::MSG_DONTWAIT)?;
        let (mut size, mut local) = (None, None);
        for control in message.cmsgs()? {
            #[expect(clippy::wildcard_enum_match_arm, reason = "the kernel may add others")]
            match control {
                ControlMessageOwned::UdpGroSegments(bytes) => size = usize::try_from(bytes).ok(),
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    local = Some(Ipv4Addr::from_bits(u32::from_be(info.ipi_addr.s_addr)).into());
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    local = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical());
                }
                _ => {}
            }
        }
        let length = message.bytes;
        let Some(peer) = message.address.as_ref().and_then(peer_address) else {
            return Ok(());
        };
        if let Some(local) = local {
            self.sources.learn(peer, local);
        }
        let size = size.filter(|&size| size > 0).unwrap_or(length.max(1));
        for datagram in buffer.data.get(..length).unwrap_or_default().chunks(size) {
            let mut packet = pool.get();
            packet.buf_mut().clear();
            packet.buf_mut().extend_from_slice(datagram);
            packets.push((packet, peer));
        }
        Ok(())
    }
}

fn v4_info(source: IpAddr) -> Option<in_pktinfo> {
    let IpAddr::V4(ip) = source else { return None };
    let any = in_addr { s_addr: 0 };
    Some(in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: in_addr {
            s_addr: ip.to_bits().to_be(),
        },
        ipi_addr: any,
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

/// Returns whom a datagram is from; an IPv4 address as such, on a socket of either family.
fn peer_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address
        .as_sockaddr_in()
        .map(|&v4| SocketAddr::V4(v4.into()));
    let peer = v4.or_else(|| {
        address
            .as_sockaddr_in6()
            .map(|&v6| SocketAddr::V6(v6.into()))
    })?;
    match peer.ip().to_canonical() {
        ip @ IpAddr::V4(_) => Some(SocketAddr::new(ip, peer.port())),
        IpAddr::V6(_) => Some(peer), // with its scope
    }
}

/// Where datagrams are read to.
pub(super) struct ReadBuffer {
    data: Vec<u8>,
    control: Vec<u8>,
}

impl Default for ReadBuffer {
    fn default() -> Self {
        Self {
            data: vec![0; 1 << 16],
            control: nix::cmsg_space!(nix::libc::c_int, in_pktinfo, in6_pktinfo),
        }
    }
}

impl UdpRecv for Socket {
    type RecvManyBuf = ReadBuffer;

    async fn recv_from(&mut self, pool: &mut PacketBufPool) -> io::Result<(Packet, SocketAddr)> {
        // the engine reads by `recv_many_from`, which alone can take what the kernel has joined
        let _ = pool;
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn recv_many_from(
        &mut self,
        buffer: &mut ReadBuffer,
        pool: &mut PacketBufPool,
        packets: &mut Vec<(Packet, SocketAddr)>,
    ) -> io::Result<()> {
        let read_waiting = || {
            for _ in 0..MAX_READS {
                match self.0.read(buffer, pool, packets) {
                    Err(error)
                        if error.kind() == io::ErrorKind::WouldBlock && packets.is_empty() =>
                    {
                        return Err(error);
                    }
                    Err(_) => break,
                    Ok(()) => {}
                }
            }
            Ok(())
        };
        self.0
            .socket
            .async_io(Interest::READABLE, read_waiting)
            .await
    }
}
