//! A new server: which networks it gets, what its file says, and whether it can be reached.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zeroize::Zeroizing;

use crate::config::Endpoint;
use crate::key::PrivateKey;
use crate::net::{Address, Ifname, Prefix};

/// What a new server's file says.
#[derive(Debug)]
pub struct Server<'a> {
    /// Its key.
    pub private_key: &'a PrivateKey,
    /// Its addresses in the tunnel's networks.
    pub addresses: &'a [Address],
    /// Its UDP port.
    pub listen_port: u16,
    /// The interface that clients go out by; none is any.
    pub uplink: Option<Ifname>,
    /// Where clients reach it; none is not known.
    pub endpoint: Option<&'a Endpoint>,
    /// The resolvers of clients, as they stand in a file; empty leaves them with their own.
    pub dns: &'a str,
}

impl Server<'_> {
    /// The file, with the key.
    pub fn to_config(&self) -> Zeroizing<String> {
        // room for all of it: growing would leave the key behind
        let mut text = Zeroizing::new(String::with_capacity(2048));
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "[Interface]")?;
        if let Some(endpoint) = self.endpoint {
            writeln!(text, "# Endpoint = {endpoint}")?;
        }
        if !self.dns.is_empty() {
            writeln!(text, "# DNS = {}", self.dns)?;
        }
        writeln!(text, "PrivateKey = {}", *self.private_key.to_base64())?;
        let addresses: Vec<_> = self.addresses.iter().map(Address::to_string).collect();
        writeln!(text, "Address = {}", addresses.join(", "))?;
        writeln!(text, "ListenPort = {}", self.listen_port)?;
        match self.uplink {
            Some(uplink) => writeln!(text, "Masquerade = {uplink}")?,
            None => writeln!(text, "Masquerade = yes")?,
        }
        writeln!(text, "OpenPort = yes")
    }
}

/// Chooses an IPv4 network of 254 hosts in 10.0.0.0/8, or else in 172.16.0.0/12, that has nothing to do with any of `taken`:
/// from the random one on, the first.
///
/// It is one that few others have, so that it is not the network that a client sits in: those that home routers, containers and
/// other VPNs begin with are left out.
pub fn choose_ipv4(random: u16, taken: &[Prefix]) -> Option<Prefix> {
    let ten = (0..=u16::MAX).map(|step| {
        let [second, third] = random.wrapping_add(step).to_be_bytes();
        (10, second, third)
    });
    let seventeen = (20..32).flat_map(|second| (0..=255).map(move |third| (172, second, third)));
    let network = |(first, second, third)| {
        let ip = IpAddr::from(Ipv4Addr::new(first, second, third, 0));
        Address::new(ip, 24).map(Address::prefix)
    };
    let candidates = ten.filter(|it| !is_popular(*it)).chain(seventeen);
    candidates
        .filter_map(network)
        .find(|it| !touches(*it, taken))
}

/// Whether many have a network of 10.0.0.0/8 by default: home routers, docker, Kubernetes, `OpenVPN` and the tutorials of others.
fn is_popular((_, second, third): (u8, u8, u8)) -> bool {
    let is_round = |number: u8| number.is_multiple_of(10);
    second < 16
        || is_round(second)
        || is_round(third)
        || matches!(second, 42 | 43 | 88 | 96..=111 | 244 | 255)
}

/// Makes an IPv6 network of 64 bits that is nobody else's, of 40 random bits (RFC 4193, 3.2).
pub fn unique_local(random: [u8; 5]) -> Option<Prefix> {
    let mut octets = [0; 16];
    let bytes = [0xfd].into_iter().chain(random);
    octets
        .iter_mut()
        .zip(bytes)
        .for_each(|(octet, byte)| *octet = byte);
    let ip = IpAddr::from(Ipv6Addr::from(octets));
    Address::new(ip, 64).map(Address::prefix)
}

/// Whether a network has addresses in common with any of these.
pub fn touches(network: Prefix, others: &[Prefix]) -> bool {
    let touches = |other: &Prefix| other.contains(network) || network.contains(*other);
    others.iter().any(touches)
}

/// The first address that a host may have in a network, which is the server's.
pub fn first_host(network: Prefix) -> Option<Address> {
    let own = Address::new(network.ip(), network.prefix_len())?;
    let ip = match crate::allocate::lowest_free(own, []) {
        Some(ip) => ip,
        None => network.ip(), // a single address
    };
    Address::new(ip, network.prefix_len())
}

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From everywhere, as far as the address goes.
    World,
    /// From behind the same router (RFC 1918, RFC 4193).
    Site,
    /// From behind the same carrier (RFC 6598): 100.64.0.0/10.
    Carrier,
    /// From nowhere else: loopback, link-local and the like.
    Here,
}

