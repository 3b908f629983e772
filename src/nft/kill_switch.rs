//! The kill switch: nothing leaves but through the tunnel, to its endpoints, and to the LAN.

use nftables::expr::{Expression, MetaKey};
use nftables::stmt::Statement;

use super::statement::{any_of, ct, ct_mark, destination, is, mark, meta, payload, text};
use super::{BaseChain, NftTable};
use crate::net::{FwMark, Ifname, Prefix};

/// What of the host leaves past a tunnel with a kill switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillSwitch {
    /// The mark of WireGuard's own packets.
    pub fwmark: FwMark,
    /// The networks of the host's other interfaces, each by its own.
    pub lan: Vec<(Ifname, Prefix)>,
    /// What does not belong to the tunnel (`ExcludeIPs`).
    pub excluded: Vec<Prefix>,
    /// Whether answers to who came in by another interface leave by it (`KeepInbound`).
    pub keep_inbound: bool,
}

/// Client and server ports of DHCP for IPv4 and IPv6 (RFC 2131, RFC 8415).
const DHCP: [(u32, u32); 2] = [(68, 67), (546, 547)];

/// Neighbour discovery (RFC 4861), and the membership of its multicast groups, without which switches do not deliver it
/// (RFC 3810).
const NEIGHBOUR_DISCOVERY: [&str; 7] = [
    "mld-listener-report",
    "mld-listener-done",
    "nd-router-solicit",
    "nd-router-advert",
    "nd-neighbor-solicit",
    "nd-neighbor-advert",
    "mld2-listener-report",
];

impl NftTable {
    /// Adds the rules of a kill switch.
    ///
    /// They are where all packets come by that leave, this host's own and those of others, when it is settled by which
    /// interface. No rule but the one of the LAN names another interface, so that a new uplink is as shut as the old one,
    /// and none asks a routing table, of which a stranger's DHCP server may have written a part.
    pub fn add_kill_switch(&mut self, ifname: Ifname, kill_switch: &KillSwitch) {
        let KillSwitch {
            fwmark,
            lan,
            excluded,
            keep_inbound,
        } = kill_switch;
        let mut rule = |mut tests: Vec<Statement<'static>>, verdict, what: &str| {
            tests.push(verdict);
            let comment = format!("wgq {ifname}: KillSwitch{what}");
            self.add_rule(BaseChain::KillSwitch, tests, comment);
        };
        let mut accept = |tests, what: &str| rule(tests, Statement::Accept(None), what);
        accept(vec![is(meta(MetaKey::Oifname), text(&ifname))], "");
        accept(vec![is(meta(MetaKey::Oifname), text(&"lo"))], "");
        let own = is(meta(MetaKey::L4proto), text(&"udp"));
        let marked = is(meta(MetaKey::Mark), mark(*fwmark));
        accept(vec![own, marked], ", WireGuard");
        if *keep_inbound {
            let answers = is(ct("direction"), text(&"reply"));
            accept(vec![answers, is(ct_mark(), mark(*fwmark))], ", KeepInbound");
        }
        let ports = |from, to| {
            let from = is(payload("udp", "sport"), Expression::Number(from));
            let to = is(payload("udp", "dport"), Expression::Number(to));
            [from, to]
        };
        for (client, server) in DHCP {
            accept(ports(client, server).into(), ", DHCP");
        }
        // a DHCP server here answers who has no address yet
        let mut offer = vec![destination(Prefix::BROADCAST)];
        offer.extend(ports(67, 68));
        accept(offer, ", DHCP");
        let kind = payload("icmpv6", "type");
        accept(vec![is(kind, any_of(&NEIGHBOUR_DISCOVERY))], ", neighbours");
        accept(vec![destination(Prefix::LINK_LOCAL)], ", LAN");
        for &(uplink, prefix) in lan {
            let by = is(meta(MetaKey::Oifname), text(&uplink));
            accept(vec![by, destination(prefix)], ", LAN");
        }
        for &prefix in excluded {
            accept(vec![destination(prefix)], ", ExcludeIPs");
        }
        rule(Vec::new(), Statement::Drop(None), "");
    }
}
