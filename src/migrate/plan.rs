//! Which hooks go and which stay: what Up makes is paired with what Down undoes, and only what goes as a whole goes.

use super::command::{Commands, Effects};
use super::conflict::conflict;
use super::fact::{Action, Chain, Fact, Rule, Sign, Table};
use super::shell::Why;
use super::wish::{Context, Wish};
use crate::config::HookLine;

/// A hook and what is known of it.
#[derive(Debug)]
pub(super) struct Hook {
    pub(super) line: HookLine,
    pub(super) effects: Effects,
    /// Why it stays; none if it goes.
    pub(super) kept: Option<Why>,
    /// What it does is not known.
    pub(super) unread: bool,
}

impl Hook {
    /// Whether it is run when the tunnel comes up.
    pub(super) fn is_up(&self) -> bool {
        self.line.key.ends_with("Up")
    }

    fn keep(&mut self, why: impl Into<Why>) -> bool {
        let newly = self.kept.is_none();
        self.kept.get_or_insert_with(|| why.into());
        newly
    }

    /// What it makes when the tunnel comes up.
    pub(super) fn makes(&self) -> impl Iterator<Item = &Fact> {
        let makes = |action: &&Action| matches!(action.sign, Sign::Append | Sign::Insert);
        let facts = self
            .effects
            .actions
            .iter()
            .filter(makes)
            .map(|action| &action.fact);
        facts.filter(|_| self.is_up())
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let actions = self.effects.actions.iter();
        actions.filter_map(|action| action.fact.rule())
    }

    /// The tables of nftables that it is about.
    fn tables(&self) -> impl Iterator<Item = &Table> {
        let tables = self.effects.actions.iter().filter_map(|action| {
            let Fact::Table(table) = &action.fact else {
                return None;
            };
            Some(table)
        });
        tables.chain(self.rules().filter_map(|rule| rule.chain.nft.as_ref()))
    }
}

/// Hooks in the order of the file, decided upon.
pub(super) struct Plan<'a> {
    pub(super) context: Context<'a>,
    pub(super) hooks: Vec<Hook>,
}

impl<'a> Plan<'a> {
    /// Reads the hooks and decides which go.
    pub(super) fn of(lines: Vec<HookLine>, context: Context<'a>) -> Self {
        let ifname = context.ifname;
        let mut commands = Commands::of(ifname.as_str());
        let hooks = lines.into_iter().map(|line| {
            let read = commands.read(&line.command.replace("%i", ifname.as_str()));
            let (effects, kept) = match read {
                Ok(effects) => (effects, None),
                Err(why) => (Effects::default(), Some(why)),
            };
            let unread = kept.is_some();
            Hook {
                line,
                effects,
                kept,
                unread,
            }
        });
        let mut plan = Self {
            hooks: hooks.collect(),
            context,
        };
        plan.keep_what_no_key_says();
        while plan.keep_what_belongs_to_kept() {}
        plan
    }

    /// What keys are to say, in the order of the hooks.
    pub(super) fn wishes(&self) -> Vec<Wish> {
        let going = self.hooks.iter().filter(|hook| hook.kept.is_none());
        let wishes = going
            .flat_map(Hook::makes)
            .filter_map(|fact| self.context.wish(fact).ok());
        wishes.collect()
    }

    /// What the hooks of Up make, those that stay too.
    pub(super) fn made(&self) -> impl Iterator<Item = &Fact> {
        self.hooks.iter().flat_map(Hook::makes)
    }

    /// Whether a hook of Down undoes it, or means to.
    pub(super) fn is_undone(&self, fact: &Fact) -> bool {
        let down = self.hooks.iter().filter(|hook| !hook.is_up());
        let mut actions = down.flat_map(|hook| &hook.effects.actions);
        actions.any(|action| action.fact.is(fact) || is_table_of(&action.fact, fact))
    }

    fn keep_what_no_key_says(&mut self) {
        let made: Vec<Fact> = self.made().cloned().collect();
        let context = self.context;
        let why = |hook: &Hook, action: &Action| {
            let known = made.iter().any(|fact| action.fact.is(fact));
            match (action.sign, hook.is_up()) {
                (Sign::Append | Sign::Insert, true) => context.wish(&action.fact).err(),
                (Sign::Append | Sign::Insert, false) if !known => {
                    Some("it makes something that no hook of Up makes".to_owned())
                }
                (Sign::Delete, _) if !known => {
                    Some("it deletes what no hook here makes".to_owned())
                }
                (Sign::Check, _) => Some("it only looks whether a rule is there".to_owned()),
                _ => None,
            }
        };
        for hook in &mut self.hooks {
            let mut reasons = hook
                .effects
                .actions
                .iter()
                .filter_map(|action| why(hook, action));
            if let Some(reason) = reasons.next() {
                hook.keep(reason);
            }
        }
    }

    /// One round: keeps what makes no sense without a hook that stays. Tells whether there was any.
    fn keep_what_belongs_to_kept(&mut self) -> bool {
        let mut more = false;
        for number in 0..self.hooks.len() {
            let Some(hook) = self.hooks.get(number) else {
                continue;
            };
            if hook.kept.is_some() {
                continue;
            }
            let why = self.bond(hook).or_else(|| conflict(self, hook));
            if let (Some(why), Some(hook)) = (why, self.hooks.get_mut(number)) {
                more |= hook.keep(why);
            }
        }
        more
    }

    /// Why a hook must stay because another one does.
    fn bond(&self, hook: &Hook) -> Option<Why> {
        let stays = |other: &&Hook| other.kept.is_some();
        let others = self.hooks.iter().filter(stays);
        for other in others {
            let line = other.line.span.line;
            let same = hook.effects.actions.iter().any(|action| {
                let mut theirs = other.effects.actions.iter();
                theirs.any(|their| action.fact.is(&their.fact))
            });
            if same
                || hook
                    .tables()
                    .any(|table| other.tables().any(|their| table == their))
            {
                return Some(format!("it belongs to line {line}, which stays"));
            }
            if other.unread && filters(&other.line.command) && hook.rules().next().is_some() {
                return Some(format!(
                    "line {line} may be about the same rules, and is not understood"
                ));
            }
            let placed = |chain: &Chain| {
                let mut rules = other.rules().filter(|rule| rule.needs_its_place());
                rules.any(|rule| rule.chain == *chain)
            };
            if let Some(rule) = hook.rules().find(|rule| placed(&rule.chain)) {
                let chain = &rule.chain.name;
                return Some(format!(
                    "line {line} stays, and the order of the rules in {chain} counts"
                ));
            }
        }
        None
    }
}

/// Whether deleting the one, a table, deletes the other, a rule in it.
fn is_table_of(table: &Fact, rule: &Fact) -> bool {
    matches!((table, rule), (Fact::Table(table), Fact::Rule(rule)) if rule.chain.nft.as_ref() == Some(table))
}

/// Whether a command that is not understood may be about rules of a packet filter. One that flushes is about all of
/// them, and undoes nothing in particular.
pub(super) fn filters(command: &str) -> bool {
    let mut words = command.split(|c: char| !c.is_alphanumeric() && c != '-');
    let filter = words.any(|word| matches!(word, "iptables" | "ip6tables" | "nft"));
    filter && !super::lint::flushes(command)
}
