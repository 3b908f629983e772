//! What `PortForward` and `Masquerade` do that rules of `nat` did not, and the other way round.

use super::Differences;
use crate::config::PortForward;
use crate::migrate::fact::{Interface, Is, Rule, Target};
use crate::migrate::passage::{admits, is_tunnel};
use crate::migrate::plan::Hook;
use crate::migrate::wish::Wish;

/// Behind interfaces that begin so are networks that Docker and libvirt masquerade themselves.
const MASQUERADED: [&str; 3] = ["docker", "br-", "virbr"];

impl Differences<'_, '_> {
    /// Where a firewall drops, redirected connections pass, and no others.
    pub(super) fn port_forward(&mut self) {
        if !self.wanted.forward && !self.wanted.into {
            self.redirected();
            self.directly();
        }
    }

    /// Redirected connections pass a firewall that drops, whether or not a hook let them in.
    fn redirected(&mut self) {
        let is_let_in = |forward: &PortForward| {
            let let_in =
                |wish: &Wish| matches!(wish, Wish::LetIn(service) if service.is_of(forward));
            self.made.iter().any(|(.., wish)| let_in(wish))
        };
        let not_let_in = |wish: &Wish| matches!(wish, Wish::PortForward(forwards) if !forwards.iter().all(is_let_in));
        if let Some(hook) = self.first(not_let_in) {
            let told = "where a firewall drops, PortForward also passes what it redirects";
            self.tell(hook, told.to_owned(), None);
        }
    }

    /// Who asks a peer itself is let in by a rule for a service, and not by `PortForward`.
    fn directly(&mut self) {
        let found = self.made.iter().find_map(|(hook, fact, wish)| {
            let rule = fact.rule().filter(|_| matches!(wish, Wish::LetIn(_)))?;
            let asked = rule.matches.input.as_ref();
            let mut networks = self.networks();
            networks.retain(|name| admits(asked, Some(name)));
            (!networks.is_empty()).then(|| (*hook, networks.join(", ")))
        });
        if let Some((hook, networks)) = found {
            let told = format!(
                "where a firewall drops, this also passes what goes from {networks} to the peer itself"
            );
            self.tell(hook, told, None);
        }
    }

    /// A rule of `nat` without a source is for everybody's packets.
    pub(super) fn masquerade(&mut self) {
        let rules = self
            .made
            .iter()
            .filter_map(|(hook, fact, _)| Some((*hook, fact.rule()?)));
        let masquerades = rules.filter(|(_, rule)| rule.target == Target::Masquerade);
        let unlimited = masquerades.filter(|(_, rule)| {
            let matches = &rule.matches;
            matches.source.is_none() && matches.input.is_none()
        });
        let unlimited: Vec<(&Hook, &Rule)> = unlimited.collect();
        for (hook, rule) in unlimited {
            if is_tunnel(rule.matches.output.as_ref()) {
                if self.has_several_peers() {
                    let told = "Masquerade spares what goes from peer to peer; this does not";
                    self.tell(hook, told.to_owned(), None);
                }
            } else if let Some(networks) = self.networks_behind(rule) {
                let told = format!(
                    "what came in by {networks} left with this host's address too, and no longer does"
                );
                let hint = "if it must, keep a rule for it in this host's own firewall";
                self.tell(hook, told, Some(hint));
            }
        }
    }

    /// The interfaces with a network behind them whose packets a rule masqueraded.
    fn networks_behind(&self, rule: &Rule) -> Option<String> {
        let output = match &rule.matches.output {
            Some(Is {
                not: false,
                value: Interface::Named(name),
            }) if self.context.here.interfaces.contains(name) => Some(name.as_str()),
            Some(Is { not: false, .. }) => return None,
            _ => None,
        };
        let mut networks = self.networks();
        networks.retain(|name| output != Some(*name));
        (!networks.is_empty()).then(|| networks.join(", "))
    }

    /// The interfaces that may have a network of this host's behind them.
    fn networks(&self) -> Vec<&str> {
        let defaults = &self.context.here.default_routes;
        let is_uplink = |name: &str| defaults.iter().any(|(by, _)| by == name);
        let mut others = self.others();
        others.retain(|name| !is_uplink(name) && !is_masqueraded(name));
        others
    }
}

fn is_masqueraded(name: &str) -> bool {
    MASQUERADED.iter().any(|begin| name.starts_with(begin))
}
