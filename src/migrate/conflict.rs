//! Why a hook whose meaning is known cannot become a key: what other hooks or the file say is against it.

use super::fact::{Fact, Interface, Is, Rule, Sign, Target};
use super::passage::Opening;
use super::plan::{Hook, Plan, filters};
use super::shell::Why;
use super::wish::{Context, Service, Wish};
use crate::config::{Masquerade, PortForward};

/// Why a hook must stay, as things stand.
pub(super) fn conflict(plan: &Plan<'_>, hook: &Hook) -> Option<Why> {
    let wishes = plan.wishes();
    hook.makes().find_map(|fact| {
        let wish = plan.context.wish(fact).ok()?;
        if is_forwarding(&wish) {
            let why = forwarding_is_limited(plan, &wish)
                .or_else(|| torn(&wish, &wishes, plan.context))
                .or_else(|| shadowed(&wish, &wishes, plan.context));
            if why.is_some() {
                return why;
            }
        }
        if wish == Wish::Isolate {
            return accepted_before(plan, fact);
        }
        alone(&wish, &wishes, plan.context).map(str::to_owned)
    })
}

/// Why no key may forward: the file says so, or a hook that stays has a say in what is forwarded. What a key opens where a
/// firewall drops may be more than that accepts; what a key redirects may be what it drops.
fn forwarding_is_limited(plan: &Plan<'_>, wish: &Wish) -> Option<Why> {
    let firewall = &plan.context.config.interface.firewall;
    if firewall.forward.is_some_and(|forward| !forward.value) {
        return Some("the file says `Forward = no`".into());
    }
    let redirects = matches!(wish, Wish::PortForward(_));
    if !redirects && !opens(plan, wish) {
        return None;
    }
    let stay = plan.hooks.iter().filter(|hook| hook.kept.is_some());
    let limits = |rule: &Rule| !redirects || rule.target != Target::Accept;
    let mut limiting = stay.filter(|hook| {
        let unknown = hook.unread && filters(&hook.line.command);
        let mut rules = hook.rules().filter(|rule| rule.is_of_forwarded());
        unknown || rules.any(limits)
    });
    let line = limiting.next()?.line.span.line;
    Some(format!(
        "line {line} stays, and a key could let more pass than it does"
    ))
}

/// Whether a wish lets more pass than the keys of the file do, beside ports that are forwarded.
fn opens(plan: &Plan<'_>, wish: &Wish) -> bool {
    let context = plan.context;
    let given = Opening::given(&context.config.interface.firewall, context.ifname);
    let mut wishes = plan.wishes();
    wishes.retain(|other| matches!(other, Wish::PortForward(_)));
    wishes.push(wish.clone());
    !given.forward && Opening::wanted(&wishes, context) != given
}

/// Why there is no `Masquerade` that says what leaves by the tunnel, and what leaves by any other interface.
fn torn(wish: &Wish, wishes: &[Wish], context: Context<'_>) -> Option<Why> {
    let given = &context.config.interface.firewall.masquerade.value;
    let own = Wish::Masquerade(Some(context.ifname));
    let by_tunnel = wishes.contains(&own)
        || matches!(given, Masquerade::By(names) if names.contains(&context.ifname));
    let by_others = wishes.contains(&Wish::Masquerade(None)) || *given == Masquerade::Anywhere;
    let both = matches!(wish, Wish::Masquerade(_)) && by_tunnel && by_others;
    both.then(|| "Masquerade cannot say both the tunnel and any other interface".into())
}

/// Why a `PortForward` cannot stand beside the others.
fn shadowed(wish: &Wish, wishes: &[Wish], context: Context<'_>) -> Option<Why> {
    let given = &context.config.interface.firewall.port_forwards;
    let given = given.iter().map(|given| &given.value);
    let others: Vec<&PortForward> = wishes.iter().flat_map(redirected).chain(given).collect();
    let is_shadowed = |forward: &PortForward| {
        let mut others = others.iter().filter(|other| **other != forward);
        others.any(|other| other.shadows(forward) || forward.shadows(other))
    };
    let shadowed = redirected(wish).iter().any(is_shadowed);
    shadowed.then(|| "the same port is forwarded elsewhere too".into())
}

