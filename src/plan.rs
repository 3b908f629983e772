//! Plans: the difference of two states, with the user's hooks where wg-quick runs them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::config::{Config, Hooks};
use crate::desired::{Desired, desired};
use crate::diff::diff;
use crate::kept::Running;
use crate::net::{FwMark, Ifname};
use crate::state::{State, Sysctl};
use crate::step::{HookPhase, Step};
use crate::surroundings::Surroundings;

/// The way up, in the two parts between which the link is looked at again: a PreUp hook may have put things on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// The link and the PreUp hooks; nothing if there are no such hooks.
    pub before: Vec<Step>,
    /// All the rest, as it is when the hooks put nothing on the link.
    pub after: Vec<Step>,
    /// What is wanted, and what was left out.
    pub desired: Desired,
}

/// Plans the way from `now` to what the file wants.
pub fn up(
    ifname: Ifname,
    config: &Config,
    endpoints: &[Option<SocketAddr>],
    now: &State,
    surroundings: &Surroundings,
) -> Up {
    let desired = desired(ifname, config, endpoints, now, surroundings);
    let mut after = diff(ifname, now, &desired.state);
    let before = add_hooks(ifname, &config.interface.hooks, now, &mut after);
    Up {
        before,
        after,
        desired,
    }
}

/// What is asked for when a file is applied to a tunnel that runs, or does not.
#[derive(Debug, Clone)]
pub struct Application<'a> {
    /// The tunnel as it is.
    pub running: Running<'a>,
    /// Whether peers stay that the file does not name.
    pub keep_peers: bool,
    /// The hooks that the tunnel was brought up with, if the hooks are to run: theirs are undone first.
    pub hooks: Option<Hooks>,
    /// The kernel variables that the tunnel has changed, with the values that they get where it needs them no more.
    pub before: BTreeMap<Sysctl, String>,
}

/// Plans the way from a tunnel as it is to what the file wants. `endpoints` has an address for each peer that is to have
/// another one than it has.
pub fn apply(
    ifname: Ifname,
    config: &Config,
    endpoints: &[Option<SocketAddr>],
    application: &Application<'_>,
    surroundings: &Surroundings,
) -> Up {
    let Application { running, .. } = application;
    let now = running.now;
    let kept = running.kept(config, application.keep_peers);
    let mut desired = desired(ifname, config, endpoints, &kept, surroundings);
    let mark = &mut desired.state.device.settings.fwmark;
    let found = now.device.settings.fwmark;
    let stays = mark.is_some() && *mark != found;
    if !stays && desired.fwmark.is_none() && found.is_some() && found == running.own_mark() {
        *mark = Some(FwMark(0));
    }
    let wanted = desired.state.sysctls.clone();
    // a host that forwards on would lose its routes
    let forwards = wanted.contains_key(&Sysctl::IPV6_FORWARDING);
    for (sysctl, before) in &application.before {
        if !(forwards && sysctl.is_accept_ra()) {
            let entry = desired.state.sysctls.entry(sysctl.clone());
            entry.or_insert_with(|| before.clone());
        }
    }
    let mut after = diff(ifname, now, &desired.state);
    desired.state.sysctls = wanted; // what goes back to what it was is not wanted any more
    let mut before = Vec::new();
    if let Some(ran) = &application.hooks {
        before.extend(hook_steps(ifname, ran, HookPhase::PreDown));
        before.extend(hook_steps(ifname, ran, HookPhase::PostDown));
        before.extend(add_hooks(ifname, &config.interface.hooks, now, &mut after));
    }
    Up {
        before,
        after,
        desired,
    }
}

/// Adds the PostUp hooks to a plan, and returns what comes before it: the PreUp hooks, and the link that they are run on.
fn add_hooks(ifname: Ifname, hooks: &Hooks, now: &State, after: &mut Vec<Step>) -> Vec<Step> {
    after.extend(hook_steps(ifname, hooks, HookPhase::PostUp));
    let pre_up = hook_steps(ifname, hooks, HookPhase::PreUp);
    if pre_up.is_empty() || now.link.is_some() {
        return pre_up;
    }
    let mut before = link_first(after);
    before.extend(pre_up);
    before
}

/// Takes out of a plan what makes the link, and the namespace for it: they come first.
fn link_first(steps: &mut Vec<Step>) -> Vec<Step> {
    let makes_link = |step: &Step| matches!(step, Step::AddLink { .. });
    let end = steps.iter().position(makes_link).map_or(0, |at| at + 1);
    steps.drain(..end).collect()
}

/// Returns the hooks of one phase, in the order of the file.
pub fn hook_steps(ifname: Ifname, hooks: &Hooks, phase: HookPhase) -> Vec<Step> {
    let hooks = hooks.on(ifname);
    let commands = match phase {
        HookPhase::PreUp => hooks.pre_up,
        HookPhase::PostUp => hooks.post_up,
        HookPhase::PreDown => hooks.pre_down,
        HookPhase::PostDown => hooks.post_down,
    };
    let step = |command| Step::Hook {
        ifname,
        phase,
        command,
    };
    commands.into_iter().map(step).collect()
}

/// Cuts a plan in two, before the hooks that it ends with.
pub fn split_hooks(steps: &[Step]) -> (&[Step], &[Step]) {
    let is_hook = |step: &Step| matches!(step, Step::Hook { .. });
    let hooks = steps.iter().position(is_hook);
    steps.split_at(hooks.unwrap_or(steps.len()))
}

/// The way down, in the two parts between which a changed device is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Down {
    /// The PreDown hooks.
    pub before: Vec<Step>,
    /// All the rest, PostDown hooks included.
    pub after: Vec<Step>,
}

/// Plans the way from `now` to a host without the tunnel: to `gone`, which is nothing but the kernel variables to put back.
pub fn down(ifname: Ifname, hooks: &Hooks, now: &State, gone: &State) -> Down {
    let mut after = diff(ifname, now, gone);
    after.extend(hook_steps(ifname, hooks, HookPhase::PostDown));
    Down {
        before: hook_steps(ifname, hooks, HookPhase::PreDown),
        after,
    }
}
