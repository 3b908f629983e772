//! Hooks that people copy from guides, turned into keys.
//!
//! ```text
//! hooks --shell--> commands --iptables, nft, ...--> facts --wish--> what a key would say
//!                                                     |
//!              plan: each Up with its Down, and only what goes as a whole goes --keys--> the file's edit
//! ```
//!
//! Everything here is pure: a file's text and some facts about the host in, the edited text and messages out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::config::{self, Config, Diagnostic, HookLine};
use crate::net::Ifname;

mod command;
mod conflict;
mod difference;
mod fact;
mod firewalls;
mod installer;
mod iptables;
mod keys;
mod lint;
mod network;
mod nft;
mod passage;
mod plan;
mod shell;
mod wish;

pub use installer::{INSTALLERS, Installer, Leftover};
use plan::Plan;
use wish::Context;

/// What hooks are judged by beside their text. Without any of it names are taken for what they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Here {
    /// The names of all interfaces.
    pub interfaces: BTreeSet<String>,
    /// The interfaces of the default routes, with their gateways.
    pub default_routes: Vec<(String, Option<IpAddr>)>,
    /// The paths of installers' [`Leftover`]s that are there.
    pub leftovers: BTreeSet<&'static str>,
}

/// What became of a file's hooks.
#[derive(Debug)]
pub struct Migration {
    /// The file's text with keys in the place of hooks.
    pub text: String,
    /// The changes in the form of `diff -U0`, without the two lines on files, secret keys hidden; nothing if there are none.
    pub diff: String,
    /// Why hooks stay, and what is wrong with them, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// Turns the hooks of a file into keys, as far as keys say just what they do.
///
/// A hook goes as a whole or not at all, and so does what belongs together: a rule that is made with the hook that undoes
/// it, and rules whose order counts. The rest of the file stays byte for byte.
pub fn migrate(text: &str, config: &Config, ifname: Ifname, here: &Here) -> Migration {
    let context = Context {
        ifname,
        config,
        here,
    };
    let plan = Plan::of(config::hook_lines(text), context);
    let going = plan.hooks.iter().filter(|hook| hook.kept.is_none());
    let gone: BTreeMap<usize, Option<String>> = going
        .map(|hook| (hook.line.span.line, hook.effects.comment.clone()))
        .collect();
    let keys = keys::keys(&plan.wishes(), context);
    let replaced = config::replace_hooks(text, &gone, &keys);
    let mut notes = Vec::new();
    let mut diagnostics = diagnostics(text, &plan);
    if let Some(installer) = installer::recognise(text) {
        notes.push(made_by(installer, text));
        notes.extend(installer.note.map(str::to_owned));
        diagnostics.extend(leftovers(installer, here));
    }
    Migration {
        text: replaced.text,
        diff: replaced.diff,
        diagnostics,
        notes,
    }
}

/// What is wrong with the hooks, what keys do beyond them, and why some stay.
fn diagnostics(text: &str, plan: &Plan<'_>) -> Vec<Diagnostic> {
    let at = |line: &HookLine, message: String| {
        Diagnostic::warning(message)
            .at(text, line.span)
            .key(line.key)
    };
    let lints = lint::lints(plan).into_iter();
    let lints = lints.chain(difference::differences(plan)).map(|lint| {
        let told = at(lint.line, lint.message);
        let told = lint.hint.into_iter().fold(told, Diagnostic::hint);
        (lint.line.span.line, told)
    });
    let kept = plan.hooks.iter().filter_map(|hook| {
        let why = hook.kept.as_ref()?;
        let told = at(&hook.line, format!("stays a hook: {why}"));
        Some((hook.line.span.line, told))
    });
    let mut told: Vec<_> = lints.chain(kept).collect();
    told.sort_by_key(|(line, _)| *line);
    told.into_iter().map(|(_, told)| told).collect()
}

fn made_by(installer: &Installer, text: &str) -> String {
    let peers = installer.peers(text);
    let name = installer.name;
    if peers.is_empty() {
        return format!("this is a file of {name}");
    }
    format!(
        "this is a file of {name}, with the peers {}",
        peers.join(", ")
    )
}

fn leftovers(installer: &Installer, here: &Here) -> Vec<Diagnostic> {
    let found = installer
        .leftovers
        .iter()
        .filter(|left| here.leftovers.contains(left.path));
    let told = found.map(|left| {
        let message = format!("{} of {} {}", left.path, installer.name, left.does);
        Diagnostic::warning(message).hint(format!("`{}` removes it", left.remove))
    });
    told.collect()
}
