//! What the keys do that the hooks in their place did not, and the other way round, told where it matters.

use std::collections::BTreeSet;

use super::fact::{Fact, Interface, Is, Rule, Target};
use super::lint::Lint;
use super::passage::{Opening, Passage, Way};
use super::plan::{Hook, Plan};
use super::wish::{Context, Wish};
use crate::config::PortForward;
use crate::net::Family;

/// Behind interfaces that begin so are networks that Docker and libvirt masquerade themselves.
const MASQUERADED: [&str; 3] = ["docker", "br-", "virbr"];

/// Looks for differences between the hooks that go and the keys that come, each told once.
pub(super) fn differences<'a>(plan: &'a Plan<'_>) -> Vec<Lint<'a>> {
    let context = plan.context;
    let going = plan.hooks.iter().filter(|hook| hook.kept.is_none());
    let made = going.flat_map(|hook| {
        let wish = move |fact: &'a Fact| Some((hook, fact, context.wish(fact).ok()?));
        hook.makes().filter_map(wish)
    });
    let wishes = plan.wishes();
    let mut differences = Differences {
        context,
        made: made.collect(),
        given: Opening::given(&context.config.interface.firewall, context.ifname),
        wanted: Opening::wanted(&wishes, context),
        told: Vec::new(),
    };
    let told = differences.both_families();
    differences.passages(told);
    differences.redirected();
    differences.masqueraded();
    differences.kill_switch();
    differences.told
}

struct Differences<'a, 'p> {
    context: Context<'p>,
    /// What hooks make that go, with what keys say of it.
    made: Vec<(&'a Hook, &'a Fact, Wish)>,
    given: Opening,
    wanted: Opening,
    told: Vec<Lint<'a>>,
}

