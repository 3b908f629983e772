//! NAT: what leaves with this host's address, and which ports of this host are a peer's.

use std::collections::BTreeSet;
use std::net::IpAddr;

use nftables::expr::{Expression, MetaKey};
use nftables::stmt::{NAT, NATFamily, Statement};

use super::statement::{
    address_is, address_is_not, any_of, ct_has, destination_type, is, is_not, meta, payload,
    ports_from_to, source_type, text,
};
use super::{BaseChain, NftTable};
use crate::config::{Masquerade, PortForward, Protocol};
use crate::net::{Family, Ifname, Prefix};

impl NftTable {
    /// Adds the rules by which what came in by the tunnel and leaves by another interface has this host's address: IPv4,
    /// and of IPv6 what has a local address (RFC 4193), which nobody outside could answer.
    pub fn add_masquerade(&mut self, ifname: Ifname, masquerade: &Masquerade) {
        let comment = format!("wgq {ifname}: Masquerade");
        let from_tunnel = || is(meta(MetaKey::Iifname), text(&ifname));
        let leaving = match masquerade {
            Masquerade::No => return,
            Masquerade::Anywhere => Some(is_not(meta(MetaKey::Oifname), text(&ifname))),
            Masquerade::By(names) => by_one_of(names, ifname),
        };
        if let Some(leaving) = leaving {
            let sources = [
                is(meta(MetaKey::Nfproto), text(&"ipv4")),
                address_is("saddr", Prefix::UNIQUE_LOCAL),
            ];
            for source in sources {
                let rule = vec![from_tunnel(), leaving.clone(), source, MASQUERADE];
                self.add_rule(BaseChain::SrcNat, rule, comment.clone());
            }
        }
        if matches!(masquerade, Masquerade::By(names) if names.contains(&ifname)) {
            let rule = vec![
                is_not(meta(MetaKey::Iifname), text(&ifname)),
                is(meta(MetaKey::Oifname), text(&ifname)),
                MASQUERADE,
            ];
            self.add_rule(BaseChain::SrcNat, rule, comment);
        }
    }

    /// Adds the rules by which ports of this host are a peer's: for who comes from outside, from a LAN or by the tunnel,
    /// and for this host itself.
    ///
    /// The peer sees who it is, but for this host and for another peer of the same tunnel, to whom the answers would
    /// otherwise take another way.
    pub fn add_port_forward(&mut self, ifname: Ifname, forward: &PortForward) {
        let comment = || format!("wgq {ifname}: PortForward");
        let here = || is(destination_type(), text(&"local"));
        let limit = forward.ifname;
        let mut came_in: Vec<_> = limit
            .map(|limit| is(meta(MetaKey::Iifname), text(&limit)))
            .into_iter()
            .collect();
        came_in.push(here());
        came_in.extend([to_port(forward), to_peer(forward)]);
        self.add_rule(BaseChain::DstNat, came_in, comment());
        if limit.is_none() {
            let own = vec![
                here(),
                address_is_not("daddr", Prefix::loopback(Family::of(forward.to))),
                to_port(forward),
                to_peer(forward),
            ];
            self.add_rule(BaseChain::OutDstNat, own, comment());
        }
    }

    /// Adds the rules without which answers to this host itself, and to another peer, would take another way than through
    /// the port that was forwarded.
    pub fn add_hairpin(&mut self, ifname: Ifname) {
        let sources = [
            is(source_type(), text(&"local")),
            is(meta(MetaKey::Iifname), text(&ifname)),
        ];
        for source in sources {
            let rule = vec![
                is(meta(MetaKey::Oifname), text(&ifname)),
                source,
                ct_has("status", "dnat"),
                MASQUERADE,
            ];
            let comment = format!("wgq {ifname}: PortForward");
            self.add_rule(BaseChain::SrcNat, rule, comment);
        }
    }
}

const MASQUERADE: Statement<'static> = Statement::Masquerade(None);

/// `oifname { "ens3", "wlan0" }`, without the tunnel itself; none if nothing is left.
fn by_one_of(names: &BTreeSet<Ifname>, ifname: Ifname) -> Option<Statement<'static>> {
    let names: Vec<&Ifname> = names.iter().filter(|name| **name != ifname).collect();
    let names = match names.as_slice() {
        [] => return None,
        [name] => text(name),
        names => any_of(names),
    };
    Some(is(meta(MetaKey::Oifname), names))
}

/// `tcp dport 8080`, `udp dport 27015-27030`
fn to_port(forward: &PortForward) -> Statement<'static> {
    let ports = ports_from_to(*forward.ports.start(), *forward.ports.end());
    let protocol = match forward.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    is(payload(protocol, "dport"), ports)
}

/// `dnat ip to 10.0.0.2:80`
fn to_peer(forward: &PortForward) -> Statement<'static> {
    let family = match forward.to {
        IpAddr::V4(_) => NATFamily::IP,
        IpAddr::V6(_) => NATFamily::IP6,
    };
    Statement::DNAT(Some(NAT {
        addr: Some(text(&forward.to)),
        family: Some(family),
        port: forward.to_port.map(|port| Expression::Number(port.into())),
        flags: None,
    }))
}
