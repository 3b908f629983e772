//! What is written: messages that are done all or none, with one commit, and so one wait for RCU, for all.

use netlink_packet_core::{NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use nftables::schema::{Chain, Rule};
use nftables::types::{NfChainPolicy, NfChainType, NfHook};

use super::attribute::Attributes;
use super::compile::compile;
use super::error::Error;
use super::instruction::Instruction;
use super::message::{Family, MessageType, batch_begin, batch_end, message_type, payload};
use crate::host::netlink::{Message, Netlink};
use crate::nft::NftTable;

#[cfg(test)]
mod tests;

/// `NF_DROP` and `NF_ACCEPT`, as policies
pub(super) const POLICIES: [(NfChainPolicy, u32); 2] =
    [(NfChainPolicy::Drop, 0), (NfChainPolicy::Accept, 1)];

/// `NF_INET_*`
pub(super) const HOOKS: [(NfHook, u32); 5] = [
    (NfHook::Prerouting, 0),
    (NfHook::Input, 1),
    (NfHook::Forward, 2),
    (NfHook::Output, 3),
    (NfHook::Postrouting, 4),
];

/// The kernel's names of chain types.
pub(super) const CHAIN_TYPES: [(NfChainType, &str); 3] = [
    (NfChainType::Filter, "filter"),
    (NfChainType::NAT, "nat"),
    (NfChainType::Route, "route"),
];

/// `NFTNL_UDATA_RULE_COMMENT`: the kind of what nft(8) keeps as a rule's comment, in a list of kinds, lengths and values.
pub(super) const COMMENT: u8 = 0;

/// A message, and what it is about.
pub(super) struct Part {
    pub(super) object: String,
    /// The kernel's module that it needs beside the core.
    pub(super) module: Option<&'static str>,
    message_type: u16,
    flags: u16,
    pub(super) payload: Vec<u8>,
}

/// Messages that are done all or none.
pub(super) struct Transaction {
    parts: Vec<Part>,
    sets: u32,
}

impl Transaction {
    pub(super) fn new() -> Self {
        Self {
            parts: Vec::new(),
            sets: 0,
        }
    }

    /// Puts a table in place of the one of its name, if there is one.
    pub(super) fn replace(&mut self, table: &NftTable) -> Result<(), Error> {
        // to be deleted it must be there
        self.add_table(&table.name, NLM_F_CREATE);
        self.delete_table(Family::INET, &table.name);
        self.create(table)
    }

    /// Makes a table; that there is one of its name is an error.
    pub(super) fn create(&mut self, table: &NftTable) -> Result<(), Error> {
        self.add_table(&table.name, NLM_F_CREATE | NLM_F_EXCL);
        for chain in &table.chains {
            self.add_chain(&table.name, &chain.chain)?;
        }
        for chain in &table.chains {
            for (rule, number) in chain.rules.iter().zip(1..) {
                let object = format!("rule {number} of chain {}", chain.chain.name);
                self.add_rule(&table.name, object, rule)?;
            }
        }
        Ok(())
    }

    pub(super) fn delete_table(&mut self, family: Family, name: &str) {
        let attributes = Attributes::new().text(1, name);
        let object = format!("table {family} {name}");
        self.push(
            object,
            MessageType::DeleteTable,
            0,
            payload(family, attributes),
        );
    }

    fn add_table(&mut self, name: &str, flags: u16) {
        let attributes = Attributes::new().text(1, name).number(2, 0);
        self.push(
            format!("table inet {name}"),
            MessageType::NewTable,
            flags,
            payload(Family::INET, attributes),
        );
    }

    fn add_chain(&mut self, table: &str, chain: &Chain<'_>) -> Result<(), Error> {
        let object = format!("chain {}", chain.name);
        let attributes = Attributes::new().text(1, table).text(3, &chain.name);
        let attributes = base_chain(attributes, chain).ok_or_else(|| Error::beyond(&object))?;
        self.add(object, MessageType::NewChain, attributes);
        if let (Some(NfChainType::NAT), Some(part)) = (chain._type, self.parts.last_mut()) {
            part.module = Some("nft_chain_nat");
        }
        Ok(())
    }

    fn add_rule(&mut self, table: &str, object: String, rule: &Rule<'_>) -> Result<(), Error> {
        let instructions = compile(&rule.expr).ok_or_else(|| Error::beyond(&object))?;
        let mut list = Attributes::new();
        for instruction in &instructions {
            if let Instruction::Lookup { set, .. } = instruction {
                self.sets += 1;
                let object = || format!("set of {object}");
                let declaration = set.declaration(table, self.sets);
                self.add(object(), MessageType::NewSet, declaration);
                for elements in set.contents(table, self.sets) {
                    self.add(object(), MessageType::NewSetElement, elements);
                }
            }
            list = instruction.append_to(list, self.sets);
        }
        let mut attributes = Attributes::new()
            .text(1, table)
            .text(2, &rule.chain)
            .nested(4, &list);
        if let Some(comment) = &rule.comment {
            let data = user_data(comment).ok_or_else(|| Error::beyond(&object))?;
            attributes = attributes.bytes(7, &data);
        }
        self.add(object, MessageType::NewRule, attributes);
        Ok(())
    }

    fn add(&mut self, object: String, message_type: MessageType, attributes: Attributes) {
        let flags = NLM_F_CREATE | NLM_F_APPEND;
        self.push(
            object,
            message_type,
            flags,
            payload(Family::INET, attributes),
        );
    }

    pub(super) fn push(&mut self, object: String, kind: MessageType, flags: u16, payload: Vec<u8>) {
        self.parts.push(Part {
            object,
            module: None,
            message_type: message_type(kind),
            flags,
            payload,
        });
    }

    /// Sends all and waits until it is done.
    pub(super) fn commit(mut self, client: &mut Netlink) -> Result<(), Error> {
        let Some(last) = self.parts.last_mut() else {
            return Ok(());
        };
        last.flags |= NLM_F_ACK;
        let mut messages = vec![batch_begin()];
        messages.extend(self.parts.iter().map(Part::message));
        messages.push(batch_end());
        match client.transaction(&messages).into_iter().next() {
            None => Ok(()),
            // the first message is the frame: what is wrong with that is wrong with all
            Some(failure) if failure.index == 0 => {
                Err(Error::refused_all(self.parts.first(), failure.error))
            }
            Some(failure) => {
                let part = self.parts.get(failure.index - 1);
                Err(Error::refused(part, failure.error))
            }
        }
    }
}

impl Part {
    fn message(&self) -> Message {
        Message::from_payload(self.message_type, self.flags, self.payload.clone())
    }
}

/// Adds the hook, the type and the policy of a base chain; nothing to another chain.
fn base_chain(attributes: Attributes, chain: &Chain<'_>) -> Option<Attributes> {
    let (Some(hook), Some(kind), Some(priority)) = (chain.hook, chain._type, chain.prio) else {
        return Some(attributes);
    };
    let (_, hook) = HOOKS.into_iter().find(|(known, _)| *known == hook)?;
    let (_, kind) = CHAIN_TYPES.into_iter().find(|(known, _)| *known == kind)?;
    let place = Attributes::new()
        .number(1, hook)
        .number(2, priority.cast_unsigned());
    let attributes = attributes.nested(4, &place).text(7, kind);
    let mut policies = POLICIES.into_iter();
    Some(
        match policies.find(|(known, _)| Some(*known) == chain.policy) {
            Some((_, policy)) => attributes.number(5, policy),
            None => attributes,
        },
    )
}

/// A comment as nft(8) keeps it; none if it is longer than 254 bytes.
pub(super) fn user_data(comment: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(comment.len() + 1).ok()?;
    Some([&[COMMENT, length], comment.as_bytes(), b"\0"].concat())
}
