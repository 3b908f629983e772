//! Answers to who came in by another interface than the tunnel leave by that one.

use nftables::expr::MetaKey;
use nftables::stmt::Statement;

use super::statement::{ct, ct_mark, destination_type, is, is_not, mark, meta, set, text};
use super::{BaseChain, NftTable};
use crate::net::{FwMark, Ifname};

impl NftTable {
    /// Adds the rules by which connections that others make to this host past the tunnel stay there.
    ///
    /// They get the mark of the encrypted packets, which does not take the tunnel's table; those that there are already get
    /// it with their next packet, so that whoever brings the tunnel up from afar stays connected. What this host only passes on
    /// is not among them: it goes where the tables say. A mark that somebody else has put on the connection stays.
    pub fn add_keep_inbound(&mut self, ifname: Ifname, fwmark: FwMark) {
        let comment = || format!("wgq {ifname}: KeepInbound");
        let from_elsewhere = || {
            [
                is_not(meta(MetaKey::Iifname), text(&ifname)),
                is_not(meta(MetaKey::Iifname), text(&"lo")),
            ]
        };
        let remember = [
            is(ct("direction"), text(&"original")),
            is(ct_mark(), mark(FwMark(0))),
            is(destination_type(), text(&"local")),
            set(ct_mark(), mark(fwmark)),
        ];
        let remember = from_elsewhere().into_iter().chain(remember).collect();
        self.add_rule(BaseChain::PreMangle, remember, comment());
        // before routing, so that the check of reverse paths looks where the answers go
        let restore = from_elsewhere().into_iter().chain(restore_mark(fwmark));
        self.add_rule(BaseChain::PreMangle, restore.collect(), comment());
        let answer = is(ct("direction"), text(&"reply"));
        let answers = [answer].into_iter().chain(restore_mark(fwmark)).collect();
        self.add_rule(BaseChain::OutMangle, answers, comment());
    }
}

fn restore_mark(fwmark: FwMark) -> [Statement<'static>; 2] {
    [
        is(ct_mark(), mark(fwmark)),
        set(meta(MetaKey::Mark), ct_mark()),
    ]
}