impl Reach {
    /// From where that address can be reached.
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) if ip.is_private() => Self::Site,
            IpAddr::V4(ip) if ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64 => Self::Carrier,
            IpAddr::V4(ip) if ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() => {
                Self::Here
            }
            IpAddr::V6(ip) if ip.is_unique_local() => Self::Site,
            IpAddr::V6(ip)
                if ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified() =>
            {
                Self::Here
            }
            IpAddr::V4(_) | IpAddr::V6(_) => Self::World,
        }
    }

    /// What it takes for clients elsewhere to get through to that address of this host; nothing if that is all.
    pub fn advice(self, ip: IpAddr, port: u16, ifname: Ifname) -> Vec<String> {
        let then = format!("then `wgq endpoint {ifname} HOST:PORT` with that address");
        match self {
            Self::World => Vec::new(),
            Self::Site => vec![
                format!("{ip} is a private address: clients elsewhere cannot reach it"),
                format!(
                    "have the router forward UDP port {port} of its public address to {ip} port {port}, {then}"
                ),
            ],
            Self::Carrier => vec![
                format!(
                    "{ip} is an address behind the carrier's NAT (100.64.0.0/10): a port forwarding of your own router does not help"
                ),
                format!(
                    "a server with a public address, or a UDP relay, can pass on to this one (README, \"A server at home, behind the provider's NAT\"); {then}"
                ),
            ],
            Self::Here => vec![format!(
                "{ip} is an address of this link alone: no client elsewhere can reach it; `wgq endpoint {ifname} HOST:PORT` says where they can"
            )],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Masquerade, Names, parse};

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_chosen_that_nobody_has() {
        let chosen = |random, taken: &[&str]| {
            let taken: Vec<_> = taken.iter().map(|it| prefix(it)).collect();
            choose_ipv4(random, &taken).map(|it| it.to_string())
        };
        assert_eq!(chosen(0x4d2b, &[]).as_deref(), Some("10.77.43.0/24"));
        assert_eq!(
            chosen(0x4d2b, &["10.77.43.200"]).as_deref(),
            Some("10.77.44.0/24")
        );
        assert_eq!(chosen(0x0000, &[]).as_deref(), Some("10.16.1.0/24"));
        assert_eq!(
            chosen(0xffff, &["10.16.0.0/16"]).as_deref(),
            Some("10.17.1.0/24")
        );
        assert_eq!(
            chosen(7, &["10.0.0.0/8", "172.20.0.0/16"]).as_deref(),
            Some("172.21.0.0/24")
        );
        assert_eq!(chosen(7, &["0.0.0.0/0"]), None);
    }

    #[test]
    fn the_server_has_the_first_address() {
        let ula = unique_local([1, 2, 3, 4, 5]).unwrap();
        assert_eq!(ula.to_string(), "fd01:203:405::/64");
        for (network, host) in [
            (ula, "fd01:203:405::1/64"),
            (prefix("10.0.0.0/24"), "10.0.0.1/24"),
            (prefix("10.0.0.0/31"), "10.0.0.1/31"),
            (prefix("10.0.0.7"), "10.0.0.7/32"),
        ] {
            assert_eq!(first_host(network).unwrap().to_string(), host);
        }
    }

    #[test]
    fn where_an_address_is_reached_from_is_known() {
        for (ip, reach) in [
            ("192.0.2.1", Reach::World),
            ("192.168.1.5", Reach::Site),
            ("172.31.0.1", Reach::Site),
            ("100.64.0.1", Reach::Carrier),
            ("100.127.255.254", Reach::Carrier),
            ("100.128.0.1", Reach::World),
            ("127.0.0.1", Reach::Here),
            ("fd00::1", Reach::Site),
            ("fe80::1", Reach::Here),
            ("2001:db8::1", Reach::World),
        ] {
            assert_eq!(Reach::of(ip.parse().unwrap()), reach, "{ip}");
        }
    }

    #[test]
    fn a_new_server_s_file_says_what_was_chosen() {
        let key = PrivateKey::from([9; 32]);
        let endpoint = Endpoint::Addr("[2001:db8::1]:51820".parse().unwrap());
        let mut server = Server {
            private_key: &key,
            addresses: &[
                "10.77.43.1/24".parse().unwrap(),
                "fd00::1/64".parse().unwrap(),
            ],
            listen_port: 51820,
            uplink: None,
            endpoint: Some(&endpoint),
            dns: "192.0.2.53",
        };
        let text = server.to_config();
        let config = parse(text.as_bytes(), &Names::default()).config.unwrap();
        assert_eq!(
            config.interface.firewall.masquerade.value,
            Masquerade::Anywhere
        );
        assert!(text.contains("# Endpoint = [2001:db8::1]:51820\n# DNS = 192.0.2.53\n"));
        server.uplink = Some("ens3".parse().unwrap());
        assert!(server.to_config().contains("\nMasquerade = ens3\n"));
    }
}
