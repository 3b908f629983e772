//! The text of a table, as nft(8) lists it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the crate describes far more than wgq uses"
)]

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};

use nftables::expr::Expression;
use nftables::schema::{Chain, Rule};
use nftables::stmt::{Match, NAT, NATFlag, Operator, Statement};
use nftables::types::NfHook;

use super::{NftChain, NftTable};
use expression::{Style, json, selector, symbol, value, word};

mod expression;

impl Display for NftTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "table inet {} {{", self.name)?;
        for (index, chain) in self.chains.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{chain}")?;
        }
        writeln!(f, "}}")
    }
}

impl Display for NftChain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\tchain {} {{", self.chain.name)?;
        base(f, &self.chain)?;
        for each in &self.rules {
            f.write_str("\t\t")?;
            rule(f, each)?;
            writeln!(f)?;
        }
        writeln!(f, "\t}}")
    }
}

/// Writes the line that hooks a base chain in; nothing for another chain.
fn base(f: &mut Formatter<'_>, chain: &Chain<'_>) -> fmt::Result {
    let (Some(kind), Some(hook), Some(priority)) = (&chain._type, chain.hook, chain.prio) else {
        return Ok(());
    };
    f.write_str("\t\ttype ")?;
    word(f, kind)?;
    f.write_str(" hook ")?;
    word(f, &hook)?;
    write!(f, " priority {};", Priority(hook, priority))?;
    if let Some(policy) = &chain.policy {
        f.write_str(" policy ")?;
        word(f, policy)?;
        f.write_str(";")?;
    }
    writeln!(f)
}

/// A chain's place among those of its hook; prints by the nearest name of nft(8).
struct Priority(NfHook, i32);

impl Display for Priority {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(hook, priority) = *self;
        let names = [
            ("raw", -300, None),
            ("mangle", -150, None),
            ("dstnat", -100, Some(NfHook::Prerouting)),
            ("filter", 0, None),
            ("security", 50, None),
            ("srcnat", 100, Some(NfHook::Postrouting)),
        ];
        let near = names.iter().find(|(_, at, only)| {
            priority.abs_diff(*at) <= 10 && only.is_none_or(|only| only == hook)
        });
        match near {
            None => write!(f, "{priority}"),
            Some((name, at, _)) if priority == *at => f.write_str(name),
            Some((name, at, _)) if priority > *at => write!(f, "{name} + {}", priority - at),
            Some((name, at, _)) => write!(f, "{name} - {}", at - priority),
        }
    }
}

fn rule(f: &mut Formatter<'_>, rule: &Rule<'_>) -> fmt::Result {
    for (index, each) in rule.expr.iter().enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        statement(f, each)?;
    }
    rule.comment
        .as_ref()
        .map_or(Ok(()), |comment| write!(f, " comment \"{comment}\""))
}

fn statement(f: &mut Formatter<'_>, statement: &Statement<'_>) -> fmt::Result {
    match statement {
        Statement::Accept(_) => f.write_str("accept"),
        Statement::Drop(_) => f.write_str("drop"),
        Statement::Return(_) => f.write_str("return"),
        Statement::Jump(to) => write!(f, "jump {}", to.target),
        Statement::Goto(to) => write!(f, "goto {}", to.target),
        Statement::Match(comparison) => compare(f, comparison),
        Statement::Mangle(mangle) => {
            selector(f, &mangle.key)?;
            f.write_str(" set ")?;
            value(f, &mangle.value, Style::of(&mangle.key))
        }
        Statement::Masquerade(to) => nat(f, "masquerade", to.as_ref()),
        Statement::DNAT(to) => nat(f, "dnat", to.as_ref()),
        Statement::SNAT(to) => nat(f, "snat", to.as_ref()),
        Statement::Reject(reject) => {
            // nft(8) leaves out what is said by default, but what that is hangs on the rest of the rule
            f.write_str("reject")?;
            let with = reject.as_ref().and_then(|it| it._type.zip(it.expr));
            with.map_or(Ok(()), |(kind, code)| {
                write!(f, " with {} {}", symbol(&kind), symbol(&code))
            })
        }
        other => json(f, other),
    }
}

/// Writes `LEFT OPERATOR RIGHT`; the operator goes without saying where nft(8) would not list it.
fn compare(f: &mut Formatter<'_>, comparison: &Match<'_>) -> fmt::Result {
    let Match { left, right, op } = comparison;
    selector(f, left)?;
    let masked = matches!(left, Expression::BinaryOperation(_));
    if *op != Operator::IN && (*op != Operator::EQ || masked) {
        f.write_str(" ")?;
        word(f, op)?;
    }
    f.write_str(" ")?;
    value(f, right, Style::of(left))
}

fn nat(f: &mut Formatter<'_>, verb: &str, to: Option<&NAT<'_>>) -> fmt::Result {
    f.write_str(verb)?;
    let Some(to) = to else { return Ok(()) };
    if let Some(family) = &to.family {
        f.write_str(" ")?;
        word(f, family)?;
    }
    if to.addr.is_some() || to.port.is_some() {
        f.write_str(" to ")?;
    }
    match &to.addr {
        Some(Expression::String(ip)) if ip.contains(':') && to.port.is_some() => {
            write!(f, "[{ip}]")?;
        }
        Some(ip) => value(f, ip, Style::Plain)?,
        None => {}
    }
    if let Some(port) = &to.port {
        f.write_str(":")?;
        value(f, port, Style::Plain)?;
    }
    let order = [NATFlag::Random, NATFlag::FullyRandom, NATFlag::Persistent];
    let set = to.flags.iter().flatten().collect::<HashSet<_>>();
    let flags: Vec<_> = order.iter().filter(|flag| set.contains(flag)).collect();
    if !flags.is_empty() {
        write!(
            f,
            " {}",
            flags.into_iter().map(symbol).collect::<Vec<_>>().join(",")
        )?;
    }
    Ok(())
}
