//! An `up` that does not come to its end: all that was done is undone.

use std::collections::HashSet;

use super::{Attempt, Progress, Purpose};
use crate::apply::{FailedStep, Stop, Transaction, as_much_as_possible};
use crate::commands::describe;
use crate::diff::diff;
use crate::error::Error;
use crate::host::Host;
use crate::host::lock::Lock;
use crate::host::record::Record;
use crate::key::PublicKey;
use crate::plan;
use crate::state::{State, Sysctl};
use crate::step::{HookPhase, Step};

impl Attempt<'_> {
    /// Undoes what was done, and says how that went.
    pub(in crate::commands) fn give_up(
        &self,
        host: &mut Host,
        lock: Option<Lock>,
        progress: Progress,
        stop: Stop,
    ) -> Error {
        let Progress {
            mut transaction,
            before,
        } = progress;
        let ifname = self.ifname;
        let begun = |phase| {
            let of_phase = |step: &Step| matches!(step, Step::Hook { phase: p, .. } if *p == phase);
            transaction.done().iter().any(of_phase)
        };
        let is_up = self.purpose == Purpose::Up;
        let post_up = is_up && begun(HookPhase::PostUp);
        let hooks = is_up && (post_up || begun(HookPhase::PreUp));
        let other_hooks = !is_up && transaction.done().iter().any(Step::is_hook);
        let mut left = Vec::new();
        if post_up {
            left.extend(self.run_hooks(host, HookPhase::PreDown));
        }
        let lock = lock.or_else(|| host.lock_to_undo());
        let left_to_us = self.share_sysctls(host, &mut transaction);
        self.share_netns(&mut transaction);
        let mut not_undone = transaction.roll_back(host);
        not_undone.extend(as_much_as_possible(host, &left_to_us));
        if !is_up {
            not_undone = self.settle_back(host, before).unwrap_or(not_undone);
        }
        let forgotten = if not_undone.is_empty() {
            self.forget()
        } else {
            Ok(())
        };
        drop(lock);
        left.extend(not_undone);
        if hooks {
            left.extend(self.run_hooks(host, HookPhase::PostDown));
        }
        let mut error = describe(stop);
        if let Err(why) = &forgotten {
            error = error.outcome(format_args!("{why:#}")).something_left();
        }
        if !left.is_empty() {
            let sentence = if left.iter().all(FailedStep::is_hook) {
                format!("{ifname} was rolled back, but hooks failed:")
            } else {
                format!("{ifname} was not rolled back completely; still to undo:")
            };
            return error.outcome(sentence).left(&left);
        }
        if forgotten.is_err() {
            return error;
        }
        error.outcome(if hooks {
            format!(
                "{ifname} was rolled back, and what PreUp and PostUp did as far as PreDown and PostDown undo it"
            )
        } else if other_hooks {
            format!("{ifname} was rolled back, but not what its hooks did")
        } else {
            format!("{ifname} was rolled back: nothing was changed")
        })
    }

    /// Leaves the kernel variables as they are that others need by now, and returns the steps that put those back which
    /// others have left to this tunnel meanwhile. If nobody can tell, what was done is undone.
    fn share_sysctls(&self, host: &mut Host, transaction: &mut Transaction) -> Vec<Step> {
        if self.purpose != Purpose::Up {
            return Vec::new(); // it runs on, and needs what it needed
        }
        let Ok(Some(record)) = Record::read(self.ifname) else {
            return Vec::new();
        };
        if record.sysctls.is_empty() {
            return Vec::new();
        }
        let Ok(mut found) = host.observe(self.ifname, Some(&record)) else {
            return Vec::new();
        };
        if found.look_at_firewalls(self.ifname).is_err() {
            return Vec::new();
        }
        let mut ours = record.sysctls_to_restore(&found).values;
        transaction.leave(
            |step| matches!(step, Step::SetSysctl { sysctl, .. } if !ours.contains_key(sysctl)),
        );
        let is_done = |it: &Sysctl| {
            let sets = |step: &Step| matches!(step, Step::SetSysctl { sysctl, .. } if sysctl == it);
            transaction.done().iter().any(sets)
        };
        let is_leftover = |it: &Sysctl| {
            let needs = |record: &Record| record.sysctls.contains_key(it);
            self.record.is_some_and(needs)
        };
        ours.retain(|sysctl, _| !is_done(sysctl) && !is_leftover(sysctl));
        let put_back = |(sysctl, to)| {
            let from = record.sysctls.get(&sysctl)?.value.clone();
            let now = &found.state.sysctls;
            Some(Step::set_sysctl(sysctl, from, to, now))
        };
        ours.into_iter().filter_map(put_back).collect()
    }

    /// Looks again whether all is as it was, and puts right what is not: with some addresses the kernel has deleted others,
    /// and routes. Returns what could not be undone; none if that cannot be seen.
    fn settle_back(&self, host: &mut Host, mut before: State) -> Option<Vec<FailedStep>> {
        let found = self.look(host).ok()?;
        let there: HashSet<PublicKey> = found
            .state
            .device
            .peers
            .iter()
            .map(|peer| peer.public_key)
            .collect();
        for peer in &mut before.device.peers {
            if there.contains(&peer.public_key) {
                peer.endpoint = None; // it may have learned another
            }
        }
        before.netns.clone_from(&found.state.netns); // which others may share by now
        let rest = diff(self.ifname, &found.state, &before);
        Some(as_much_as_possible(host, &rest))
    }

    /// Leaves the network namespace its name if another tunnel has come into it meanwhile.
    fn share_netns(&self, transaction: &mut Transaction) {
        let names = |step: &Step| matches!(step, Step::AddNetns(_));
        if transaction.done().iter().any(names) && !Record::others(self.ifname).is_empty() {
            transaction.leave(names);
        }
    }

    /// Puts the record back to what it was before.
    fn forget(&self) -> anyhow::Result<()> {
        match self.record {
            Some(record) => record.write(self.ifname),
            None => Record::delete(self.ifname),
        }
    }

    fn run_hooks(&self, host: &mut Host, phase: HookPhase) -> Vec<FailedStep> {
        let hooks = &self.config.interface.hooks;
        as_much_as_possible(host, &plan::hook_steps(self.ifname, hooks, phase))
    }
}
