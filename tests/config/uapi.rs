//! A WireGuard device that only listens: it takes what wg(8) sets through its socket (wireguard.com/xplatform).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use wgq::net::Prefix;

/// The device, and what was set on it last.
pub(crate) struct Device {
    requests: Receiver<String>,
}

/// What a request sets. Keys are in hexadecimal; the one of zeros is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) private_key: Option<String>,
    pub(crate) listen_port: u16,
    pub(crate) fwmark: u32,
    pub(crate) peers: BTreeMap<String, Peer>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) preshared_key: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) persistent_keepalive: Option<u16>,
    pub(crate) allowed_ips: BTreeSet<Prefix>,
}

impl Device {
    /// A device of that name, in the mounts of this thread.
    pub(crate) fn listen(name: &str) -> Self {
        fs::create_dir_all("/var/run/wireguard").unwrap();
        let listener = UnixListener::bind(format!("/var/run/wireguard/{name}.sock")).unwrap();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = receive(&mut stream);
                if request.starts_with("set=1\n") && sender.send(request).is_err() {
                    return;
                }
                let _ = stream.write_all(b"errno=0\n\n"); // wg(8) ends when it has this
            }
        });
        Self { requests }
    }

    /// What was set since the last time.
    pub(crate) fn take(&self) -> Option<Set> {
        self.requests
            .try_iter()
            .last()
            .map(|request| read(&request))
    }
}

/// A request up to its empty line. wg(8) also connects without one, to see who is there.
fn receive(stream: &mut UnixStream) -> String {
    let mut request = String::new();
    let mut part = [0; 4096];
    while !request.ends_with("\n\n") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => request += std::str::from_utf8(&part[..count]).unwrap(),
        }
    }
    request
}

fn read(request: &str) -> Set {
    let mut set = Set::default();
    let mut key = String::new();
    for line in request.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').unwrap();
        let secret = || Some(value.to_owned()).filter(|key| key.bytes().any(|byte| byte != b'0'));
        match name {
            "set" | "replace_peers" | "replace_allowed_ips" | "protocol_version" => {}
            "private_key" => set.private_key = secret(),
            "listen_port" => set.listen_port = value.parse().unwrap(),
            "fwmark" => set.fwmark = value.parse().unwrap(),
            "public_key" => {
                value.clone_into(&mut key);
                set.peers.entry(key.clone()).or_default();
            }
            "allowed_ip" => set.allow(&key, value),
            _ => {
                let peer = set.peers.get_mut(&key).unwrap();
                match name {
                    "preshared_key" => peer.preshared_key = secret(),
                    "endpoint" => peer.endpoint = Some(endpoint(value)),
                    "persistent_keepalive_interval" => {
                        peer.persistent_keepalive =
                            value.parse().ok().filter(|&seconds| seconds > 0);
                    }
                    _ => panic!("{line}"),
                }
            }
        }
    }
    set
}

impl Set {
    /// A prefix has one peer.
    fn allow(&mut self, key: &str, prefix: &str) {
        if let Some(removed) = prefix.strip_prefix('-') {
            let peer = self.peers.get_mut(key).unwrap();
            peer.allowed_ips.remove(&removed.parse().unwrap());
            return;
        }
        let prefix = prefix.trim_start_matches('+').parse().unwrap();
        for (other, peer) in &mut self.peers {
            if other == key {
                peer.allowed_ips.insert(prefix);
            } else {
                peer.allowed_ips.remove(&prefix);
            }
        }
    }
}

/// The endpoint as Rust prints it, where it is an address.
pub(crate) fn endpoint(text: &str) -> String {
    let address = text.parse::<SocketAddr>();
    address.map_or_else(|_| text.to_owned(), |address| address.to_string())
}
