//! Other programs' tables: what their chains do, as far as wgq reads it, and wgq's own rules in them.

use std::collections::HashMap;

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};

use super::attribute::{Attributes, find, number, text};
use super::compile::DROP;
use super::dump::{DORMANT, declared_in};
use super::error::Error;
use super::message::{Family, MessageType, parse, payload, question};
use super::transaction::{Transaction, user_data};
use crate::foreign::{self, Accept, Access, Chain, Hook, Packets, Place, Rule, Table, TableFamily};
use crate::host::netlink::{KernelError, Netlink};

mod conntrack;
mod rule;
mod state_set;
mod write;

use rule::rule;
use state_set::{StateSets, state_sets};
use write::instructions;

/// `NFT_TABLE_F_OWNER`: nobody may change the table but the socket that made it.
const OWNER: u32 = 2;

impl From<TableFamily> for Family {
    fn from(family: TableFamily) -> Self {
        match family {
            TableFamily::Ip => Self::IP,
            TableFamily::Ip6 => Self::IP6,
            TableFamily::Inet => Self::INET,
        }
    }
}

fn table_family(family: Family) -> Option<TableFamily> {
    let all = [TableFamily::Ip, TableFamily::Ip6, TableFamily::Inet];
    all.into_iter().find(|&it| Family::from(it) == family)
}

/// Reads the tables in which packets are filtered that pass through or are for this host, or change their source.
pub(super) fn tables(client: &mut Netlink) -> Result<Vec<Table>, Error> {
    read(client).map_err(Error::unreadable)
}

fn read(client: &mut Netlink) -> Result<Vec<Table>, KernelError> {
    let ask = question(MessageType::GetTable, Family::ANY, Attributes::new());
    let mut tables = client.dump(&ask, |answer| {
        let (family, declaration) = parse(answer.payload);
        let flags = find(declaration, 2).and_then(number).unwrap_or(0);
        let name = find(declaration, 1).map(text).unwrap_or_default();
        let is_of_tunnel = name.starts_with("wgq-") || name.starts_with("wg-quick-");
        let family = table_family(family).filter(|_| flags & DORMANT == 0 && !is_of_tunnel);
        Ok(family.map(|family| Table {
            family,
            name,
            access: if flags & OWNER == 0 {
                Access::Open
            } else {
                Access::Owned
            },
            chains: Vec::new(),
        }))
    })?;
    for table in &mut tables {
        table.chains = list(client, MessageType::GetChain, table, chain)?;
    }
    tables.retain(|table| table.chains.iter().any(|chain| chain.hook.is_some()));
    for table in &mut tables {
        let sets = state_sets(client, table.family.into(), &table.name)?;
        let listed = list(client, MessageType::GetRule, table, |it| {
            Some((text(find(it, 2)?), rule(it, &sets)))
        })?;
        let chains = table.chains.iter_mut();
        let mut rules_of: HashMap<&str, &mut Vec<Rule>> = chains
            .map(|Chain { name, rules, .. }| (name.as_str(), rules))
            .collect();
        for (name, rule) in listed {
            if let Some(rules) = rules_of.get_mut(name.as_str()) {
                rules.push(rule);
            }
        }
    }
    Ok(tables)
}

/// Lists what is of one kind in a table.
fn list<T>(
    client: &mut Netlink,
    kind: MessageType,
    table: &Table,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, KernelError> {
    let ask = question(
        kind,
        table.family.into(),
        Attributes::new().text(1, &table.name),
    );
    client.dump(&ask, |answer| {
        Ok(declared_in(&table.name, answer.payload).and_then(&read))
    })
}

fn chain(declaration: &[u8]) -> Option<Chain> {
    let kind = find(declaration, 7).map(text);
    let place = find(declaration, 4);
    let hook = place.and_then(|place| find(place, 1)).and_then(number);
    Some(Chain {
        name: text(find(declaration, 3)?),
        hook: match (kind.as_deref(), hook) {
            (Some("filter"), Some(1)) => Some(Hook::Input),
            (Some("filter"), Some(2)) => Some(Hook::Forward),
            (Some("nat"), Some(4)) => Some(Hook::SrcNat),
            _ => None,
        },
        drops: find(declaration, 5).and_then(number) == Some(DROP),
        rules: Vec::new(),
    })
}

/// Adds a rule to another program's chain.
pub(super) fn add(client: &mut Netlink, accept: &Accept) -> Result<(), Error> {
    let object = object(accept);
    let data = user_data(&foreign::comment(accept.ifname)).ok_or_else(|| Error::beyond(&object))?;
    let attributes = of_chain(accept)
        .nested(4, &instructions(accept))
        .bytes(7, &data);
    let next = match accept.place {
        Place::End => None,
        Place::Before(number) => {
            let rules = rules(client, accept).map_err(Error::unreadable)?;
            number
                .checked_sub(1)
                .and_then(|index| rules.get(index).map(|(handle, _)| handle.clone()))
        }
    };
    let (flags, attributes) = match next {
        None => (NLM_F_CREATE | NLM_F_APPEND, attributes),
        Some(handle) => (NLM_F_CREATE, attributes.bytes(6, &handle)),
    };
    let mut transaction = Transaction::new();
    let payload = payload(accept.family.into(), attributes);
    transaction.push(object, MessageType::NewRule, flags, payload);
    transaction.commit(client)
}

/// Has the transaction delete the rule from another program's chain, and its like; that there is none is no error.
pub(super) fn delete(
    client: &mut Netlink,
    accept: &Accept,
    transaction: &mut Transaction,
) -> Result<(), Error> {
    let rules = match rules(client, accept) {
        Err(error) if error.is_absent() => return Ok(()),
        rules => rules.map_err(Error::unreadable)?,
    };
    for (handle, rule) in rules {
        let packets = Packets::accepted_by(&rule, accept.ifname);
        if rule.is_of(accept.ifname) && packets == Some(accept.packets) {
            let attributes = of_chain(accept).bytes(3, &handle);
            let payload = payload(accept.family.into(), attributes);
            transaction.push(object(accept), MessageType::DeleteRule, 0, payload);
        }
    }
    Ok(())
}

/// Lists the rules of the accept's chain, each with its handle.
fn rules(client: &mut Netlink, accept: &Accept) -> Result<Vec<(Vec<u8>, Rule)>, KernelError> {
    let ask = question(MessageType::GetRule, accept.family.into(), of_chain(accept));
    client.dump(&ask, |answer| {
        let declaration = declared_in(&accept.table, answer.payload);
        let declaration =
            declaration.filter(|it| find(it, 2).map(text).as_ref() == Some(&accept.chain));
        // in wgq's own there are no sets
        Ok(declaration.and_then(|it| Some((find(it, 3)?.to_vec(), rule(it, &StateSets::new())))))
    })
}

fn of_chain(accept: &Accept) -> Attributes {
    Attributes::new()
        .text(1, &accept.table)
        .text(2, &accept.chain)
}

fn object(accept: &Accept) -> String {
    let Accept {
        family,
        table,
        chain,
        ..
    } = accept;
    format!("chain {chain} of table {family} {table}")
}
