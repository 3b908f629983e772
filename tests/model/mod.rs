//! A host that exists only as a value: executes steps over a `State`, strictly, and fails where it is told to.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use wgq::apply::{Executor, Failure};
use wgq::net::{Address, Family, TableId};
use wgq::state::{Device, Link, LinkSettings, State};
use wgq::step::Step;

/// The host, and how it is to misbehave.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) state: State,
    /// Hooks that were run, in order.
    pub(crate) hooks: Vec<String>,
    /// Steps executed so far.
    pub(crate) executed: usize,
    /// The steps that fail, counted from 0 over all that are executed.
    pub(crate) faults: BTreeSet<usize>,
    /// From which step on the answers to a run are lost, counted likewise.
    pub(crate) lost: Option<usize>,
    /// Whether what is not answered is done.
    pub(crate) lost_is_done: bool,
    /// After how many steps a signal comes.
    pub(crate) signal_after: Option<usize>,
}

impl Model {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each step")]
    /// Does one step; refuses what a kernel would refuse, and what does not fit the value that the step carries.
    fn step(&mut self, step: &Step) -> Result<()> {
        let state = &mut self.state;
        ensure!(!step.is_on_link() || state.link.is_some(), "no such device");
        match step.clone() {
            Step::AddNetns(netns) => {
                ensure!(state.netns.replace(netns).is_none(), "namespace exists");
            }
            Step::DeleteNetns(netns) => {
                ensure!(state.netns.take() == Some(netns), "no such namespace");
            }
            Step::AddLink { kind, .. } => {
                ensure!(state.link.is_none(), "link exists");
                state.link = Some(Link {
                    kind,
                    settings: LinkSettings::NEW,
                });
            }
            Step::DeleteLink { .. } => {
                ensure!(state.link.take().is_some(), "no link");
                state.device = Device::default();
                state.addresses.clear();
                state.routes.clear();
            }
            Step::SetLink { from, to, .. } => {
                let link = state.link.as_mut().unwrap();
                ensure!(link.settings == from, "link was {:?}", link.settings);
                link.settings = to;
            }
            Step::SetDevice { from, to, .. } => {
                ensure!(state.device.settings == from, "device was otherwise");
                state.device.settings = to;
            }
            Step::SetPeer { from, to, .. } => {
                let key = from.as_ref().or(to.as_ref()).unwrap().public_key;
                let place = state
                    .device
                    .peers
                    .iter()
                    .position(|peer| peer.public_key == key);
                ensure!(
                    place.map(|at| &state.device.peers[at]) == from.as_ref(),
                    "peer was otherwise"
                );
                match (place, to) {
                    (Some(at), Some(to)) => state.device.peers[at] = to,
                    (Some(at), None) => drop(state.device.peers.remove(at)),
                    (None, Some(to)) => state.device.peers.push(to),
                    (None, None) => bail!("no such peer"),
                }
            }
            Step::AddAddress { address, .. } => {
                let has_place = |it: &Address| {
                    let is_v6 = it.family() == Family::V6; // there once, whatever its network
                    *it == address || is_v6 && it.ip() == address.ip()
                };
                ensure!(!state.addresses.iter().any(has_place), "address exists");
                state.addresses.push(address);
            }
            Step::DeleteAddress { address, .. } => {
                let at = state.addresses.iter().position(|&found| found == address);
                let Some(at) = at else {
                    bail!("no such address")
                };
                state.addresses.remove(at);
            }
            Step::AddRoute { route, .. } => {
                let is_kernels = |it: &Address| {
                    let is_v4 = it.family() == Family::V4 && it.prefix_len() < Family::V4.bits();
                    is_v4 && it.prefix() == route.prefix && route.table == TableId::MAIN
                };
                let is_kernels = state.addresses.iter().any(is_kernels);
                let has_metric = route.metric.is_some_and(|metric| metric > 0);
                ensure!(has_metric || !is_kernels, "route exists");
                ensure!(state.routes.insert(route), "route exists");
            }
            Step::DeleteRoute { route, .. } => ensure!(state.routes.remove(&route), "no route"),
            Step::AddRule(rule) => ensure!(state.rules.insert(rule), "rule exists"),
            Step::DeleteRule(rule) => ensure!(state.rules.remove(&rule), "no such rule"),
            Step::SetNftTable { from, to } => {
                ensure!(state.nft == from, "table was otherwise");
                state.nft = to;
            }
            Step::SetSysctl {
                sysctl, from, to, ..
            } => {
                let value = state.sysctls.get_mut(&sysctl);
                ensure!(value.as_deref() == Some(&from), "value was {value:?}");
                value.unwrap().clone_from(&to);
            }
            Step::SetDns { from, to, .. } => {
                // what was never told is taken back all the same
                let is_known = state.dns == from || state.dns == to;
                ensure!(is_known, "dns was {:?}", state.dns);
                state.dns = to;
            }
            Step::AddAccept(accept) => ensure!(state.accepts.insert(accept), "accept exists"),
            Step::DeleteAccept(accept) => ensure!(state.accepts.remove(&accept), "no such accept"),
            Step::DeleteWgQuickTable { family, .. } => {
                ensure!(state.wg_quick_tables.remove(&family), "no such table");
            }
            Step::Hook { command, .. } => self.hooks.push(command),
        }
        Ok(())
    }
}

impl Executor for Model {
    fn execute(&mut self, steps: &[Step]) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut uncertain = false;
        for (index, step) in steps.iter().enumerate() {
            let fault = self.faults.contains(&self.executed);
            uncertain |= self.lost == Some(self.executed);
            self.executed += 1;
            let result = if uncertain {
                if self.lost_is_done {
                    self.step(step).unwrap();
                }
                Err(anyhow::anyhow!("no answer"))
            } else if fault {
                Err(anyhow::anyhow!("injected fault"))
            } else {
                self.step(step)
            };
            if let Err(error) = result {
                // a kernel that refuses one message of a run still does the others
                failures.push(Failure {
                    index,
                    error,
                    uncertain,
                });
            }
        }
        failures
    }

    fn announce(&mut self, _steps: &[Step]) {}

    fn forgo(&mut self, _step: &Step, _error: anyhow::Error) {}

    fn interrupted(&self) -> Option<&'static str> {
        self.signal_after
            .filter(|&after| self.executed >= after)
            .map(|_| "SIGTERM")
    }
}
