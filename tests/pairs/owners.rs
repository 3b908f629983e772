//! Who has which of the `AllowedIPs`, from one line of what the device is told to the next.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wgq::apply::{Executor, Failure, Transaction};
use wgq::host::moved::gained;
use wgq::host::uapi::{Set, SetPeer, Sign};
use wgq::key::PublicKey;
use wgq::net::Prefix;
use wgq::state::Device;
use wgq::step::Step;

use crate::configs;
use crate::tunnel::{Host, config, steps};

/// A device as the kernel has it: what one peer gets is taken from who had it.
#[derive(Default)]
struct Owners {
    of: BTreeMap<Prefix, PublicKey>,
    /// Those that somebody is to have at every moment.
    kept: BTreeSet<Prefix>,
}

impl Owners {
    fn of(device: &Device) -> Self {
        let peers = device.peers.iter();
        let owned = peers.flat_map(|peer| peer.allowed_ips.iter().map(|&ip| (ip, peer.public_key)));
        Self {
            of: owned.collect(),
            kept: BTreeSet::new(),
        }
    }

    fn set(&mut self, peer: &SetPeer) {
        let key = peer.public_key;
        if peer.remove || peer.replace_allowed_ips {
            self.of.retain(|_, owner| *owner != key);
            self.check();
        }
        for (sign, prefix) in &peer.allowed_ips {
            match sign {
                Sign::Add => drop(self.of.insert(*prefix, key)),
                Sign::Remove if self.of.get(prefix) == Some(&key) => drop(self.of.remove(prefix)),
                Sign::Remove => {}
            }
            self.check();
        }
    }

    fn check(&self) {
        let lost = self
            .kept
            .iter()
            .find(|prefix| !self.of.contains_key(prefix));
        assert_eq!(lost, None, "nobody's");
    }
}

impl Executor for Owners {
    fn execute(&mut self, steps: &[Step]) -> Vec<Failure> {
        let gained = gained(steps);
        let mut set = Set::default();
        for step in steps {
            if let Step::SetPeer { from, to, .. } = step {
                set.change_peer(from.as_ref(), to.as_ref(), &gained);
            }
        }
        set.peers.iter().for_each(|peer| self.set(peer));
        Vec::new()
    }

    fn announce(&mut self, _steps: &[Step]) {}

    fn forgo(&mut self, _step: &Step, _error: anyhow::Error) {}

    fn interrupted(&self) -> Option<&'static str> {
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5000) })]

    #[test]
    fn what_both_files_send_to_a_peer_always_has_one((a, b) in (configs::file(), configs::file())) {
        let (a, b) = (config(&a), config(&b));
        let mut host = Host::new(false);
        let up = host.up(&a);
        let before = host.model.state.clone();
        Transaction::default().execute(&mut host.model, &steps(&up)).unwrap();
        host.remember(&a, &before, &up);
        let plan = host.apply(&b);
        let mut owners = Owners::of(&host.model.state.device);
        let wanted = Owners::of(&plan.desired.state.device).of;
        owners.kept = owners.of.keys().filter(|prefix| wanted.contains_key(prefix)).copied().collect();
        let before = owners.of.clone();
        let mut transaction = Transaction::default();
        transaction.execute(&mut owners, &steps(&plan)).unwrap();
        prop_assert_eq!(&owners.of, &wanted);
        transaction.roll_back(&mut owners);
        prop_assert_eq!(&owners.of, &before);
    }
}
