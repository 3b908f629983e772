//! What of a running tunnel stays when its file is applied, whatever the file says.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::config::{Config, Peer as ConfigPeer};
use crate::key::PublicKey;
use crate::net::{Address, FwMark, Prefix};
use crate::state::{Device, Peer, PolicyRule, Route, Selector, State};

/// What is remembered of a tunnel, since the device does not tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The mark that the file named or wgq has chosen; none if a hook has set it, or nobody.
    pub fwmark: Option<FwMark>,
    /// Whether the file named it.
    pub is_mark_named: bool,
    /// The endpoints as the file had them, `vpn.example.com:51820`. The device has others once peers have moved.
    pub endpoints: BTreeMap<PublicKey, String>,
    /// What hooks have put on the link.
    pub extras: Extras,
}

/// What is on a link that its file does not ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extras {
    /// Addresses.
    pub addresses: BTreeSet<Address>,
    /// Routes.
    pub routes: BTreeSet<Route>,
    /// Peers.
    pub peers: BTreeSet<PublicKey>,
}

impl Extras {
    /// Returns what is on the link beyond what the file asks for, by these routes and else.
    pub fn beyond(config: &Config, routes: &BTreeSet<Route>, now: &State) -> Self {
        let addresses = config.interface.addresses.iter();
        let own = Self {
            addresses: addresses.map(|address| address.value).collect(),
            routes: routes.clone(),
            peers: config.peers.iter().map(|it| it.public_key.value).collect(),
        };
        let all = Self::of(now);
        Self {
            addresses: &all.addresses - &own.addresses,
            routes: &all.routes - &own.routes,
            peers: &all.peers - &own.peers,
        }
    }

    /// Adds what is on the link and was not there before.
    pub fn add_new(&mut self, before: &State, now: &State) {
        let (before, now) = (Self::of(before), Self::of(now));
        self.addresses.extend(&now.addresses - &before.addresses);
        self.routes.extend(&now.routes - &before.routes);
        self.peers.extend(&now.peers - &before.peers);
    }

    fn of(state: &State) -> Self {
        let peers = state.device.peers.iter();
        Self {
            addresses: state.addresses.iter().copied().collect(),
            routes: state.routes.clone(),
            peers: peers.map(|peer| peer.public_key).collect(),
        }
    }
}

/// A tunnel that runs, as far as a new file changes it.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    /// What is on the host.
    pub now: &'a State,
    /// The rules that are recorded, there or not.
    pub rules: Option<&'a BTreeSet<PolicyRule>>,
    /// What is remembered; none if another program brought it up.
    pub memory: Option<&'a Memory>,
}

