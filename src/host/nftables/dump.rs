//! What is read: a table, in the words that it is described with.

use std::collections::BTreeMap;

use nftables::schema::{Chain, Rule};
use nftables::stmt::Statement;
use nftables::types::NfFamily;

use super::attribute::{Attributes, find, number, text};
use super::decompile::decompile;
use super::error::Error;
use super::instruction::Instruction;
use super::message::{Family, MessageType, parse, question};
use super::set::AnonymousSet;
use super::transaction::{CHAIN_TYPES, COMMENT, HOOKS, POLICIES};
use crate::host::netlink::{KernelError, Netlink};
use crate::nft::{NftChain, NftTable};

/// `NFT_TABLE_F_DORMANT`: the table is there and does nothing.
pub(super) const DORMANT: u32 = 1;

/// Reads the table of this name; none if there is none.
pub(super) fn table(client: &mut Netlink, name: &str) -> Result<Option<NftTable>, Error> {
    read(client, name).map_err(Error::unreadable)
}

fn read(client: &mut Netlink, name: &str) -> Result<Option<NftTable>, KernelError> {
    let of_table = || Attributes::new().text(1, name);
    let ask = question(MessageType::GetTable, Family::INET, of_table());
    let found = client.get(ask, |answer| {
        let (_, declaration) = parse(answer.payload);
        Ok(find(declaration, 2).and_then(number).unwrap_or(0))
    });
    let mut table = NftTable {
        name: name.to_owned(),
        chains: Vec::new(),
    };
    match found {
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error),
        // its chains are as if they were not
        Ok(Some(flags)) if flags & DORMANT != 0 => return Ok(Some(table)),
        Ok(_) => {}
    }
    let ask = question(MessageType::GetChain, Family::INET, of_table());
    table.chains = client.dump(&ask, |answer| {
        Ok(declared_in(name, answer.payload).and_then(|declaration| chain(name, declaration)))
    })?;
    let sets = sets(client, name)?;
    let ask = question(MessageType::GetRule, Family::INET, of_table());
    let rules =
        client.dump(&ask, |answer| {
            Ok(declared_in(name, answer.payload)
                .and_then(|declaration| rule(name, declaration, &sets)))
        })?;
    for rule in rules {
        let mut chains = table.chains.iter_mut();
        if let Some(chain) = chains.find(|chain| chain.chain.name == rule.chain) {
            chain.rules.push(rule);
        }
    }
    Ok(Some(table))
}

/// Lists the family and the name of each table.
pub(super) fn table_names(client: &mut Netlink) -> Result<Vec<(Family, String)>, Error> {
    let ask = question(MessageType::GetTable, Family::ANY, Attributes::new());
    let names = client.dump(&ask, |answer| {
        let (family, declaration) = parse(answer.payload);
        Ok(find(declaration, 1).map(|name| (family, text(name))))
    });
    names.map_err(Error::unreadable)
}

/// Returns the attributes of what is answered, if it is in this table: kernels before 6.4 list those of others too.
pub(super) fn declared_in<'a>(table: &str, payload: &'a [u8]) -> Option<&'a [u8]> {
    let (_, declaration) = parse(payload);
    let found = find(declaration, 1).map(text);
    (found.as_deref() == Some(table)).then_some(declaration)
}

/// Reads a chain. What wgq does not know of it is left out, so that it is not like any of wgq's.
fn chain(table: &str, declaration: &[u8]) -> Option<NftChain> {
    let place = find(declaration, 4).unwrap_or_default();
    let field = |kind| find(place, kind).and_then(number);
    let hook = HOOKS
        .into_iter()
        .find(|(_, number)| Some(*number) == field(1));
    let kind = find(declaration, 7).map(text);
    let kind = CHAIN_TYPES
        .into_iter()
        .find(|(_, name)| kind.as_deref() == Some(name));
    let policy = find(declaration, 5).and_then(number);
    let policy = POLICIES
        .into_iter()
        .find(|(_, number)| Some(*number) == policy);
    Some(NftChain {
        chain: Chain {
            family: NfFamily::INet,
            table: table.to_owned().into(),
            name: text(find(declaration, 3)?).into(),
            _type: kind.map(|(kind, _)| kind),
            hook: hook.map(|(hook, _)| hook),
            prio: field(2).map(u32::cast_signed),
            policy: policy.map(|(policy, _)| policy),
            ..Chain::default()
        },
        rules: Vec::new(),
    })
}

/// Reads a rule. One that is not of wgq's making becomes a statement that wgq never makes.
fn rule(
    table: &str,
    declaration: &[u8],
    sets: &BTreeMap<String, AnonymousSet>,
) -> Option<Rule<'static>> {
    let list = find(declaration, 4).unwrap_or_default();
    let instructions = Instruction::parse_list(list, |name| sets.get(name).cloned());
    let statements = instructions.and_then(|instructions| decompile(&instructions));
    Some(Rule {
        family: NfFamily::INet,
        table: table.to_owned().into(),
        chain: text(find(declaration, 2)?).into(),
        expr: statements
            .unwrap_or_else(|| vec![Statement::XT(None)])
            .into(),
        comment: find(declaration, 7).and_then(comment).map(Into::into),
        ..Rule::default()
    })
}

/// Finds the comment in what nft(8) keeps with a rule.
pub(super) fn comment(mut user_data: &[u8]) -> Option<String> {
    while let [kind, length, rest @ ..] = user_data {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        if *kind == COMMENT {
            return Some(text(value));
        }
        user_data = rest;
    }
    None
}

/// Reads the sets of the table's rules, by the names that the kernel chose.
fn sets(client: &mut Netlink, table: &str) -> Result<BTreeMap<String, AnonymousSet>, KernelError> {
    let of_table = || Attributes::new().text(1, table);
    let ask = question(MessageType::GetSet, Family::INET, of_table());
    let declared = client.dump(&ask, |answer| {
        let declaration = declared_in(table, answer.payload);
        let set = declaration.and_then(AnonymousSet::parse_declaration);
        Ok(declaration.and_then(|it| find(it, 2)).map(text).zip(set))
    })?;
    let mut sets = BTreeMap::new();
    for (name, mut set) in declared {
        let of_set = of_table().text(2, &name);
        let ask = question(MessageType::GetSetElement, Family::INET, of_set);
        let parts = client.dump(&ask, |answer| Ok(Some(parse(answer.payload).1.to_vec())))?;
        for part in parts {
            set.parse_contents(&part);
        }
        sets.insert(name, set);
    }
    Ok(sets)
}
