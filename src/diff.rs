//! The steps that lead from one state to another.
//!
//! Additions come first, in the order in which nothing is open before it is guarded: the link, the nftables table and the
//! kernel variables before anything can carry a packet; the device, addresses and routes; and last the rule that makes
//! the host look into the tunnel's table. Until that rule exists nothing does, so that the anti-spoof rules and the
//! exemption of the LAN are there before the first packet. (wg-quick adds its rules first and its filter last.)
//!
//! Removals come after all additions, in reverse, but for a link that goes: it is the first, since without it no packet
//! can have the tunnel's addresses, and none of them gets out by another way while the rules go. The table that guards it
//! is the last. (wg-quick deletes its rules first.)

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::key::PublicKey;
use crate::net::{Address, Family, Ifname, Prefix, TableId};
use crate::state::{Device, DeviceSettings, LinkSettings, Peer, Route, State, Sysctl};
use crate::step::Step;

/// Returns the steps that make the host of `now` the host of `want`, in order; none if they are equal.
pub fn diff(ifname: Ifname, now: &State, want: &State) -> Vec<Step> {
    let mut steps = Vec::new();
    let missing = want.netns.as_ref().filter(|_| now.netns.is_none());
    steps.extend(missing.cloned().map(Step::AddNetns));
    add_link(ifname, now, want, &mut steps);
    set_guards(now, want, &mut steps);
    let missing = want.accepts.difference(&now.accepts);
    steps.extend(missing.cloned().map(Step::AddAccept));
    if want.link.is_some() {
        // A link that is made anew has nothing of what an old one had.
        let fresh = State::default();
        let on_link = if now.link.is_some() { now } else { &fresh };
        set_device(ifname, &on_link.device, &want.device, &mut steps);
        add_addresses(ifname, on_link, want, &mut steps);
        set_link(ifname, on_link, want, &mut steps);
        let in_the_way = addresses_in_the_way(on_link, want).rev();
        steps.extend(in_the_way.map(|address| Step::DeleteAddress { ifname, address }));
        add_routes(ifname, on_link, want, &mut steps);
    }
    steps.extend(
        want.rules
            .difference(&now.rules)
            .copied()
            .map(Step::AddRule),
    );
    set_dns(ifname, now, want, &mut steps);

    if let (Some(link), None) = (&now.link, &want.link) {
        steps.push(Step::DeleteLink {
            ifname,
            kind: link.kind.clone(),
        });
    }
    let surplus = now
        .rules
        .iter()
        .rev()
        .filter(|rule| !want.rules.contains(rule));
    steps.extend(surplus.copied().map(Step::DeleteRule));
    if want.link.is_some() && now.link.is_some() {
        delete_from_link(ifname, now, want, &mut steps);
    }
    if want.link.is_none() {
        set_sysctls(now, want, &mut steps);
    }
    delete_from_nftables(ifname, now, want, &mut steps);
    let surplus = now.netns.as_ref().filter(|_| want.netns.is_none());
    steps.extend(surplus.cloned().map(Step::DeleteNetns));
    steps
}

/// Deletes accepts and tables, one after the other, so that the kernel is asked once.
fn delete_from_nftables(ifname: Ifname, now: &State, want: &State, steps: &mut Vec<Step>) {
    let surplus = now.accepts.iter().rev();
    let surplus = surplus.filter(|accept| !want.accepts.contains(accept));
    steps.extend(surplus.cloned().map(Step::DeleteAccept));
    if want.link.is_none() {
        set_nft_table(now, want, steps);
    }
    let surplus = now.wg_quick_tables.difference(&want.wg_quick_tables);
    steps.extend(surplus.map(|&family| Step::DeleteWgQuickTable { ifname, family }));
}

fn add_link(ifname: Ifname, now: &State, want: &State, steps: &mut Vec<Step>) {
    if let (None, Some(link)) = (&now.link, &want.link) {
        steps.push(Step::AddLink {
            ifname,
            kind: link.kind.clone(),
        });
    }
}

/// Puts the table and the kernel variables of a tunnel that is to be in place.
fn set_guards(now: &State, want: &State, steps: &mut Vec<Step>) {
    if want.link.is_some() {
        set_nft_table(now, want, steps);
        set_sysctls(now, want, steps);
    }
}

