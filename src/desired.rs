//! What a config file wants of a host: wg-quick's policy, as a function of values.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

use crate::config::{self, Config, Table};
use crate::key::PublicKey;
use crate::net::{Address, Family, FwMark, Ifname, Prefix, TableId, carve};
use crate::state::{Device, DeviceSettings, Dns, Link, LinkSettings, Peer, Route, State};
use crate::surroundings::Surroundings;

mod accepts;
mod firewall;
mod full_tunnel;
mod keep_inbound;
mod kill_switch;
mod mtu;

use full_tunnel::FullTunnel;
pub use full_tunnel::free_table;

/// The metric of IPv6 routes that name none: `IP6_RT_PRIO_USER`.
const IPV6_METRIC: u32 = 1024;

/// What is wanted, and what was left out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The state to reach.
    pub state: State,
    /// The routes that the file asks for, without those that are there whatever it says.
    pub own_routes: BTreeSet<Route>,
    /// The mark that the file names, or that is chosen for it; none if a hook's is left alone.
    pub fwmark: Option<FwMark>,
    /// Sentences on what the file asks for and this host cannot have, or what will not work.
    pub warnings: Vec<String>,
}

/// Returns what `config` wants of a host.
///
/// `endpoints` are the addresses of the config's peers, in their order; none for a peer that has no endpoint or whose name
/// could not be resolved. What is in `kept` stays: peers, addresses and routes that a PreUp hook put on the link count like
/// the file's own, as with wg-quick, which reads all of them back from the interface. So do the mark, the table and the
/// priorities of a full tunnel that runs.
pub fn desired(
    ifname: Ifname,
    config: &Config,
    endpoints: &[Option<SocketAddr>],
    kept: &State,
    surroundings: &Surroundings,
) -> Desired {
    let interface = &config.interface;
    let mut warnings = Vec::new();
    let addresses = addresses(interface, kept, surroundings, &mut warnings);
    let mut device = device(config, endpoints, &kept.device);
    let allowed_ips = routable(&device, surroundings, &mut warnings);
    let table = interface.table.value;
    let full_tunnel = match table {
        Table::Auto => FullTunnel::of(&allowed_ips, config, kept, surroundings),
        Table::Off | Table::Id(_) => None,
    };
    let mtu = interface.mtu.map_or_else(
        || mtu::automatic(&device, &addresses, surroundings),
        |mtu| mtu.value,
    );
    let kind = kept
        .link
        .as_ref()
        .map_or(&surroundings.link_kind, |link| &link.kind)
        .clone();
    let mut state = State {
        netns: interface.home().cloned(),
        link: Some(Link {
            kind,
            settings: LinkSettings { mtu, up: true },
        }),
        dns: dns(interface, &device, surroundings),
        ..State::default()
    };
    if let Some(full) = &full_tunnel {
        device.settings.fwmark = Some(full.fwmark);
        full.require(ifname, &addresses, &mut state);
        warnings.extend(full.conflict(surroundings));
    }
    let mut mark = full_tunnel.as_ref().map(|full| full.fwmark);
    if config.interface.firewall.kill_switch.value {
        // without a full tunnel, where IPv6 alone was to be one and is off, its own packets still need a mark
        let fresh = FwMark(surroundings.free_table.0);
        let set = device.settings.fwmark.filter(|mark| mark.0 != 0);
        let fwmark = set.unwrap_or(fresh);
        device.settings.fwmark = Some(fwmark);
        mark = Some(fwmark);
        kill_switch::require(ifname, config, fwmark, surroundings, &mut state);
    }
    if let Some(mark) = mark {
        keep_inbound::require(ifname, config, mark, surroundings, &mut state);
    }
    firewall::require(ifname, config, surroundings, &mut state);
    warnings.extend(accepts::require(
        ifname,
        config,
        kept,
        surroundings,
        &mut state,
    ));
    let table_of = |allowed: Prefix, prefix: Prefix| match table {
        Table::Off => None,
        Table::Id(table) => Some(table),
        Table::Auto if allowed.is_default() => full_tunnel.as_ref().map(|full| full.table),
        Table::Auto => Some(TableId::MAIN).filter(|_| !is_covered(prefix, &addresses, kept)),
    };
    let metric = |prefix: Prefix| match (prefix.family(), interface.metric) {
        (Family::V6, Some(IPV6_METRIC)) => None, // the kernel's own choice, and found as such
        (_, metric) => metric,
    };
    let excluded: BTreeSet<Prefix> = interface
        .firewall
        .exclude_ips
        .iter()
        .map(|it| it.value)
        .collect();
    let own = allowed_ips.iter().flat_map(|&allowed| {
        let left = carve(allowed, &excluded).into_iter();
        left.filter_map(move |prefix| Some((prefix, table_of(allowed, prefix)?)))
    });
    let own = own.map(|(prefix, table)| Route {
        prefix,
        table,
        metric: metric(prefix),
    });
    let own_routes: BTreeSet<Route> = own.collect();
    state.routes = &kept.routes | &own_routes;
    state.device = device;
    state.addresses = addresses;
    Desired {
        state,
        own_routes,
        fwmark: explicit_mark(config).or(mark),
        warnings,
    }
}

/// Returns what the keys of our own want of a host and wg-quick(8) does not do by itself: rules, kernel variables, accepts in
/// other firewalls. With sentences on those that drop all the same. The tunnel's own packets have that mark.
pub fn own_keys(
    ifname: Ifname,
    config: &Config,
    fwmark: FwMark,
    surroundings: &Surroundings,
) -> (State, Vec<String>) {
    let mut state = State::default();
    let kill_switch = config.interface.firewall.kill_switch.value;
    if kill_switch {
        kill_switch::require(ifname, config, fwmark, surroundings, &mut state);
    }
    if kill_switch || config.is_full_tunnel() {
        keep_inbound::require(ifname, config, fwmark, surroundings, &mut state);
    }
    firewall::require(ifname, config, surroundings, &mut state);
    let nothing = State::default();
    let warnings = accepts::require(ifname, config, &nothing, surroundings, &mut state);
    (state, warnings)
}