fn redirected(wish: &Wish) -> &[PortForward] {
    if let Wish::PortForward(forwards) = wish {
        forwards
    } else {
        &[]
    }
}

/// Why a wish makes no sense without another.
fn alone(wish: &Wish, wishes: &[Wish], context: Context<'_>) -> Option<&'static str> {
    let interface = &context.config.interface;
    let firewall = &interface.firewall;
    let has_servers = || {
        let servers = |wish: &Wish| matches!(wish, Wish::DnsServers(_));
        !interface.dns.servers.is_empty() || wishes.iter().any(servers)
    };
    let begins = |wish: &Wish| is_forwarding(wish) && *wish != Wish::Answers;
    let forwards = || firewall.forwards() || wishes.iter().any(begins);
    if *wish == Wish::Answers {
        return (!forwards()).then_some("no connection passes that these could be answers of");
    }
    if *wish == Wish::ClampMss {
        if firewall.clamp_mss.is_some_and(|clamp| !clamp.value) {
            return Some("the file says `ClampMSS = no`");
        }
        return (!forwards()).then_some("nothing is forwarded that ClampMSS could be for");
    }
    if let Wish::LetIn(service) = wish {
        let forwarded = is_forwarded(service, wishes);
        return (!forwarded).then_some("it is for one service alone, and Forward is for all");
    }
    let domains = matches!(wish, Wish::DnsDomains(_));
    (domains && !has_servers()).then_some("search domains alone are not for a tunnel")
}

/// Why a rule that drops what goes from peer to peer does nothing as it stands.
fn accepted_before(plan: &Plan<'_>, fact: &Fact) -> Option<Why> {
    let Fact::Rule(drop) = fact else { return None };
    let mut order: Vec<(usize, &Rule)> = Vec::new();
    let hooks = |key| plan.hooks.iter().filter(move |hook| hook.line.key == key);
    for hook in hooks("PreUp").chain(hooks("PostUp")) {
        for action in &hook.effects.actions {
            let Fact::Rule(rule) = &action.fact else {
                continue;
            };
            match action.sign {
                _ if rule.chain != drop.chain => {}
                Sign::Insert => order.insert(0, (hook.line.span.line, rule)),
                Sign::Append => order.push((hook.line.span.line, rule)),
                Sign::Delete | Sign::Check => {}
            }
        }
    }
    let mut before = order.iter().take_while(|(_, rule)| *rule != &**drop);
    let (line, _) = before.find(|(_, rule)| passes_peers(rule))?;
    Some(format!(
        "line {line} accepts before what this is to drop; `Isolate = yes` is probably meant"
    ))
}

/// Whether a rule accepts what goes from peer to peer.
fn passes_peers(rule: &Rule) -> bool {
    let matches = &rule.matches;
    let tunnel =
        |is: Option<&Is<Interface>>| is.is_none_or(|is| !is.not && is.value == Interface::Tunnel);
    rule.target == Target::Accept
        && tunnel(matches.input.as_ref())
        && tunnel(matches.output.as_ref())
        && !matches.established
        && matches.protocol.is_none()
}

fn is_forwarding(wish: &Wish) -> bool {
    matches!(
        wish,
        Wish::Forwarding
            | Wish::Pass(_)
            | Wish::Answers
            | Wish::Masquerade(_)
            | Wish::PortForward(_)
    )
}

fn is_forwarded(service: &Service, wishes: &[Wish]) -> bool {
    let is_of = |wish: &Wish| matches!(wish, Wish::PortForward(forwards) if forwards.iter().any(|forward| service.is_of(forward)));
    wishes.iter().any(is_of)
}
