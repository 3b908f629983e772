//! The words that rules are made of, shortened.

use std::collections::HashSet;
use std::net::IpAddr;

use nftables::expr::{
    self, CT, Expression, Fib, FibFlag, FibResult, Meta, MetaKey, NamedExpression, Payload,
    PayloadField, Range, SetItem,
};
use nftables::stmt::{Mangle, Match, Operator, Statement};

use crate::net::{FwMark, Prefix};

/// `meta KEY`
pub(super) fn meta(key: MetaKey) -> Expression<'static> {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

/// `ct mark`
pub(super) fn ct_mark() -> Expression<'static> {
    ct("mark")
}

/// `ct KEY`
pub(super) fn ct(key: &'static str) -> Expression<'static> {
    Expression::Named(NamedExpression::CT(CT {
        key: key.into(),
        family: None,
        dir: None,
    }))
}

/// `ip daddr` or `ip6 daddr`, whichever has addresses of this family.
pub(super) fn daddr(ip: IpAddr) -> Expression<'static> {
    address_field(ip, "daddr")
}

/// `ip saddr` or `ip6 saddr`.
pub(super) fn saddr(ip: IpAddr) -> Expression<'static> {
    address_field(ip, "saddr")
}

fn address_field(ip: IpAddr, field: &'static str) -> Expression<'static> {
    let protocol = match ip {
        IpAddr::V4(_) => "ip",
        IpAddr::V6(_) => "ip6",
    };
    payload(protocol, field)
}

/// `PROTOCOL FIELD`: `udp dport`
pub(super) fn payload(protocol: &'static str, field: &'static str) -> Expression<'static> {
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(
        PayloadField {
            protocol: protocol.into(),
            field: field.into(),
        },
    )))
}

/// `ip daddr 10.0.0.0/8`
pub(super) fn destination(prefix: Prefix) -> Statement<'static> {
    address_is("daddr", prefix)
}

/// `ip saddr 10.0.0.0/8`, with the field's name.
pub(super) fn address_is(field: &'static str, prefix: Prefix) -> Statement<'static> {
    is(address_field(prefix.ip(), field), network(prefix))
}

/// `ip saddr != 10.0.0.0/8`, with the field's name.
pub(super) fn address_is_not(field: &'static str, prefix: Prefix) -> Statement<'static> {
    is_not(address_field(prefix.ip(), field), network(prefix))
}

fn network(prefix: Prefix) -> Expression<'static> {
    let ip = text(&prefix.ip());
    if prefix.prefix_len() == prefix.family().bits() {
        return ip;
    }
    Expression::Named(NamedExpression::Prefix(expr::Prefix {
        addr: Box::new(ip),
        len: prefix.prefix_len().into(),
    }))
}

/// `ct KEY WORD`, of a key with several bits: that one is set.
pub(super) fn ct_has(key: &'static str, word: &'static str) -> Statement<'static> {
    compare(ct(key), Operator::IN, text(&word))
}

/// `{ WORD, WORD }`
pub(super) fn any_of<T: ToString>(words: &[T]) -> Expression<'static> {
    let items = words.iter().map(|word| SetItem::Element(text(word)));
    Expression::Named(NamedExpression::Set(items.collect()))
}

/// `8080`, or `27015-27030`
pub(super) fn ports_from_to(first: u16, last: u16) -> Expression<'static> {
    let port = |port: u16| Expression::Number(port.into());
    if first == last {
        return port(first);
    }
    let range = [port(first), port(last)];
    Expression::Range(Box::new(Range { range }))
}

/// `tcp flags syn`, alone or with others.
pub(super) fn is_syn() -> Statement<'static> {
    compare(payload("tcp", "flags"), Operator::IN, text(&"syn"))
}

/// `fib saddr type`
pub(super) fn source_type() -> Expression<'static> {
    address_type(FibFlag::Saddr)
}

/// `fib daddr type`
pub(super) fn destination_type() -> Expression<'static> {
    address_type(FibFlag::Daddr)
}

fn address_type(of: FibFlag) -> Expression<'static> {
    Expression::Named(NamedExpression::Fib(Fib {
        result: FibResult::Type,
        flags: HashSet::from([of]),
    }))
}

/// A word, a name or an address.
pub(super) fn text(value: &impl ToString) -> Expression<'static> {
    Expression::String(value.to_string().into())
}

/// A mark.
pub(super) fn mark(mark: FwMark) -> Expression<'static> {
    Expression::Number(mark.0)
}

/// `LEFT RIGHT`
pub(super) fn is(left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    compare(left, Operator::EQ, right)
}

/// `LEFT != RIGHT`
pub(super) fn is_not(left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    compare(left, Operator::NEQ, right)
}

fn compare(
    left: Expression<'static>,
    op: Operator,
    right: Expression<'static>,
) -> Statement<'static> {
    Statement::Match(Match { left, right, op })
}

/// `KEY set VALUE`
pub(super) fn set(key: Expression<'static>, value: Expression<'static>) -> Statement<'static> {
    Statement::Mangle(Mangle { key, value })
}

/// `ct mark 0xca6c meta mark set ct mark`
pub(super) fn restore_mark(fwmark: FwMark) -> [Statement<'static>; 2] {
    [
        is(ct_mark(), mark(fwmark)),
        set(meta(MetaKey::Mark), ct_mark()),
    ]
}
