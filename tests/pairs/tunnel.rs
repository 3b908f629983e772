//! A tunnel on a host that exists only as a value, with what wgq remembers of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use wgq::config::{self, Config, Endpoint, Names};
use wgq::desired::free_table;
use wgq::kept::{self, Extras, Memory, Running};
use wgq::net::{Family, FwMark, Ifname, TableId};
use wgq::plan::{self, Application, Up};
use wgq::state::{DnsBackend, LinkKind, PolicyRule, Selector, State, Sysctl};
use wgq::step::Step;
use wgq::surroundings::Surroundings;

use crate::configs::ENDPOINTS;
use crate::model::Model;

pub(crate) fn ifname() -> Ifname {
    "wg0".parse().unwrap()
}

pub(crate) fn config(text: &str) -> Config {
    let parsed = config::parse(text.as_bytes(), &Names::default());
    let told = || format!("{text}{:#?}", parsed.diagnostics);
    parsed
        .config
        .clone()
        .unwrap_or_else(|| panic!("{}", told()))
}

/// A host, and the tunnel on it once there is one.
pub(crate) struct Host {
    pub(crate) model: Model,
    /// Whether there is another full tunnel.
    pub(crate) has_other: bool,
    pub(crate) remembered: Option<Remembered>,
}

/// The part of the record that matters.
pub(crate) struct Remembered {
    pub(crate) memory: Memory,
    pub(crate) rules: BTreeSet<PolicyRule>,
    /// The kernel variables that the tunnel needs, with the values before it changed them.
    pub(crate) sysctls: BTreeMap<Sysctl, Option<String>>,
}

impl Host {
    pub(crate) fn new(has_other: bool) -> Self {
        let value = |sysctl: &Sysctl| (sysctl.clone(), "0".to_owned());
        let sysctls = [&Sysctl::SRC_VALID_MARK, &Sysctl::IP_FORWARD];
        let mut sysctls: BTreeMap<_, _> = sysctls.map(value).into();
        sysctls.insert(Sysctl::IPV6_FORWARDING, "1".to_owned()); // somebody has turned it on
        let state = State {
            sysctls,
            ..State::default()
        };
        Self {
            model: Model::new(state),
            has_other,
            remembered: None,
        }
    }

    /// What `wgq up` plans.
    pub(crate) fn up(&self, config: &Config) -> Up {
        let endpoints: Vec<_> = config.peers.iter().map(address).collect();
        let around = self.surroundings();
        plan::up(ifname(), config, &endpoints, &self.model.state, &around)
    }

    /// What `wgq apply` plans.
    pub(crate) fn apply(&self, config: &Config) -> Up {
        let remembered = self.remembered.as_ref().unwrap();
        let running = Running {
            now: &self.model.state,
            rules: Some(&remembered.rules),
            memory: Some(&remembered.memory),
        };
        let needs = running.needs_endpoint(config);
        let peers = config.peers.iter().zip(needs);
        let endpoints: Vec<_> = peers
            .map(|(peer, needs)| address(peer).filter(|_| needs))
            .collect();
        let restored = remembered.sysctls.iter();
        let restored =
            restored.filter_map(|(sysctl, before)| Some((sysctl.clone(), before.clone()?)));
        let application = Application {
            running,
            keep_peers: false,
            hooks: None,
            before: restored.collect(),
        };
        let around = self.surroundings();
        plan::apply(ifname(), config, &endpoints, &application, &around)
    }

    /// Remembers what is there once a plan is carried out from what was there `before`.
    pub(crate) fn remember(&mut self, config: &Config, before: &State, plan: &Up) {
        let want = &plan.desired.state;
        let earlier = |sysctl| self.remembered.as_ref()?.sysctls.get(sysctl)?.clone();
        let needed = want.sysctls.iter().map(|(sysctl, value)| {
            let before = before.sysctls.get(sysctl).filter(|now| *now != value);
            (sysctl.clone(), before.cloned().or_else(|| earlier(sysctl)))
        });
        self.remembered = Some(Remembered {
            sysctls: needed.collect(),
            rules: want.rules.clone(),
            memory: Memory {
                fwmark: plan.desired.fwmark,
                is_mark_named: kept::names_mark(config),
                endpoints: kept::endpoints(config),
                extras: Extras::default(),
            },
        });
    }

    fn surroundings(&self) -> Surroundings {
        let other = |family| PolicyRule {
            family,
            priority: 32765,
            selector: Selector::NotFwMark(FwMark(51820)),
            table: TableId(51820),
        };
        let rules: Vec<_> = Family::BOTH.map(other).into();
        let rules = if self.has_other { rules } else { Vec::new() };
        let routes = &self.model.state.routes;
        let is_empty = |table| Ok::<_, ()>(!routes.iter().any(|route| route.table == table));
        let mtus = ENDPOINTS.iter().zip([1500, 1492, 1480, 1400]);
        let mtus = mtus.map(|(endpoint, mtu)| (endpoint.parse::<SocketAddr>().unwrap().ip(), mtu));
        Surroundings {
            link_kind: LinkKind::Kernel,
            ipv6: true,
            free_table: free_table(&rules, is_empty).unwrap(),
            rules,
            path_mtus: mtus.collect(),
            default_path_mtu: Some(1500),
            dns_backend: DnsBackend::Resolved,
            lan: [("uplink".parse().unwrap(), "192.0.2.0/24".parse().unwrap())].into(),
            local_ports: 32768..=60999,
            advertised_uplinks: Vec::new(),
            kept_sysctls: BTreeMap::new(),
            firewalls: Vec::new(),
            unread_firewalls: Vec::new(),
        }
    }
}

/// All steps of a plan.
pub(crate) fn steps(plan: &Up) -> Vec<Step> {
    [&plan.before[..], &plan.after].concat()
}

fn address(peer: &config::Peer) -> Option<SocketAddr> {
    match &peer.endpoint.as_ref()?.value {
        Endpoint::Addr(address) => Some(*address),
        Endpoint::Name { .. } => None,
    }
}
