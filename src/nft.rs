//! The tunnel's own nftables table, described with the types of the `nftables` crate.

use nftables::schema;

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
    pub chain: schema::Chain<'static>,
    /// Its rules, in order.
    pub rules: Vec<schema::Rule<'static>>,
}

impl std::fmt::Display for NftTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "table inet {}", self.name)
    }
}
