//! What rules compare the state of a connection with: `{ established, related }`, and `vmap { established : accept }`.

use std::collections::BTreeMap;

use super::super::attribute::{Attributes, attributes, find, number, text};
use super::super::compile::ACCEPT;
use super::super::datatype::Datatype;
use super::super::dump::declared_in;
use super::super::message::{Family, MessageType, parse, question};
use crate::host::netlink::{KernelError, Netlink};

/// `NFT_SET_ANONYMOUS` and `NFT_SET_MAP`
const ANONYMOUS: u32 = 1;
const MAP: u32 = 8;

/// `NFT_DATA_VERDICT`
const VERDICT: u32 = 0xffff_ff00;

/// States of a connection that live in one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateSet {
    /// A set, and the bits of all that are in it.
    Set(u32),
    /// A map to verdicts, and the bits of those that it accepts.
    VerdictMap(u32),
}

/// Those of a table, by the names that the kernel chose.
pub(super) type StateSets = BTreeMap<String, StateSet>;

/// Reads those of a table. One that has gone meanwhile has none.
pub(super) fn state_sets(
    client: &mut Netlink,
    family: Family,
    table: &str,
) -> Result<StateSets, KernelError> {
    match read(client, family, table) {
        Err(error) if error.is_absent() => Ok(StateSets::new()),
        sets => sets,
    }
}

fn read(client: &mut Netlink, family: Family, table: &str) -> Result<StateSets, KernelError> {
    let of_table = || Attributes::new().text(1, table);
    let ask = question(MessageType::GetSet, family, of_table());
    let mut sets: StateSets = client
        .dump(&ask, |answer| {
            let declaration = declared_in(table, answer.payload);
            Ok(declaration.and_then(declared))
        })?
        .into_iter()
        .collect();
    for (name, set) in &mut sets {
        let ask = question(MessageType::GetSetElement, family, of_table().text(2, name));
        let parts = client.dump(&ask, |answer| Ok(Some(parse(answer.payload).1.to_vec())))?;
        for part in parts {
            for (_, element) in attributes(find(&part, 3).unwrap_or_default()) {
                set.add(element);
            }
        }
    }
    Ok(sets)
}

/// Reads what is declared, still without elements.
fn declared(declaration: &[u8]) -> Option<(String, StateSet)> {
    let field = |kind| find(declaration, kind).and_then(number);
    let flags = field(3)?;
    let is_of_state = field(4)? == Datatype::CtState.number() && flags & ANONYMOUS != 0;
    let set = match flags & MAP {
        0 => StateSet::Set(0),
        _ if field(6) == Some(VERDICT) => StateSet::VerdictMap(0),
        _ => return None,
    };
    is_of_state.then_some((text(find(declaration, 2)?), set))
}

impl StateSet {
    fn add(&mut self, element: &[u8]) {
        let key = find(element, 1).and_then(|key| find(key, 1));
        let bits = key.and_then(|key| key.try_into().ok());
        let bits = bits.map_or(0, u32::from_ne_bytes);
        let verdict = find(element, 2).and_then(|data| find(data, 2));
        let code = verdict.and_then(|it| find(it, 1)).and_then(number);
        match self {
            Self::Set(all) => *all |= bits,
            Self::VerdictMap(accepted) if code == Some(ACCEPT) => *accepted |= bits,
            Self::VerdictMap(_) => {}
        }
    }
}
