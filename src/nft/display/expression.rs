//! The text of expressions: what rules look at, and what with.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the crate describes far more than wgq uses"
)]

use std::fmt::{self, Formatter};

use nftables::expr::{
    BinaryOperation, Expression, FibFlag, MetaKey, NamedExpression, Payload, SetItem,
};
use serde::Serialize;

/// Writes what a rule looks at or sets.
pub(super) fn selector(f: &mut Formatter<'_>, key: &Expression<'_>) -> fmt::Result {
    let key = match key {
        Expression::Named(key) => key,
        Expression::BinaryOperation(operation) => {
            let BinaryOperation::AND(key, mask) = operation.as_ref() else {
                return json(f, operation);
            };
            selector(f, key)?;
            f.write_str(" & ")?;
            return value(f, mask, Style::of(key));
        }
        other => return json(f, other),
    };
    match key {
        NamedExpression::Meta(meta) => {
            if !matches!(meta.key, MetaKey::Iifname | MetaKey::Oifname) {
                f.write_str("meta ")?;
            }
            word(f, &meta.key)
        }
        NamedExpression::CT(ct) => {
            f.write_str("ct ")?;
            if let Some(direction) = &ct.dir {
                word(f, direction)?;
                f.write_str(" ")?;
            }
            f.write_str(&ct.key)
        }
        NamedExpression::Payload(Payload::PayloadField(field)) => {
            write!(f, "{} {}", field.protocol, field.field)
        }
        NamedExpression::TcpOption(option) => {
            write!(f, "tcp option {}", option.name)?;
            option
                .field
                .as_ref()
                .map_or(Ok(()), |field| write!(f, " {field}"))
        }
        NamedExpression::RT(rt) => {
            f.write_str("rt ")?;
            word(f, &rt.key)
        }
        NamedExpression::Fib(fib) => {
            let order = [
                FibFlag::Saddr,
                FibFlag::Daddr,
                FibFlag::Mark,
                FibFlag::Iif,
                FibFlag::Oif,
            ];
            let flags = order.iter().filter(|flag| fib.flags.contains(flag));
            write!(
                f,
                "fib {} ",
                flags.map(symbol).collect::<Vec<_>>().join(" . ")
            )?;
            word(f, &fib.result)
        }
        other => json(f, other),
    }
}

/// How the values of a selector are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Words, numbers, addresses.
    Plain,
    /// Names of interfaces, in quotes.
    Quoted,
    /// Marks, as eight hexadecimal digits.
    Mark,
}

impl Style {
    pub(super) fn of(key: &Expression<'_>) -> Self {
        match key {
            Expression::Named(NamedExpression::Meta(meta)) => match meta.key {
                MetaKey::Iifname | MetaKey::Oifname => Self::Quoted,
                MetaKey::Mark => Self::Mark,
                _ => Self::Plain,
            },
            Expression::Named(NamedExpression::CT(ct)) if ct.key == "mark" => Self::Mark,
            Expression::BinaryOperation(operation) => match operation.as_ref() {
                BinaryOperation::AND(key, _) => Self::of(key),
                _ => Self::Plain,
            },
            _ => Self::Plain,
        }
    }
}

pub(super) fn value(f: &mut Formatter<'_>, value: &Expression<'_>, style: Style) -> fmt::Result {
    match value {
        Expression::String(name) if style == Style::Quoted => write!(f, "\"{name}\""),
        Expression::String(word) => f.write_str(word),
        Expression::Number(mark) if style == Style::Mark => write!(f, "{mark:#010x}"),
        Expression::Number(number) => write!(f, "{number}"),
        Expression::List(words) => list(f, words, ",", style),
        Expression::Range(range) => list(f, &range.range, "-", style),
        Expression::Named(NamedExpression::Prefix(prefix)) => {
            self::value(f, &prefix.addr, style)?;
            write!(f, "/{}", prefix.len)
        }
        Expression::Named(NamedExpression::Set(items)) => {
            let elements: Vec<_> = items
                .iter()
                .filter_map(|item| match item {
                    SetItem::Element(element) => Some(element.clone()),
                    _ => None,
                })
                .collect();
            f.write_str("{ ")?;
            list(f, &elements, ", ", style)?;
            f.write_str(" }")
        }
        other => selector(f, other),
    }
}

fn list(
    f: &mut Formatter<'_>,
    values: &[Expression<'_>],
    separator: &str,
    style: Style,
) -> fmt::Result {
    for (index, each) in values.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        value(f, each, style)?;
    }
    Ok(())
}

/// Writes a word of the crate as it spells it in JSON, which is as nft(8) spells it.
pub(super) fn word(f: &mut Formatter<'_>, word: &impl Serialize) -> fmt::Result {
    f.write_str(&symbol(word))
}

pub(super) fn symbol(word: &impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Writes what wgq never makes in the crate's own form.
pub(super) fn json(f: &mut Formatter<'_>, other: &impl Serialize) -> fmt::Result {
    f.write_str(&serde_json::to_string(other).unwrap_or_default())
}