impl Running<'_> {
    /// Returns what stays of it: of the file's peers what the file does not say, and what hooks have made.
    ///
    /// The rules are those there were: they have the tunnel's table, mark and priority. Of what another program brought up
    /// nobody knows what its hooks made, so that with hooks all addresses and routes stay that the file has not.
    pub fn kept(&self, config: &Config, keep_peers: bool) -> State {
        let now = self.now;
        let extras = match self.memory {
            Some(memory) => memory.extras.clone(),
            None if has_hooks(config) => Extras::beyond(config, &default_routes(config, now), now),
            None => Extras::default(),
        };
        let is_extra = |address: &&Address| extras.addresses.contains(address);
        let rules = self.rules.into_iter().flatten().chain(&now.rules);
        let is_of_mark = |rule: &&PolicyRule| match rule.selector {
            Selector::NotFwMark(mark) => self.keeps_mark(mark, config),
            Selector::SuppressPrefixLength(_) | Selector::Foreign => true,
        };
        State {
            link: now.link.clone(),
            device: self.kept_device(config, keep_peers),
            addresses: now.addresses.iter().filter(is_extra).copied().collect(),
            routes: &now.routes & &extras.routes,
            rules: rules.filter(is_of_mark).copied().collect(),
            accepts: now.accepts.clone(),
            ..State::default()
        }
    }

    fn kept_device(&self, config: &Config, keep_peers: bool) -> Device {
        let with_endpoint = |peer: &ConfigPeer| (peer.public_key.value, peer.endpoint.is_some());
        let named: HashMap<PublicKey, bool> = config.peers.iter().map(with_endpoint).collect();
        let claimed = LazyCell::new(|| claimed(config));
        let extras = self.memory.map(|memory| &memory.extras.peers);
        let kept = |peer: &Peer| {
            let key = peer.public_key;
            if let Some(&with_endpoint) = named.get(&key) {
                // one that the file does not ask for is left alone, and none of its business
                let endpoint = peer.endpoint.filter(|_| with_endpoint);
                return Some(Peer {
                    endpoint,
                    ..Peer::new(key)
                });
            }
            if !keep_peers && !extras.is_some_and(|extras| extras.contains(&key)) {
                return None;
            }
            let mut peer = peer.clone();
            peer.allowed_ips.retain(|prefix| !claimed.contains(prefix));
            Some(peer)
        };
        let mut settings = self.now.device.settings.clone();
        let is_hooks = self.memory.is_some_and(|memory| memory.fwmark.is_none());
        let stays = |mark: &FwMark| is_hooks || self.keeps_mark(*mark, config);
        settings.fwmark = settings.fwmark.filter(stays);
        Device {
            settings,
            peers: self.now.device.peers.iter().filter_map(kept).collect(),
        }
    }

    /// Returns, for each of the file's peers, whether it is to get the file's endpoint: a learned one stays as long as the
    /// file has the one it had.
    pub fn needs_endpoint(&self, config: &Config) -> Vec<bool> {
        let with_endpoint = self.now.device.peers.iter();
        let known: HashSet<PublicKey> = with_endpoint
            .filter(|peer| peer.endpoint.is_some())
            .map(|peer| peer.public_key)
            .collect();
        let needs = |peer: &ConfigPeer| {
            let key = peer.public_key.value;
            let Some(endpoint) = &peer.endpoint else {
                return false;
            };
            let before = self.memory.and_then(|memory| memory.endpoints.get(&key));
            !known.contains(&key)
                || before.is_none_or(|before| *before != endpoint.value.to_string())
        };
        config.peers.iter().map(needs).collect()
    }

    /// Whether it is the tunnel's mark and goes on to be: not one that the file named and names no more.
    fn keeps_mark(&self, mark: FwMark, config: &Config) -> bool {
        self.memory.is_none_or(|memory| {
            let is_given_up = memory.is_mark_named && !names_mark(config);
            memory.fwmark == Some(mark) && !is_given_up
        })
    }

    /// The mark that is no hook's: it goes when nobody asks for it any more.
    pub fn own_mark(&self) -> Option<FwMark> {
        if let Some(memory) = self.memory {
            return memory.fwmark;
        }
        let mark = self.now.device.settings.fwmark?;
        let mut rules = self.now.rules.iter();
        let is_marked = rules.any(|rule| rule.selector == Selector::NotFwMark(mark));
        is_marked.then_some(mark)
    }
}

/// Whether the file names a mark.
pub fn names_mark(config: &Config) -> bool {
    config
        .interface
        .fwmark
        .is_some_and(|mark| mark.value.0 != 0)
}

/// What the file's peers are given.
fn claimed(config: &Config) -> HashSet<Prefix> {
    let allowed_ips = config.peers.iter().flat_map(|peer| &peer.allowed_ips);
    allowed_ips.copied().collect()
}

/// The routes that any program makes of a file.
fn default_routes(config: &Config, now: &State) -> BTreeSet<Route> {
    let claimed = claimed(config);
    let routes = now.routes.iter().copied();
    routes
        .filter(|route| claimed.contains(&route.prefix))
        .collect()
}

/// The endpoints as the file has them.
pub fn endpoints(config: &Config) -> BTreeMap<PublicKey, String> {
    let peers = config.peers.iter();
    peers
        .filter_map(|peer| {
            let endpoint = peer.endpoint.as_ref()?;
            Some((peer.public_key.value, endpoint.value.to_string()))
        })
        .collect()
}

/// Whether hooks may have put something on the link.
pub fn has_hooks(config: &Config) -> bool {
    let hooks = &config.interface.hooks;
    !hooks.pre_up.is_empty() || !hooks.post_up.is_empty()
}