fn set_nft_table(now: &State, want: &State, steps: &mut Vec<Step>) {
    if now.nft != want.nft {
        steps.push(Step::SetNftTable {
            from: now.nft.clone(),
            to: want.nft.clone(),
        });
    }
}

/// Writes the variables that have another value; a variable that could not be read is not there to be written.
///
/// A host that forwards IPv6 throws away what routers' advertisements made, so what keeps it is written before, and taken
/// back after.
fn set_sysctls(now: &State, want: &State, steps: &mut Vec<Step>) {
    let mut sysctls: Vec<_> = want.sysctls.iter().collect();
    let is_on = |value: &String| value != "0";
    let forwards = want
        .sysctls
        .get(&Sysctl::IPV6_FORWARDING)
        .is_some_and(is_on);
    sysctls.sort_by_key(|(sysctl, _)| (**sysctl == Sysctl::IPV6_FORWARDING) == forwards);
    for (sysctl, to) in sysctls {
        if let Some(from) = now.sysctls.get(sysctl)
            && from != to
        {
            let (sysctl, from, to) = (sysctl.clone(), from.clone(), to.clone());
            steps.push(Step::set_sysctl(sysctl, from, to, &want.sysctls));
        }
    }
}

fn set_device(ifname: Ifname, now: &Device, want: &Device, steps: &mut Vec<Step>) {
    let from = &now.settings;
    let to = DeviceSettings {
        private_key: want
            .settings
            .private_key
            .clone()
            .or_else(|| from.private_key.clone()),
        listen_port: want.settings.listen_port.or(from.listen_port),
        fwmark: want.settings.fwmark.or(from.fwmark),
    };
    if *from != to {
        steps.push(Step::SetDevice {
            ifname,
            from: from.clone(),
            to,
        });
    }
    let found = by_key(now);
    let is_new = |peer: &&Peer| !found.contains_key(&peer.public_key);
    // New ones first: when all is undone they go last, and what they took from others is those' again by then.
    let (new, others): (Vec<_>, Vec<_>) = want.peers.iter().partition(is_new);
    for peer in new.into_iter().chain(others) {
        let from = found.get(&peer.public_key).copied();
        if from.is_some_and(|from| is_as_wanted(from, peer)) {
            continue;
        }
        // A learned endpoint stays where none is wanted.
        let endpoint = peer
            .endpoint
            .or_else(|| from.and_then(|from| from.endpoint));
        let to = Peer {
            endpoint,
            ..peer.clone()
        };
        steps.push(Step::SetPeer {
            ifname,
            from: from.cloned(),
            to: Some(to),
        });
    }
    // Undone together with those, what others get of a peer that goes is never nobody's.
    let robbed = leaving(now, want).filter(|(peer, left)| *peer != left);
    steps.extend(robbed.map(|(peer, left)| Step::SetPeer {
        ifname,
        from: Some(peer.clone()),
        to: Some(left),
    }));
}

/// Whether nothing is to be changed on a peer; of 10,000 they are most.
fn is_as_wanted(found: &Peer, want: &Peer) -> bool {
    found.preshared_key == want.preshared_key
        && want
            .endpoint
            .is_none_or(|endpoint| found.endpoint == Some(endpoint))
        && found.persistent_keepalive == want.persistent_keepalive
        && found.allowed_ips == want.allowed_ips
}

/// The peers that go, each with what is left of it once others have what they get.
fn leaving<'a>(now: &'a Device, want: &Device) -> impl Iterator<Item = (&'a Peer, Peer)> {
    let same = |(now, want): (&Peer, &Peer)| now.public_key == want.public_key;
    let stay = now
        .peers
        .iter()
        .zip(&want.peers)
        .take_while(|&pair| same(pair));
    let stay = stay.count(); // most often all of them
    let rest = now.peers.get(stay..).unwrap_or_default();
    let wanted = if rest.is_empty() {
        HashMap::new()
    } else {
        by_key(want)
    };
    let is_surplus = |peer: &&Peer| !wanted.contains_key(&peer.public_key);
    let surplus: Vec<&Peer> = rest.iter().filter(is_surplus).collect();
    let takers = want.peers.iter().filter(|_| !surplus.is_empty());
    let taken = takers.flat_map(|peer| peer.allowed_ips.iter().copied());
    let taken: HashSet<Prefix> = taken.collect();
    surplus.into_iter().map(move |peer| {
        let mut left = peer.clone();
        left.allowed_ips.retain(|prefix| !taken.contains(prefix));
        (peer, left)
    })
}

