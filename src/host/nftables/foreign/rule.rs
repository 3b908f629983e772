//! A rule of another program, as far as wgq reads it.

use super::super::attribute::{attributes, find, number, text};
use super::super::compile::{ACCEPT, DROP, GOTO, JUMP, RETURN};
use super::super::dump::comment;
use super::super::instruction::{Comparison, EXPRESSION_DATA, EXPRESSION_NAME, Instruction};
use super::conntrack::{self, STATE, of_bits};
use super::state_set::{StateSet, StateSets};
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

/// Reads the rule that is declared so; `sets` are those of its table.
pub(super) fn rule(declaration: &[u8], sets: &StateSets) -> Rule {
    let mut rule = Rule {
        comment: find(declaration, 7).and_then(comment),
        ..Rule::default()
    };
    let mut loaded = Vec::new();
    for (_, expression) in attributes(find(declaration, 4).unwrap_or_default()) {
        let name = find(expression, EXPRESSION_NAME)
            .map(text)
            .unwrap_or_default();
        let data = find(expression, EXPRESSION_DATA).unwrap_or_default();
        match name.as_str() {
            "reject" => rule.action = Action::Drop,
            "match" => {
                if let Some(comment) = xt_comment(data) {
                    rule.comment = Some(comment);
                } else {
                    let tracked = conntrack::of_xt_match(data).map(Condition::Tracked);
                    rule.conditions.push(tracked.unwrap_or(Condition::Unknown));
                }
            }
            "target" if find(data, 1).map(text).as_deref() == Some("REJECT") => {
                rule.action = Action::Drop;
            }
            // the other targets decide nothing: iptables(8) writes accept and drop as verdicts
            "counter" | "log" | "target" => {}
            "lookup" => look_up(data, &loaded, sets, &mut rule),
            _ => {
                let instruction = Instruction::parse(expression, |_| None);
                read_instruction(instruction, &mut loaded, &mut rule);
            }
        }
    }
    rule
}

/// Takes note of what is asked of the state of the connection. A map decides too: what it accepts is all that is read of it.
fn look_up(data: &[u8], loaded: &[Instruction], sets: &StateSets, rule: &mut Rule) {
    let is_inverted = find(data, 5).and_then(number).unwrap_or(0) != 0;
    let is_state = *loaded == [Instruction::Ct { key: STATE }];
    let name = find(data, 1).map(text).filter(|_| is_state && !is_inverted);
    let set = name.and_then(|name| sets.get(&name).copied());
    let (bits, decides) = match set {
        Some(StateSet::Set(bits)) => (bits, false),
        Some(StateSet::VerdictMap(accepted)) => (accepted, true),
        None => (0, false),
    };
    let tracked = of_bits(STATE, bits).map(Condition::Tracked);
    if decides && tracked.is_some() {
        rule.action = Action::Accept;
    }
    rule.conditions.push(tracked.unwrap_or(Condition::Unknown));
}

/// Takes note of what an instruction asks or does; one that is not known may ask for anything. `loaded` are those that made
/// what is in the register.
fn read_instruction(
    instruction: Option<Instruction>,
    loaded: &mut Vec<Instruction>,
    rule: &mut Rule,
) {
    match instruction {
        Some(
            load
            @ (Instruction::Meta { .. } | Instruction::Payload { .. } | Instruction::Ct { .. }),
        ) => {
            *loaded = vec![load];
        }
        Some(mask @ Instruction::Mask { .. }) => loaded.push(mask),
        Some(
            Instruction::Value { .. } | Instruction::SetMeta { .. } | Instruction::SetCt { .. },
        ) => {}
        Some(Instruction::Compare { how, value }) => {
            let condition = condition(loaded, how, &value);
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
            loaded.clear();
            rule.conditions.push(Condition::Unknown);
        }
    }
}

fn condition(loaded: &[Instruction], how: Comparison, value: &[u8]) -> Option<Condition> {
    match (loaded, how, value) {
        (
            [
                Instruction::Meta {
                    key: key @ (IIFNAME | OIFNAME),
                },
            ],
            Comparison::Equal | Comparison::NotEqual,
            name,
        ) => Some(Condition::Interface {
            incoming: *key == IIFNAME,
            name: text(name),
            // without the NUL that ends a name only its beginning is compared
            is_prefix: name.len() < IFNAME_LEN && !name.contains(&0),
            negated: how == Comparison::NotEqual,
        }),
        ([Instruction::Meta { key: L4PROTO }], Comparison::Equal, [protocol]) => {
            Some(Condition::Protocol(*protocol))
        }
        ([DESTINATION_PORT], Comparison::Equal, &[high, low]) => {
            Some(Condition::Port(u16::from_be_bytes([high, low])))
        }
        ([Instruction::Ct { key }, Instruction::Mask { mask }], Comparison::NotEqual, zeros)
            if zeros.iter().all(|&byte| byte == 0) =>
        {
            let bits = mask.as_slice().try_into().ok().map(u32::from_ne_bytes)?;
            of_bits(*key, bits).map(Condition::Tracked)
        }
        _ => None,
    }
}

/// Reads the comment that iptables(8) keeps in a match of its own.
fn xt_comment(data: &[u8]) -> Option<String> {
    let name = find(data, 1).map(text)?;
    (name == "comment").then(|| find(data, 3).map(text))?
}
