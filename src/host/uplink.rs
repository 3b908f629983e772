//! How this host is connected: its addresses and routes, the ports that are free, and whom it asks for names.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use anyhow::{Context as _, Result};
use nix::ifaddrs::getifaddrs;

use super::config_file::CONFIG_DIR;
use crate::config;
use crate::net::{Address, Family, Ifname, Prefix};

/// The addresses of this host's interfaces, or of that one.
pub fn addresses(ifname: Option<Ifname>) -> Result<Vec<IpAddr>> {
    let found = getifaddrs().context("getifaddrs")?;
    let is_meant = |name: &str| ifname.is_none_or(|ifname| ifname.as_str() == name);
    let ip = |address: Option<nix::sys::socket::SockaddrStorage>| {
        let address = address?;
        let v4 = address.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|it| IpAddr::V6(it.ip())))
    };
    let meant = found.filter(|it| is_meant(&it.interface_name));
    Ok(meant.filter_map(|it| ip(it.address)).collect())
}

/// The address that packets to the internet leave with; none without a route there. Nothing is sent.
pub fn source(family: Family) -> Option<IpAddr> {
    // networks for documentation (RFC 5737, RFC 3849), which are routed as any other
    let (any, far): (IpAddr, IpAddr) = match family {
        Family::V4 => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        Family::V6 => {
            let far = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
            (Ipv6Addr::UNSPECIFIED.into(), far.into())
        }
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback()).then_some(ip)
}

/// Whether nobody listens on a UDP port.
pub fn is_port_free(port: u16) -> bool {
    let is_free = |any: IpAddr| match UdpSocket::bind((any, port)) {
        Err(error) => error.kind() != std::io::ErrorKind::AddrInUse,
        Ok(_) => true,
    };
    is_free(Ipv4Addr::UNSPECIFIED.into()) && is_free(Ipv6Addr::UNSPECIFIED.into())
}

/// What the files of all interfaces take: their networks, those of their peers, and their UDP ports. A file that is not in order
/// takes nothing.
pub fn taken_by_files() -> (Vec<Prefix>, BTreeSet<u16>) {
    let (mut networks, mut ports) = (Vec::new(), BTreeSet::new());
    let files = fs::read_dir(CONFIG_DIR).into_iter().flatten().flatten();
    let paths = files.map(|file| file.path());
    for path in paths.filter(|path| path.extension().is_some_and(|it| it == "conf")) {
        let text = super::config_file::read(&path).unwrap_or_default();
        let Some(found) = config::parse(&text, &config::Names::default()).config else {
            continue;
        };
        let addresses = found.interface.addresses.iter();
        networks.extend(addresses.map(|address| address.value.prefix()));
        let peers = found.peers.iter().flat_map(|peer| &peer.allowed_ips);
        networks.extend(peers.filter(|prefix| !prefix.is_default()));
        ports.extend(found.interface.listen_port);
    }
    (networks, ports)
}

/// The resolvers of this host that a client can ask too: of any but this host alone. Where /etc/resolv.conf names the
/// stub of systemd-resolved, those it asks count.
pub fn name_servers() -> Vec<IpAddr> {
    const FILES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    let servers = |file| servers(&fs::read_to_string(file).unwrap_or_default());
    let found = FILES.into_iter().map(servers);
    found
        .into_iter()
        .find(|servers| !servers.is_empty())
        .unwrap_or_default()
}

/// The lines `nameserver ADDRESS` (resolv.conf(5)).
fn servers(text: &str) -> Vec<IpAddr> {
    let server = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let is_server = words.next() == Some("nameserver");
        words.next().filter(|_| is_server)?.parse().ok()
    };
    let reaches = |ip: &IpAddr| crate::setup::Reach::of(*ip) != crate::setup::Reach::Here;
    text.lines().filter_map(server).filter(reaches).collect()
}

/// The networks that this host's routes lead to, those of the main table at least, but for default routes.
pub fn routed() -> Vec<Prefix> {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let mut routed = ipv4_routes(&text("/proc/net/route"));
    routed.extend(ipv6_routes(&text("/proc/net/ipv6_route")));
    routed
}

/// Of `/proc/net/route` (`proc_net(5)`): hexadecimal numbers in the order of the host's bytes.
fn ipv4_routes(text: &str) -> Vec<Prefix> {
    let route = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let number = |at: usize| u32::from_str_radix(columns.get(at)?, 16).ok();
        let ip = Ipv4Addr::from(number(1)?.to_ne_bytes());
        let len = u8::try_from(number(7)?.count_ones()).ok()?;
        Some(Address::new(ip.into(), len)?.prefix())
    };
    let routes = text.lines().skip(1).filter_map(route);
    routes.filter(|prefix| !prefix.is_default()).collect()
}

/// Of `/proc/net/ipv6_route`.
fn ipv6_routes(text: &str) -> Vec<Prefix> {
    let route = |line: &str| {
        let mut columns = line.split_whitespace();
        let ip = u128::from_str_radix(columns.next()?, 16).ok()?;
        let len = u8::from_str_radix(columns.next()?, 16).ok()?;
        Some(Address::new(Ipv6Addr::from_bits(ip).into(), len)?.prefix())
    };
    let is_network =
        |prefix: &Prefix| !prefix.is_default() && !Prefix::LINK_LOCAL.contains(*prefix);
    text.lines().filter_map(route).filter(is_network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_of_this_host_alone_are_none_of_a_client() {
        let text = "# c\nnameserver 127.0.0.53\nnameserver 192.168.1.1\nnameserver fe80::1%eth0\nnameserver fd00::1\nsearch x\n";
        let found: Vec<_> = servers(text).iter().map(IpAddr::to_string).collect();
        assert_eq!(found, ["192.168.1.1", "fd00::1"]);
    }

    #[test]
    fn routes_are_read() {
        let v4 = format!(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t{:08X}\t0\t1\t0\t0\t0\t{:08X}\neth0\t00000000\t0\t3\t0\t0\t0\t00000000\n",
            u32::from_ne_bytes([10, 1, 0, 0]),
            u32::from_ne_bytes([255, 255, 0, 0]),
        );
        let v6 = "fd000000000000000000000000000000 40 0 0 x\nfe800000000000000000000000000000 40 0 0 x\n";
        let shown = |routes: Vec<Prefix>| routes.iter().map(Prefix::to_string).collect::<Vec<_>>();
        assert_eq!(shown(ipv4_routes(&v4)), ["10.1.0.0/16"]);
        assert_eq!(shown(ipv6_routes(v6)), ["fd00::/64"]);
    }

    #[test]
    fn a_port_that_is_used_is_not_free() {
        let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_port_free(taken.local_addr().unwrap().port()));
    }
}
