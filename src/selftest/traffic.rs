//! Packets between machines: echo requests and TCP streams, with nobody's help but the kernel's.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

use super::machine::Machine;

/// How long an answer may take: a handshake that was lost is tried again after 5 seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long to wait for the first echo before another request is sent; then longer.
const ECHO_PATIENCE: Duration = Duration::from_millis(50);

/// Sends echo requests until one is answered; returns how long that one took.
pub(super) fn ping(from: &Machine, to: IpAddr) -> Result<Duration> {
    let echo = from.run(|| Echo::open(to))?;
    let start = Instant::now();
    let mut number = 0;
    loop {
        let asked = Instant::now();
        match echo.exchange(number) {
            Ok(()) => return Ok(asked.elapsed()),
            Err(error) if start.elapsed() > PATIENCE => {
                let seconds = PATIENCE.as_secs();
                let source = echo.socket.local_addr().map(|source| source.ip());
                let source = source.map_or_else(|_| String::new(), |ip| format!(", asked as {ip}"));
                let what = || format!("no echo from {to} in {seconds} s{source}");
                return Err(error).with_context(what);
            }
            Err(_) => number = number.wrapping_add(1),
        }
        thread::sleep(Duration::from_millis(5)); // an error may come at once
    }
}

/// Sends one echo request and waits for nothing; that it cannot be sent is fine too.
pub(super) fn knock(from: &Machine, to: IpAddr) -> Result<()> {
    let _ = from.run(|| Echo::open(to))?.send(0);
    Ok(())
}

/// A socket for echo requests, as ping(8) opens it where it is not privileged.
struct Echo {
    socket: UdpSocket,
    to: IpAddr,
}

impl Echo {
    fn open(to: IpAddr) -> Result<Self> {
        let (family, protocol) = match to {
            IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp),
            IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6),
        };
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket = socket(family, SockType::Datagram, flags, protocol).context("ICMP socket")?;
        let socket = UdpSocket::from(socket);
        Ok(Self { socket, to })
    }

    /// Sends the request of this number; the kernel fills in the checksum.
    fn send(&self, number: u8) -> io::Result<()> {
        let request = match self.to {
            IpAddr::V4(_) => 8,
            IpAddr::V6(_) => 128,
        };
        self.socket.connect((self.to, 0))?;
        self.socket
            .send(&[request, 0, 0, 0, 0, 0, 0, number])
            .map(drop)
    }

    /// Sends the request of this number and waits for the reply to it.
    fn exchange(&self, number: u8) -> io::Result<()> {
        self.send(number)?;
        let patience = ECHO_PATIENCE * u32::from(number.min(7) + 1);
        self.socket.set_read_timeout(Some(patience))?;
        loop {
            let mut reply = [0; 8];
            self.socket.recv(&mut reply)?;
            if let [0 | 129, .., last] = reply
                && last == number
            {
                return Ok(());
            }
        }
    }
}

/// Sends so many bytes there and as many back, over TCP, and checks that they come as they were sent, and from where.
pub(super) fn stream(from: (&Machine, IpAddr), to: (&Machine, IpAddr), bytes: usize) -> Result<()> {
    let what = || format!("TCP to {}", to.1);
    let listener = to.0.run(|| Ok(TcpListener::bind((to.1, 0))?))?;
    let address = listener.local_addr()?;
    let connect = || Ok(TcpStream::connect_timeout(&address, PATIENCE)?);
    let client = from.0.run(connect).with_context(what)?;
    let (server, source) = accept(&listener).with_context(what)?;
    ensure!(
        source.ip() == from.1,
        "{}: it came from {} and not through the tunnel from {}",
        what(),
        source.ip(),
        from.1
    );
    carry(&client, &server, bytes).with_context(what)?;
    carry(&server, &client, bytes).with_context(|| format!("{}, the answer", what()))
}

fn accept(listener: &TcpListener) -> Result<(TcpStream, SocketAddr)> {
    let mut waited = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut waited, PollTimeout::try_from(PATIENCE)?)?;
    ensure!(ready > 0, "no connection in {} s", PATIENCE.as_secs());
    Ok(listener.accept()?)
}

/// Sends a text from one end of a connection to the other.
fn carry(mut from: &TcpStream, mut to: &TcpStream, bytes: usize) -> Result<()> {
    let text: Vec<u8> = (0..=250).cycle().take(bytes).collect(); // 251 is prime: no part repeats in step with packets
    from.set_write_timeout(Some(PATIENCE))?;
    to.set_read_timeout(Some(PATIENCE))?;
    let mut received = vec![0; bytes];
    thread::scope(|scope| {
        let sent = scope.spawn(|| from.write_all(&text));
        let came = to.read_exact(&mut received);
        let sent = sent.join().unwrap_or(Ok(()));
        came.or(sent).map(drop)
    })?;
    ensure!(received == text, "it came changed");
    Ok(())
}