fn by_key(device: &Device) -> HashMap<PublicKey, &Peer> {
    device
        .peers
        .iter()
        .map(|peer| (peer.public_key, peer))
        .collect()
}

fn add_addresses(ifname: Ifname, now: &State, want: &State, steps: &mut Vec<Step>) {
    let missing = want
        .addresses
        .iter()
        .filter(|address| !now.addresses.contains(address));
    for &address in missing {
        let before = surplus_addresses(now, want).find(|before| has_place_of(address, *before));
        steps.extend(before.map(|address| Step::DeleteAddress { ifname, address }));
        steps.push(Step::AddAddress { ifname, address });
    }
}

/// Whether the two differ in their networks alone, and the kernel, which has each IPv6 address once, takes no more than one.
fn has_place_of(address: Address, before: Address) -> bool {
    address.family() == Family::V6 && address.ip() == before.ip()
}

fn set_link(ifname: Ifname, now: &State, want: &State, steps: &mut Vec<Step>) {
    let from = now
        .link
        .as_ref()
        .map_or(LinkSettings::NEW, |link| link.settings);
    if let Some(link) = &want.link
        && from != link.settings
    {
        steps.push(Step::SetLink {
            ifname,
            from,
            to: link.settings,
        });
    }
}

/// Adds the routes, the longest prefix first, as wg-quick does.
fn add_routes(ifname: Ifname, now: &State, want: &State, steps: &mut Vec<Step>) {
    let missing = longest_first(&want.routes, &now.routes);
    steps.extend(
        missing
            .into_iter()
            .map(|route| Step::AddRoute { ifname, route }),
    );
}

/// The addresses that go and in whose place one of our routes comes: the kernel's own to their network is in its way.
fn addresses_in_the_way(now: &State, want: &State) -> impl DoubleEndedIterator<Item = Address> {
    let places = want.routes.difference(&now.routes).filter(|route| {
        let is_v4 = route.prefix.family() == Family::V4; // that of IPv6 has a metric of its own
        is_v4 && route.table == TableId::MAIN && route.metric.unwrap_or(0) == 0
    });
    let places: BTreeSet<Prefix> = places.map(|route| route.prefix).collect();
    let is_in_the_way = move |address: &Address| places.contains(&address.prefix());
    surplus_addresses(now, want).filter(is_in_the_way)
}

fn surplus_addresses(now: &State, want: &State) -> impl DoubleEndedIterator<Item = Address> {
    let addresses = now.addresses.iter().copied();
    addresses.filter(|address| !want.addresses.contains(address))
}

fn longest_first(these: &BTreeSet<Route>, without: &BTreeSet<Route>) -> Vec<Route> {
    let mut routes: Vec<Route> = these.difference(without).copied().collect();
    routes.sort_by_key(|route| Reverse(route.prefix.prefix_len()));
    routes
}

/// Deletes what is on a link that stays.
fn delete_from_link(ifname: Ifname, now: &State, want: &State, steps: &mut Vec<Step>) {
    let routes = longest_first(&now.routes, &want.routes).into_iter().rev();
    steps.extend(routes.map(|route| Step::DeleteRoute { ifname, route }));
    let gone: Vec<Address> = addresses_in_the_way(now, want).collect();
    let is_replaced = |before| want.addresses.iter().any(|&it| has_place_of(it, before));
    let surplus = surplus_addresses(now, want).rev();
    let surplus = surplus.filter(|address| !gone.contains(address) && !is_replaced(*address));
    steps.extend(surplus.map(|address| Step::DeleteAddress { ifname, address }));
    let peers = leaving(&now.device, &want.device);
    steps.extend(peers.map(|(_, left)| Step::SetPeer {
        ifname,
        from: Some(left),
        to: None,
    }));
}

fn set_dns(ifname: Ifname, now: &State, want: &State, steps: &mut Vec<Step>) {
    if now.dns != want.dns {
        steps.push(Step::SetDns {
            ifname,
            from: now.dns.clone(),
            to: want.dns.clone(),
        });
    }
}
