//! A rule of another program, as far as wgq reads it.

use super::super::attribute::{attributes, find, text};
use super::super::compile::{ACCEPT, DROP, GOTO, JUMP, RETURN};
use super::super::dump::comment;
use super::super::instruction::{Comparison, EXPRESSION_DATA, EXPRESSION_NAME, Instruction};
use crate::foreign::{Action, Condition, Rule};

/// `NFT_META_*`
pub(super) const IIFNAME: u32 = 6;
pub(super) const OIFNAME: u32 = 7;
pub(super) const L4PROTO: u32 = 16;

/// The length of an interface's name, in bytes (`IFNAMSIZ`).
pub(super) const IFNAME_LEN: usize = 16;

/// The destination port of UDP and TCP.
pub(super) const DESTINATION_PORT: Instruction = Instruction::Payload {
    base: 2,
    offset: 2,
    len: 2,
};

/// Reads the rule that is declared so.
pub(super) fn rule(declaration: &[u8]) -> Rule {
    let mut rule = Rule {
        comment: find(declaration, 7).and_then(comment),
        ..Rule::default()
    };
    let mut loaded = None;
    for (_, expression) in attributes(find(declaration, 4).unwrap_or_default()) {
        let name = find(expression, EXPRESSION_NAME)
            .map(text)
            .unwrap_or_default();
        let data = find(expression, EXPRESSION_DATA).unwrap_or_default();
        match name.as_str() {
            "reject" => rule.action = Action::Drop,
            "match" => match xt_comment(data) {
                Some(comment) => rule.comment = Some(comment),
                None => rule.conditions.push(Condition::Unknown),
            },
            "target" if find(data, 1).map(text).as_deref() == Some("REJECT") => {
                rule.action = Action::Drop;
            }
            // the other targets decide nothing: iptables(8) writes accept and drop as verdicts
            "counter" | "log" | "target" => {}
            _ => {
                let instruction = Instruction::parse(expression, |_| None);
                read_instruction(instruction, &mut loaded, &mut rule);
            }
        }
    }
    rule
}

/// Takes note of what an instruction asks or does; one that is not known may ask for anything.
fn read_instruction(
    instruction: Option<Instruction>,
    loaded: &mut Option<Instruction>,
    rule: &mut Rule,
) {
    match instruction {
        Some(load @ (Instruction::Meta { .. } | Instruction::Payload { .. })) => {
            *loaded = Some(load);
        }
        Some(
            Instruction::Value { .. } | Instruction::SetMeta { .. } | Instruction::SetCt { .. },
        ) => {}
        Some(Instruction::Compare { how, value }) => {
            let condition = loaded.as_ref().and_then(|it| condition(it, how, &value));
            rule.conditions
                .push(condition.unwrap_or(Condition::Unknown));
        }
        Some(Instruction::Verdict { code, chain }) => {
            rule.action = match (code, chain) {
                (ACCEPT, _) => Action::Accept,
                (DROP, _) => Action::Drop,
                (RETURN, _) => Action::Return,
                (JUMP, Some(chain)) => Action::Jump(chain),
                (GOTO, Some(chain)) => Action::Goto(chain),
                _ => Action::None,
            };
        }
        _ => {
            *loaded = None;
            rule.conditions.push(Condition::Unknown);
        }
    }
}

fn condition(loaded: &Instruction, how: Comparison, value: &[u8]) -> Option<Condition> {
    match (loaded, how, value) {
        (
            Instruction::Meta {
                key: key @ (IIFNAME | OIFNAME),
            },
            Comparison::Equal | Comparison::NotEqual,
            name,
        ) => Some(Condition::Interface {
            incoming: *key == IIFNAME,
            name: text(name),
            // without the NUL that ends a name only its beginning is compared
            is_prefix: name.len() < IFNAME_LEN && !name.contains(&0),
            negated: how == Comparison::NotEqual,
        }),
        (Instruction::Meta { key: L4PROTO }, Comparison::Equal, [protocol]) => {
            Some(Condition::Protocol(*protocol))
        }
        (&DESTINATION_PORT, Comparison::Equal, &[high, low]) => {
            Some(Condition::Port(u16::from_be_bytes([high, low])))
        }
        _ => None,
    }
}

/// Reads the comment that iptables(8) keeps in a match of its own.
fn xt_comment(data: &[u8]) -> Option<String> {
    let name = find(data, 1).map(text)?;
    (name == "comment").then(|| find(data, 3).map(text))?
}