/// The mark that the file names.
fn explicit_mark(config: &Config) -> Option<FwMark> {
    let mark = config.interface.fwmark.map(|mark| mark.value);
    mark.filter(|mark| mark.0 != 0)
}

/// The addresses that are on the link and those of the file, without IPv6 where the host has none.
fn addresses(
    interface: &config::Interface,
    kept: &State,
    surroundings: &Surroundings,
    warnings: &mut Vec<String>,
) -> Vec<Address> {
    let mut addresses = kept.addresses.clone();
    for address in interface.addresses.iter().map(|address| address.value) {
        if address.family() == Family::V6 && !surroundings.ipv6 {
            warnings.push(format!(
                "IPv6 is off on this host: skipping the address {address}"
            ));
        } else if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// The peers that are on the device and those of the file; the file's word counts where it has one (`wg addconf`).
fn device(config: &Config, endpoints: &[Option<SocketAddr>], kept: &Device) -> Device {
    let interface = &config.interface;
    let mut peers = kept.peers.clone();
    let places: HashMap<_, _> = peers
        .iter()
        .enumerate()
        .map(|(place, peer)| (peer.public_key, place))
        .collect();
    let endpoints = endpoints.iter().copied().chain(std::iter::repeat(None));
    let own: Vec<PublicKey> = config.own_peers().map(|it| it.public_key.value).collect();
    for (peer, endpoint) in config.peers.iter().zip(endpoints) {
        if own.contains(&peer.public_key.value) {
            continue; // no device takes itself for a peer, and none says so
        }
        let mut wanted = Peer {
            public_key: peer.public_key.value,
            preshared_key: peer.preshared_key.clone(),
            endpoint,
            persistent_keepalive: peer.persistent_keepalive,
            allowed_ips: peer.allowed_ips.clone(),
        };
        match places
            .get(&peer.public_key.value)
            .and_then(|&place| peers.get_mut(place))
        {
            Some(found) => {
                wanted.preshared_key = wanted.preshared_key.or(found.preshared_key.take());
                wanted.endpoint = wanted.endpoint.or(found.endpoint);
                wanted.persistent_keepalive =
                    wanted.persistent_keepalive.or(found.persistent_keepalive);
                *found = wanted;
            }
            None => peers.push(wanted),
        }
    }
    let settings = DeviceSettings {
        private_key: interface
            .private_key
            .clone()
            .or_else(|| kept.settings.private_key.clone()),
        // 0 asks the kernel to choose, which it does for a new device and has done for a running one
        listen_port: interface
            .listen_port
            .filter(|&port| port != 0)
            .or(kept.settings.listen_port),
        fwmark: match interface.fwmark.map(|mark| mark.value) {
            Some(FwMark(0)) => kept.settings.fwmark.map(|_| FwMark(0)),
            mark => mark.or(kept.settings.fwmark),
        },
    };
    Device { settings, peers }
}

/// All that the peers may send, without IPv6 where the host has none.
fn routable(
    device: &Device,
    surroundings: &Surroundings,
    warnings: &mut Vec<String>,
) -> BTreeSet<Prefix> {
    let all = device
        .peers
        .iter()
        .flat_map(|peer| peer.allowed_ips.iter().copied());
    let (routable, skipped): (BTreeSet<_>, BTreeSet<_>) =
        all.partition(|prefix| prefix.family() == Family::V4 || surroundings.ipv6);
    if let Some(first) = skipped.first() {
        let more = skipped.len() - 1;
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        warnings.push(format!(
            "IPv6 is off on this host: skipping the route to {first}{more}"
        ));
    }
    routable
}

/// Whether the main table has a route by this link that covers the prefix without ours: that of an address, or a hook's.
pub(crate) fn is_covered(prefix: Prefix, addresses: &[Address], kept: &State) -> bool {
    // The kernel makes a route in the main table of every address but an IPv4 one of 32 bits.
    let connected = addresses.iter().filter(|address| {
        address.family() == Family::V6 || address.prefix_len() < Family::V4.bits()
    });
    let hooks = kept
        .routes
        .iter()
        .filter(|route| route.table == TableId::MAIN);
    connected
        .map(|address| address.prefix())
        .chain(hooks.map(|route| route.prefix))
        .any(|covering| covering.contains(prefix))
}

/// What to tell the resolver. Search domains alone are not told, as with wg-quick: there is nobody to ask about them.
fn dns(interface: &config::Interface, device: &Device, surroundings: &Surroundings) -> Option<Dns> {
    let config::Dns { servers, search } = &interface.dns;
    (!servers.is_empty()).then(|| Dns {
        backend: surroundings.dns_backend.clone(),
        servers: servers.clone(),
        search: search.clone(),
        all_names: Family::BOTH.iter().any(|&family| takes_all(device, family)),
        required: interface.dns_required,
    })
}

/// Whether all addresses of a family are sent to peers: by its /0 or by its two halves.
fn takes_all(device: &Device, family: Family) -> bool {
    let sent = |len: u8| {
        let all = device.peers.iter().flat_map(|peer| &peer.allowed_ips);
        let of_len = all.filter(|p| p.family() == family && p.prefix_len() == len);
        of_len.collect::<BTreeSet<_>>().len()
    };
    sent(0) == 1 || sent(1) == 2
}
