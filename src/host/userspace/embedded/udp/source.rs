//! Which of the host's addresses a peer last wrote to: the one that a reply must come from.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an address is kept after the peer last wrote to it.
///
/// A live session hears from its peer at least every `KEEPALIVE_TIMEOUT` + `REKEY_TIMEOUT` when it sends. A peer not heard
/// of for longer may be out of reach just because this host has moved to another uplink, where the old address, though
/// still there, leads nowhere: then the kernel chooses again.
const LIFETIME: Duration = Duration::from_secs(15);

/// How many peers are remembered, so that forged datagrams cannot fill the memory.
const MOST: usize = 1 << 16;

#[derive(Default)]
pub(super) struct Sources(Mutex<HashMap<SocketAddr, (IpAddr, Instant)>>);

impl Sources {
    /// Notes that the peer wrote to the address just now.
    pub(super) fn learn(&self, peer: SocketAddr, local: IpAddr) {
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&peer) {
            known.retain(|_, (_, heard)| now.duration_since(*heard) < LIFETIME);
            if known.len() >= MOST {
                known.clear(); // a flood; those who are there in truth will be learned again
            }
        }
        known.insert(peer, (local, now));
    }

    /// Returns the address to write to the peer from; none is the kernel's choice.
    pub(super) fn get(&self, peer: SocketAddr) -> Option<IpAddr> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&peer)
            .filter(|(_, heard)| heard.elapsed() < LIFETIME)
            .map(|&(local, _)| local)
    }

    /// Notes that the address was of no use.
    pub(super) fn forget(&self, peer: SocketAddr) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u32) -> SocketAddr {
        SocketAddr::new(std::net::Ipv4Addr::from_bits(number).into(), 51820)
    }

    #[test]
    fn the_address_that_a_peer_wrote_to_last_is_known_until_it_was_of_no_use() {
        let sources = Sources::default();
        let [one, two] = [1, 2].map(|number| peer(number).ip());
        assert_eq!(sources.get(peer(7)), None);
        sources.learn(peer(7), one);
        sources.learn(peer(7), two);
        assert_eq!(sources.get(peer(7)), Some(two));
        sources.forget(peer(7));
        assert_eq!(sources.get(peer(7)), None);
    }

    #[test]
    fn a_flood_fills_no_more_than_its_part_of_the_memory() {
        let sources = Sources::default();
        for number in 0..200_000 {
            sources.learn(peer(number), peer(1).ip());
        }
        assert!(sources.0.lock().unwrap().len() <= MOST);
        assert!(sources.get(peer(199_999)).is_some());
    }
}
