//! The base chains of a tunnel's table.

use nftables::schema::Chain;
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook};

/// A base chain of a tunnel's table; what it does not drop, it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseChain {
    /// What came in, before connection tracking.
    PreRaw,
    /// What came in, before routing.
    PreMangle,
    /// What is about to leave.
    PostMangle,
    /// What this host sends: where a changed mark leads it another way.
    OutMangle,
    /// What is about to leave, by an interface that does not change any more.
    KillSwitch,
}

impl BaseChain {
    /// Its name in the table, as in wg-quick's where that has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreRaw => "preraw",
            Self::PreMangle => "premangle",
            Self::PostMangle => "postmangle",
            Self::OutMangle => "outmangle",
            Self::KillSwitch => "killswitch",
        }
    }

    fn kind(self) -> NfChainType {
        match self {
            Self::OutMangle => NfChainType::Route,
            Self::PreRaw | Self::PreMangle | Self::PostMangle | Self::KillSwitch => {
                NfChainType::Filter
            }
        }
    }

    /// The hook and the place in its order: the priorities are those that nft(8) calls raw, mangle and filter.
    fn hook(self) -> (NfHook, i32) {
        match self {
            Self::PreRaw => (NfHook::Prerouting, -300),
            Self::PreMangle => (NfHook::Prerouting, -150),
            Self::PostMangle => (NfHook::Postrouting, -150),
            Self::OutMangle => (NfHook::Output, -150),
            Self::KillSwitch => (NfHook::Postrouting, 0),
        }
    }

    /// Describes the chain in a table of this name.
    pub(super) fn in_table(self, table: &str) -> Chain<'static> {
        let (hook, priority) = self.hook();
        Chain {
            family: NfFamily::INet,
            table: table.to_owned().into(),
            name: self.name().into(),
            _type: Some(self.kind()),
            hook: Some(hook),
            prio: Some(priority),
            policy: Some(NfChainPolicy::Accept),
            ..Chain::default()
        }
    }
}
