//! Asks name servers past a tunnel: by packets with its mark, which do not go through it.
//!
//! A full tunnel takes the host's own questions for names, too. If it is dead, the C library hears nothing until it is
//! alive, and it is dead until the name of its endpoint is known.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use super::{Answer, LookupError, Name};
use crate::net::FwMark;

/// How long answers are waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// After what time a question is repeated.
const REPEAT: Duration = Duration::from_secs(1);
/// How often it is looked for answers.
const INTERVAL: Duration = Duration::from_millis(20);
/// The types of records asked for: A and AAAA.
const TYPES: [u16; 2] = [1, 28];
/// Longer answers are not asked for (RFC 1035, 4.2.1).
const LONGEST: usize = 512;

/// How to ask past a tunnel.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The name servers.
    pub servers: Vec<IpAddr>,
    /// The mark of the tunnel's own packets.
    pub mark: FwMark,
}

impl Outside {
    /// Asks all servers at once for both types of addresses, until one has told of both.
    pub(super) fn lookup(&self, name: &Name) -> Answer {
        let silent = || LookupError::new("no name server answers past the tunnel", true);
        let question = question(&name.host)
            .ok_or_else(|| LookupError::new("Name or service not known", false))?;
        let mut servers: Vec<Server> = self
            .servers
            .iter()
            .filter_map(|&server| Server::connect(server, self.mark).ok())
            .collect();
        let start = Instant::now();
        let mut asked = 0;
        while start.elapsed() < PATIENCE && !servers.iter().any(Server::is_done) {
            if start.elapsed() >= REPEAT * asked {
                for server in &servers {
                    server.ask(&question);
                }
                asked += 1;
            }
            for server in &mut servers {
                server.listen(&question);
            }
            thread::sleep(INTERVAL);
        }
        let best = servers.iter().max_by_key(|server| server.found.len());
        let found = best.filter(|best| !best.found.is_empty());
        let at = |ip: &IpAddr| SocketAddr::new(*ip, name.port);
        Ok(found.ok_or_else(silent)?.found.iter().map(at).collect())
    }
}

/// A name server that is asked.
struct Server {
    socket: UdpSocket,
    /// The number of the questions, to tell their answers.
    id: u16,
    answered: BTreeSet<u16>,
    found: Vec<IpAddr>,
}

impl Server {
    fn connect(server: IpAddr, mark: FwMark) -> io::Result<Self> {
        let any: IpAddr = match server {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        setsockopt(&socket, sockopt::Mark, &mark.0)?;
        socket.connect((server, 53))?;
        socket.set_nonblocking(true)?;
        let random = RandomState::new().build_hasher().finish().to_be_bytes();
        Ok(Self {
            socket,
            id: u16::from_be_bytes([random[0], random[1]]),
            answered: BTreeSet::new(),
            found: Vec::new(),
        })
    }

    /// Whether it has told of both types, and of an address.
    fn is_done(&self) -> bool {
        self.answered.len() == TYPES.len() && !self.found.is_empty()
    }

    /// Asks what it has not answered. That it cannot be asked is as if it were silent.
    fn ask(&self, name: &[u8]) {
        for kind in TYPES.iter().filter(|kind| !self.answered.contains(kind)) {
            let mut packet = self.id.to_be_bytes().to_vec();
            packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]); // recursion desired, one question
            packet.extend(name);
            packet.extend(kind.to_be_bytes());
            packet.extend([0, 1]);
            let _ = self.socket.send(&packet);
        }
    }

    /// Takes what it has answered.
    fn listen(&mut self, name: &[u8]) {
        let mut packet = [0; LONGEST];
        while let Ok(length) = self.socket.recv(&mut packet) {
            let packet = packet.get(..length).unwrap_or_default();
            if let Some((kind, found)) = answer(packet, self.id, name)
                && self.answered.insert(kind)
            {
                self.found.extend(found);
            }
        }
    }
}

/// Returns the labels of a name (RFC 1035, 3.1); none if it can have no address.
fn question(host: &str) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    for label in host.strip_suffix('.').unwrap_or(host).split('.') {
        let length = u8::try_from(label.len()).ok();
        labels.push(length.filter(|length| (1..=63).contains(length))?);
        labels.extend(label.to_ascii_lowercase().bytes());
    }
    labels.push(0);
    (labels.len() <= 255).then_some(labels)
}

