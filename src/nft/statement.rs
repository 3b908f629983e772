//! The words that rules are made of, shortened.

use std::collections::HashSet;
use std::net::IpAddr;

use nftables::expr::{
    CT, Expression, Fib, FibFlag, FibResult, Meta, MetaKey, NamedExpression, Payload, PayloadField,
};
use nftables::stmt::{Mangle, Match, Operator, Statement};

use crate::net::FwMark;

/// `meta KEY`
pub(super) fn meta(key: MetaKey) -> Expression<'static> {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

/// `ct mark`
pub(super) fn ct_mark() -> Expression<'static> {
    Expression::Named(NamedExpression::CT(CT {
        key: "mark".into(),
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
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(
        PayloadField {
            protocol: protocol.into(),
            field: field.into(),
        },
    )))
}

/// `fib saddr type`
pub(super) fn source_type() -> Expression<'static> {
    Expression::Named(NamedExpression::Fib(Fib {
        result: FibResult::Type,
        flags: HashSet::from([FibFlag::Saddr]),
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
