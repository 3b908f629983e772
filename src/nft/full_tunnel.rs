//! What a full tunnel needs of the firewall: wg-quick(8)'s rules, for both families in one table, and that nothing of the
//! tunnel's leaves by another way.

use nftables::expr::MetaKey;
use nftables::stmt::Statement;

use super::statement::{
    ct_mark, daddr, is, is_not, mark, meta, restore_mark, saddr, set, source_type, text,
};
use super::{BaseChain, NftTable};
use crate::net::{Address, FwMark, Ifname};

impl NftTable {
    /// Returns the table of a full tunnel whose encrypted packets carry `fwmark`.
    ///
    /// The addresses are the tunnel's own, of the families whose default route it takes.
    pub fn full_tunnel(ifname: Ifname, fwmark: FwMark, addresses: &[Address]) -> Self {
        let mut table = Self::new(ifname);
        table.add_full_tunnel(ifname, fwmark, addresses);
        table
    }

    /// Adds the rules of a full tunnel; see [`Self::full_tunnel`].
    pub fn add_full_tunnel(&mut self, ifname: Ifname, fwmark: FwMark, addresses: &[Address]) {
        let comment = || format!("wgq {ifname}: full tunnel");
        for &address in addresses {
            self.add_rule(
                BaseChain::PreRaw,
                refuse_from_outside(ifname, address),
                comment(),
            );
        }
        self.add_rule(BaseChain::PreMangle, restore_mark_of_udp(fwmark), comment());
        for &address in addresses {
            self.add_rule(
                BaseChain::PostMangle,
                keep_inside(ifname, address),
                comment(),
            );
        }
        self.add_rule(BaseChain::PostMangle, save_mark(fwmark), comment());
    }
}

/// Nobody but the tunnel and this host may talk to the tunnel's address: otherwise a neighbour on the LAN could find out
/// what connections there are in the tunnel, and write into them (CVE-2019-14899).
fn refuse_from_outside(ifname: Ifname, address: Address) -> Vec<Statement<'static>> {
    vec![
        is_not(meta(MetaKey::Iifname), text(&ifname)),
        is(daddr(address.ip()), text(&address.ip())),
        is_not(source_type(), text(&"local")),
        Statement::Drop(None),
    ]
}

/// What has the tunnel's address leaves by the tunnel. The kernel lets a socket that is bound to an IPv6 address send on
/// when that is gone, by whatever way is left: while the tunnel goes down that would be the uplink.
// wg-quick: has no such rule
fn keep_inside(ifname: Ifname, address: Address) -> Vec<Statement<'static>> {
    vec![
        is_not(meta(MetaKey::Oifname), text(&ifname)),
        is_not(meta(MetaKey::Oifname), text(&"lo")),
        is(saddr(address.ip()), text(&address.ip())),
        Statement::Drop(None),
    ]
}

/// Answers to the encrypted packets get the mark that these had, so that the check of reverse paths looks where they went.
// wg-quick: overwrites the mark of all UDP packets, and with it what other tunnels and programs set
fn restore_mark_of_udp(fwmark: FwMark) -> Vec<Statement<'static>> {
    let udp = is(meta(MetaKey::L4proto), text(&"udp"));
    [udp].into_iter().chain(restore_mark(fwmark)).collect()
}

fn save_mark(fwmark: FwMark) -> Vec<Statement<'static>> {
    vec![
        is(meta(MetaKey::L4proto), text(&"udp")),
        is(meta(MetaKey::Mark), mark(fwmark)),
        set(ct_mark(), meta(MetaKey::Mark)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_full_tunnel_is_wg_quicks_two_in_one_and_lets_nothing_out() {
        let addresses = ["10.0.0.2/24", "fd00::2/64"].map(|address| address.parse().unwrap());
        let table = NftTable::full_tunnel("wg0".parse().unwrap(), FwMark(51820), &addresses);
        let expected = r#"table inet wgq-wg0 {
	chain preraw {
		type filter hook prerouting priority raw; policy accept;
		iifname != "wg0" ip daddr 10.0.0.2 fib saddr type != local drop comment "wgq wg0: full tunnel"
		iifname != "wg0" ip6 daddr fd00::2 fib saddr type != local drop comment "wgq wg0: full tunnel"
	}

	chain premangle {
		type filter hook prerouting priority mangle; policy accept;
		meta l4proto udp ct mark 0x0000ca6c meta mark set ct mark comment "wgq wg0: full tunnel"
	}

	chain postmangle {
		type filter hook postrouting priority mangle; policy accept;
		oifname != "wg0" oifname != "lo" ip saddr 10.0.0.2 drop comment "wgq wg0: full tunnel"
		oifname != "wg0" oifname != "lo" ip6 saddr fd00::2 drop comment "wgq wg0: full tunnel"
		meta l4proto udp meta mark 0x0000ca6c ct mark set meta mark comment "wgq wg0: full tunnel"
	}
}
"#;
        assert_eq!(table.to_string(), expected);
    }
}
