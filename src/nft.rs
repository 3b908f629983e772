//! The tunnel's own nftables table, described with the types of the `nftables` crate.
//!
//! A table is put together from rules: each says for which base chain it is, and the chains are made as they are needed.
//!
//! Tables are compared, wanted with found, so there must be one form for each rule. It is the one that `nft -j` lists:
//! * no tests of protocols that go without saying: `tcp dport 22`, not `meta l4proto tcp tcp dport 22`;
//! * several values are an anonymous set, in order (of names: that of their bytes), of at least two that do not touch each
//!   other; a range that is a network is a prefix;
//! * words, not numbers, where nft(8) has them, and of several bits (`ct state`) a list in their order;
//! * `masquerade` without flags is `None`, and `reject` says its type and code.

use std::borrow::Cow;

use nftables::schema::{Chain, NfCmd, NfListObject, NfObject, Nftables, Rule, Table};
use nftables::stmt::Statement;
use nftables::types::NfFamily;

use crate::net::Ifname;

mod base_chain;
mod display;
mod forward;
mod full_tunnel;
mod keep_inbound;
mod kill_switch;
mod nat;
mod statement;

pub use base_chain::BaseChain;
pub use kill_switch::KillSwitch;

/// A table `inet wgq-IFNAME`, replaced and deleted as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NftTable {
    /// The name: `wgq-wg0`.
    pub name: String,
    /// The chains, each with its rules in order.
    pub chains: Vec<NftChain>,
}

/// A chain and its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NftChain {
    /// The chain itself.
    pub chain: Chain<'static>,
    /// Its rules, in order.
    pub rules: Vec<Rule<'static>>,
}

impl NftTable {
    /// A tunnel's table, with nothing in it.
    pub fn new(ifname: Ifname) -> Self {
        Self {
            name: Self::name_for(ifname),
            chains: Vec::new(),
        }
    }

    /// The name of a tunnel's table.
    ///
    /// It can have `=` and `+`, as an interface can; the kernel takes these in a table's name, but nft(8) cannot read them.
    pub fn name_for(ifname: Ifname) -> String {
        format!("wgq-{ifname}")
    }

    /// Appends a rule to a base chain, which is made if it is not there; the comment says what the rule is for.
    pub fn add_rule(
        &mut self,
        base: BaseChain,
        statements: Vec<Statement<'static>>,
        comment: String,
    ) {
        let rule = Rule {
            family: NfFamily::INet,
            table: self.name.clone().into(),
            chain: base.name().into(),
            expr: statements.into(),
            comment: Some(comment.into()),
            ..Rule::default()
        };
        let found = self
            .chains
            .iter_mut()
            .find(|chain| chain.chain.name == base.name());
        match found {
            Some(chain) => chain.rules.push(rule),
            None => self.chains.push(NftChain {
                chain: base.in_table(&self.name),
                rules: vec![rule],
            }),
        }
    }

    /// Whether there are rules by a key of the file: their comments begin with `wgq wg0: KEY`.
    pub fn has_rules_for(&self, ifname: Ifname, key: &str) -> bool {
        let comment = format!("wgq {ifname}: {key}");
        let mut rules = self.chains.iter().flat_map(|chain| &chain.rules);
        rules.any(|rule| {
            let found = rule.comment.as_deref().unwrap_or_default();
            found.starts_with(&comment)
        })
    }

    /// Returns the commands that put this table in place of what is there, in the form of libnftables-json(5).
    ///
    /// It is added before it is deleted because a table that is not there cannot be deleted.
    pub fn to_commands(&self) -> Nftables<'static> {
        let table = || NfListObject::Table(self.table());
        let chains = self
            .chains
            .iter()
            .map(|chain| NfListObject::Chain(chain.chain.clone()));
        let rules = self.chains.iter().flat_map(|chain| &chain.rules);
        let mut commands = vec![
            NfCmd::Add(table()),
            NfCmd::Delete(table()),
            NfCmd::Add(table()),
        ];
        commands.extend(chains.map(NfCmd::Add));
        commands.extend(rules.map(|rule| NfCmd::Add(NfListObject::Rule(rule.clone()))));
        Nftables {
            objects: Cow::Owned(commands.into_iter().map(NfObject::CmdObject).collect()),
        }
    }

    fn table(&self) -> Table<'static> {
        Table {
            family: NfFamily::INet,
            name: self.name.clone().into(),
            handle: None,
        }
    }
}
