//! The config files of the tunnels that are tested.

use std::net::SocketAddr;

use super::lab::Place;
use crate::net::Family;

/// Where the server listens.
pub(super) const PORT: u16 = 51820;

// keys for the selftest alone, whose machines nobody else can reach; WireGuard wants each public one beforehand
const SERVER_KEYS: (&str, &str) = (
    "0HDI2V9c64l/sARzRdd/DLPD+tuSwl0nPzV/0qDU4GM=",
    "sgPqOuWKpxsYokJMJyFx+53/UrqChGMcNpaXqxZ2JlQ=",
);
const CLIENT_KEYS: (&str, &str) = (
    "qJwyS/qJsHsbGvpN+h40m1aPdcbiPNRQc4iRZnVorF4=",
    "X8yhDr1MZ1Ix+4y2b6Skny3E5cqN7jfoYHQJPZ6TXxs=",
);
const PRESHARED_KEY: &str = "OPUNq/ilGvrbbtcnb+jeN/hrAuHUQNkV/4dhlc09jbk=";

/// What a client sends into its tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// What is for the tunnel's network and the server's LAN.
    Split,
    /// All.
    Full,
}

/// The server's config file.
pub(super) fn server(families: &[Family]) -> String {
    let addresses = list(families, "10.77.0.1/24", "fd77::1/64");
    let allowed = list(families, "10.77.0.2/32", "fd77::2/128");
    let (private, peer) = (SERVER_KEYS.0, CLIENT_KEYS.1);
    format!(
        "[Interface]\nPrivateKey = {private}\nAddress = {addresses}\nListenPort = {PORT}\n\n\
         [Peer]\nPublicKey = {peer}\nPresharedKey = {PRESHARED_KEY}\nAllowedIPs = {allowed}\n"
    )
}

/// The client's config file, for a server at an address of the family `endpoint`.
pub(super) fn client(families: &[Family], reach: Reach, endpoint: Family) -> String {
    let addresses = list(families, "10.77.0.2/24", "fd77::2/64");
    let allowed = match reach {
        Reach::Split => list(
            families,
            "10.77.0.0/24, 192.168.77.0/24",
            "fd77::/64, fd77:1::/64",
        ),
        Reach::Full => list(families, "0.0.0.0/0", "::/0"),
    };
    let (private, peer) = (CLIENT_KEYS.0, SERVER_KEYS.1);
    let endpoint = SocketAddr::new(Place::SERVER.ip(endpoint), PORT);
    format!(
        "[Interface]\nPrivateKey = {private}\nAddress = {addresses}\n\n\
         [Peer]\nPublicKey = {peer}\nPresharedKey = {PRESHARED_KEY}\nAllowedIPs = {allowed}\n\
         Endpoint = {endpoint}\n"
    )
}

/// Joins what is of the families that the kernel has.
fn list(families: &[Family], v4: &str, v6: &str) -> String {
    let of = |family: &Family| match family {
        Family::V4 => v4,
        Family::V6 => v6,
    };
    families.iter().map(of).collect::<Vec<_>>().join(", ")
}
