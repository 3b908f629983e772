//! What the keys do that the hooks in their place did not, and the other way round, told where it matters.

mod nat;

use super::fact::Fact;
use super::firewalls::FIREWALLD;
use super::lint::Lint;
use super::passage::{Opening, Passage, Way};
use super::plan::{Hook, Plan};
use super::wish::{Context, Wish};
use crate::net::Family;

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
    differences.zone();
    differences.port_forward();
    differences.masquerade();
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
        for (wish, key) in [
            (Wish::KillSwitch, "KillSwitch"),
            (Wish::KeepInbound, "KeepInbound"),
        ] {
            if let Some((hook, other)) = self.lacks_family(|made| *made == wish) {
                self.tell(hook, format!("{key} is for {} too", name(other)), None);
            }
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
        let family = |fact: &Fact| {
            if let Fact::LookupMain { prefix, .. } = fact {
                return Some(prefix.family());
            }
            fact.rule().map(|rule| rule.chain.family)
        };
        let rules = self.made.iter().filter(|(.., wish)| is(wish));
        let families: Vec<_> = rules
            .filter_map(|(hook, fact, _)| Some((*hook, family(fact)?)))
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
        let all = self.ways();
        let mut before = Vec::new();
        for family in Family::BOTH {
            if !self.has(family) || told == Some(family) {
                continue;
            }
            let mut more = self.more(&all, family);
            more.retain(|way| !before.contains(way));
            if let Some(ways) = Way::in_words(&more, &all) {
                let only_here = family == Family::V6 && self.has(Family::V4);
                let by = if only_here { " by IPv6" } else { "" };
                let told =
                    format!("where a firewall drops, {key} also passes new connections {ways}{by}");
                self.tell(hook, told, None);
            }
            before.extend(more);
        }
    }

    /// The ways of `all` that only the keys open.
    fn more<'w>(&self, all: &'w [Way], family: Family) -> Vec<&'w Way> {
        let opened = all
            .iter()
            .filter(|way| self.wanted.lets(way) && !self.given.lets(way));
        opened
            .filter(|way| !self.passing(family).any(|passage| passage.is_on(way)))
            .collect()
    }

    /// All ways through this host, as it is, with the tunnel at an end.
    fn ways(&self) -> Vec<Way> {
        let others = self.others();
        let out = others.iter().map(|name| Way::Out((*name).to_owned()));
        let into = others.iter().map(|name| Way::In((*name).to_owned()));
        let between = self.has_several_peers().then_some(Way::Between);
        between.into_iter().chain(out).chain(into).collect()
    }

    /// What the hooks let pass.
    fn passing(&self, family: Family) -> impl Iterator<Item = &Passage> {
        let of_family =
            move |fact: &Fact| fact.rule().is_none_or(|rule| rule.chain.family == family);
        let passes = self.made.iter().filter(move |(_, fact, _)| of_family(fact));
        let passages = passes.filter_map(|(.., wish)| {
            if let Wish::Pass(passages) = wish {
                Some(passages)
            } else {
                None
            }
        });
        passages.flatten()
    }

    /// Whether something may go from peer to peer.
    fn has_several_peers(&self) -> bool {
        self.context.config.peers.len() > 1
    }

    /// The other interfaces by which packets are forwarded.
    fn others(&self) -> Vec<&str> {
        let here = self.context.here.interfaces.iter().map(String::as_str);
        let tunnel = self.context.ifname;
        here.filter(|name| *name != "lo" && *name != tunnel.as_str() && !name.starts_with("veth"))
            .collect()
    }

    /// A zone of firewalld has only some of the interfaces.
    fn zone(&mut self) {
        let in_zone =
            |fact: &Fact| matches!(fact, Fact::Forward { firewall, .. } if *firewall == FIREWALLD);
        let mut made = self.made.iter();
        let hook = made
            .find(|(_, fact, _)| in_zone(fact))
            .map(|(hook, ..)| *hook);
        if let Some(hook) = hook.filter(|_| self.others().len() > 1) {
            let told = "Forward is for all interfaces; this was for those of the zone";
            self.tell(hook, told.to_owned(), None);
        }
    }

    fn kill_switch(&mut self) {
        if let Some(hook) = self.first(|wish| *wish == Wish::KillSwitch) {
            let told =
                "KillSwitch spares the networks of this host's own interfaces; this does not";
            self.tell(hook, told.to_owned(), None);
        }
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}
