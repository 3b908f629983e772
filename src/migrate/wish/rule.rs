//! What the rules of a packet filter mean as keys.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::{Context, EVERYTHING, Service, Wish};
use crate::config::{PortForward, Protocol};
use crate::migrate::fact::{Interface, Is, Matches, Rule, Target};
use crate::migrate::passage::{Passage, is_tunnel};
use crate::migrate::shell::Why;
use crate::net::{Address, Family, Prefix};

impl Context<'_> {
    /// What a key is to say in the place of a rule.
    pub(super) fn rule(self, rule: &Rule) -> Result<Wish, Why> {
        let matches = &rule.matches;
        if let Target::Other(why) = &rule.target {
            return Err(format!("no key stands for {why}"));
        }
        if let Some(other) = &matches.other {
            return Err(format!("no key stands for a rule with {other}"));
        }
        let chain = (rule.chain.table.as_str(), rule.chain.name.as_str());
        match (chain, &rule.target) {
            (("filter", _), Target::Accept) if rule.is_of_forwarded() => self.accept(rule),
            (("filter", "FORWARD"), Target::Drop) => isolate(matches),
            (("filter", "INPUT"), Target::Accept) => self.input(matches),
            (("filter", "OUTPUT"), Target::Drop) => self.kill_switch(matches),
            (("nat", "POSTROUTING"), Target::Masquerade) => {
                self.masquerade(matches, rule.chain.family)
            }
            (("nat", "PREROUTING"), Target::Dnat(to, ports)) => {
                self.port_forward(matches, *to, ports.as_ref())
            }
            ((_, "FORWARD" | "POSTROUTING"), Target::ClampMss) => Ok(Wish::ClampMss),
            ((_, ""), _) => Err("it is not known which packets come to this chain of nft".into()),
            ((table, name), _) => Err(format!(
                "no key stands for such a rule in {name} of {table}"
            )),
        }
    }

    fn accept(self, rule: &Rule) -> Result<Wish, Why> {
        let matches = &rule.matches;
        let whole = |is: &&Is<Prefix>| !is.not && self.is_whole(is.value);
        let tunnel = |_| Is::only(Interface::Tunnel);
        let (source, destination) = (matches.source.as_ref(), matches.destination.as_ref());
        let from_peers = source.filter(whole).map(tunnel);
        let to_peers = destination.filter(whole).map(tunnel);
        let passage = Passage {
            input: matches.input.clone().or(from_peers),
            output: matches.output.clone().or(to_peers),
        };
        if matches.established && passage.has_tunnel() {
            return Ok(Wish::Answers);
        }
        let to = destination.filter(|is| !is.not).map(|is| is.value);
        let to_a_peer = to.is_some_and(|prefix| self.is_a_peers(prefix));
        if !passage.names_tunnel() && !to_a_peer {
            return Err("it does not name the tunnel".into());
        }
        if let Some(source) = source.filter(|is| !whole(is)) {
            return Err(limited("comes from", source));
        }
        if let Some(protocol) = matches.protocol {
            let to_peers = to_a_peer || is_tunnel(passage.output.as_ref());
            if !to_peers || matches.ports.is_empty() || destination.is_some_and(|is| is.not) {
                return Err("Forward lets pass every protocol".into());
            }
            let ports = matches.ports.clone();
            return Ok(Wish::LetIn(Service {
                to,
                protocol,
                ports,
            }));
        }
        match destination.filter(|is| !whole(is)) {
            Some(destination) => Err(limited("goes to", destination)),
            None if rule.chain.own => Ok(Wish::Forwarding),
            None => Ok(Wish::Pass(vec![passage])),
        }
    }

    fn input(self, matches: &Matches) -> Result<Wish, Why> {
        if is_tunnel(matches.input.as_ref()) {
            return Err("no key lets in what comes to this host by the tunnel".into());
        }
        let port = match matches.ports.as_slice() {
            [ports] if ports.start() == ports.end() => Some(*ports.start()),
            _ => None,
        };
        let udp = matches.protocol == Some(Protocol::Udp);
        let limited = matches.source.is_some() || matches.established;
        match port {
            Some(port) if udp && !limited && self.is_listen_port(port) => Ok(Wish::OpenPort),
            _ => Err("of what comes to this host, a key lets in only UDP to ListenPort".into()),
        }
    }

    fn kill_switch(self, matches: &Matches) -> Result<Wish, Why> {
        let others = matches.output.as_ref();
        let elsewhere = others.is_some_and(|is| is.not && is.value == Interface::Tunnel);
        if !elsewhere || !matches.not_own {
            return Err("this is not the kill switch of wg-quick(8)".into());
        }
        if let Some(destination) = &matches.destination {
            return Err(format!(
                "it exempts {}, and KillSwitch the networks of this host's interfaces",
                destination.value
            ));
        }
        if !self.is_full_tunnel() {
            return Err("KillSwitch is for a full tunnel, which this is not".into());
        }
        Ok(Wish::KillSwitch)
    }

    fn masquerade(self, matches: &Matches, family: Family) -> Result<Wish, Why> {
        if matches.protocol.is_some() {
            return Err("Masquerade is for every protocol".into());
        }
        let source = matches.source.as_ref().map(|is| (is.not, is.value));
        let destination = matches.destination.as_ref().map(|is| (is.not, is.value));
        let from_tunnel = is_tunnel(matches.input.as_ref());
        match destination {
            None => {}
            Some((true, prefix)) if source == Some((false, prefix)) => {} // between peers nothing is masqueraded
            Some((_, prefix)) => {
                return Err(format!(
                    "Masquerade does not ask whether a packet goes to {prefix}"
                ));
            }
        }
        let scoped = match source {
            None => from_tunnel,
            Some((false, prefix)) if self.is_whole(prefix) => true,
            Some((true, prefix)) => return Err(format!("it exempts {prefix}")),
            Some((_, prefix)) => return Err(self.not_whole(prefix)),
        };
        self.unique_local(family)?;
        match &matches.output {
            None if scoped => Ok(Wish::Masquerade(None)),
            None => Err(EVERYTHING.into()),
            Some(Is {
                not: true,
                value: Interface::Tunnel,
            }) => Ok(Wish::Masquerade(None)),
            Some(Is {
                not: false,
                value: Interface::Tunnel,
            }) if source.is_none() => Ok(Wish::Masquerade(Some(self.ifname))),
            Some(Is {
                not: false,
                value: Interface::Named(name),
            }) => {
                let name = name
                    .parse()
                    .map_err(|_| format!("{name} is no name of an interface"))?;
                Ok(Wish::Masquerade(Some(name)))
            }
            Some(Is {
                not: false,
                value: Interface::Pattern(begin),
            }) => Err(format!(
                "Masquerade takes names of interfaces, and `{begin}+` is many"
            )),
            Some(_) => Err("Masquerade takes the interfaces by which packets leave".into()),
        }
    }

    fn port_forward(
        self,
        matches: &Matches,
        to: IpAddr,
        to_ports: Option<&RangeInclusive<u16>>,
    ) -> Result<Wish, Why> {
        let Some(protocol) = matches.protocol.filter(|_| !matches.ports.is_empty()) else {
            return Err("PortForward needs a protocol and its ports".into());
        };
        if matches.source.is_some() || matches.destination.is_some() {
            return Err("PortForward does not ask for addresses".into());
        }
        if !self.is_a_peers(Address::from(to).prefix()) {
            return Err(format!("{to} is in no peer's AllowedIPs"));
        }
        let ifname = match &matches.input {
            None
            | Some(Is {
                not: true,
                value: Interface::Tunnel,
            }) => None,
            Some(Is {
                not: false,
                value: Interface::Named(name),
            }) => Some(
                name.parse()
                    .map_err(|_| format!("{name} is no name of an interface"))?,
            ),
            Some(_) => {
                return Err("PortForward takes the interface by which connections come in".into());
            }
        };
        let own = self.config.interface.listen_port;
        let takes = |port| matches.ports.iter().any(|ports| ports.contains(&port));
        if ifname.is_none() && protocol == Protocol::Udp && own.is_some_and(takes) {
            return Err("it takes the tunnel's own port".into());
        }
        let forward = |ports: &RangeInclusive<u16>| {
            let single = |ports: &RangeInclusive<u16>| ports.start() == ports.end();
            let to_port = match to_ports {
                None => None,
                Some(there) if there == ports => None,
                Some(there) if single(there) && single(ports) => Some(*there.start()),
                Some(_) => return Err("several ports would go to other ones".to_owned()),
            };
            Ok(PortForward {
                ifname,
                protocol,
                ports: ports.clone(),
                to,
                to_port,
            })
        };
        let forwards: Result<Vec<_>, Why> = matches.ports.iter().map(forward).collect();
        Ok(Wish::PortForward(forwards?))
    }
}

fn limited(verb: &str, prefix: &Is<Prefix>) -> Why {
    let not = if prefix.not { " not" } else { "" };
    format!(
        "it is for what{not} {verb} {}, and Forward is for all",
        prefix.value
    )
}

fn isolate(matches: &Matches) -> Result<Wish, Why> {
    let between = is_tunnel(matches.input.as_ref()) && is_tunnel(matches.output.as_ref());
    let limited = matches.source.is_some()
        || matches.destination.is_some()
        || matches.protocol.is_some()
        || matches.established;
    if between && !limited {
        Ok(Wish::Isolate)
    } else {
        Err("no key drops just this".into())
    }
}
