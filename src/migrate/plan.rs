//! Which hooks go and which stay: what Up makes is paired with what Down undoes, and only what goes as a whole goes.

use super::command::{Commands, Effects};
use super::fact::{Action, Chain, Fact, Rule, Sign, Table, Target};
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

    fn makes(&self) -> impl Iterator<Item = &Fact> {
        let makes = |action: &&Action| matches!(action.sign, Sign::Append | Sign::Insert);
        let facts = self.effects.actions.iter().filter(makes).map(|action| &action.fact);
        facts.filter(|_| self.is_up())
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.effects.actions.iter().filter_map(|action| match &action.fact {
            Fact::Rule(rule) => Some(rule),
            _ => None,
        })
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        let made = self.effects.actions.iter().filter_map(|action| match &action.fact {
            Fact::Table(table) => Some(table),
            _ => None,
        });
        made.chain(self.rules().filter_map(|rule| rule.chain.nft.as_ref()))
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
        let wishes = going.flat_map(Hook::makes).filter_map(|fact| self.context.wish(fact).ok());
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
                (Sign::Delete, _) if !known => Some("it deletes what no hook here makes".to_owned()),
                (Sign::Check, _) => Some("it only looks whether a rule is there".to_owned()),
                _ => None,
            }
        };
        for hook in &mut self.hooks {
            let mut reasons = hook.effects.actions.iter().filter_map(|action| why(hook, action));
            if let Some(reason) = reasons.next() {
                hook.keep(reason);
            }
        }
    }

    /// One round: keeps what makes no sense without a hook that stays. Tells whether there was any.
    fn keep_what_belongs_to_kept(&mut self) -> bool {
        let mut more = false;
        for number in 0..self.hooks.len() {
            let Some(hook) = self.hooks.get(number) else { continue };
            if hook.kept.is_some() {
                continue;
            }
            let why = self.bond(hook).or_else(|| self.conflict(hook));
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
            if same || hook.tables().any(|table| other.tables().any(|their| table == their)) {
                return Some(format!("it belongs to line {line}, which stays"));
            }
            if other.unread && filters(&other.line.command) && hook.rules().next().is_some() {
                return Some(format!("line {line} may be about the same rules, and is not understood"));
            }
            let placed = |chain: &Chain| {
                let mut rules = other.rules().filter(|rule| rule.needs_its_place());
                rules.any(|rule| rule.chain == *chain)
            };
            if let Some(rule) = hook.rules().find(|rule| placed(&rule.chain)) {
                let chain = &rule.chain.name;
                return Some(format!("line {line} stays, and the order of the rules in {chain} counts"));
            }
        }
        None
    }

    /// Why a hook must stay because of what the other keys would say.
    fn conflict(&self, hook: &Hook) -> Option<Why> {
        let wishes = self.wishes();
        let firewall = &self.context.config.interface.firewall;
        let forwards = firewall.forwards() || wishes.iter().any(forwarding);
        hook.makes().find_map(|fact| {
            let wish = self.context.wish(fact).ok()?;
            let forbidden = firewall.forward.filter(|forward| !forward.value);
            match &wish {
                wish if forwarding(wish) && forbidden.is_some() => Some("the file says `Forward = no`".to_owned()),
                Wish::ClampMss if !forwards => Some("nothing is forwarded that ClampMSS could be for".to_owned()),
                Wish::ClampMss if firewall.clamp_mss.is_some_and(|clamp| !clamp.value) => {
                    Some("the file says `ClampMSS = no`".to_owned())
                }
                Wish::LetIn(service) if !is_forwarded(service, &wishes) => {
                    Some("it is for one service alone, and Forward is for all".to_owned())
                }
                Wish::Masquerade(_) if is_torn(&wishes, self.context) => {
                    Some("Masquerade cannot say both the tunnel and any other interface".to_owned())
                }
                Wish::DnsDomains(_) if !has_servers(&wishes, self.context) => {
                    Some("search domains alone are not for a tunnel".to_owned())
                }
                Wish::Isolate => self.accepted_before(fact),
                _ => None,
            }
        })
    }

    /// Why a rule that drops what goes from peer to peer does nothing as it stands.
    fn accepted_before(&self, fact: &Fact) -> Option<Why> {
        let Fact::Rule(drop) = fact else { return None };
        let mut order: Vec<(usize, &Rule)> = Vec::new();
        for key in ["PreUp", "PostUp"] {
            for hook in self.hooks.iter().filter(|hook| hook.line.key == key) {
                for action in &hook.effects.actions {
                    let Fact::Rule(rule) = &action.fact else { continue };
                    if rule.chain != drop.chain {
                        continue;
                    }
                    match action.sign {
                        Sign::Insert => order.insert(0, (hook.line.span.line, rule)),
                        Sign::Append => order.push((hook.line.span.line, rule)),
                        Sign::Delete | Sign::Check => {}
                    }
                }
            }
        }
        let before = order.iter().take_while(|(_, rule)| *rule != drop);
        let mut passing = before.filter(|(_, rule)| passes_peers(rule));
        let (line, _) = passing.next()?;
        Some(format!(
            "line {line} accepts before what this is to drop; `Isolate = yes` is probably meant"
        ))
    }
}

/// Whether a rule accepts what goes from peer to peer.
fn passes_peers(rule: &Rule) -> bool {
    let matches = &rule.matches;
    let tunnel = |is: Option<&super::fact::Is<super::fact::Interface>>| {
        is.is_none_or(|is| !is.not && is.value == super::fact::Interface::Tunnel)
    };
    rule.target == Target::Accept
        && tunnel(matches.input.as_ref())
        && tunnel(matches.output.as_ref())
        && !matches.established
        && matches.protocol.is_none()
}

fn forwarding(wish: &Wish) -> bool {
    matches!(wish, Wish::Forward | Wish::Masquerade(_) | Wish::PortForward(_))
}

fn is_forwarded(service: &super::wish::Service, wishes: &[Wish]) -> bool {
    wishes.iter().any(|wish| match wish {
        Wish::PortForward(forwards) => forwards.iter().any(|forward| service.is_of(forward)),
        _ => false,
    })
}

/// Whether what leaves by the tunnel is to be masqueraded, and what leaves by any other interface too.
fn is_torn(wishes: &[Wish], context: Context<'_>) -> bool {
    let own = Wish::Masquerade(Some(context.ifname));
    wishes.contains(&own) && wishes.contains(&Wish::Masquerade(None))
}

fn has_servers(wishes: &[Wish], context: Context<'_>) -> bool {
    let given = &context.config.interface.dns.servers;
    !given.is_empty() || wishes.iter().any(|wish| matches!(wish, Wish::DnsServers(_)))
}

/// Whether deleting the one, a table, deletes the other, a rule in it.
fn is_table_of(table: &Fact, rule: &Fact) -> bool {
    match (table, rule) {
        (Fact::Table(table), Fact::Rule(rule)) => rule.chain.nft.as_ref() == Some(table),
        _ => false,
    }
}

/// Whether a command that is not understood may be about rules of a packet filter. One that flushes is about all of
/// them, and undoes nothing in particular.
fn filters(command: &str) -> bool {
    let mut words = command.split(|c: char| !c.is_alphanumeric() && c != '-');
    let filter = words.any(|word| matches!(word, "iptables" | "ip6tables" | "nft"));
    filter && !super::lint::flushes(command)
}
