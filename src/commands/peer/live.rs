//! A change of the file, taken over by what runs: that change and nothing else.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;

use super::super::attempt::{Attempt, Purpose};
use super::super::{describe, namespace};
use super::Book;
use crate::apply::Transaction;
use crate::config::{self, Config};
use crate::diff::diff;
use crate::error::Error;
use crate::host::observe::Found;
use crate::host::{Host, clock, keys, names};
use crate::kept;
use crate::key::PublicKey;
use crate::state::State;
use crate::step::Step;

use super::super::load;

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It runs.
    Live,
    /// The interface is not up.
    Down,
    /// The peer and its routes do, and more would have to change, which is for `apply` to do.
    Later,
}

/// What is to be done for a change, and remembered.
struct Change {
    steps: Vec<Step>,
    /// The endpoints as the file has them.
    endpoints: BTreeMap<PublicKey, String>,
}

impl Book {
    /// Puts another text in place of the file, and has what runs follow; all of it, or nothing. `undo` is what else is to be
    /// undone then.
    pub(super) fn put(&self, text: &str, undo: impl FnOnce()) -> Result<Taken, Error> {
        let done = self.put_all(text);
        if done.is_err() {
            undo();
        }
        done
    }

    fn put_all(&self, text: &str) -> Result<Taken, Error> {
        let mut after = self.parse(text)?;
        let unusable = keys::load(&mut after);
        if let Some(unusable) = unusable.first() {
            load::tell(&[unusable.diagnostic(text)], &self.target, self.report);
            return Err(Error::said().outcome("nothing was changed"));
        }
        let netns = namespace::of_running(self.ifname(), self.record.as_ref(), Some(&after));
        let mut host = Host::open(self.report, self.target.path.as_deref(), netns)?;
        let change = self.change(&mut host, text, after)?;
        self.target.write(text)?;
        let Some(Change { steps, endpoints }) = change else {
            return Ok(Taken::Down);
        };
        let (steps, others): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(is_of_peer);
        let mut transaction = Transaction::default();
        let executed = transaction.execute(&mut host, &steps).map_err(describe);
        let noted = executed.and_then(|()| Ok(self.note(endpoints)?));
        noted
            .map_err(|error| {
                let left = transaction.roll_back(&mut host);
                let back = self.target.write(&self.text);
                let error = error.left(&left);
                match back {
                    Ok(()) => error.outcome("nothing was changed"),
                    Err(why) => error.outcome(format_args!("{why:#}")).something_left(),
                }
            })
            .map(|()| {
                if others.is_empty() {
                    Taken::Live
                } else {
                    Taken::Later
                }
            })
    }

    /// The steps from what the file said to what it says; none if the interface is not up.
    fn change(
        &self,
        host: &mut Host,
        text: &str,
        mut after: Config,
    ) -> Result<Option<Change>, Error> {
        let found = host.observe(self.ifname(), self.record.as_ref())?;
        if found.state.link.is_none() {
            return Ok(None);
        }
        if !found.is_device_known {
            let what = format!("`{}': its process does not answer", self.ifname());
            return Err(Error::new(what).outcome("nothing was changed"));
        }
        let now = clock::now();
        let mut before = self.config.clone();
        let over = before.expire(now);
        after.expire(now);
        // one whose time is over may run all the same, until now
        let running = &found.state.device.peers;
        let runs = |it: &config::Peer| {
            running
                .iter()
                .any(|peer| peer.public_key == it.public_key.value)
        };
        before.peers.extend(over.into_iter().filter(runs));
        let known: HashSet<PublicKey> = before.peers.iter().map(|it| it.public_key.value).collect();
        let is_new = |peer: &&config::Peer| !known.contains(&peer.public_key.value);
        let wanted: Vec<_> = after
            .peers
            .iter()
            .map(|peer| peer.endpoint.as_ref().filter(|_| is_new(&peer)))
            .collect();
        let resolved = host.resolve_at_once(&wanted)?; // what has no address yet, `reresolve` sees to
        load::tell_unresolved(&resolved.unresolved, text, &self.target, true, self.report);
        let none = vec![None; before.peers.len()];
        let before = self.wanted(host, &before, &none, found.clone())?;
        let wanted = self.wanted(host, &after, &resolved.addresses, found)?;
        let steps = diff(self.ifname(), &before, &wanted);
        Ok(Some(Change {
            steps,
            endpoints: kept::endpoints(&after),
        }))
    }

    /// What is to run by that config.
    fn wanted(
        &self,
        host: &mut Host,
        config: &Config,
        endpoints: &[Option<SocketAddr>],
        found: Found,
    ) -> Result<State, Error> {
        let kind = found.state.link.as_ref().map(|link| link.kind.clone());
        let attempt = Attempt {
            ifname: self.ifname(),
            target: &self.target,
            config,
            endpoints,
            kind: kind.unwrap_or_default(),
            record: self.record.as_ref(),
            purpose: Purpose::Apply {
                keep_peers: false, // which makes those of nobody's file no part of either side
                hooks: false,
            },
            report: self.report,
        };
        let plan = attempt.plan_from(host, found, None)?;
        Ok(plan.up.desired.state)
    }

    /// Remembers the endpoints of peers that have come, and forgets those of peers that have gone.
    fn note(&self, endpoints: BTreeMap<PublicKey, String>) -> anyhow::Result<()> {
        let Some(mut record) = self.record.clone() else {
            return Ok(());
        };
        let memory = &mut record.memory.endpoints;
        memory.retain(|key, _| endpoints.contains_key(key));
        for (key, endpoint) in endpoints {
            memory.entry(key).or_insert(endpoint);
        }
        record.write(self.ifname())
    }

    /// Parses what the file is to say.
    fn parse(&self, text: &str) -> Result<Config, Error> {
        let parsed = config::parse(text.as_bytes(), &names::names(self.ifname()));
        parsed.config.ok_or_else(|| {
            load::tell(&parsed.diagnostics, &self.target, self.report);
            Error::said().outcome("nothing was changed")
        })
    }
}

/// Whether a step concerns nothing but a peer and its routes.
fn is_of_peer(step: &Step) -> bool {
    matches!(
        step,
        Step::SetPeer { .. } | Step::AddRoute { .. } | Step::DeleteRoute { .. }
    )
}
