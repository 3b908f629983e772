//! What passes on a link, seen by the machine at its other end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, setsockopt, socket,
    sockopt,
};
use nix::sys::time::TimeVal;

use super::machine::Machine;

/// `PACKET_OUTGOING` (packet(7)): the machine's own.
const OUTGOING: u8 = 4;

/// How much of a packet is looked at: Ethernet, IPv6 and UDP headers, in bytes.
const LOOKED_AT: usize = 14 + 40 + 8;

/// How long to wait for a packet before looking whether the end has come.
const TICK: Duration = Duration::from_millis(10);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The number of packets to the tunnel's server.
    pub(super) encrypted: usize,
    /// Where packets went that a tunnel should have carried.
    pub(super) clear: Vec<IpAddr>,
}

/// A capture that is under way.
pub(super) struct Capture {
    end: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen>>,
}

impl Capture {
    /// Starts to look at what comes in by a link. What goes to `port` of a `server` is the tunnel.
    pub(super) fn start(
        machine: &Machine,
        link: &'static str,
        servers: Vec<IpAddr>,
        port: u16,
    ) -> Result<Self> {
        let (socket, index) = machine.run(|| Ok((open()?, if_nametoindex(link)?)))?;
        let index = usize::try_from(index)?;
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = thread::spawn(move || watch(&socket, index, &servers, port, &ended));
        Ok(Self { end, thread })
    }

    /// Ends the capture, once all that was sent until now is seen.
    pub(super) fn end(self) -> Result<Seen> {
        self.end.store(true, Ordering::Release);
        let seen = self.thread.join();
        seen.map_err(|_| anyhow!("the capture came to a bad end"))?
    }
}

/// Opens a socket that gets all packets of the machine.
fn open() -> Result<OwnedFd> {
    let socket = socket(
        AddressFamily::Packet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::EthAll,
    )
    .context("packet socket")?;
    let tick = TimeVal::new(0, TICK.subsec_micros().into());
    setsockopt(&socket, sockopt::ReceiveTimeout, &tick)?;
    Ok(socket)
}

fn watch(
    socket: &OwnedFd,
    index: usize,
    servers: &[IpAddr],
    port: u16,
    end: &AtomicBool,
) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut frame = [0; LOOKED_AT];
    loop {
        let ended = end.load(Ordering::Acquire); // before it is found that nothing waits
        match recvfrom::<LinkAddr>(socket.as_raw_fd(), &mut frame) {
            Ok((length, Some(from))) => {
                if from.ifindex() != index || from.pkttype() == OUTGOING {
                    continue;
                }
                let frame = frame.get(..length).unwrap_or(&frame);
                match classify(frame, servers, port) {
                    Packet::Encrypted => seen.encrypted += 1,
                    Packet::Clear(to) => seen.clear.push(to),
                    Packet::OfTheLink => {}
                }
            }
            Err(Errno::EAGAIN) if ended => return Ok(seen),
            Ok((_, None)) | Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a packet is to a tunnel.
#[derive(Debug, PartialEq, Eq)]
enum Packet {
    /// The tunnel itself.
    Encrypted,
    /// What neighbours on a link say to each other: ARP, neighbour discovery, memberships.
    OfTheLink,
    /// All else, to this address.
    Clear(IpAddr),
}

/// Says what the packet in an Ethernet frame is.
fn classify(frame: &[u8], servers: &[IpAddr], port: u16) -> Packet {
    const UDP: u8 = 17;
    const ICMPV6: u8 = 58;
    let byte = |at: usize| frame.get(at).copied().unwrap_or_default();
    let port_at = |at: usize| u16::from_be_bytes([byte(at), byte(at + 1)]);
    let (to, protocol, payload): (IpAddr, u8, usize) = match (byte(12), byte(13)) {
        (0x08, 0x00) => {
            let to: [u8; 4] = std::array::from_fn(|at| byte(30 + at));
            let header = usize::from(byte(14) & 0xf) * 4;
            (Ipv4Addr::from(to).into(), byte(23), 14 + header)
        }
        (0x86, 0xdd) => {
            let to: [u8; 16] = std::array::from_fn(|at| byte(38 + at));
            (Ipv6Addr::from(to).into(), byte(20), 54)
        }
        _ => return Packet::OfTheLink,
    };
    let of_the_link = match to {
        IpAddr::V4(to) => to.is_multicast() || to.is_broadcast(),
        IpAddr::V6(to) => to.is_multicast() || to.is_unicast_link_local(),
    };
    // neighbour discovery (RFC 4861) asks a known neighbour at its own address
    let is_discovery = protocol == ICMPV6 && (133..=137).contains(&byte(payload));
    if of_the_link || is_discovery {
        Packet::OfTheLink
    } else if protocol == UDP && port_at(payload + 2) == port && servers.contains(&to) {
        Packet::Encrypted
    } else {
        Packet::Clear(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    fn ipv4(protocol: u8, to: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 34];
        frame[12] = 0x08;
        frame[14] = 0x45;
        frame[23] = protocol;
        frame[30..34].copy_from_slice(&to.octets());
        [&frame, payload].concat()
    }

    fn ipv6(protocol: u8, to: &str, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 54];
        frame[12..14].copy_from_slice(&[0x86, 0xdd]);
        frame[20] = protocol;
        frame[38..54].copy_from_slice(&to.parse::<Ipv6Addr>().unwrap().octets());
        [&frame, payload].concat()
    }

    fn classified(frame: &[u8]) -> Packet {
        let servers = [SERVER.into(), "2001:db8::1".parse().unwrap()];
        classify(frame, &servers, 51820)
    }

    #[test]
    fn the_tunnel_is_what_goes_to_the_servers_port() {
        let (ours, other) = ([0, 1, 0xca, 0x6c], [0, 1, 0, 53]);
        assert_eq!(classified(&ipv4(17, SERVER, &ours)), Packet::Encrypted);
        assert_eq!(
            classified(&ipv6(17, "2001:db8::1", &ours)),
            Packet::Encrypted
        );
        assert_eq!(
            classified(&ipv4(17, SERVER, &other)),
            Packet::Clear(SERVER.into())
        );
        assert_eq!(
            classified(&ipv4(6, SERVER, &ours)),
            Packet::Clear(SERVER.into())
        );
        let elsewhere = Ipv4Addr::new(192, 0, 2, 2);
        assert_eq!(
            classified(&ipv4(17, elsewhere, &ours)),
            Packet::Clear(elsewhere.into())
        );
    }

    #[test]
    fn what_neighbours_say_is_no_leak() {
        let mut arp = vec![0; 42];
        arp[12..14].copy_from_slice(&[0x08, 0x06]);
        assert_eq!(classified(&arp), Packet::OfTheLink);
        assert_eq!(classified(&ipv6(0, "ff02::16", &[])), Packet::OfTheLink);
        assert_eq!(
            classified(&ipv6(58, "2001:db8::2", &[135])),
            Packet::OfTheLink
        );
        let echo = ipv6(58, "2001:db8::2", &[128]);
        assert_eq!(
            classified(&echo),
            Packet::Clear("2001:db8::2".parse().unwrap())
        );
    }
}
