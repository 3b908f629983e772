//! The classics: what hooks do that nobody means, told whether they stay or go.

use std::collections::BTreeSet;

use super::fact::{Action, Fact, Interface, Is, Rule, Sign, Target};
use super::plan::{Hook, Plan};
use super::wish::is_forwarding;
use crate::config::HookLine;
use crate::net::Family;

/// What is wrong with one hook: the message, and what can be done.
#[derive(PartialEq, Eq)]
pub(super) struct Lint<'a> {
    pub(super) line: &'a HookLine,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Looks for the classics in all hooks, in their order.
pub(super) fn lints<'a>(plan: &'a Plan<'_>) -> Vec<Lint<'a>> {
    let mut linter = Linter {
        plan,
        lints: Vec::new(),
        strange: BTreeSet::new(),
        seen: Vec::new(),
    };
    for hook in &plan.hooks {
        linter.text(&hook.line);
        for action in &hook.effects.actions {
            linter.action(hook, action);
        }
    }
    linter.lints
}

struct Linter<'a, 'p> {
    plan: &'a Plan<'p>,
    lints: Vec<Lint<'a>>,
    /// The interfaces that were told to be missing.
    strange: BTreeSet<String>,
    /// The facts that hooks made so far.
    seen: Vec<&'a Fact>,
}

impl<'a> Linter<'a, '_> {
    fn tell(&mut self, line: &'a HookLine, message: impl Into<String>, hint: Option<&str>) {
        let found = Lint {
            line,
            message: message.into(),
            hint: hint.map(str::to_owned),
        };
        if !self.lints.contains(&found) {
            self.lints.push(found);
        }
    }

    /// What can be seen without understanding.
    fn text(&mut self, line: &'a HookLine) {
        let words: Vec<_> = line
            .command
            .split(|c: char| c.is_whitespace() || c == ';')
            .collect();
        let has = |sequence: &[&str]| {
            words
                .windows(sequence.len())
                .any(|window| window == sequence)
        };
        if flushes(&line.command) {
            let told = "this removes the rules of everybody, Docker's and the firewall's too";
            self.tell(
                line,
                told,
                Some("take it out: what the keys make goes with the tunnel"),
            );
        }
        if has(&["delete", "rule"]) && has_word(&words, "nft") && !words.contains(&"handle") {
            let told = "nft deletes a rule by its handle only: this fails";
            self.tell(line, told, None);
        }
        if has_word(&words, "chain") && words.contains(&"fwd") {
            self.tell(
                line,
                "`fwd` is a word of nft's own, and no chain can be called so",
                None,
            );
        }
        if line.command.replace(' ', "").contains(">/etc/resolv.conf") {
            let told = "nothing puts this file back, and whoever keeps it writes over it";
            self.tell(
                line,
                told,
                Some("`DNS = ...` is told to whoever keeps it, and taken back on down"),
            );
        }
    }

    fn action(&mut self, hook: &'a Hook, action: &'a Action) {
        let makes = matches!(action.sign, Sign::Append | Sign::Insert);
        if let Fact::Rule(rule) = &action.fact {
            self.rule(hook, action, rule);
        } else if makes && !hook.is_up() {
            self.made_on_down(&hook.line, &action.fact);
        }
        if makes && hook.is_up() {
            self.seen.push(&action.fact);
        }
    }

    fn rule(&mut self, hook: &'a Hook, action: &'a Action, rule: &'a Rule) {
        let line = &hook.line;
        let makes = matches!(action.sign, Sign::Append | Sign::Insert);
        if makes {
            self.interface(line, rule.matches.input.as_ref());
            self.interface(line, rule.matches.output.as_ref());
        }
        if makes && !hook.is_up() {
            self.made_on_down(line, &action.fact);
            return;
        }
        if !makes {
            self.kill_switch_undone(hook, action, rule);
            return;
        }
        if self.seen.contains(&&action.fact) && rule.chain.family == Family::V4 {
            let told = "this rule was there already; ip6tables was probably meant";
            self.tell(line, told, Some("the keys are for IPv4 and IPv6"));
        } else if hook.kept.is_none() && !self.plan.is_undone(&action.fact) {
            let told = "no hook of Down undoes this; the key in its place is undone";
            self.tell(line, told, None);
        }
        if is_kill_switch(rule) {
            if !self.plan.context.is_full_tunnel() {
                let told = "without a full tunnel there is no mark, and this fails";
                self.tell(
                    line,
                    told,
                    Some("AllowedIPs = 0.0.0.0/0, ::/0 makes a full tunnel"),
                );
            } else if line.key == "PreUp" {
                self.tell(
                    line,
                    "the tunnel has no mark before it is up, and this fails",
                    None,
                );
            }
        }
    }

    /// On PostDown there is no link any more whose mark could be asked for.
    fn kill_switch_undone(&mut self, hook: &'a Hook, action: &Action, rule: &Rule) {
        if action.sign == Sign::Delete && hook.line.key == "PostDown" && is_kill_switch(rule) {
            let told =
                "the mark is gone by then: this fails, and nothing can leave the host any more";
            self.tell(
                &hook.line,
                told,
                Some("a hook's place for it is PreDown; KillSwitch needs none"),
            );
        }
    }

    fn made_on_down(&mut self, line: &'a HookLine, fact: &Fact) {
        if let Fact::Sysctl { name, value } = fact {
            if is_forwarding(name) && value == "0" {
                let told = "others may need forwarding by then: Docker, another tunnel";
                let hint = "the keys put it back only if nobody else needs it";
                self.tell(line, format!("{name}=0 on down: {told}"), Some(hint));
            }
        } else if self.plan.made().any(|made| made == fact) {
            let told = "this makes it once more, where it was to be undone";
            self.tell(line, told, None);
        }
    }

    fn interface(&mut self, line: &'a HookLine, interface: Option<&Is<Interface>>) {
        let Some(Is {
            value: Interface::Named(name),
            ..
        }) = interface
        else {
            return;
        };
        let here = &self.plan.context.here.interfaces;
        if here.contains(name) || !self.strange.insert(name.clone()) {
            return;
        }
        let told = format!("there is no interface {name} here");
        if name.starts_with('%') {
            self.tell(line, told, Some("`%i` is the tunnel"));
        } else {
            let mut uplinks = self
                .plan
                .context
                .here
                .default_routes
                .iter()
                .map(|(name, _)| name);
            let hint = uplinks.next().map(|uplink| {
                format!("the default route is by {uplink}; `Masquerade = yes` needs no name")
            });
            self.tell(line, told, hint.as_deref());
        }
    }
}

fn is_kill_switch(rule: &Rule) -> bool {
    rule.target == Target::Drop && rule.chain.name == "OUTPUT" && rule.matches.not_own
}

fn has_word(words: &[&str], word: &str) -> bool {
    words
        .iter()
        .any(|found| found.trim_start_matches(['\'', '"']).ends_with(word))
}

/// Whether a command empties whole chains or rulesets.
pub(super) fn flushes(command: &str) -> bool {
    let words: Vec<_> = command
        .split(|c: char| c.is_whitespace() || c == ';')
        .collect();
    let tables = words.iter().any(|word| word.ends_with("tables"));
    let options = words
        .iter()
        .any(|word| matches!(*word, "-F" | "--flush" | "-X"));
    let ruleset = words.windows(2).any(|pair| matches!(pair, [flush, ruleset] if flush.ends_with("flush") && ruleset.starts_with("ruleset")));
    (tables && options) || ruleset
}