/// Reads an answer to the question for that name: which type was asked for, and the addresses. An error of the server is
/// no answer, but that there is no such name is one.
fn answer(packet: &[u8], id: u16, name: &[u8]) -> Option<(u16, Vec<IpAddr>)> {
    let mut rest = Reader(packet);
    let is_ours = rest.number()? == id;
    let flags = rest.number()?;
    let (questions, records) = (rest.number()?, rest.number()?);
    rest.take(4)?;
    let is_answer = flags & 0x8000 != 0 && matches!(flags & 0xf, 0 | 3);
    let is_of_name = rest.take(name.len())?.eq_ignore_ascii_case(name);
    let (kind, class) = (rest.number()?, rest.number()?);
    if !is_ours || !is_answer || !is_of_name || questions != 1 || class != 1 {
        return None;
    }
    let mut found = Vec::new();
    for _ in 0..records {
        let Some((of_kind, data)) = rest.record() else {
            break; // cut off
        };
        let v4 = || <[u8; 4]>::try_from(data).map(IpAddr::from).ok();
        let v6 = || <[u8; 16]>::try_from(data).map(IpAddr::from).ok();
        if of_kind == kind {
            found.extend(if kind == TYPES[0] { v4() } else { v6() });
        }
    }
    Some((kind, found))
}

/// What of a packet is not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    }

    /// Passes over a name: labels, and at its end nothing or where it goes on.
    fn name(&mut self) -> Option<()> {
        loop {
            match *self.take(1)? {
                [0] => return Some(()),
                [length] if length >= 0xc0 => return self.take(1).map(drop),
                [length] => drop(self.take(length.into())?),
                _ => return None,
            }
        }
    }

    /// Reads a record: its type, and its data.
    fn record(&mut self) -> Option<(u16, &'a [u8])> {
        self.name()?;
        let kind = self.number()?;
        self.take(6)?; // class and time to live
        let length = self.number()?;
        Some((kind, self.take(length.into())?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The answer of a server: an alias, and an address of what that stands for.
    fn packet(kind: u16, data: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        packet.extend(b"\x03VPN\x07example\x00");
        packet.extend(kind.to_be_bytes());
        packet.extend([0, 1]);
        packet.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, b'a', 0xc0, 16]);
        packet.extend(b"\x01a\xc0\x10");
        packet.extend(kind.to_be_bytes());
        packet.extend([0, 1, 0, 0, 0, 60, 0]);
        packet.push(u8::try_from(data.len()).unwrap());
        packet.extend(data);
        packet
    }

    #[test]
    fn an_answer_is_read_past_aliases() {
        let name = question("vpn.example.").unwrap();
        assert_eq!(name, b"\x03vpn\x07example\x00");
        let v4 = packet(1, &[192, 0, 2, 1]);
        let expected = (1, vec!["192.0.2.1".parse().unwrap()]);
        assert_eq!(answer(&v4, 0x1234, &name), Some(expected));
        let v6 = packet(28, &Ipv6Addr::LOCALHOST.octets());
        assert_eq!(
            answer(&v6, 0x1234, &name),
            Some((28, vec![Ipv6Addr::LOCALHOST.into()]))
        );
        assert_eq!(answer(&v4, 0x1235, &name), None, "of another question");
        let other = question("vpn.exempla").unwrap();
        assert_eq!(answer(&v4, 0x1234, &other), None, "of another name");
        let mut refused = v4.clone();
        refused[3] = 0x85;
        assert_eq!(answer(&refused, 0x1234, &name), None);
    }

    #[test]
    fn names_without_an_address_are_not_asked_for() {
        for host in ["", "a..b", &"a".repeat(64), &"a.".repeat(200)] {
            assert_eq!(question(host), None, "{host}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(cut in 0..80_usize, at in 0..80_usize, byte: u8) {
            let name = question("vpn.example").unwrap();
            let mut bytes = packet(1, &[192, 0, 2, 1]);
            bytes.truncate(cut);
            if let Some(it) = bytes.get_mut(at) {
                *it = byte;
            }
            let _ = answer(&bytes, 0x1234, &name);
        }
    }
}
