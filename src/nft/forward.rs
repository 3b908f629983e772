//! What passes between a tunnel and other interfaces: whom it may reach, and how long its TCP segments may be.

use nftables::expr::{Expression, MetaKey, NamedExpression, RT, RTFamily, RTKey, TcpOption};
use nftables::stmt::{Mangle, Statement};

use super::statement::{is, is_syn, meta, text};
use super::{BaseChain, NftTable};
use crate::net::Ifname;

impl NftTable {
    /// Adds the rules by which TCP connections through the tunnel, in either direction, fit the path: the smaller of the
    /// ways there and back counts (`rt mtu`), and no segment gets longer by it.
    pub fn add_clamp_mss(&mut self, ifname: Ifname) {
        for key in [MetaKey::Iifname, MetaKey::Oifname] {
            let clamp = vec![is(meta(key), text(&ifname)), is_syn(), clamp_mss()];
            let comment = format!("wgq {ifname}: ClampMSS");
            self.add_rule(BaseChain::ForwardMangle, clamp, comment);
        }
    }

    /// Adds the rule by which peers do not reach each other; this host they do.
    pub fn add_isolate(&mut self, ifname: Ifname) {
        let between = vec![
            is(meta(MetaKey::Iifname), text(&ifname)),
            is(meta(MetaKey::Oifname), text(&ifname)),
            Statement::Drop(None),
        ];
        let comment = format!("wgq {ifname}: Isolate");
        self.add_rule(BaseChain::Forward, between, comment);
    }
}

/// `tcp option maxseg size set rt mtu`
fn clamp_mss() -> Statement<'static> {
    Statement::Mangle(Mangle {
        key: Expression::Named(NamedExpression::TcpOption(TcpOption {
            name: "maxseg".into(),
            field: Some("size".into()),
        })),
        value: Expression::Named(NamedExpression::RT(RT {
            key: RTKey::MTU,
            family: None::<RTFamily>,
        })),
    })
}
