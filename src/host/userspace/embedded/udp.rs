//! The UDP socket: the side of the tunnel that the network sees.
//!
//! One socket for both families. A reply leaves from the address that its peer wrote to, as the kernel's WireGuard does
//! it: on a host with several addresses the peer's firewall would drop any other. Datagrams cross in bulk (GSO, GRO).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use gotatun::packet::{Packet, PacketBufPool};
use gotatun::udp::{UdpRecv, UdpSend, UdpTransportFactory, UdpTransportFactoryParams};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};

mod source;
mod wire;

use wire::{ReadBuffer, Wire};

/// The largest UDP payload over IPv4, in bytes; what one GSO send may hold.
const MAX_PAYLOAD: usize = 65_507;

/// How many datagrams one GSO send may hold: `UDP_MAX_SEGMENTS` of kernels before 6.9.
const MAX_SEGMENTS: usize = 64;

/// How many datagrams are taken from the engine at once.
const MAX_SENT: usize = 128;

/// The socket's buffers, in bytes: what wireguard-go asks for. With the usual 208 KiB a fast stream loses packets.
const BUFFER: usize = 7 << 20;

/// Makes the device's socket, anew when its port changes.
#[derive(Default)]
pub(super) struct Udp {
    last: Option<Arc<Wire>>,
}

impl UdpTransportFactory for Udp {
    type Send = Socket;
    type Recv = Socket;

    async fn bind(&mut self, params: &UdpTransportFactoryParams) -> io::Result<(Socket, Socket)> {
        let mark = params.fwmark.unwrap_or_default();
        // The engine asks again when the key changes. The port might be taken still, as it lets go of the socket in the
        // background, or by another program then, and what is on the way would be lost: so the socket is kept here.
        let last = self.last.as_ref();
        let wire = if let Some(last) =
            last.filter(|last| last.address().is_ok_and(|on| on.port() == params.port))
        {
            last.set_mark(mark)?;
            Arc::clone(last)
        } else {
            Arc::new(Wire::new(open_either(params.port, mark)?)?)
        };
        self.last = Some(Arc::clone(&wire));
        Ok((Socket(Arc::clone(&wire)), Socket(wire)))
    }
}

fn open_either(port: u16, mark: u32) -> nix::Result<OwnedFd> {
    match open(AddressFamily::Inet6, port, mark) {
        // a kernel without IPv6 (`ipv6.disable=1`)
        Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) => open(AddressFamily::Inet, port, mark),
        result => result,
    }
}

/// Opens a socket on all addresses of the family; `Inet6` takes IPv4 too.
fn open(family: AddressFamily, port: u16, mark: u32) -> nix::Result<OwnedFd> {
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
    setsockopt(&socket, sockopt::Mark, &mark)?;
    // beyond the limit of the host with the privilege, up to it without; less is only slower
    let _ = setsockopt(&socket, sockopt::RcvBufForce, &BUFFER)
        .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &BUFFER));
    let _ = setsockopt(&socket, sockopt::SndBufForce, &BUFFER)
        .or_else(|_| setsockopt(&socket, sockopt::SndBuf, &BUFFER));
    let _ = setsockopt(&socket, sockopt::UdpGroSegment, &true); // since Linux 5.0
    let address = SockaddrStorage::from(SocketAddr::new(any, port));
    bind(socket.as_raw_fd(), &address)?;
    Ok(socket)
}

/// A bound socket.
pub(super) struct Socket(Arc<Wire>);

impl Clone for Socket {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl UdpSend for Socket {
    type SendManyBuf = ();

    async fn send_to(&self, packet: Packet, to: SocketAddr) -> io::Result<()> {
        self.0.send(&packet, to).await
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
        while let Some((_, to)) = rest.first() {
            let (run, after) = rest.split_at(run_length(rest));
            rest = after;
            // what cannot be sent is lost, as on any link, and must not take other peers' packets with it
            if run.len() == 1 || !self.0.send_joined(run, *to).await {
                for (packet, to) in run {
                    let _ = self.0.send(packet, *to).await;
                }
            }
        }
        packets.clear();
        Ok(())
    }

    fn local_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.0.address().map(Some)
    }

    fn set_fwmark(&self, mark: u32) -> io::Result<()> {
        self.0.set_mark(mark)
    }
}

/// Returns how many packets from the first on one GSO send can take: to one peer, all as long, but for a shorter last.
fn run_length(packets: &[(Packet, SocketAddr)]) -> usize {
    let Some((first, to)) = packets.first() else {
        return 0;
    };
    let most = MAX_SEGMENTS.min(MAX_PAYLOAD / first.len().max(1)).max(1);
    let packets = packets.iter().take(most);
    let same_peer = packets.take_while(|(_, other)| other == to);
    let mut length = 0;
    for (packet, _) in same_peer {
        if packet.len() > first.len() {
            break;
        }
        length += 1;
        if packet.len() < first.len() {
            break;
        }
    }
    length
}

impl UdpRecv for Socket {
    type RecvManyBuf = ReadBuffer;

    /// Not for this socket, which may read several packets at once; the engine knows.
    async fn recv_from(&mut self, _pool: &mut PacketBufPool) -> io::Result<(Packet, SocketAddr)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn recv_many_from(
        &mut self,
        buffer: &mut ReadBuffer,
        pool: &mut PacketBufPool,
        packets: &mut Vec<(Packet, SocketAddr)>,
    ) -> io::Result<()> {
        self.0.receive(buffer, pool, packets).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_length_of(packets: &[(usize, u16)]) -> usize {
        let packet = |&(length, port): &(usize, u16)| {
            let peer = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
            (Packet::copy_from(vec![0; length].as_slice()), peer)
        };
        run_length(&packets.iter().map(packet).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_sent_at_once_is_for_one_peer_and_equally_long_but_for_the_last() {
        assert_eq!(run_length_of(&[]), 0);
        assert_eq!(run_length_of(&[(32, 1)]), 1);
        assert_eq!(run_length_of(&[(96, 1), (96, 1), (96, 2), (96, 1)]), 2);
        assert_eq!(run_length_of(&[(96, 1), (96, 1), (32, 1), (32, 1)]), 3);
        assert_eq!(run_length_of(&[(32, 1), (96, 1)]), 1);
        assert_eq!(run_length_of(&[(32, 1); 100]), MAX_SEGMENTS);
        assert_eq!(run_length_of(&[(1452, 1); 100]), 45);
        assert_eq!(run_length_of(&[(65_535, 1); 2]), 1);
    }
}
