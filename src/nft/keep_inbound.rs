//! Answers to who came in by another interface than the tunnel leave by that one.

use std::ops::RangeInclusive;

use nftables::expr::MetaKey;
use nftables::stmt::Statement;

use super::statement::{
    ct, ct_mark, destination_type, is, is_not, is_syn, mark, meta, payload, ports_from_to,
    restore_mark, set, text,
};
use super::{BaseChain, NftTable};
use crate::net::{FwMark, Ifname};

impl NftTable {
    /// Adds the rules by which connections that others make to this host past the tunnel stay there.
    ///
    /// They get the mark of the encrypted packets, which does not take the tunnel's table; those that there are already get
    /// it with their next packet, so that whoever brings the tunnel up from afar stays connected. What this host only passes on
    /// is not among them: it goes where the tables say. A mark that somebody else has put on the connection stays.
    ///
    /// Connection tracking takes the sender of the first packet that it sees for who began, and where it saw none before, or
    /// has forgotten a flow, that may be an answer to this very host. So a packet to a port of `local_ports`, which the
    /// kernel gives to who begins, counts only if it begins a TCP connection.
    pub fn add_keep_inbound(
        &mut self,
        ifname: Ifname,
        fwmark: FwMark,
        local_ports: &RangeInclusive<u16>,
    ) {
        let comment = || format!("wgq {ifname}: KeepInbound");
        let from_elsewhere = || {
            [
                is_not(meta(MetaKey::Iifname), text(&ifname)),
                is_not(meta(MetaKey::Iifname), text(&"lo")),
            ]
        };
        for begun in begun_elsewhere(local_ports) {
            let remember = [
                is(ct("direction"), text(&"original")),
                is(ct_mark(), mark(FwMark(0))),
                is(destination_type(), text(&"local")),
                begun,
                set(ct_mark(), mark(fwmark)),
            ];
            let remember = from_elsewhere().into_iter().chain(remember).collect();
            self.add_rule(BaseChain::PreMangle, remember, comment());
        }
        // before routing, so that the check of reverse paths looks where the answers go
        let restore = from_elsewhere().into_iter().chain(restore_mark(fwmark));
        self.add_rule(BaseChain::PreMangle, restore.collect(), comment());
        let answer = is(ct("direction"), text(&"reply"));
        let answers = [answer].into_iter().chain(restore_mark(fwmark)).collect();
        self.add_rule(BaseChain::OutMangle, answers, comment());
    }
}

/// The packets that nobody is sent who has not begun himself.
fn begun_elsewhere(local_ports: &RangeInclusive<u16>) -> Vec<Statement<'static>> {
    let protocol = |name: &'static str| is(meta(MetaKey::L4proto), text(&name));
    let below = local_ports.start().checked_sub(1).map(|last| (0, last));
    let above = local_ports
        .end()
        .checked_add(1)
        .map(|first| (first, u16::MAX));
    let ports = [below, above].into_iter().flatten();
    let ports = ports.map(|(first, last)| is(payload("th", "dport"), ports_from_to(first, last)));
    let mut begun = vec![is_syn(), protocol("icmp"), protocol("ipv6-icmp")];
    begun.extend(ports);
    begun
}