impl<'a> Differences<'a, '_> {
    fn tell(&mut self, hook: &'a Hook, message: String, hint: Option<&str>) {
        if self.told.iter().all(|told| told.message != message) {
            self.told.push(Lint {
                line: &hook.line,
                message,
                hint: hint.map(str::to_owned),
            });
        }
    }

    fn first(&self, is: impl Fn(&Wish) -> bool) -> Option<&'a Hook> {
        let mut made = self.made.iter();
        made.find(|(.., wish)| is(wish)).map(|(hook, ..)| *hook)
    }

    /// Rules are for one family, keys for both. Returns the one that was told of `Masquerade`.
    fn both_families(&mut self) -> Option<Family> {
        if let Some((hook, other)) = self.lacks_family(|wish| *wish == Wish::KillSwitch) {
            self.tell(hook, format!("KillSwitch is for {} too", name(other)), None);
        }
        let (hook, other) = self.lacks_family(|wish| matches!(wish, Wish::Masquerade(_)))?;
        if !self.has(other) || self.context.unique_local(other).is_err() {
            return None;
        }
        self.tell(hook, format!("Masquerade is for {} too", name(other)), None);
        Some(other)
    }

    /// The first hook with such a rule, and the family for which there is none.
    fn lacks_family(&self, is: impl Fn(&Wish) -> bool) -> Option<(&'a Hook, Family)> {
        let rules = self.made.iter().filter(|(.., wish)| is(wish));
        let families: Vec<_> = rules
            .filter_map(|(hook, fact, _)| Some((*hook, rule(fact)?.chain.family)))
            .collect();
        let (hook, _) = families.first()?;
        let mut other = Family::BOTH.into_iter();
        let other = other.find(|family| families.iter().all(|(_, there)| there != family))?;
        Some((hook, other))
    }

    /// Whether the tunnel has addresses of that family.
    fn has(&self, family: Family) -> bool {
        !self.context.networks(family).is_empty()
    }

    /// What passes a firewall that drops by the keys, and did not by the hooks.
    fn passages(&mut self, told: Option<Family>) {
        let Some(hook) = self
            .first(|wish| matches!(wish, Wish::Pass(_)))
            .or_else(|| self.first(|wish| matches!(wish, Wish::Masquerade(_))))
            .or_else(|| self.first(|wish| *wish == Wish::Forwarding))
        else {
            return;
        };
        let key = if self.wanted.forward {
            "Forward"
        } else {
            "Masquerade"
        };
        let mut before = Vec::new();
        for family in Family::BOTH {
            if !self.has(family) || told == Some(family) {
                continue;
            }
            let more = self.more(family);
            let new: Vec<_> = more.iter().filter(|way| !before.contains(*way)).collect();
            if let Some(ways) = self.ways(&new) {
                let by = match family {
                    Family::V6 if self.has(Family::V4) => " by IPv6",
                    _ => "",
                };
                let told =
                    format!("where a firewall drops, {key} also lets connections begin {ways}{by}");
                self.tell(hook, told, None);
            }
            before.extend(more);
        }
    }

    /// The ways that only the keys open.
    fn more(&self, family: Family) -> Vec<Way> {
        let passages: Vec<&Passage> = self.passing(family).collect();
        let others = self.others();
        let out = others.iter().map(|name| Way::Out((*name).to_owned()));
        let into = others.iter().map(|name| Way::In((*name).to_owned()));
        let between = (self.context.config.peers.len() > 1).then_some(Way::Between);
        let ways = between.into_iter().chain(out).chain(into);
        let opened = ways.filter(|way| self.wanted.lets(way) && !self.given.lets(way));
        opened
            .filter(|way| !passages.iter().any(|passage| passage.is_on(way)))
            .collect()
    }

    /// What the hooks let pass.
    fn passing(&self, family: Family) -> impl Iterator<Item = &Passage> {
        let of_family =
            move |fact: &Fact| rule(fact).is_none_or(|rule| rule.chain.family == family);
        let passes = self.made.iter().filter(move |(_, fact, _)| of_family(fact));
        let passages = passes.filter_map(|(.., wish)| match wish {
            Wish::Pass(passages) => Some(passages),
            _ => None,
        });
        passages.flatten()
    }

    /// The other interfaces by which packets are forwarded.
    fn others(&self) -> Vec<&str> {
        let here = self.context.here.interfaces.iter().map(String::as_str);
        let tunnel = self.context.ifname;
        here.filter(|name| *name != "lo" && *name != tunnel.as_str() && !name.starts_with("veth"))
            .collect()
    }

    /// Ways in words, if there are any.
    fn ways(&self, ways: &[&Way]) -> Option<String> {
        let outs = ways.iter().filter_map(|way| match way {
            Way::Out(name) => Some(name.as_str()),
            _ => None,
        });
        let ins = ways.iter().filter_map(|way| match way {
            Way::In(name) => Some(name.as_str()),
            _ => None,
        });
        let (outs, ins): (Vec<_>, Vec<_>) = (outs.collect(), ins.collect());
        let all = self.others().len();
        let between = ways
            .contains(&&Way::Between)
            .then(|| "from peer to peer".to_owned());
        let out = (!outs.is_empty()).then(|| match outs.len() == all {
            true => "from peers to elsewhere".to_owned(),
            false => format!("from peers to {}", outs.join(", ")),
        });
        let into = (!ins.is_empty()).then(|| match ins.len() == all {
            true => "from elsewhere to peers".to_owned(),
            false => format!("from {} to peers", ins.join(", ")),
        });
        let told: Vec<String> = [between, out, into].into_iter().flatten().collect();
        let (last, rest) = told.split_last()?;
        Some(match rest {
            [] => last.clone(),
            rest => format!("{} and {last}", rest.join(", ")),
        })
    }

    /// Redirected connections pass a firewall that drops, whether or not a hook let them in.
    fn redirected(&mut self) {
        if self.wanted.forward || self.wanted.into {
            return;
        }
        let is_let_in = |forward: &PortForward| {
            let let_in =
                |wish: &Wish| matches!(wish, Wish::LetIn(service) if service.is_of(forward));
            self.made.iter().any(|(.., wish)| let_in(wish))
        };
        let not_let_in = |wish: &Wish| matches!(wish, Wish::PortForward(forwards) if !forwards.iter().all(is_let_in));
        if let Some(hook) = self.first(not_let_in) {
            let told = "where a firewall drops, PortForward also lets in what it redirects";
            self.tell(hook, told.to_owned(), None);
        }
    }

    /// A rule of `nat` without a source is for everybody's packets.
    fn masqueraded(&mut self) {
        let rules = self
            .made
            .iter()
            .filter_map(|(hook, fact, _)| Some((*hook, rule(fact)?)));
        let masquerades = rules.filter(|(_, rule)| rule.target == Target::Masquerade);
        let unlimited = masquerades.filter(|(_, rule)| {
            let matches = &rule.matches;
            matches.source.is_none() && matches.input.is_none()
        });
        let unlimited: Vec<(&Hook, &Rule)> = unlimited.collect();
        for (hook, rule) in unlimited {
            if matches!(
                rule.matches.output,
                Some(Is {
                    not: false,
                    value: Interface::Tunnel
                })
            ) {
                if self.context.config.peers.len() > 1 {
                    let told = "Masquerade leaves alone what goes from peer to peer; this did not";
                    self.tell(hook, told.to_owned(), None);
                }
            } else if let Some(networks) = self.networks_behind(rule) {
                let told = format!(
                    "this gave its address to what came in by {networks} too; Masquerade is for what comes by the tunnel"
                );
                let hint =
                    "if those networks need it, keep a rule for them in this host's own firewall";
                self.tell(hook, told, Some(hint));
            }
        }
    }

    /// The interfaces with a network behind them that a rule masqueraded.
    fn networks_behind(&self, rule: &Rule) -> Option<String> {
        let defaults = self.context.here.default_routes.iter();
        let uplinks: BTreeSet<&str> = defaults.map(|(name, _)| name.as_str()).collect();
        let leaves_by = |name: &str| {
            let output = rule.matches.output.as_ref();
            output.is_some_and(|is| !is.not && is.value == Interface::Named(name.to_owned()))
        };
        let others = self.others().into_iter();
        let others = others.filter(|name| !uplinks.contains(name) && !is_masqueraded(name));
        let networks: Vec<&str> = others.filter(|name| !leaves_by(name)).collect();
        (!networks.is_empty()).then(|| networks.join(", "))
    }

    fn kill_switch(&mut self) {
        if let Some(hook) = self.first(|wish| *wish == Wish::KillSwitch) {
            let told =
                "this cut off the networks of this host's own interfaces too; KillSwitch does not";
            self.tell(hook, told.to_owned(), None);
        }
    }
}

fn rule(fact: &Fact) -> Option<&Rule> {
    match fact {
        Fact::Rule(rule) => Some(rule),
        _ => None,
    }
}

fn is_masqueraded(name: &str) -> bool {
    MASQUERADED.iter().any(|begin| name.starts_with(begin))
}

fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}
