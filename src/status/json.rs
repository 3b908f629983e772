//! The form for programs: JSON by the schema in tests/schema/show.json. No secret is in it.

use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::{Drift, Forwarding, Interface, Layers, Peer, Status, endpoint, layers};
use crate::columns::is_invisible;
use crate::config::{Masquerade, PortForward};
use crate::key::PublicKey;
use crate::net::{Address, Netns, Prefix};
use crate::state::Dns;

/// The version of the form: another one when something in it is no more what it was. What is added changes nothing.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    /// Seconds since the epoch.
    time: u64,
    interfaces: Vec<Tunnel<'a>>,
}

#[derive(Serialize)]
struct Tunnel<'a> {
    ifname: &'a str,
    netns: Option<&'a str>,
    driver: &'a str,
    up: Option<bool>,
    mtu: Option<u32>,
    addresses: Texts<'a, Address>,
    public_key: Option<String>,
    listen_port: Option<u16>,
    fwmark: Option<u32>,
    by_wgq: bool,
    file: Option<String>,
    drift: Option<Distance<'a>>,
    forwarding: Families,
    masquerade: Option<Leaving>,
    port_forwards: Texts<'a, PortForward>,
    kill_switch: bool,
    dns: Option<Resolver<'a>>,
    peers: Vec<Remote<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Distance<'a> {
    Steps(usize),
    Unknown(&'a str),
}

#[derive(Serialize)]
struct Families {
    ipv4: Option<Passing>,
    ipv6: Option<Passing>,
}

#[derive(Serialize)]
struct Passing {
    on: bool,
    by_wgq: bool,
}

#[derive(Serialize)]
struct Leaving {
    /// None is any other interface.
    interfaces: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Resolver<'a> {
    backend: String,
    servers: Texts<'a, IpAddr>,
    search: &'a [String],
    all_names: bool,
}

#[derive(Serialize)]
struct Remote<'a> {
    name: Option<&'a str>,
    public_key: Text<PublicKey>,
    has_preshared_key: bool,
    state: &'static str,
    stale: bool,
    endpoint: Option<String>,
    allowed_ips: Texts<'a, Prefix>,
    latest_handshake: Option<u64>,
    received_bytes: u64,
    sent_bytes: u64,
    persistent_keepalive: Option<u16>,
}

/// Returns the text of all interfaces.
pub fn json(status: &Status) -> serde_json::Result<String> {
    let interfaces = status.interfaces.iter();
    let document = Document {
        version: VERSION,
        time: status.at.as_secs(),
        interfaces: interfaces.map(|it| tunnel(it, status)).collect(),
    };
    serde_json::to_string_pretty(&document).map(|text| escaped(&text) + "\n")
}

fn tunnel<'a>(interface: &'a Interface, status: &Status) -> Tunnel<'a> {
    let settings = &interface.device.settings;
    let file = interface.origin.file.as_ref();
    let peers = interface.peers(status.at);
    let Layers {
        forwards_v4,
        forwards_v6,
        ..
    } = interface.layers;
    Tunnel {
        ifname: interface.ifname.as_str(),
        netns: interface.netns.as_ref().map(Netns::as_str),
        driver: interface.driver(),
        up: interface.link.map(|link| link.up),
        mtu: interface.link.map(|link| link.mtu),
        addresses: Texts(&interface.addresses),
        public_key: settings
            .private_key
            .as_ref()
            .map(|key| key.public_key().to_string()),
        listen_port: settings.listen_port,
        fwmark: settings.fwmark.map(|mark| mark.0),
        by_wgq: interface.origin.by_wgq,
        file: file.map(|file| file.display().to_string()),
        drift: match &interface.origin.drift {
            Drift::NoFile => None,
            Drift::Steps(steps) => Some(Distance::Steps(*steps)),
            Drift::Unknown(why) => Some(Distance::Unknown(why)),
        },
        forwarding: Families {
            ipv4: forwards_v4.map(passing),
            ipv6: forwards_v6.map(passing),
        },
        masquerade: leaving(interface.layers.masquerade.as_ref()),
        port_forwards: Texts(&interface.layers.port_forwards),
        kill_switch: interface.layers.kill_switch,
        dns: interface.layers.dns.as_ref().map(resolver),
        peers: peers.iter().map(|peer| remote(interface, peer)).collect(),
    }
}

fn remote<'a>(interface: &Interface, peer: &Peer<'a>) -> Remote<'a> {
    let status = peer.status;
    Remote {
        name: peer.name,
        public_key: Text(status.public_key),
        has_preshared_key: status.preshared_key.is_some(),
        state: peer.session.activity.word(),
        stale: peer.session.is_stale,
        endpoint: status.endpoint.map(|at| endpoint(at, &interface.scopes)),
        allowed_ips: Texts(&status.allowed_ips),
        latest_handshake: status.last_handshake.map(|last| last.as_secs()),
        received_bytes: status.rx_bytes,
        sent_bytes: status.tx_bytes,
        persistent_keepalive: status.persistent_keepalive,
    }
}

fn passing(forwarding: Forwarding) -> Passing {
    Passing {
        on: forwarding.is_on,
        by_wgq: forwarding.by_wgq,
    }
}

fn leaving(masquerade: Option<&Masquerade>) -> Option<Leaving> {
    let interfaces = match masquerade? {
        Masquerade::No => return None,
        Masquerade::Anywhere => None,
        Masquerade::By(names) => Some(names.iter().map(ToString::to_string).collect()),
    };
    Some(Leaving { interfaces })
}

fn resolver(dns: &Dns) -> Resolver<'_> {
    Resolver {
        backend: layers::backend(&dns.backend),
        servers: Texts(&dns.servers),
        search: &dns.search,
        all_names: dns.all_names,
    }
}

/// A value as its text.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Values as their texts.
struct Texts<'a, T>(&'a [T]);

impl<T: Display> Serialize for Texts<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Text))
    }
}

/// Whether a terminal would obey a character, or turn the direction of text around for it.
fn is_steering(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Replaces what a terminal would obey by its number; outside of strings there is none of it, but for the ends of lines.
fn escaped(json: &str) -> String {
    const DELETE: u8 = 0x7f;
    let mut text = String::with_capacity(json.len() + 1);
    for line in json.split_inclusive('\n') {
        if line.bytes().all(|byte| byte < DELETE) {
            text.push_str(line); // what is below a space, the crate has escaped
            continue;
        }
        for c in line.chars() {
            if c != '\n' && is_steering(c) {
                let _ = write!(text, "\\u{:04x}", u32::from(c)); // none of them is beyond U+FFFF
            } else {
                text.push(c);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::sample;
    use super::*;

    #[test]
    fn the_json_is_as_it_was() {
        sample::is_golden("show.json", &json(&sample::status()).unwrap());
    }

    #[test]
    fn names_come_back_as_they_were_and_steer_no_terminal() {
        let text = json(&sample::status()).unwrap();
        assert!(text.lines().all(|line| !line.contains(is_steering)));
        let value: Value = serde_json::from_str(&text).unwrap();
        let peers = value["interfaces"][0]["peers"].as_array().unwrap();
        let names = peers.iter().map(|peer| peer["name"].as_str());
        let names: Vec<_> = names.flatten().collect();
        assert_eq!(
            names,
            ["phone", "Jörg's laptop", "tab\u{202e}\x1b[2Jlet \"1\""]
        );
    }

    #[test]
    fn no_secret_is_in_it() {
        let text = json(&sample::status()).unwrap();
        assert!(!text.contains(sample::PRIVATE) && !text.contains(sample::PRESHARED));
    }
}
